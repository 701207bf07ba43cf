"""A ranking as one HTML page: a table a JD."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.atomic import write_whole
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.reports.page import page

if TYPE_CHECKING:
    from workbench.retrieval.ranking import Ranking

__all__ = ["write_shortlist_report"]


def write_shortlist_report(ranking: Ranking, path: str | Path) -> Path:
    """Write the shortlists as a page in both languages; texts of résumés are in it."""
    return write_whole(path, page(_("Shortlists"), lambda: render("retrieval/ranking.html", ranking=ranking)))
