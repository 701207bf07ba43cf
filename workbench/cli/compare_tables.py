"""The tables that ``workbench compare`` prints: encoders down, figures across, intervals below values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.calibration.comparison import groups_table
from workbench.calibration.wording import number
from workbench.texts import tidy

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from workbench.calibration import Comparison
    from workbench.calibration.comparing_figures import ComparedFigure

__all__ = ["figures_table", "groups_rows"]

# With fewer characters a line not all figures have room, and cut ones would mislead.
WIDE = 100


def figures_table(found: Comparison, width: int) -> Table:
    """One row an encoder, the baseline first; in a narrow terminal without average precision and F1."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    sure = f"{100 * found.confidence:.4g} %"
    is_wide = width >= WIDE
    caption = f"{sure} intervals below; difference: of AUC, to {tidy(found.baseline)}."
    if not is_wide:
        caption += f" AP and F1 are shown from {WIDE} characters a line on, and with --json."
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=Text(caption), caption_justify="left")
    table.add_column("encoder", overflow="fold")
    # Short names, so that a table of a hundred characters leaves room for those of encoders.
    at = f"precision\nat recall\n{100 * found.at_recall:.4g} %"
    last = ["ms a\ntext"] if found.milliseconds else []
    columns = ["cutoff", "AUC", "difference", *["AP"] * is_wide, at, *["F1"] * is_wide, "flips", *last]
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for name in found.encoders:
        cost, flips = found.milliseconds.get(name), found.flips(name)
        is_baseline = name == found.baseline
        cells = [
            number(found.cutoffs[name]),
            _area(found, name, "auc"),
            "" if is_baseline else _gap(found, name),
            *[_area(found, name, "average_precision", interval=False)] * is_wide,
            _share(found, name, "precision_at_recall"),
            *[_area(found, name, "f1", interval=False)] * is_wide,
            "" if is_baseline else "–" if flips is None else f"{flips['differ']:,}",
        ]
        if found.milliseconds:
            cells.append("–" if cost is None else f"{cost:.3g}")
        table.add_row(Text(tidy(name)), *cells)
    return table


def groups_rows(frame: pd.DataFrame, column: str, width: int) -> Table:
    """One row a group and encoder; names give way, figures stay whole, on two lines where it is narrow."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = groups_table(frame)
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=Text(f"By {tidy(column)}", "bold"), title_justify="left"
    )
    for name in cells.columns:
        is_name = name in ("group", "encoder")
        table.add_column(
            name,
            no_wrap=not is_name,
            overflow="fold",
            min_width=8 if is_name else None,
            justify="right" if name == "matches" else "left",
        )
    for row in cells.itertuples(index=False, name=None):
        lines = (tidy(str(value)) for value in row)
        table.add_row(*(Text(line if width >= WIDE else line.replace(" (", "\n(")) for line in lines))
    return table


def _area(found: Comparison, name: str, key: ComparedFigure, *, interval: bool = True) -> str:
    row = found.row(name, key)
    return _cell(f"{row['value']:.3f}", f"{row['low']:.3f}–{row['high']:.3f}" if interval else "", row)


def _share(found: Comparison, name: str, key: ComparedFigure) -> str:
    row = found.row(name, key)
    return _cell(f"{100 * row['value']:.1f} %", f"{100 * row['low']:.1f}–{100 * row['high']:.1f}", row)


def _cell(value: str, interval: str, row: pd.Series) -> str:
    if np.isnan(row["value"]):
        return "–"
    return value if not interval or np.isnan(row["low"]) else f"{value}\n{interval}"


def _gap(found: Comparison, name: str) -> str:
    row = found.row(name)
    value = f"{row['difference']:+.3f}"
    if np.isnan(row["difference_low"]):
        return value
    return f"{value}\n{row['difference_low']:+.3f}, {row['difference_high']:+.3f}"
