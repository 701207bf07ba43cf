"""A comparison of encoders as one HTML file, in Chinese and English, that prints well."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from workbench.atomic import write_whole
from workbench.calibration.comparison import groups_table
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import number
from workbench.reports.page import frame_table, page, table

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Comparison
    from workbench.calibration.comparing_figures import ComparedFigure

__all__ = ["comparison_html", "write_comparison_report"]

FIGURES: tuple[ComparedFigure, ...] = (
    "auc",
    "average_precision",
    "precision_at_recall",
    "f1",
    "precision",
    "recall",
    "accuracy",
)
TONES = {"better": "good", "worse": "bad"}
MOST_CURVES = 6


def write_comparison_report(
    comparison: Comparison,
    path: str | Path,
    *,
    sweeps: Mapping[str, pd.DataFrame] | None = None,
    groups: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write the report of a comparison; it holds no text of a pair.

    Parameters
    ----------
    comparison : Comparison
        Of :func:`~workbench.calibration.comparing.compare`.
    path : str or Path
        An .html file. It opens in the language now, and has the other in it too.
    sweeps : mapping of str to DataFrame, optional
        Of :func:`~workbench.calibration.counts.sweep`, for the curves; the first six are drawn.
    groups : mapping of str to DataFrame, optional
        Of :func:`~workbench.calibration.comparing.compare_by`, by the name of the column.

    Returns
    -------
    Path

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    return write_whole(path, comparison_html(comparison, sweeps=sweeps, groups=groups))


def comparison_html(
    comparison: Comparison,
    *,
    sweeps: Mapping[str, pd.DataFrame] | None = None,
    groups: Mapping[str, pd.DataFrame] | None = None,
) -> str:
    """The report as a string; parameters as of :func:`write_comparison_report`."""
    title = _("Encoders compared") + " · " + ", ".join(comparison.encoders)
    return page(title, lambda: _body(comparison, sweeps or {}, groups or {}))


def _body(
    found: Comparison, sweeps: Mapping[str, pd.DataFrame], groups: Mapping[str, pd.DataFrame]
) -> Markup:
    from workbench import plots

    pictures = [plots.plot_differences(found)]
    if sweeps:
        shown = dict(list(sweeps.items())[:MOST_CURVES])
        pictures.append(plots.plot_curves(shown, found.cutoffs))
    return render(
        "reports/comparison.html",
        title=_("Encoders compared"),
        found=found,
        verdicts=[
            (TONES.get(found.standing(name), "fair"), found.sentence(name))
            for name in found.encoders
            if name != found.baseline
        ],
        method=found.method(),
        figures_table=_figures(found),
        pictures=pictures,
        groups=[(column, frame_table(groups_table(frame))) for column, frame in groups.items()],
    )


def _figures(found: Comparison) -> Markup:
    """Figures down, encoders across: as many as there are, names stay whole."""
    rows = [[_("cutoff"), *(number(found.cutoffs[name]) for name in found.encoders)]]
    for key in FIGURES:
        cells = ("\n".join(filter(None, found.cell(name, key))) for name in found.encoders)
        rows.append([found.figure_name(key), *cells])
    flips = [found.flips(name) for name in found.encoders]
    rows.append(
        [
            _("decisions that differ from the baseline's"),
            *("" if line is None else f"{line['differ']:,}" for line in flips),
        ]
    )
    if found.milliseconds:
        costs = [found.milliseconds.get(name) for name in found.encoders]
        rows.append([_("ms a text"), *("–" if cost is None else f"{cost:.3g}" for cost in costs)])
    return table([(_("figure"), ""), *((name, "short") for name in found.encoders)], rows)
