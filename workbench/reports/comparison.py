"""A comparison of encoders as one HTML file, in Chinese and English, that prints well."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.atomic import write_whole
from workbench.calibration.comparing_groups import groups_table
from workbench.calibration.comparing_text import cell, figure_name, method, sentence
from workbench.calibration.wording import number
from workbench.reports.figures import inline
from workbench.reports.page import page
from workbench.reports.tables import simple_table
from workbench.settings import Language, get_settings

if TYPE_CHECKING:
    import pandas as pd

    from workbench.calibration import Comparison
    from workbench.calibration.comparing_figures import ComparedFigure

__all__ = ["comparison_html", "write_comparison_report"]

TITLES = {"zh": "编码器比较", "en": "Encoders compared"}
HEADINGS = {
    "figures": ("各项指标", "Figures"),
    "pictures": ("图", "Pictures"),
    "groups": ("分组来看：{}", "By {}"),
}
FIGURES: tuple[ComparedFigure, ...] = (
    "auc",
    "average_precision",
    "precision_at_recall",
    "f1",
    "precision",
    "recall",
    "accuracy",
)
MOST_CURVES = 6


def write_comparison_report(
    comparison: Comparison,
    path: str | Path,
    *,
    sweeps: Mapping[str, pd.DataFrame] | None = None,
    groups: Mapping[str, pd.DataFrame] | None = None,
    language: Language | None = None,
) -> Path:
    """Write the report of a comparison; it holds no text of a pair.

    Parameters
    ----------
    comparison : Comparison
        Of :func:`~workbench.calibration.comparing.compare`.
    path : str or Path
        An .html file.
    sweeps : mapping of str to DataFrame, optional
        Of :func:`~workbench.calibration.sweep.sweep`, for the curves; the first six are drawn.
    groups : mapping of str to DataFrame, optional
        Of :func:`~workbench.calibration.comparing_groups.compare_by`, by the name of the column.
    language : {"zh", "en"}, optional
        Shown when it is opened; by default that of the settings. The other is in the file too.

    Returns
    -------
    Path

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    return write_whole(path, comparison_html(comparison, sweeps=sweeps, groups=groups, language=language))


def comparison_html(
    comparison: Comparison,
    *,
    sweeps: Mapping[str, pd.DataFrame] | None = None,
    groups: Mapping[str, pd.DataFrame] | None = None,
    language: Language | None = None,
) -> str:
    """The report as a string; parameters as of :func:`write_comparison_report`."""
    first = language or get_settings().language
    languages: tuple[Language, ...] = ("zh", "en")
    bodies = {code: _body(comparison, sweeps or {}, groups or {}, code) for code in languages}
    return page(f"{TITLES[first]} · {', '.join(comparison.encoders)}", bodies, first)


def _body(
    found: Comparison,
    sweeps: Mapping[str, pd.DataFrame],
    groups: Mapping[str, pd.DataFrame],
    language: Language,
) -> str:
    from workbench import plots

    heads = {key: names[0 if language == "zh" else 1] for key, names in HEADINGS.items()}
    others = [name for name in found.encoders if name != found.baseline]
    tones = {"better": "good", "worse": "bad"}
    parts = [f"<h1>{TITLES[language]}</h1>", f'<p class="under">{escape(" · ".join(found.encoders))}</p>']
    parts += [
        f'<p class="verdict {tones.get(found.standing(name), "fair")}">'
        f"{escape(sentence(found, name, language))}</p>"
        for name in others
    ]
    parts.append(f'<p class="note">{escape(method(found, language))}</p>')
    parts += [f"<h2>{heads['figures']}</h2>", simple_table(_figures(found, language))]
    parts += [f"<h2>{heads['pictures']}</h2>", inline(plots.plot_differences(found, language=language))]
    if sweeps:
        shown = dict(list(sweeps.items())[:MOST_CURVES])
        parts.append(inline(plots.plot_curves(shown, found.cutoffs, language=language)))
    for column, frame in groups.items():
        parts.append(f"<h2>{escape(heads['groups'].format(column))}</h2>")
        parts.append(simple_table(groups_table(frame, language)))
    return "".join(parts)


def _figures(found: Comparison, language: Language) -> pd.DataFrame:
    """Figures down, encoders across: as many as there are, names stay whole."""
    import pandas as pd

    zh = language == "zh"
    rows: dict[str, list[str]] = {"指标" if zh else "figure": []}
    rows |= {name: [] for name in found.encoders}
    names = list(rows)

    def add(*cells: str) -> None:
        for name, text in zip(names, cells, strict=True):
            rows[name].append(text)

    add("阈值" if zh else "cutoff", *(number(found.cutoffs[name]) for name in found.encoders))
    for key in FIGURES:
        add(
            figure_name(found, key, language),
            *(_two_lines(found, name, key, language) for name in found.encoders),
        )
    flips = [found.flips(name) for name in found.encoders]
    add(
        "判断与基准不同" if zh else "decisions that differ from the baseline's",
        *("" if line is None else f"{line['differ']:,}" for line in flips),
    )
    if found.milliseconds:
        costs = [found.milliseconds.get(name) for name in found.encoders]
        add("毫秒/条" if zh else "ms a text", *("–" if cost is None else f"{cost:.3g}" for cost in costs))
    return pd.DataFrame(rows)


def _two_lines(found: Comparison, name: str, key: ComparedFigure, language: Language) -> str:
    opening, closing = "（）" if language == "zh" else (" (", ")")
    value, _, interval = cell(found, name, key, language).partition(opening)
    return f"{value}\n{interval.rstrip(closing)}" if interval else value
