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
from workbench.reports.page import frame_table, page

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Comparison

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

    curves = plots.plot_curves(dict(list(sweeps.items())[:MOST_CURVES]), found.cutoffs) if sweeps else None
    return render(
        "reports/comparison.html",
        title=_("Encoders compared"),
        found=found,
        verdicts=[(TONES.get(found.standing(name), "fair"), found.sentence(name)) for name in found.others],
        short=frame_table(found.table(found.figures[:1])),
        differences=plots.plot_differences(found),
        evidence=[found.evidence(name) for name in found.others],
        method=found.method(),
        figures_table=frame_table(found.table(across=True)),
        curves=curves,
        groups=[(column, frame_table(groups_table(frame))) for column, frame in groups.items()],
    )
