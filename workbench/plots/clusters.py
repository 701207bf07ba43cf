"""Clusters as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.plots.map_parts import shortened
from workbench.plots.style import INK, MUTED, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.exploration import ClusterHierarchy
    from workbench.plots.style import ShownFigure

__all__ = ["plot_cluster_tree"]


def plot_cluster_tree(tree: ClusterHierarchy, *, language: Language = "zh") -> ShownFigure:
    """Which clusters are nearest to each other, as a tree.

    Parameters
    ----------
    tree : ClusterHierarchy
    language : {"zh", "en"}
    """
    from scipy.cluster.hierarchy import dendrogram

    zh = language == "zh"
    leaves = [f"{shortened(name, 34)}  ({size:,})" for name, size in zip(tree.names, tree.sizes, strict=True)]
    with house_style():
        figure = new_figure(height=1.4 + 0.235 * len(leaves))
        ax = figure.subplots()
        dendrogram(
            tree.linkage,
            labels=leaves,
            orientation="left",
            ax=ax,
            color_threshold=0,
            above_threshold_color=MUTED,
            leaf_font_size=9,
        )
        for line in ax.collections:
            line.set_linewidth(1.1)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0, labelcolor=INK)
        low = int(tree.linkage[0, :2].min()), int(tree.linkage[0, :2].max())
        a, b = (shortened(tree.names[leaf], 18) for leaf in low)
        title = f"最接近的两个聚类：{a} / {b}" if zh else f"The two nearest clusters: {a} / {b}"
        headline(
            ax,
            title,
            "横轴是两组向量方向的平均余弦距离；括号里是文本数"
            if zh
            else "average cosine distance between directions; numbers of texts in brackets",
        )
        ax.set_xlabel("余弦距离" if zh else "cosine distance")
        ax.grid(axis="x")
        figure.alt = title
    return figure
