"""A ranking as a workbook that a recruiter wants to open: an overview, then a sheet a JD.

No text becomes a formula, whatever it begins with: every text is written as a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from workbench.atomic import replacing
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.scorers.coverage import STATES

if TYPE_CHECKING:
    from workbench.retrieval.ranking import Candidate, Ranking

__all__ = ["write_workbook"]

# Soft enough for black text, and told apart by words too.
FILLS = {"covered": "D5EDDB", "unsure": "FFF3CD", "not found": "F3F3F3"}
HEAD, MATCH = "1F4E79", "D5EDDB"
# Excel's own limits.
LONGEST_TITLE = 31
LONGEST_TEXT = 32_000
_NOT_IN_TITLE = regex.compile(r"[\[\]:*?/\\\x00-\x1f]+")
_NOT_IN_XML = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_workbook(ranking: Ranking, path: str | Path) -> Path:
    """Write the workbook.

    Raises
    ------
    InputError
        If the name does not end with ``.xlsx``.
    StoreError
        If the file cannot be written; one that was there before is then still whole.
    """
    import openpyxl

    path = Path(path).expanduser()
    if path.suffix.lower() != ".xlsx":
        raise InputError(_("{file}: a workbook's name ends with .xlsx.").format(file=path.name))
    book = openpyxl.Workbook()
    titles = _titles(ranking)
    _overview(book.active, ranking, titles)
    for jd in ranking.jds:
        _shortlist(book.create_sheet(titles[jd.id]), ranking, jd.id)
    with replacing(path) as draft:
        book.save(draft)
    return path


def _overview(sheet: Any, ranking: Ranking, titles: dict[str, str]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.title = _("Overview")
    for line in ranking.summary().splitlines():
        _write(sheet, sheet.max_row + 1 if sheet["A1"].value else 1, [line])
        sheet.cell(sheet.max_row, 1).alignment = Alignment(wrap_text=False)
    start = sheet.max_row + 2
    _write(sheet, start, [_("JD"), _("best candidate"), _("score"), _("above the cutoff")])
    _head(sheet, start)
    for number, (jd_id, some) in enumerate(ranking.shortlists.items(), start=start + 1):
        above = sum(bool(found.is_match) for found in some) if ranking.cutoff is not None else None
        _write(sheet, number, [jd_id, some[0].resume_id, some[0].score, above])
        sheet.cell(number, 1).hyperlink = f"#'{titles[jd_id].replace(chr(39), chr(39) * 2)}'!A1"
        sheet.cell(number, 1).font = Font(color="0563C1", underline="single")
        sheet.cell(number, 3).number_format = "0.0000"
    _widths(sheet, [34, 34, 10, 16])


def _shortlist(sheet: Any, ranking: Ranking, jd_id: str) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    some = ranking.shortlists[jd_id]
    requirements = [row.requirement for row in some[0].coverage.rows]
    asked = [condition.text for condition in ranking.conditions]
    fixed = [_("rank"), _("candidate"), _("score"), _("match"), _("probability"), *asked]
    _write(sheet, 1, [*fixed, *(requirement.text for requirement in requirements)])
    _head(sheet, 1)
    sheet.row_dimensions[1].height = 90
    sheet.freeze_panes = sheet.cell(2, 3)
    for row, found in enumerate(some, start=2):
        _write(sheet, row, [*_facts(found), *(_met(found.conditions[text].met) for text in asked)])
        sheet.cell(row, 3).number_format = "0.0000"
        sheet.cell(row, 5).number_format = "0 %"
        if found.is_match:
            sheet.cell(row, 4).fill = PatternFill("solid", start_color=MATCH)
            sheet.cell(row, 4).font = Font(bold=True)
        for column, text in enumerate(asked, start=6):
            if found.conditions[text].found:
                sheet.cell(row, column).comment = Comment(_clean(found.conditions[text].found), "workbench")
        for column, covered in enumerate(found.coverage.rows, start=len(fixed) + 1):
            cell = sheet.cell(row, column)
            if covered.state is None:
                cell.value = covered.score
            else:
                _put(cell, _(STATES[covered.state]))
                cell.fill = PatternFill("solid", start_color=FILLS[covered.state])
            cell.alignment = Alignment(horizontal="center")
            said = _("nearest phrase ({score}): {phrase}")
            said = said.format(score=f"{covered.score:.2f}", phrase=covered.phrase.text)
            cell.comment = Comment(_clean(said), "workbench", width=360, height=120)
    sheet.auto_filter.ref = sheet.dimensions
    _widths(sheet, [6, 30, 9, 12, 12, *[16] * len(asked), *[18] * len(requirements)])


def _facts(found: Candidate) -> list[Any]:
    says = {None: "", True: _("above the cutoff"), False: _("below")}[found.is_match]
    chance = None if found.probability is None else found.probability["value"]
    return [found.rank, found.resume_id, found.score, says, chance]


def _met(met: bool | None) -> str:
    return {True: _("met"), False: _("not met"), None: _("not found")}[met]


def _head(sheet: Any, row: int) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    for cell in sheet[row]:
        if cell.value is not None:
            cell.font = Font(bold=True, color="FFFFFF")
            cell.fill = PatternFill("solid", start_color=HEAD)
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _write(sheet: Any, row: int, values: Iterable[Any]) -> None:
    for column, value in enumerate(values, start=1):
        _put(sheet.cell(row, column), value)


def _put(cell: Any, value: Any) -> None:
    cell.value = _clean(value) if isinstance(value, str) else value
    if isinstance(value, str):
        # openpyxl takes a text that begins with = for a formula.
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))


def _clean(text: str) -> str:
    return str(_NOT_IN_XML.sub("\ufffd", text))[:LONGEST_TEXT]


def _titles(ranking: Ranking) -> dict[str, str]:
    """A sheet's title for each JD: short, distinct whatever the capitals, without what Excel forbids."""
    taken = {_("Overview").casefold()}
    titles = {}
    for number, jd in enumerate(ranking.jds, start=1):
        title = _NOT_IN_TITLE.sub(" ", jd.id).strip().strip("'")[:LONGEST_TITLE] or str(number)
        if title.casefold() in taken:
            title = f"{title[: LONGEST_TITLE - 6]} ({number})"
        taken.add(title.casefold())
        titles[jd.id] = title
    return titles


def _widths(sheet: Any, widths: Iterable[float]) -> None:
    from openpyxl.utils import get_column_letter

    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
