"""A ranking as a workbook that a recruiter wants to open: an overview, then a sheet a JD.

No text becomes a formula, whatever it begins with: every text is written as a string.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from workbench.atomic import replacing
from workbench.errors import InputError
from workbench.files.exporting import NOT_IN_XML, is_formula
from workbench.i18n import gettext as _
from workbench.masking import masked
from workbench.scorers.coverage import SIGNS, STATES, Covered

if TYPE_CHECKING:
    from workbench.retrieval.conditions import Met
    from workbench.retrieval.ranking import Candidate, Ranking

# Soft enough for black text, and told apart by sign and word too.
FILLS = {"covered": "D5EDDB", "unsure": "FFF3CD", "not found": "EEF1F4"}
HEAD, MATCH, LINE, MUTED = "1F4E79", "D5EDDB", "C9D1D9", "52606D"
# Excel's own limits.
LONGEST_TITLE = 31
LONGEST_TEXT = 32_000
LINE_HEIGHT, MOST_LINES = 15, 9
_NOT_IN_TITLE = regex.compile(r"[\[\]:*?/\\\x00-\x1f]+")


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
    sheet.title = _("Overview")
    _put(sheet["A1"], _("Shortlists"), bold=True, size=16)
    told = [
        *ranking.summary().splitlines(),
        _("Each JD has a sheet. A comment on a cell holds the phrase that was found."),
        _("Matched by a machine: no phrase found does not mean that the person lacks it."),
    ]
    for row, line in enumerate(told, start=2):
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=6)
        _put(sheet.cell(row, 1), line, color=MUTED, wrap=True, bordered=False)
        sheet.row_dimensions[row].height = 2 + LINE_HEIGHT * _lines(line, 150)
    start = len(told) + 3
    columns = [_("JD"), _("title"), _("best candidate"), _("name"), _("score"), _("above the cutoff")]
    _head(sheet, start, columns)
    for row, (jd, some) in enumerate(
        zip(ranking.jds, ranking.shortlists.values(), strict=True), start=start + 1
    ):
        best = some[0]
        above = None if ranking.cutoff is None else ranking.above(jd.id)
        values = [jd.id, jd.title, best.resume_id, best.coverage.resume.title, best.score, above]
        for column, value in enumerate(values, start=1):
            _put(sheet.cell(row, column), value, wrap=True)
        sheet.cell(row, 1).hyperlink = f"#'{titles[jd.id].replace(chr(39), chr(39) * 2)}'!A1"
        _put(sheet.cell(row, 1), jd.id, color="0563C1", wrap=True)
        sheet.cell(row, 5).number_format = "0.0000"
    _pages(sheet, [24, 44, 24, 34, 10, 12], scale=75, first=start)
    sheet.row_dimensions[1].height = 28


def _shortlist(sheet: Any, ranking: Ranking, jd_id: str) -> None:
    some = ranking.shortlists[jd_id]
    rows = some[0].coverage.rows
    asked = [condition.text for condition in ranking.conditions]
    fixed = [
        *(_("rank"), _("candidate"), _("name"), _("score"), _("match"), _("probability")),
        *(_("why: the phrase that covers best"), _("no phrase found for")),
    ]
    _head(sheet, 1, [*fixed, *asked, *(row.requirement.said for row in rows)])
    sheet.freeze_panes = "C2"
    for row, found in enumerate(some, start=2):
        for column, value in enumerate(_facts(found), start=1):
            fill = MATCH if found.is_match and column == 5 else None
            _put(sheet.cell(row, column), value, bold=column == 2, wrap=True, fill=fill)
        sheet.cell(row, 4).number_format = "0.0000"
        sheet.cell(row, 6).number_format = "0 %"
        for column, text in enumerate(asked, start=len(fixed) + 1):
            _met(sheet.cell(row, column), found.conditions[text])
        for column, covered in enumerate(found.coverage.rows, start=len(fixed) + len(asked) + 1):
            _state(sheet.cell(row, column), covered)
        if found.is_match is False and (row == 2 or some[row - 3].is_match):
            _cutoff_line(sheet, row)
    sheet.auto_filter.ref = sheet.dimensions
    widths = [6, 22, 24, 9, 11, 11, 46, 46, *[20] * len(asked), *[20] * len(rows)]
    _pages(sheet, widths, scale=55)
    sheet.print_title_rows, sheet.print_title_cols = "1:1", "A:B"
    sheet.oddHeader.left.text = _clean(f"{jd_id} {ranking.jds[ranking.jds.place(jd_id)].title}").replace(
        "&", "&&"
    )


def _facts(found: Candidate) -> list[Any]:
    says = {None: "", True: f"✓ {_('above the cutoff')}", False: f"— {_('below')}"}[found.is_match]
    chance = None if found.probability is None else found.probability["value"]
    best, missing = found.coverage.best, found.coverage.missing
    why = f"{best.phrase.said}\n→ {best.requirement.said}"
    lacks = "\n".join(f"{SIGNS['not found']} {row.requirement.said}" for row in missing)
    return [found.rank, found.resume_id, found.coverage.resume.title, found.score, says, chance, why, lacks]


def _met(cell: Any, met: Met) -> None:
    sign, word = {True: ("✓", _("met")), False: ("✗", _("not met")), None: ("?", _("not found"))}[met.met]
    fill = {True: FILLS["covered"], False: "FBDFCD", None: FILLS["not found"]}[met.met]
    _put(cell, f"{sign} {word}", fill=fill, wrap=True, comment=met.found)


def _state(cell: Any, covered: Covered) -> None:
    said = _("nearest phrase ({score}): {phrase}")
    comment = said.format(score=f"{covered.score:.2f}", phrase=covered.phrase.text)
    if covered.state is None:
        _put(cell, covered.score, comment=comment)
    else:
        text = f"{SIGNS[covered.state]} {_(STATES[covered.state])}"
        _put(cell, text, fill=FILLS[covered.state], wrap=True, comment=comment)


def _cutoff_line(sheet: Any, row: int) -> None:
    """The line above the first candidate who does not reach the cutoff."""
    from openpyxl.styles import Border, Side

    for cell in sheet[row]:
        cell.border = Border(top=Side("mediumDashed"), bottom=cell.border.bottom, right=cell.border.right)


def _head(sheet: Any, row: int, titles: Sequence[str]) -> None:
    for column, title in enumerate(titles, start=1):
        _put(sheet.cell(row, column), title, bold=True, color="FFFFFF", fill=HEAD, wrap=True)


def _put(
    cell: Any,
    value: Any,
    *,
    bold: bool = False,
    size: int = 11,
    color: str = "000000",
    fill: str | None = None,
    wrap: bool = False,
    bordered: bool = True,
    comment: str = "",
) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    cell.value = _clean(value) if isinstance(value, str) else value
    cell.font = Font(name="Calibri", bold=bold, size=size, color=color)
    cell.alignment = Alignment(wrap_text=wrap, vertical="top")
    if wrap and bordered:
        cell.border = Border(bottom=Side("thin", LINE), right=Side("thin", LINE))
    if fill:
        cell.fill = PatternFill("solid", start_color=fill)
    if comment:
        cell.comment = Comment(_clean(comment), "workbench", width=360, height=120)
    if isinstance(value, str):
        # openpyxl takes a text that begins with = for a formula.
        cell.data_type = "s"
        cell.quotePrefix = is_formula(value)


def _clean(text: str) -> str:
    return str(NOT_IN_XML.sub("\ufffd", masked(text)))[:LONGEST_TEXT]


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


def _pages(sheet: Any, widths: Sequence[float], scale: int, first: int = 1) -> None:
    """Widths of the columns, heights of the rows from the first on, and how the sheet is printed."""
    from openpyxl.utils import get_column_letter

    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in sheet.iter_rows(min_row=first):
        lines = max(_lines(cell.value, width) for cell, width in zip(row, widths, strict=False))
        sheet.row_dimensions[row[0].row].height = 5 + LINE_HEIGHT * min(lines, MOST_LINES)
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.scale = scale
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddFooter.center.text = "&P / &N"


def _lines(value: Any, width: float) -> int:
    """How many lines a cell needs, by its letters; a Chinese character is as wide as two."""
    weights = [
        sum(2 if character >= "\u2e80" else 1 for character in line) for line in str(value or "").split("\n")
    ]
    return sum(max(1, ceil(weight / width)) for weight in weights)
