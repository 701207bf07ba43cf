"""Groups in a report: what differs in words, the forest plot, and the figures of every group."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from workbench import i18n
from workbench.reports.figures import inline
from workbench.reports.tables import simple_table
from workbench.reports.words import WORDS
from workbench.settings import Language

if TYPE_CHECKING:
    from workbench.calibration.groups import GroupFigures

__all__ = ["groups_section"]


def groups_section(groups: Sequence[GroupFigures], language: Language) -> str:
    """A section for each grouping; nothing where there is none."""
    from workbench.plots import plot_groups

    parts = []
    for found in groups:
        parts.append(f"<h2>{escape(WORDS[language].groups.format(by=found.by))}</h2>")
        with i18n.language(language):
            lines, cells = found.summary().split("\n"), found.table(between="\n")
        parts += [f"<p>{escape(line)}</p>" for line in lines]
        parts.append(inline(plot_groups(found, language=language)))
        parts.append(simple_table(cells))
    return "".join(parts)
