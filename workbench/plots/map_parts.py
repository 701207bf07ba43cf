"""What figures of a map share: colours of clusters, bare axes, and labels that cover nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.errors import MissingDependencyError
from workbench.plots.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workbench.exploration import Clusters

__all__ = ["COLOURS", "bare", "cluster_colours", "place_labels", "shortened"]

# Yellow is too pale for small dots on white.
COLOURS = PALETTE[:-1]


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


def bare(ax: Axes, places: npt.NDArray[Any]) -> None:
    """Axes without ticks, since places have no unit, that reach a little beyond the points."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.04 * max((high - low).max(), 1e-6)
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def place_labels(
    ax: Axes, places: npt.NDArray[Any], clusters: Clusters, colours: list[str], most: int
) -> None:
    """Names beside their clusters, placed so that they cover neither each other nor, if possible, points."""
    try:
        import textalloc
    except ImportError as error:
        raise MissingDependencyError(
            "Labels on a map need textalloc, which is not installed: run 'pip install .[map]' in the project "
            "folder; or draw the map without clusters."
        ) from error
    shown = range(min(len(clusters), most))
    centres = np.array([np.median(places[clusters.labels == cluster], axis=0) for cluster in shown])
    # Against the clutter of points, a sample is enough to know where there is room.
    some = places[:: max(1, len(places) // 1500)]
    allocate: Any = textalloc.allocate  # its types do not say what it takes
    _, _, texts, lines = allocate(
        ax,
        centres[:, 0],
        centres[:, 1],
        [shortened(clusters.names[cluster], 30) for cluster in shown],
        x_scatter=some[:, 0],
        y_scatter=some[:, 1],
        textsize=8.5,
        textcolor=[_dark(colours[cluster]) for cluster in shown],
        linecolor=[colours[cluster] for cluster in shown],
        linewidth=0.7,
        max_distance=0.16,
        nbr_candidates=600,
        margin=0.006,
        draw_all=False,
        avoid_label_lines_overlap=True,
    )
    from matplotlib import patheffects

    for text in texts:
        if text is not None:
            text.set_path_effects([patheffects.withStroke(linewidth=2.4, foreground="white", alpha=0.85)])
            # Else the layout makes room for labels after they were placed, and moves the map below them.
            text.set_in_layout(False)
    for line in lines:
        if line is not None:
            line.set_in_layout(False)


def _dark(colour: str) -> tuple[float, float, float]:
    """A shade that small letters can be read in."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return 0.62 * red, 0.62 * green, 0.62 * blue


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
