"""Small multiples: how a map changes with its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.plots.map_parts import COLOURS, bare
from workbench.plots.style import GREY, INK, LIGHT, MUTED, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.exploration import ComparedMap
    from workbench.plots.style import ShownFigure

__all__ = ["plot_map_comparison"]

NOISE = -1


def plot_map_comparison(
    compared: Sequence[ComparedMap],
    *,
    labels: npt.ArrayLike | None = None,
    language: Language = "zh",
) -> ShownFigure:
    """Small multiples: a map for each pair of parameters, with its quality.

    Parameters
    ----------
    compared : sequence of ComparedMap
        From :func:`~workbench.exploration.quality.compare_maps`.
    labels : array_like of int, optional
        Cluster of each text, for colours; -1 is grey.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        The map with most neighbours kept is framed; the title names its parameters.
    """
    zh = language == "zh"
    rows = list(dict.fromkeys(one.skill_map.settings["n_neighbors"] for one in compared))
    columns = list(dict.fromkeys(one.skill_map.settings["min_dist"] for one in compared))
    best = max(compared, key=lambda one: one.quality.knn_overlap)
    colours = _by_label(labels, len(compared[0].skill_map))
    with house_style():
        figure = new_figure(height=0.9 + 2.75 * len(rows))
        grid = figure.subplots(len(rows), len(columns), squeeze=False)
        for ax in grid.flat:
            ax.set_visible(False)
        for one in compared:
            k, distance = one.skill_map.settings["n_neighbors"], one.skill_map.settings["min_dist"]
            ax = grid[rows.index(k), columns.index(distance)]
            ax.set_visible(True)
            places = one.skill_map.coordinates
            ax.scatter(places[:, 0], places[:, 1], s=3, c=colours, linewidths=0, rasterized=True)
            bare(ax, places)
            ax.set_title(f"n_neighbors={k}, min_dist={distance:g}", fontsize=10, pad=20)
            kept = one.quality.knn_overlap
            figures = (
                f"可信度 {one.quality.trustworthiness:.3f}，邻居保留 {kept:.0%}"
                if zh
                else f"trustworthiness {one.quality.trustworthiness:.3f}, neighbours kept {kept:.0%}"
            )
            ax.annotate(
                figures,
                (0, 1),
                (0, 6),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=8.5,
                color=MUTED,
            )
            for spine in ax.spines.values():
                spine.set(
                    visible=True, color=INK if one is best else LIGHT, linewidth=1.8 if one is best else 0.8
                )
        chosen = best.skill_map.settings
        title = (
            f"邻居保留得最多的一张：n_neighbors={chosen['n_neighbors']}，min_dist={chosen['min_dist']:g}"
            if zh
            else (
                f"Most neighbours are kept with n_neighbors={chosen['n_neighbors']} "
                f"and min_dist={chosen['min_dist']:g}"
            )
        )
        figure.suptitle(title, x=0.012, ha="left", fontsize=13, color=INK)
        figure.alt = title
    return figure


def _by_label(labels: npt.ArrayLike | None, n: int) -> list[str]:
    if labels is None:
        return [COLOURS[0]] * n
    found = np.asarray(labels)
    if found.shape != (n,):
        raise InputError(f"There are {n:,} points, but labels of shape {found.shape}; give one for each.")
    return [GREY if label == NOISE else COLOURS[label % len(COLOURS)] for label in found]
