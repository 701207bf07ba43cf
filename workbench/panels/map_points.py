"""What the map draws: a row for each mark, with its place, colour and kind, and names. No widgets here.

The front end knows dots only. A JD is drawn as a dot on a larger dark one, which makes a ring; so are hits
and the query, in other colours. Texts of groups that would hardly be found in other texts are faint.
``Drawn.rows`` leads from a mark back to its text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.errors import InputError
from workbench.exploration import Clusters
from workbench.i18n import N_, pgettext
from workbench.i18n import gettext as _
from workbench.plots.skill_map import COLOURS, cluster_colours, colours_repeat, shade
from workbench.plots.style import GREEN, GREY, INK, VERMILLION, YELLOW
from workbench.visible import visible

# From below to above; a mark later in the list covers earlier ones.
MARKS = ("faint", "resume", "jd_ring", "jd", "hit_ring", "hit", "query_ring", "query")
# Five steps of matplotlib's cividis, which people with colour-vision deficiency can tell apart.
STEPS = ("#00224E", "#35456C", "#666970", "#A69D75", "#FDE737")
# The best half, fifth, twentieth and hundredth of scores get a step each.
STEP_QUANTILES = (0.5, 0.8, 0.95, 0.99)
ALL_COLOURS = tuple(dict.fromkeys([*COLOURS, GREY, INK, GREEN, VERMILLION, YELLOW, *STEPS]))

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class KeyEntry:
    """A colour, what it stands for, and how many texts have it."""

    colour: str
    name: str
    count: int


@dataclass(frozen=True, eq=False)
class Name:
    """The name of a group, its colour, and where it stands: in the middle of its texts."""

    text: str
    colour: str
    place: npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Pins:
    """A query on the map, and its hits.

    Attributes
    ----------
    query : str
    place : ndarray, shape (2,)
    hits : ndarray of intp, shape (k,)
        Rows of the texts that are hits.
    """

    query: str
    place: npt.NDArray[Any]
    hits: Rows


@dataclass(frozen=True, eq=False)
class Drawn:
    """Marks, ready for the front end.

    Attributes
    ----------
    frame : DataFrame
        ``x``, ``y``, ``colour`` and ``mark`` (categories), ``text``, and columns for the tooltip.
    rows : ndarray of intp, shape (len(frame),)
        Row of each mark's text; -1 for the query.
    key : list of KeyEntry
        What colours mean, all of them; none where there are more groups than colours.
    note : str
        What else is to be known of the colours.
    names : list of Name
        Of clusters, the largest first.
    """

    frame: pd.DataFrame
    rows: Rows
    key: list[KeyEntry]
    note: str
    names: list[Name]

    def marks_of(self, rows: npt.ArrayLike) -> Rows:
        """Marks of some texts: one for each, the topmost."""
        wanted = np.asarray(rows, dtype=np.intp)
        topmost = pd.Series(np.arange(len(self.rows)), index=self.rows).groupby(level=0).last()
        return topmost.reindex(wanted).dropna().to_numpy(dtype=np.intp)

    def texts_of(self, marks: npt.ArrayLike) -> Rows:
        """Texts of some marks, each once, in order; the query is none."""
        found = self.rows[np.asarray(marks, dtype=np.intp)]
        return np.unique(found[found >= 0])


@dataclass(frozen=True, eq=False)
class MapPoints:
    """Texts with their places on a map, and what is known of each.

    Attributes
    ----------
    texts : sequence of str
    places : ndarray, shape (n, 2)
    kinds : ndarray of str, shape (n,)
        ``"jd"`` or ``"resume"``.
    clusters : Clusters or None
    groups : DataFrame
        A column for each way to group texts, such as job family.
    """

    texts: Sequence[str]
    places: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.str_]
    clusters: Clusters | None = None
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        n = len(self.texts)
        lengths = {N_("places"): len(self.places), N_("kinds"): len(self.kinds)}
        if self.clusters is not None:
            lengths[N_("cluster labels")] = len(self.clusters.labels)
        if len(self.groups.columns):
            lengths[N_("rows of groups")] = len(self.groups)
        for what, length in lengths.items():
            if length != n:
                raise InputError(
                    _("There are {n} texts, but {length} {what}; give one for each text.").format(
                        n=f"{n:,}", length=f"{length:,}", what=_(what)
                    )
                )
        if wrong := sorted(set(self.kinds.tolist()) - {"jd", "resume"}):
            raise InputError(_("Kinds are 'jd' or 'resume', not {wrong}.").format(wrong=repr(wrong[0])))

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def extent(self) -> npt.NDArray[np.float64]:
        """Lowest and highest x and y, shape (2, 2)."""
        return np.array([self.places.min(axis=0), self.places.max(axis=0)], dtype=np.float64)

    @property
    def kind_names(self) -> npt.NDArray[Any]:
        """What each text is, in the language now, shape (n,)."""
        return np.where(self.kinds == "jd", pgettext("text", "JD"), pgettext("text", "résumé text")).astype(
            object
        )

    @property
    def cluster_names(self) -> npt.NDArray[Any]:
        """The cluster of each text, in the language now, shape (n,)."""
        assert self.clusters is not None
        return np.array(self.clusters.of_texts(), dtype=object)

    @property
    def shown_names(self) -> npt.NDArray[Any]:
        """The same with a question mark behind those that are doubtful."""
        return np.where(self.is_doubtful, self.cluster_names + " ?", self.cluster_names)

    def draw(
        self,
        colour_by: str,
        *,
        scores: npt.NDArray[np.float32] | None = None,
        cutoff: float = 0.0,
        only: str | None = None,
        pins: Pins | None = None,
    ) -> Drawn:
        """Lay the marks out; key and tooltips are in the language now.

        Parameters
        ----------
        colour_by : str
            ``"cluster"``, ``"kind"``, ``"score"``, ``"match"`` or a column of `groups`.
        scores : ndarray of float32, shape (n,), optional
            Of each text with the query; "score" and "match" ask for them.
        cutoff : float
            For "match".
        only : {"jd", "resume"}, optional
            Leave the other kind out.
        pins : Pins, optional
            The query and its hits.
        """
        colours, names = self._colours(colour_by, scores, cutoff)
        shown = np.ones(len(self), dtype=bool) if only is None else self.kinds == only
        key = _key(colours[shown], names[shown])
        note = ""
        if (groups := sum(entry.colour != GREY for entry in key)) > len(COLOURS):
            key, note = [], colours_repeat(groups)
        marks, rows, colour = [], [], []
        for mark, own, paint in self._layers(shown, colours, pins):
            marks += [mark] * len(own)
            rows.append(own)
            colour.append(paint)
        row = np.concatenate(rows) if rows else np.empty(0, dtype=np.intp)
        frame = self._tooltips(row, names, scores, pins)
        frame["mark"] = pd.Categorical(marks, categories=MARKS)
        frame["colour"] = pd.Categorical(np.concatenate(colour), categories=ALL_COLOURS)
        return Drawn(frame, row, key, note, self._names(shown, colours if colour_by == "cluster" else None))

    @property
    def is_doubtful(self) -> npt.NDArray[np.bool_]:
        """Whether each text is in a cluster that would hardly be found in other texts, shape (n,)."""
        if self.clusters is None:
            return np.zeros(len(self), dtype=bool)
        found: npt.NDArray[np.bool_] = np.append(self.clusters.is_doubtful, False)[self.clusters.labels]
        return found

    def _names(self, shown: npt.NDArray[np.bool_], colours: npt.NDArray[Any] | None) -> list[Name]:
        if self.clusters is None:
            return []
        names, told = [], self.shown_names
        for cluster in range(len(self.clusters)):
            rows = np.flatnonzero(shown & (self.clusters.labels == cluster))
            if len(rows):
                colour = INK if colours is None else shade(colours[rows[0]])
                names.append(Name(told[rows[0]], colour, np.median(self.places[rows], axis=0)))
        return names

    def _layers(
        self, shown: npt.NDArray[np.bool_], colours: npt.NDArray[Any], pins: Pins | None
    ) -> list[tuple[str, Rows, npt.NDArray[Any]]]:
        is_jd = self.kinds == "jd"
        dots = np.flatnonzero(shown & ~is_jd)
        # Grey first, so that noise lies below what is in a cluster.
        dots = dots[np.argsort(colours[dots] != GREY, kind="stable")]
        jds = np.flatnonzero(shown & is_jd)
        faint = self.is_doubtful[dots]
        layers = [
            ("faint", dots[faint], colours[dots[faint]]),
            ("resume", dots[~faint], colours[dots[~faint]]),
            ("jd_ring", jds, np.full(len(jds), INK, dtype=object)),
            ("jd", jds, colours[jds]),
        ]
        if pins is not None:
            hits = pins.hits[shown[pins.hits]]
            query = np.array([-1], dtype=np.intp)
            layers += [
                ("hit_ring", hits, np.full(len(hits), VERMILLION, dtype=object)),
                ("hit", hits, colours[hits]),
                ("query_ring", query, np.array([INK], dtype=object)),
                ("query", query, np.array([YELLOW], dtype=object)),
            ]
        return layers

    def _colours(
        self, colour_by: str, scores: npt.NDArray[np.float32] | None, cutoff: float
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """For each text its colour, and the name of what it stands for."""
        if colour_by in ("score", "match") and scores is None:
            raise InputError(_("There are no scores yet; search first."))
        if colour_by == "match":
            is_match = np.asarray(scores) > cutoff
            return np.where(is_match, GREEN, GREY), np.where(is_match, _("match"), _("below"))
        if colour_by == "score":
            edges = np.unique(np.quantile(np.asarray(scores), STEP_QUANTILES))
            step = np.searchsorted(edges, np.asarray(scores), side="right")
            steps = [f"< {edges[0]:.4f}", *(f"≥ {low:.4f}" for low in edges.tolist())]
            # Fewer distinct edges leave out the low steps, so that the best are always bright.
            first = len(STEPS) - len(steps)
            return np.array(STEPS, dtype=object)[first + step], np.array(steps, dtype=object)[step]
        if colour_by == "kind":
            return np.where(self.kinds == "jd", COLOURS[1], COLOURS[0]), self.kind_names
        if colour_by == "cluster" and self.clusters is not None:
            own = [*cluster_colours(self.clusters, self.places), GREY]
            return np.array(own, dtype=object)[self.clusters.labels], self.shown_names
        if colour_by not in self.groups:
            raise InputError(
                _("There is nothing called {name} to colour the map by.").format(name=repr(colour_by))
            )
        names = self.groups[colour_by].fillna("").astype(str).to_numpy(dtype=object)
        frequent = pd.Series(names).value_counts().index[: len(COLOURS)]
        chosen = dict(zip(frequent, COLOURS, strict=False))
        return np.array([chosen.get(name, GREY) for name in names], dtype=object), names

    def _tooltips(
        self,
        rows: Rows,
        names: npt.NDArray[Any],
        scores: npt.NDArray[np.float32] | None,
        pins: Pins | None,
    ) -> pd.DataFrame:
        places = self.places[rows]
        texts = np.array(self.texts, dtype=object)[rows]
        frame = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "text": texts})
        frame[_("kind")] = self.kind_names[rows]
        if self.clusters is not None:
            frame[_("cluster")] = self.shown_names[rows]
        else:
            frame[_("Colour")] = names[rows]
        # Always there, since the front end is told once which columns there are.
        frame[_("score")] = "–" if scores is None else [f"{score:.4f}" for score in scores[rows]]
        if pins is not None:
            at = np.flatnonzero(rows < 0)
            frame.loc[at, ["x", "y"]] = pins.place
            frame.loc[at, "text"] = pins.query
            frame.loc[at, frame.columns[3:]] = ""
            frame.loc[at, _("kind")] = _("Query")
        return frame.map(lambda value: visible(value) if isinstance(value, str) else value)


def _key(colours: npt.NDArray[Any], names: npt.NDArray[Any]) -> list[KeyEntry]:
    """What colours mean, the commonest first; grey, which may stand for several things, last."""
    counts = Counter(zip(colours.tolist(), names.tolist(), strict=True)).most_common()
    entries = [KeyEntry(colour, str(name), count) for (colour, name), count in counts]
    grey = [entry for entry in entries if entry.colour == GREY]
    if len(grey) > 1:
        grey = [KeyEntry(GREY, _("{count} others").format(count=len(grey)), sum(one.count for one in grey))]
    return [entry for entry in entries if entry.colour != GREY] + grey
