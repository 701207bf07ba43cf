"""What the map panel knows, without any widget: a query with its scores, and the texts that are selected."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.cutoffs import Cutoff
from workbench.encoders import Encoder
from workbench.errors import EncoderMismatchError, InputError, UncalibratedCutoffWarning
from workbench.exploration import SkillMap, terms_of_selection
from workbench.files.exporting import csv_bytes
from workbench.i18n import gettext as _
from workbench.i18n import pgettext
from workbench.panels.map_points import MapPoints, Pins
from workbench.panels.search_session import Found
from workbench.retrieval import Hit, KnowledgeBase, resolve_cutoff
from workbench.retrieval.adding import encode
from workbench.retrieval.hits import clean_query, hits_from
from workbench.retrieval.index import best_of, check_vectors

N_TERMS = 12
# Selected texts whose words are counted, and half of the others: cutting 100,000 texts into words takes as
# long as nobody waits after drawing a lasso.
MOST_COUNTED = 1500


class MapSession:
    """A map with its texts, what was searched on it, and what is selected.

    Parameters and errors are as of :class:`~workbench.panels.map_panel.MapPanel`.

    Attributes
    ----------
    pins : Pins or None
        The query on the map, with its hits.
    scores : ndarray of float32, shape (n,), or None
        Of each text with the query.
    hits : list of Hit
        Best first. ``index`` is the row of the text on the map; -1 for a text that is not on it.
    selected : ndarray of intp
        Rows of the selected texts.
    """

    def __init__(
        self,
        points: MapPoints,
        skill_map: SkillMap,
        vectors: npt.ArrayLike | None = None,
        encoder: Encoder | None = None,
        cutoff: float | Cutoff | str | Path | None = None,
    ) -> None:
        self.points, self.skill_map, self.encoder = points, skill_map, encoder
        self._vectors = None if vectors is None else check_vectors(np.asarray(vectors, dtype=np.float32))
        self.cutoff: Cutoff | None = None
        if encoder is not None:
            self._check_encoder(encoder)
            # The search panel says so where it stays in sight; here it would land in any cell.
            with warnings.catch_warnings(action="ignore", category=UncalibratedCutoffWarning):
                self.cutoff = resolve_cutoff(cutoff, encoder)
        self._row_of = {text: row for row, text in reversed(list(enumerate(points.texts)))}
        self.pins: Pins | None = None
        self.scores: npt.NDArray[np.float32] | None = None
        self.hits: list[Hit] = []
        self.selected: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)

    @property
    def is_searchable(self) -> bool:
        """Whether there are an encoder and vectors."""
        return self.encoder is not None and self._vectors is not None

    def search(self, query: str, k: int, only: str | None = None) -> list[Hit]:
        """Score all texts with a query and put it on the map.

        With JDs a query is compared as in :func:`workbench.search`. Résumé texts were encoded as
        queries, too: for an encoder with an instruction, their scores lie on another scale than those
        of JDs.

        Parameters
        ----------
        query : str
        k : int
            Hits to mark; fewer where there are fewer texts.
        only : {"jd", "resume"}, optional
            Look for hits among these only.

        Raises
        ------
        InputError
            If the query is empty, or the map has no encoder.
        """
        if self.encoder is None or self._vectors is None or self.cutoff is None:
            raise InputError(
                _("This map has no encoder, so it cannot be searched; give the panel encoder= and vectors=.")
            )
        if not query.strip():
            raise InputError(_("The query is empty: type the skill or experience that you are looking for."))
        asked = clean_query(query)
        vector = self._encode(asked)
        n = len(self.points)
        scores, rows = best_of(vector, self._vectors, np.arange(n), n)
        self.scores = np.empty(n, dtype=np.float32)
        self.scores[rows] = scores
        if only is not None:
            wanted = self.points.kinds[rows] == only
            scores, rows = scores[wanted], rows[wanted]
        self.hits = hits_from(scores[:k], rows[:k], self.points.texts, [], self.cutoff, query=asked)
        self._pin(query, vector, rows[:k])
        return self.hits

    def show_found(self, found: Found, k: int) -> int:
        """Put a result of the search panel on the map; returns how many of its best `k` are not there.

        Raises
        ------
        InputError
            If the map has no encoder.
        """
        if self.encoder is None:
            raise InputError(_("This map has no encoder, so it cannot show where a query falls."))
        rows = [self._row_of.get(hit["text"], -1) for hit in found.hits[:k]]
        self.hits = [Hit(**{**hit, "index": row}) for hit, row in zip(found.hits, rows, strict=False)]
        # Its scores are of other texts than the map's.
        self.scores = None
        vector = self._encode(clean_query(found.query))
        on_map = np.array([row for row in rows if row >= 0], dtype=np.intp)
        self._pin(found.query, vector, on_map)
        return len(rows) - len(on_map)

    def forget_search(self) -> None:
        """Take the query and its hits off the map."""
        self.pins, self.scores, self.hits = None, None, []

    def select(self, rows: npt.ArrayLike) -> None:
        """Select texts by their rows.

        Raises
        ------
        InputError
            If there is no such row.
        """
        wanted = np.unique(np.asarray(rows, dtype=np.intp))
        if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < len(self.points):
            raise InputError(
                _("Rows go from 0 to {last}; {row} is not among them.").format(
                    last=len(self.points) - 1, row=wanted[-1]
                )
            )
        self.selected = wanted

    def frame(self) -> pd.DataFrame:
        """The selected texts: ``row``, ``kind``, ``cluster``, groups, ``score`` after a search, ``text``."""
        points, rows = self.points, self.selected
        frame = pd.DataFrame({"row": rows, "kind": points.kinds[rows]})
        if points.clusters is not None:
            frame["cluster"] = points.cluster_names[rows]
        for name in points.groups:
            frame[name] = points.groups[name].to_numpy()[rows]
        if self.scores is not None:
            frame["score"] = self.scores[rows].astype(float)
        frame["text"] = [points.texts[row] for row in rows]
        return frame

    def terms(self, n_terms: int = N_TERMS) -> list[str]:
        """Words that tell the selected texts from the rest; none where all or no texts are selected.

        Of very many texts a sample is counted.
        """
        if not 0 < len(self.selected) < len(self.points):
            return []
        others = np.setdiff1d(np.arange(len(self.points)), self.selected)
        some = np.concatenate([_sample(self.selected, MOST_COUNTED), _sample(others, 2 * MOST_COUNTED)])
        texts = [self.points.texts[row] for row in some]
        is_selected = np.isin(some, self.selected)
        clusters = self.points.clusters
        groups = None if clusters is None else clusters.labels[some].tolist()
        return list(terms_of_selection(texts, is_selected, groups, n_terms=n_terms)["term"])

    def csv(self) -> bytes:
        """The selected texts as a CSV file for people, without anything that a spreadsheet would run."""
        frame = self.frame()
        frame["kind"] = self.points.kind_names[self.selected]
        if "score" in frame:
            frame["score"] = frame["score"].round(4)
        named = {
            "row": _("no."),
            "kind": _("kind"),
            "cluster": _("cluster"),
            "score": _("score"),
            "text": pgettext("column", "text"),
        }
        return csv_bytes(frame.rename(columns=named))

    def knowledge_base(self) -> KnowledgeBase:
        """The selected texts as a knowledge base in memory.

        They are encoded as documents, also those that are on the map as queries.

        Raises
        ------
        InputError
            If nothing is selected, or the map has no encoder.
        """
        if not len(self.selected):
            raise InputError(_("No text is selected; select at least one."))
        if self.encoder is None:
            raise InputError(_("This map has no encoder to make a knowledge base with."))
        metadata = self.frame().drop(columns=["row", "text", "score"], errors="ignore")
        # Copies on the map are one text of a knowledge base; that is no news.
        with warnings.catch_warnings(action="ignore"):
            return KnowledgeBase.from_texts(self.selected_texts, self.encoder, metadata)

    @property
    def selected_texts(self) -> list[str]:
        """The selected texts."""
        return [self.points.texts[row] for row in self.selected]

    def _encode(self, query: str) -> npt.NDArray[np.float32]:
        assert self.encoder is not None
        vector: npt.NDArray[np.float32] = encode(self.encoder, [query], "query")[0]
        return vector

    def _pin(self, query: str, vector: npt.NDArray[np.float32], hits: npt.NDArray[np.intp]) -> None:
        self.pins = Pins(query, self.skill_map.place(vector[None])[0], hits)

    def _check_encoder(self, encoder: Encoder) -> None:
        made_with = self.skill_map.fingerprint
        if made_with is not None and made_with != encoder.fingerprint:
            raise EncoderMismatchError(
                _(
                    "The map was made with the encoder [{made_with}], not with {name} [{fingerprint}]; "
                    "load the map's encoder, or fit the map again with this one."
                ).format(made_with=made_with, name=encoder.name, fingerprint=encoder.fingerprint)
            )
        if self._vectors is None:
            raise InputError(_("To search on the map, give vectors= too: those that the map was made of."))
        if len(self._vectors) != len(self.points):
            raise InputError(
                _("There are {vectors} vectors for {n} texts; give one for each.").format(
                    vectors=f"{len(self._vectors):,}", n=f"{len(self.points):,}"
                )
            )
        if self._vectors.shape[1] != encoder.dimension:
            raise EncoderMismatchError(
                _(
                    "The vectors have {given} dimensions, those of {name} have {wanted}; "
                    "give the encoder that made them."
                ).format(given=self._vectors.shape[1], name=encoder.name, wanted=encoder.dimension)
            )


def _sample(rows: npt.NDArray[np.intp], most: int) -> npt.NDArray[np.intp]:
    """At most so many of some rows, the same each time."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def kinds_array(kinds: Sequence[str] | None, n: int) -> npt.NDArray[Any]:
    """Kinds of `n` texts; without any, all are résumé texts."""
    return np.array(["resume"] * n if kinds is None else list(kinds), dtype=str)
