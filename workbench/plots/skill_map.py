"""The skill map as a picture for reports: JDs and résumé texts in different marks, clusters with their names.

Coordinates, clusters and quality come from the caller; only colours and the places of labels are worked
out here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.lines import Line2D

from workbench.errors import InputError
from workbench.plots.map_parts import COLOURS, bare, cluster_colours, place_labels, shortened
from workbench.plots.style import GREY, INK, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import Clusters, MapQuality, SkillMap
    from workbench.plots.style import ShownFigure

__all__ = ["plot_skill_map"]

KINDS = ("jd", "resume")
MOST_LABELS = 40


def plot_skill_map(
    skill_map: SkillMap | npt.ArrayLike,
    *,
    clusters: Clusters | None = None,
    kinds: Sequence[str] | None = None,
    colour_by: Sequence[Any] | npt.NDArray[Any] | None = None,
    colour_name: str = "",
    quality: MapQuality | None = None,
    title: str | None = None,
    most_labels: int = MOST_LABELS,
    language: Language = "zh",
) -> ShownFigure:
    """Draw a map, with the names of clusters where they lie; no label covers another.

    Parameters
    ----------
    skill_map : SkillMap or array_like, shape (n, 2)
    clusters : Clusters, optional
        Gives points their colours (unless `colour_by` does) and the map its labels; noise is grey.
    kinds : sequence of {"jd", "resume"}, optional
        JDs are drawn as diamonds, résumé texts as dots.
    colour_by : sequence, optional
        A value for each text: numbers (such as scores) are shown on a scale, anything else as
        categories, of which the six most frequent get a colour.
    colour_name : str
        What `colour_by` is.
    quality : MapQuality, optional
        Stands below the title, so that nobody trusts a bad map.
    title : str, optional
        By default what the clusters say.
    most_labels : int
        Largest clusters that are named.
    language : {"zh", "en"}

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is not one value for each point.
    MissingDependencyError
        If textalloc, which places labels, is not installed.
    """
    places = _places(skill_map)
    n, zh = len(places), language == "zh"
    is_jd = np.array([kind == "jd" for kind in _checked_kinds(kinds, n)])
    if clusters is not None and len(clusters.labels) != n:
        raise InputError(f"There are {n:,} points, but clusters of {len(clusters.labels):,} texts.")
    if colour_by is not None and len(colour_by) != n:
        raise InputError(f"There are {n:,} points, but {len(colour_by):,} values to colour them by.")
    with house_style():
        figure = new_figure(height=7.6)
        ax = figure.subplots()
        colours, key = _colours(places, clusters, colour_by, zh)
        _draw_points(ax, places, is_jd, colours)
        bare(ax, places)
        if title is None:
            title = clusters.sentence(language) if clusters is not None else _count(is_jd, zh)
        headline(ax, _fitting(title), "" if quality is None else quality.sentence(language))
        _explain(figure, ax, [] if kinds is None else _marks(is_jd, zh), key, colour_name)
        if clusters is not None and len(clusters):
            place_labels(ax, places, clusters, cluster_colours(clusters, places), most_labels)
        figure.alt = f"{title} {quality.sentence(language) if quality else ''}".strip()
    return figure


def _places(skill_map: SkillMap | npt.ArrayLike) -> npt.NDArray[np.float64]:
    places = np.asarray(getattr(skill_map, "coordinates", skill_map), dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise InputError(f"A map needs coordinates of shape (n, 2), not {places.shape}.")
    return places


def _checked_kinds(kinds: Sequence[str] | None, n: int) -> Sequence[str]:
    if kinds is None:
        return ["resume"] * n
    if len(kinds) != n:
        raise InputError(f"There are {n:,} points, but {len(kinds):,} kinds; give one for each.")
    if wrong := sorted(set(kinds) - set(KINDS)):
        raise InputError(f"Kinds are 'jd' or 'resume', not {wrong[0]!r}.")
    return kinds


def _colours(
    places: npt.NDArray[Any],
    clusters: Clusters | None,
    colour_by: Sequence[Any] | npt.NDArray[Any] | None,
    zh: bool,
) -> tuple[npt.NDArray[Any], Any]:
    """A colour for each point; and what explains them: a mapping of categories, a scale, or nothing."""
    if colour_by is None:
        if clusters is None:
            return np.full(len(places), COLOURS[0], dtype=object), None
        own = [*cluster_colours(clusters, places), GREY]
        return np.array([own[label] for label in clusters.labels], dtype=object), None
    values = np.asarray(colour_by)
    if values.dtype.kind == "f":
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize, to_hex

        scale = ScalarMappable(Normalize(np.nanmin(values), np.nanmax(values)), colormaps["cividis"])
        return np.array([to_hex(colour) for colour in scale.to_rgba(values)], dtype=object), scale
    there = ~pd.isna(values)
    counts = pd.Series(values[there].astype(str)).value_counts(sort=False).sort_index()
    frequent = counts.sort_values(ascending=False, kind="stable").index
    key = dict(zip(frequent, COLOURS, strict=False))
    colours = np.full(len(values), GREY, dtype=object)
    colours[there] = [key.get(name, GREY) for name in values[there].astype(str)]
    grey = []
    if rest := len(frequent) - len(key):
        grey.append(f"其余 {rest} 类" if zh else f"{rest} others")
    if not there.all():
        grey.append("未填" if zh else "not given")
    return colours, {**key, **({("、" if zh else ", ").join(grey): GREY} if grey else {})}


def _draw_points(
    ax: Axes, places: npt.NDArray[Any], is_jd: npt.NDArray[np.bool_], colours: npt.NDArray[Any]
) -> None:
    size = float(np.clip(9000 / len(places), 1.2, 16))
    x, y = places.T
    # Grey first, so that noise lies below what is in a cluster.
    order = np.argsort(colours != GREY, kind="stable")
    order = order[~is_jd[order]]
    ax.scatter(
        x[order], y[order], s=size, c=colours[order].tolist(), alpha=0.75, linewidths=0, rasterized=True
    )
    if is_jd.any():
        ax.scatter(
            x[is_jd],
            y[is_jd],
            s=max(3.2 * size, 16),
            c=colours[is_jd].tolist(),
            marker="D",
            edgecolors=INK,
            linewidths=0.9,
            zorder=3,
        )


def _explain(figure: ShownFigure, ax: Axes, marks: list[Line2D], key: Any, name: str) -> None:
    """One legend below the map for marks and categories; a bar beside it for a scale."""
    if isinstance(key, dict):
        marks = marks + [_mark("o", 7, colour, shortened(str(label), 24)) for label, colour in key.items()]
    elif key is not None:
        bar: Any = figure.colorbar(key, ax=ax, shrink=0.5, aspect=28, pad=0.01)
        bar.outline.set_visible(False)
        bar.set_label(name)
    if marks:
        title = name if isinstance(key, dict) else None
        legend = figure.legend(
            handles=marks,
            loc="outside lower left",
            ncols=5,
            handletextpad=0.2,
            columnspacing=1.4,
            title=title,
        )
        legend.set_alignment("left")


def _marks(is_jd: npt.NDArray[np.bool_], zh: bool) -> list[Line2D]:
    jds, resumes = int(is_jd.sum()), int((~is_jd).sum())
    return [
        _mark("D", 6.5, GREY, f"岗位要求（{jds:,}）" if zh else f"JDs ({jds:,})", INK),
        _mark("o", 4.5, GREY, f"简历技能（{resumes:,}）" if zh else f"résumé texts ({resumes:,})"),
    ]


def _mark(marker: str, size: float, colour: str, label: str, edge: str = "none") -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor=colour,
        markeredgecolor=edge,
        label=label,
    )


def _count(is_jd: npt.NDArray[np.bool_], zh: bool) -> str:
    return f"{len(is_jd):,} 条文本的地图" if zh else f"A map of {len(is_jd):,} texts"


def _fitting(title: str) -> str:
    """A long title on two lines; a Chinese character takes two columns."""
    wide = sum(1 + (ord(letter) > 0x2E80) for letter in title)
    return title if wide <= 96 else "\n".join(textwrap.wrap(title, 96 * len(title) // wide))
