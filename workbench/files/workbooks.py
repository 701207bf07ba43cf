"""The rows of a sheet of an Excel workbook as a person sees them there, and what cannot be seen.

Values come from calamine, which keeps a large sheet small in memory; what it does not tell (a formula that
was never computed, an error in a cell) is looked up in the sheet's XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree
from zipfile import ZipFile, is_zipfile

from workbench.errors import InputError
from workbench.files.exporting import as_it_was
from workbench.files.kinds import DAMAGED, check_archive_size, open_archive
from workbench.files.rows import Sheet, column_names, quoted, shortened
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

# Of the smallest table that holds them all; an empty cell takes 32 bytes.
MOST_CELLS = 2_000_000
# In all cells together; a long text that stands in many cells is kept in the file once.
MOST_LETTERS = 50_000_000
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")


@dataclass
class _Unseen:
    """Cells (row, column letters) whose formula has no stored value, errors with their rows, the extent."""

    uncomputed: list[tuple[int, str]] = field(default_factory=list)
    errors: dict[str, list[int]] = field(default_factory=dict)
    corners: tuple[int, int, int, int] | None = None
    cells: int = 0
    letters: int = 0

    def reach(self, row: int, column: int) -> None:
        """Take in a cell."""
        top, left, bottom, right = self.corners or (row, column, row, column)
        self.corners = min(top, row), min(left, column), max(bottom, row), max(right, column)

    @property
    def is_too_large(self) -> bool:
        top, left, bottom, right = self.corners or (1, 1, 0, 0)
        spanned = (bottom - top + 1) * (right - left + 1)
        return max(spanned, self.cells) > MOST_CELLS or self.letters > MOST_LETTERS


def sheet_rows(path: Path, sheet: str | None = None) -> Sheet:
    """Rows of one sheet of a workbook: the one named, else the first that is not hidden.

    A merged cell counts in each row and column that it covers. A formula counts as the value that was
    stored with it; formulas are not evaluated.

    Raises
    ------
    InputError
        If there is no such sheet, the workbook cannot be read, or a formula has no stored value.
    """
    import python_calamine as calamine

    if is_zipfile(path):
        check_archive_size(path)
    try:
        _check_open_document(path)
        with calamine.CalamineWorkbook.from_path(path) as book:
            sheets = [s for s in book.sheets_metadata if s.typ == calamine.SheetTypeEnum.WorkSheet]
            names = [each.name for each in sheets]
            hidden = {each.name for each in sheets if each.visible != calamine.SheetVisibleEnum.Visible}
            name = _chosen(path, names, hidden, sheet)
            unseen = _look_through(path, name)
            found = book.get_sheet_by_name(name)
            merged = found.merged_cell_ranges or []
            rows: list[list[Any]] = [list(map(_cell, row)) for row in found.to_python(skip_empty_area=False)]
    except calamine.PasswordError as error:
        raise InputError(
            _("{file} is protected with a password; save a copy without one and add that.").format(
                file=path.name
            )
        ) from error
    except (calamine.CalamineError, ElementTree.ParseError, *DAMAGED) as error:
        raise InputError(
            _(
                "{file} cannot be read as an Excel workbook: {reason}. Open it in Excel and save it again."
            ).format(file=path.name, reason=error)
        ) from error
    _refuse_uncomputed(path, name, unseen.uncomputed)
    filled = 0
    for corners in merged:
        filled += _fill(rows, *corners)
        if filled > MOST_CELLS:
            raise _too_large(path, name)
    notes = [*_about_sheets(name, names, hidden), *_about_cells(filled, len(merged), unseen.errors)]
    kept = [
        (number, row) for number, row in enumerate(rows, start=1) if any(value is not None for value in row)
    ]
    if not kept:
        return Sheet([], [], [], tuple(notes))
    header, *others = kept
    return Sheet(column_names(header[1]), [n for n, row in others], [row for n, row in others], tuple(notes))


def _check_open_document(path: Path) -> None:
    """Raise where an .ods is not well-formed, in which calamine looks for its end for ever."""
    if is_zipfile(path):
        with open_archive(path) as archive:
            if "content.xml" in archive.namelist():
                with archive.open("content.xml") as xml:
                    for _cell in _each(xml, "table-cell"):
                        pass


def _chosen(path: Path, names: Sequence[str], hidden: set[str], wanted: str | None) -> str:
    if not names:
        raise InputError(_("{file} has no sheet with cells.").format(file=path.name))
    if wanted is None:
        return next((name for name in names if name not in hidden), names[0])
    if wanted not in names:
        raise InputError(
            _("{file} has no sheet {sheet}; its sheets are: {names}.").format(
                file=path.name, sheet=repr(wanted), names=quoted(names)
            )
        )
    return wanted


def _cell(value: Any) -> Any:
    """The value, None where there is none; Excel does not tell 3 from 3.0, and people write 3."""
    if value == "":
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else as_it_was(value)


def _fill(rows: list[list[Any]], first: tuple[int, int], last: tuple[int, int]) -> int:
    """Write what stands in the first cell of a merged range into all of them; how many that are."""
    (top, left), (bottom, right) = first, last
    value = rows[top][left] if top < len(rows) and left < len(rows[top]) else None
    if value is None:
        return 0
    filled = 0
    for row in rows[top : bottom + 1]:
        reach = range(left, min(right, len(row) - 1) + 1)
        for column in reach:
            row[column] = value
        filled += len(reach)
    return filled - 1


def _about_sheets(name: str, names: Sequence[str], hidden: set[str]) -> Iterator[str]:
    others = [
        _("{name} (hidden)").format(name=repr(n)) if n in hidden else repr(n) for n in names if n != name
    ]
    if others:
        yield _("sheet {name}; not read: {others}").format(name=repr(name), others=shortened(others))


def _about_cells(filled: int, n_merged: int, errors: dict[str, list[int]]) -> Iterator[str]:
    if filled:
        yield ngettext(
            "{n} merged cell counted in each of its rows ({filled} cells filled)",
            "{n} merged cells counted in each of their rows ({filled} cells filled)",
            n_merged,
        ).format(n=n_merged, filled=filled)
    for error, rows in errors.items():
        yield ngettext(
            "{error} in {n} cell taken as missing (row {rows})",
            "{error} in {n} cells taken as missing (rows {rows})",
            len(rows),
        ).format(error=error, n=len(rows), rows=shortened(list(map(str, rows)), 5))


def _refuse_uncomputed(path: Path, name: str, cells: Sequence[tuple[int, str]]) -> None:
    if cells:
        columns = sorted({column for _row, column in cells})
        rows = [str(row) for row in sorted({row for row, _column in cells})]
        raise InputError(
            ngettext(
                "{file}, sheet {sheet}, column {columns}, row {rows}: a formula without a stored value, as "
                "other programs than Excel write them. Open the file in Excel, save it, and read it again.",
                "{file}, sheet {sheet}, column {columns}, rows {rows}: formulas without a stored value, as "
                "other programs than Excel write them. Open the file in Excel, save it, and read it again.",
                len(rows),
            ).format(file=path.name, sheet=repr(name), columns=listed(columns), rows=shortened(rows, 8))
        )


def _each(xml: IO[bytes], kind: str) -> Iterator[ElementTree.Element]:
    """The elements of one kind, one after the other; of all others nothing is kept."""
    path: list[ElementTree.Element] = []
    within = 0
    for event, element in ElementTree.iterparse(xml, ("start", "end")):
        is_one = element.tag.endswith(kind) and _local(element.tag) == kind
        if event == "start":
            path.append(element)
            within += is_one
            continue
        path.pop()
        within -= is_one
        if is_one:
            yield element
        if not within and path:
            path[-1].remove(element)


def _shared_lengths(archive: ZipFile) -> list[int]:
    """How long each shared text is (ECMA-376 part 1, 18.4.8)."""
    try:
        xml = archive.open("xl/sharedStrings.xml")
    except KeyError:
        return []
    with xml:
        # One more than are read tells that there are too many.
        texts = islice(_each(xml, "si"), MOST_CELLS + 1)
        return [sum(len(text) for text in each.itertext()) for each in texts]


def _look_through(path: Path, name: str) -> _Unseen:
    """What the values do not tell, from the sheet's XML (ECMA-376 part 1, 18.3.1.4); of .xlsx only.

    Some kilobytes can put a cell into the last row and column, or show a long text a million times: that is
    found out before a table is made of them.
    """
    unseen = _Unseen()
    if not is_zipfile(path):
        return unseen
    with open_archive(path) as archive:
        part = _part_of(archive, name)
        if part is None:
            return unseen
        lengths = _shared_lengths(archive)
        with archive.open(part) as xml:
            for cell in _each(xml, "c"):
                _look(cell, unseen, lengths)
                if unseen.is_too_large or len(lengths) > MOST_CELLS:
                    raise _too_large(path, name)
    return unseen


def _too_large(path: Path, name: str) -> InputError:
    return InputError(
        _(
            "{file}, sheet {sheet} is too large: at most {cells} cells (empty ones between others count) and "
            "{letters} characters are read. Delete what lies outside your table, or save it as .csv."
        ).format(file=path.name, sheet=repr(name), cells=f"{MOST_CELLS:,}", letters=f"{MOST_LETTERS:,}")
    )


def _look(cell: ElementTree.Element, unseen: _Unseen, lengths: Sequence[int]) -> None:
    children = {_local(child.tag): child for child in cell}
    place = _REFERENCE.fullmatch(cell.get("r", ""))
    value = children["v"].text if "v" in children else None
    unseen.cells += 1
    if place is None or not children:
        return
    unseen.reach(int(place[2]), _number_of(place[1]))
    if cell.get("t") == "s" and value and value.isdigit() and int(value) < len(lengths):
        unseen.letters += lengths[int(value)]
    elif "is" in children:
        unseen.letters += sum(map(len, children["is"].itertext()))
    if cell.get("t") == "e":
        unseen.errors.setdefault(value or "#N/A", []).append(int(place[2]))
    elif "f" in children and not value and cell.get("t") != "str":
        # A formula whose value is the empty text says so by its type.
        unseen.uncomputed.append((int(place[2]), place[1]))


def _number_of(column: str) -> int:
    number = 0
    for letter in column:
        number = 26 * number + ord(letter) - 64
    return number


def _part_of(archive: ZipFile, name: str) -> str | None:
    """The member of the archive that holds the sheet; None where the workbook is of another make."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except KeyError:
        return None
    ids = {
        sheet.get("name"): value
        for sheet in book.iterfind(".//{*}sheet")
        for key, value in sheet.items()
        if _local(key) == "id" and key != "id"
    }
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    target = targets.get(ids.get(name), "")
    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return part if part in archive.namelist() else None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
