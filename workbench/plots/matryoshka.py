"""How many dimensions suffice: AUC and best cutoff against dimension, in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.plots.comparison import plain_name
from workbench.plots.marks import alternative_text, band, checked_columns, minus
from workbench.plots.style import BLUE, GREEN, LIGHT, MUTED, headline, house_style, new_figure
from workbench.settings import Language

if TYPE_CHECKING:
    import pandas as pd

    from workbench.plots.style import ShownFigure

__all__ = ["plot_matryoshka"]


def plot_matryoshka(
    table: pd.DataFrame, *, name: str | None = None, language: Language = "zh"
) -> ShownFigure:
    """AUC and best cutoff against dimension, with bands.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~workbench.calibration.cut_dimensions.matryoshka`.
    name : str, optional
        The encoder, for the title.
    language : {"zh", "en"}

    Returns
    -------
    Figure
        Bars are the interval of the difference to all dimensions: paired, and so much shorter than the band.
        Where a bar ends above the dotted line, the AUC of all dimensions less the margin, the dimension
        suffices, as far as all larger ones do (filled dots). Its title names the smallest.
    """
    ends = ["difference_low", "difference_high"]
    columns = ["dimension", "auc", "auc_low", "auc_high", "cutoff", "cutoff_low", "cutoff_high", "suffices"]
    checked_columns(table, [*columns, *ends], "matryoshka()")
    zh = language == "zh"
    dimension, suffices = table["dimension"].to_numpy(), table["suffices"].to_numpy(dtype=bool)
    with house_style():
        figure = new_figure(width=8.4, height=6.2)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for ax, key, colour in ((above, "auc", BLUE), (below, "cutoff", GREEN)):
            band(ax, dimension, table[f"{key}_low"], table[f"{key}_high"], colour)
            ax.plot(dimension, table[key], color=colour, zorder=2)
            for filled in (True, False):
                ax.plot(
                    dimension[suffices == filled],
                    table[key][suffices == filled],
                    "o",
                    color=colour,
                    markerfacecolor=colour if filled else "white",
                    markersize=7,
                    zorder=3,
                )
            ax.grid(axis="both", color=LIGHT)
        whole, margin = table["auc"].iloc[-1], table.attrs.get("margin")
        above.vlines(dimension, *(whole + table[end] for end in ends), color=BLUE, linewidth=2.2, zorder=2)
        if margin is not None:
            above.axhline(whole - margin, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=1)
            above.annotate(
                minus(f"{'全部维度' if zh else 'all dimensions'} − {margin:g}"),
                (0, whole - margin),
                (4, -3),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                va="top",
                fontsize=9,
                color=MUTED,
            )
        for at, auc in zip(table["dimension"], table["auc"], strict=True):
            # Beside the bar, not on it.
            above.annotate(
                f"{auc:.3f}", (at, auc), (7, -12), textcoords="offset points", fontsize=9, color=BLUE
            )
        below.set_xscale("log", base=2)
        below.set_xticks(dimension, [str(each) for each in dimension])
        below.minorticks_off()
        above.set_ylabel("AUC")
        below.set_ylabel("最佳阈值" if zh else "best cutoff")
        below.set_xlabel("维度（对数刻度）" if zh else "dimensions (logarithmic)")
        headline(above, _which_suffices(table, name, language), _how(table, language))
        alternative_text(figure)
    return figure


def _which_suffices(table: pd.DataFrame, name: str | None, language: Language) -> str:
    zh, all_of_them = language == "zh", int(table["dimension"].iloc[-1])
    of = "" if name is None else f"{plain_name(name)}：" if zh else f"{plain_name(name)}: "
    smallest = int(table.loc[table["suffices"].astype(bool), "dimension"].min())
    if smallest == all_of_them:
        return of + (
            f"还不能说少于 {all_of_them} 维就够"
            if zh
            else f"fewer than {all_of_them} dimensions are not shown to suffice"
        )
    return of + (
        f"{all_of_them} 维中 {smallest} 维就够" if zh else f"{smallest} of {all_of_them} dimensions suffice"
    )


def _how(table: pd.DataFrame, language: Language) -> str:
    sure, margin = (table.attrs.get(key, np.nan) for key in ("confidence", "margin"))
    sure = f"{100 * sure:.4g}"
    if language == "zh":
        return (
            f"色带：{sure}% 区间；竖条：与全部维度之差的区间，整条高于点线才算够（实心），容许差 {margin:g}"
        )
    return f"bands: {sure} % intervals; bars: those of the difference, which must end above the line (filled)"
