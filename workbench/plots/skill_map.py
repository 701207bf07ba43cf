"""The skill map as a picture for reports: JDs and résumé texts in different marks, clusters with their names,
maps with other parameters beside one another, and the tree of clusters.

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

from workbench.errors import InputError, MissingDependencyError
from workbench.exploration.inputs import check_one_for_each
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, percent
from workbench.plots.style import (
    GREY,
    INK,
    LIGHT,
    MUTED,
    PALETTE,
    ShownFigure,
    Style,
    beside,
    headline,
    house_style,
    new_figure,
    on_axes,
    overall_headline,
    rows,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import ClusterHierarchy, Clusters, ComparedMap, MapQuality, SkillMap

# Yellow is too pale for small dots on white. After these, each was chosen as far as can be from those before
# it, from white and from grey (Glasbey and others 2007, Colour displays for categorical images), by CIEDE2000
# as it is seen and with deuteranopia; no two are nearer than 12. With more of them dots become hard to tell
# apart, so colours repeat, far from each other, and that is said.
COLOURS = (
    *PALETTE[:-1],
    *("#525200", "#851F47", "#EBA38F", "#C24747", "#A366EB", "#523D70", "#008FA3", "#85A35C", "#33703D"),
    *("#D61485", "#003DB8", "#85C2AD", "#AD3300", "#005C52", "#D6A3E0", "#C2AD5C", "#995C66", "#8F3385"),
)
KINDS = ("jd", "resume")
MOST_LABELS = 40
NOISE = -1


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
) -> ShownFigure:
    """Draw a map, with the names of clusters where they lie; no label covers another.

    Parameters
    ----------
    skill_map : SkillMap or array_like, shape (n, 2)
    clusters : Clusters, optional
        Gives points their colours (unless `colour_by` does) and the map its labels; noise is grey. Where
        their stability is known, those that are doubtful are drawn as rings, with a question mark.
    kinds : sequence of {"jd", "resume"}, optional
        JDs are drawn as diamonds, résumé texts as dots.
    colour_by : sequence, optional
        A value for each text: numbers (such as scores) are shown on a scale, anything else as
        categories, of which the most frequent get a colour, as many as can be told apart.
    colour_name : str
        What `colour_by` is.
    quality : MapQuality, optional
        Stands below the title, so that nobody trusts a bad map.
    title : str, optional
        By default what the clusters say.
    most_labels : int
        Largest clusters that are named.

    Raises
    ------
    InputError
        If there is not one value for each point.
    MissingDependencyError
        If textalloc, which places labels, is not installed.
    """
    places = np.asarray(getattr(skill_map, "coordinates", skill_map), dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise InputError(
            _("A map needs coordinates of shape (n, 2), not {shape}.").format(shape=places.shape)
        )
    is_jd = _are_jds(kinds, len(places))
    check_one_for_each("cluster labels", None if clusters is None else clusters.labels, len(places))
    check_one_for_each("values of colour_by", colour_by, len(places))
    if title is None:
        n = len(places)
        title = ngettext("A map of {n:,} text", "A map of {n:,} texts", n).format(n=n)
        if clusters is not None:
            title = clusters.sentence()
    with house_style():
        figure = new_figure(height=7.6)
        ax = figure.subplots()
        colours, key = _colours(places, clusters, colour_by)
        doubtful = np.zeros(len(places), dtype=bool)
        if clusters is not None and colour_by is None:
            doubtful = np.append(clusters.is_doubtful, False)[clusters.labels]
        _draw_points(ax, places, is_jd, colours, doubtful)
        _bare(ax, places)
        figure.aside = "" if quality is None else quality.sentence()
        headline(ax, _fitting(title), figure.aside)
        marks = [] if kinds is None else _marks(is_jd)
        if clusters is not None and colour_by is None:
            marks += _marks_of(clusters)
        _explain(figure, ax, marks, key, colour_name)
        if clusters is not None and len(clusters):
            _place_labels(ax, places, clusters, cluster_colours(clusters, places), most_labels)
    return figure


def plot_map_comparison(
    compared: Sequence[ComparedMap], *, labels: npt.ArrayLike | None = None
) -> ShownFigure:
    """Small multiples: a map for each pair of parameters, with its quality.

    Parameters
    ----------
    compared : sequence of ComparedMap
        From :func:`~workbench.exploration.compare_maps`.
    labels : array_like of int, optional
        Cluster of each text, for colours; -1 is grey.

    Returns
    -------
    Figure
        The map with most neighbours kept is framed; the title names its parameters.
    """
    n = len(compared[0].skill_map)
    found = np.zeros(n, dtype=int) if labels is None else np.asarray(labels)
    if found.shape != (n,):
        raise InputError(
            _("There are {n:,} points, but labels of shape {shape}; give one for each.").format(
                n=n, shape=found.shape
            )
        )
    colours = [GREY if label == NOISE else COLOURS[label % len(COLOURS)] for label in found]
    settings = [
        (one.skill_map.settings["n_neighbors"], one.skill_map.settings["min_dist"]) for one in compared
    ]
    neighbours, distances = (list(dict.fromkeys(values)) for values in zip(*settings, strict=True))
    best = max(range(len(compared)), key=lambda place: compared[place].quality.knn_overlap)
    with house_style():
        figure = new_figure(height=0.9 + 2.75 * len(neighbours))
        grid = figure.subplots(len(neighbours), len(distances), squeeze=False)
        for ax in grid.flat:
            ax.set_visible(False)
        for place, (one, (k, distance)) in enumerate(zip(compared, settings, strict=True)):
            ax = grid[neighbours.index(k), distances.index(distance)]
            ax.set_visible(True)
            x, y = one.skill_map.coordinates.T
            ax.scatter(x, y, s=3, c=colours, linewidths=0, rasterized=True)
            _bare(ax, one.skill_map.coordinates)
            ax.set_title(f"n_neighbors={k}, min_dist={distance:g}", fontsize=10, pad=20)
            said = _("trustworthiness {trustworthiness:.3f}, neighbours kept {share}").format(
                trustworthiness=one.quality.trustworthiness, share=percent(one.quality.knn_overlap, 0)
            )
            beside(ax, said, (0, 1), (0, 6), xycoords="axes fraction", fontsize=8.5, color=MUTED)
            frame = (INK, 1.8) if place == best else (LIGHT, 0.8)
            for spine in ax.spines.values():
                spine.set(visible=True, color=frame[0], linewidth=frame[1])
        title = _("Most neighbours are kept with n_neighbors={n_neighbors} and min_dist={min_dist:g}")
        overall_headline(figure, title.format(n_neighbors=settings[best][0], min_dist=settings[best][1]))
    return figure


def plot_cluster_tree(tree: ClusterHierarchy) -> ShownFigure:
    """Which clusters are nearest to each other, as a tree.

    Parameters
    ----------
    tree : ClusterHierarchy
        From :func:`~workbench.exploration.cluster_hierarchy`.
    """
    from scipy.cluster.hierarchy import dendrogram

    leaves = [f"{shortened(name, 34)}  ({size:,})" for name, size in zip(tree.names, tree.sizes, strict=True)]
    nearest = [shortened(tree.names[int(leaf)], 18) for leaf in sorted(tree.linkage[0, :2])]
    with on_axes(None, height=1.4 + 0.235 * len(leaves)) as ax:
        colours = {"color_threshold": 0, "above_threshold_color": MUTED}
        drawn = dendrogram(tree.linkage, labels=leaves, orientation="left", ax=ax, **colours)
        for line in ax.collections:
            line.set_linewidth(1.1)
        rows(ax, ax.get_yticks(), drawn["ivl"])
        ax.tick_params(axis="y", labelsize=9)
        title = _("The two nearest clusters: {first} / {second}").format(first=nearest[0], second=nearest[1])
        headline(ax, title, _("average cosine distance between directions; numbers of texts in brackets"))
        ax.set_xlabel(_("cosine distance"))
    return ax.figure  # type: ignore[return-value]


def cluster_colours(clusters: Clusters, places: npt.NDArray[Any]) -> list[str]:
    """A colour for each cluster, so that clusters of one colour lie far apart on the map.

    Parameters
    ----------
    clusters : Clusters
    places : ndarray, shape (n, 2)

    Returns
    -------
    list of str
        By cluster number.
    """
    centres = np.array([np.median(places[clusters.labels == k], axis=0) for k in range(len(clusters))])
    chosen: list[int] = []
    for cluster, centre in enumerate(centres):
        distances = np.linalg.norm(centres[:cluster] - centre, axis=1)
        # The colour whose nearest cluster is farthest; the first of those not used yet.
        nearest = [
            min((d for d, c in zip(distances, chosen, strict=True) if c == colour), default=np.inf)
            for colour in range(len(COLOURS))
        ]
        chosen.append(int(np.argmax(nearest)))
    return [COLOURS[colour] for colour in chosen]


def colours_repeat(n: int) -> str:
    """What is to be known of a map with so many groups."""
    return _("{n} groups, {most} colours: some repeat").format(n=n, most=len(COLOURS))


def shade(colour: str) -> str:
    """A darker shade, which small letters can be read in on white."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = to_rgb(colour)
    return to_hex((0.62 * red, 0.62 * green, 0.62 * blue))


def _are_jds(kinds: Sequence[str] | None, n: int) -> npt.NDArray[np.bool_]:
    if kinds is None:
        return np.zeros(n, dtype=bool)
    check_one_for_each("kinds", kinds, n)
    if wrong := sorted(set(kinds) - set(KINDS)):
        raise InputError(_("Kinds are 'jd' or 'resume', not {kind!r}.").format(kind=wrong[0]))
    return np.array([kind == "jd" for kind in kinds])


def _colours(
    places: npt.NDArray[Any], clusters: Clusters | None, colour_by: Sequence[Any] | npt.NDArray[Any] | None
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
        grey.append(ngettext("{n} other", "{n} others", rest).format(n=rest))
    if not there.all():
        grey.append(_("not given"))
    return colours, {**key, **({listed(grey): GREY} if grey else {})}


def _draw_points(
    ax: Axes,
    places: npt.NDArray[Any],
    is_jd: npt.NDArray[np.bool_],
    colours: npt.NDArray[Any],
    doubtful: npt.NDArray[np.bool_],
) -> None:
    size = float(np.clip(9000 / len(places), 1.2, 16))
    # Grey first, so that noise lies below what is in a cluster.
    order = np.argsort(colours != GREY, kind="stable")
    order = order[~is_jd[order]]
    inside = np.where(doubtful, "white", colours)
    edges = {"linewidths": np.where(doubtful[order], 0.8, 0.0), "edgecolors": colours[order].tolist()}
    x, y = places[order].T
    ax.scatter(x, y, s=size, c=inside[order].tolist(), alpha=0.75, rasterized=True, **edges)
    if is_jd.any():
        x, y = places[is_jd].T
        edges = {"linewidths": 0.9, "edgecolors": np.where(doubtful, colours, INK)[is_jd].tolist()}
        ax.scatter(x, y, s=max(3.2 * size, 16), c=inside[is_jd].tolist(), marker="D", zorder=3, **edges)


def _bare(ax: Axes, places: npt.NDArray[Any]) -> None:
    """Axes without ticks, since places have no unit, that reach a little beyond the points."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.04 * max((high - low).max(), 1e-6)
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def _place_labels(
    ax: Axes, places: npt.NDArray[Any], clusters: Clusters, colours: list[str], most: int
) -> None:
    """Names beside their clusters, placed so that they cover neither each other nor, if possible, points."""
    from matplotlib import patheffects

    try:
        import textalloc
    except ImportError as error:
        raise MissingDependencyError(
            _(
                "Labels on a map need textalloc, which is not installed: run 'pip install .[map]' in the "
                "project folder; or draw the map without clusters."
            )
        ) from error
    shown = range(min(len(clusters), most))
    centres = np.array([np.median(places[clusters.labels == cluster], axis=0) for cluster in shown])
    # Against the clutter of points, a sample is enough to know where there is room.
    some = places[:: max(1, len(places) // 1500)]
    allocate: Any = textalloc.allocate  # its types do not say what it takes
    _x, _y, texts, lines = allocate(
        ax,
        *centres.T,
        [
            shortened(clusters.names[cluster], 30) + (" ?" if clusters.is_doubtful[cluster] else "")
            for cluster in shown
        ],
        x_scatter=some[:, 0],
        y_scatter=some[:, 1],
        textsize=8.5,
        textcolor=[shade(colours[cluster]) for cluster in shown],
        linecolor=[colours[cluster] for cluster in shown],
        linewidth=0.7,
        max_distance=0.16,
        nbr_candidates=600,
        margin=0.006,
        draw_all=False,
        avoid_label_lines_overlap=True,
    )
    halo = [patheffects.withStroke(linewidth=2.4, foreground="white", alpha=0.85)]
    for text in filter(None, texts):
        text.set_path_effects(halo)
    for drawn in filter(None, [*texts, *lines]):
        # Else the layout makes room for labels after they were placed, and moves the map below them.
        drawn.set_in_layout(False)


def _explain(figure: ShownFigure, ax: Axes, marks: list[Line2D], key: Any, name: str) -> None:
    """One legend below the map for marks and categories; a bar beside it for a scale."""
    if isinstance(key, dict):
        marks = marks + [_mark("o", 7, colour, shortened(label, 24)) for label, colour in key.items()]
    elif key is not None:
        bar: Any = figure.colorbar(key, ax=ax, shrink=0.5, aspect=28, pad=0.01)
        bar.outline.set_visible(False)
        bar.set_label(name)
    if marks:
        title = name if isinstance(key, dict) else None
        spacing = {"ncols": 5, "handletextpad": 0.2, "columnspacing": 1.4}
        legend = figure.legend(handles=marks, loc="outside lower left", title=title, **spacing)
        legend.set_alignment("left")


def _marks(is_jd: npt.NDArray[np.bool_]) -> list[Line2D]:
    jds, resumes = int(is_jd.sum()), int((~is_jd).sum())
    return [
        _mark("D", 6.5, GREY, ngettext("JD ({n:,})", "JDs ({n:,})", jds).format(n=jds), INK),
        _mark(
            "o", 4.5, GREY, ngettext("résumé text ({n:,})", "résumé texts ({n:,})", resumes).format(n=resumes)
        ),
    ]


def _marks_of(clusters: Clusters) -> list[Line2D]:
    """What else is to be known of the clusters on a map."""
    marks = [_mark("o", 4.5, GREY, _("no cluster"))] if clusters.n_noise else []
    if clusters.is_doubtful.any():
        label = _("? hardly found in other samples")
        marks.append(_mark("o", 4.5, "white", label, COLOURS[0]))
    if len(clusters) > len(COLOURS):
        marks.append(_mark("", 0, "none", colours_repeat(len(clusters))))
    return marks


def _mark(marker: str, size: float, colour: str, label: str, edge: str = "none") -> Line2D:
    style: Style = {"markersize": size, "markerfacecolor": colour, "markeredgecolor": edge}
    return Line2D([], [], linestyle="none", marker=marker, label=label, **style)


def _fitting(title: str) -> str:
    """A long title on two lines; a Chinese character takes two columns."""
    wide = sum(1 + (ord(letter) > 0x2E80) for letter in title)
    return title if wide <= 96 else "\n".join(textwrap.wrap(title, 96 * len(title) // wide))
