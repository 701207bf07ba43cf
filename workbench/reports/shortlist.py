"""A ranking as HTML: shortlists with their evidence, for a page, a notebook, or one JD alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from workbench.atomic import write_whole
from workbench.documents.document import Document
from workbench.documents.splitting import Part
from workbench.html import render
from workbench.i18n import chance, pgettext
from workbench.i18n import gettext as _
from workbench.reports.page import page
from workbench.scorers.coverage import SIGNS, STATES, Coverage

if TYPE_CHECKING:
    from workbench.retrieval.ranking import Ranking

# Of what is not marked in a row of a résumé, both ends are shown: pages stay small enough to open.
LONGEST_UNMARKED = 600


def write_shortlist_report(ranking: Ranking, path: str | Path) -> Path:
    """Write the shortlists as a page in both languages; texts of résumés are in it."""
    return write_whole(path, page(_("Shortlists"), lambda: ranking_html(ranking, styled=False, title=True)))


def ranking_html(ranking: Ranking, *, styled: bool = True, title: bool = False) -> Markup:
    """All shortlists, what was ranked and what was not read; with its style sheet, and a title if wanted."""
    return render("retrieval/ranking.html", ranking=ranking, styled=styled, title=title, **_helpers())


def shortlist_html(ranking: Ranking, jd_id: str, *, styled: bool = True) -> Markup:
    """The shortlist of one JD."""
    jd = ranking.jds[ranking.jds.place(jd_id)]
    return render("retrieval/one_shortlist.html", ranking=ranking, jd=jd, styled=styled, **_helpers())


def coverage_html(coverage: Coverage, *, styled: bool = True) -> Markup:
    """One pair, requirement by requirement, and the résumé with its phrases marked."""
    return render("retrieval/one_coverage.html", coverage=coverage, styled=styled, **_helpers())


def _helpers() -> dict[str, Any]:
    return {
        "signs": SIGNS,
        "states": STATES,
        "marked": _marked,
        "chance": lambda found: chance(found["value"], found["low"], found["high"]),
        "kinds": {
            "nice_to_have": pgettext("requirement", "nice to have"),
            "responsibility": pgettext("requirement", "task"),
            "description": pgettext("requirement", "description"),
        },
    }


def _marked(coverage: Coverage) -> Iterator[tuple[str, list[int]]]:
    """The résumé in pieces, each with the numbers of the requirements that it was found for."""
    numbers: dict[int, list[int]] = {}
    for number, row in enumerate(coverage.rows, start=1):
        if row.state != "not found":
            numbers.setdefault(row.phrase.start, []).append(number)
    for found, parts in groupby(coverage.resume.parts, lambda part: numbers.get(part.start, [])):
        if found:
            yield from ((_text(coverage.resume, [part]), found) for part in parts)
        else:
            text = _text(coverage.resume, list(parts))
            left_out = len(text) - LONGEST_UNMARKED
            if left_out > LONGEST_UNMARKED:
                said = _("[… {n} characters …]").format(n=f"{left_out:,}")
                half = LONGEST_UNMARKED // 2
                text = f"{text[:half]} {said} {text[-half:]}"
            yield text, []


def _text(document: Document, parts: list[Part]) -> str:
    return document.text[parts[0].start : parts[-1].end]
