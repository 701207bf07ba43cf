"""The rows of a table file as they stand there: .csv, .tsv, .jsonl, .xlsx.

What the columns mean, and which of them is asked for, is the business of those who read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from workbench.errors import InputError
from workbench.files.encodings import open_text
from workbench.files.headers import column_names, separator_of
from workbench.files.kinds import check_archive_size

__all__ = ["Sheet", "delimited_rows", "json_lines", "listed", "sheet_rows"]

# A longer line or field is no part of a table: most likely a quotation mark is not closed, or it is
# another format. A résumé may be a page.
LONGEST_LINE = 2**20
# Excel's own limit; a damaged or hostile file can claim more.
MOST_ROWS = 1_048_576


@dataclass(frozen=True)
class Sheet:
    """A table with a header.

    Attributes
    ----------
    columns : list of str
        Names of the columns, all different.
    numbers : list of int
        Number of each row as a spreadsheet counts them; rows without any value are left out.
    rows : list of list
        Values of each row, as many as there are columns.
    name : str
        Of the sheet in a workbook.
    others : list of str
        Names of the sheets that were not read.
    """

    columns: list[str]
    numbers: list[int]
    rows: list[list[Any]]
    name: str = ""
    others: Sequence[str] = ()


def delimited_rows(path: Path, encoding: str) -> Sheet:
    """Rows of a .csv or .tsv file with a header line; all values stay text, ``007`` too.

    Raises
    ------
    InputError
        If a row has more fields than the header, a quotation mark is not closed, or a line is too long.
    """
    numbers: list[int] = []
    rows: list[list[Any]] = []
    with open_text(path, encoding, newline="") as file:
        separator = separator_of(file, path)
        reader = csv.reader(_bounded_lines(file, path), delimiter=separator, strict=True)
        before = csv.field_size_limit(LONGEST_LINE)
        try:
            header = column_names(next(reader, []))
            for number, values in enumerate(reader, start=2):
                if any(value.strip() for value in values):
                    numbers.append(number)
                    rows.append(_as_wide_as(header, values, path, reader.line_num))
        except csv.Error as error:
            raise InputError(
                f"{path.name}, line {reader.line_num}: {error}. A text with quotation marks must stand in "
                "quotation marks, and those inside it must be doubled; or save the file as .xlsx."
            ) from error
        finally:
            csv.field_size_limit(before)
    return Sheet(header, numbers, rows)


def json_lines(path: Path, encoding: str) -> list[tuple[int, Any]]:
    """The value on each line of a .jsonl file that is not blank, with its line number.

    Raises
    ------
    InputError
        If a line is not JSON, or is too long.
    """
    values = []
    with open_text(path, encoding) as file:
        for number, line in enumerate(_bounded_lines(file, path), start=1):
            if line.strip():
                values.append((number, _json_value(line, path, number)))
    return values


def sheet_rows(path: Path, sheet: str | None = None) -> Sheet:
    """Rows of one sheet of an .xlsx file: the one named, else the first. Formulas are not evaluated.

    Raises
    ------
    InputError
        If there is no such sheet, or the workbook cannot be read.
    """
    import openpyxl

    check_archive_size(path)
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            names = [worksheet.title for worksheet in book.worksheets]
            if sheet is not None and sheet not in names:
                raise InputError(f"{path.name} has no sheet {sheet!r}; its sheets are: {listed(names)}.")
            if not names:
                raise InputError(f"{path.name} has no sheet with cells.")
            chosen = sheet if sheet is not None else names[0]
            filled = list(_filled_rows(book[chosen], path))
    except InputError:
        raise
    except Exception as error:  # openpyxl and the XML under it fail in many ways on damaged files
        raise InputError(
            f"{path.name} cannot be read as an Excel workbook: {error}. Open it in Excel and save it again."
        ) from error
    others = [name for name in names if name != chosen]
    if not filled:
        return Sheet([], [], [], chosen, others)
    width = max(len(values) for _, values in filled)
    wide = [[*values, *[None] * (width - len(values))] for _, values in filled]
    return Sheet(column_names(wide[0]), [number for number, _ in filled[1:]], wide[1:], chosen, others)


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in quotation marks, for a message."""
    return ", ".join(map(repr, names[:most])) + (", …" if len(names) > most else "")


def _bounded_lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise InputError(
                f"{path.name}, line {number} has more than {LONGEST_LINE:,} characters, too many for a row "
                "of a table. Is it another format, or are line breaks missing?"
            )
        yield line


def _as_wide_as(header: list[str], values: list[str], path: Path, line: int) -> list[Any]:
    if any(values[len(header) :]):
        raise InputError(
            f"{path.name}, line {line} has {len(values)} fields, but the header has {len(header)}. Put texts "
            "that contain the separator in quotation marks."
        )
    return [*values[: len(header)], *[""] * (len(header) - len(values))]


def _json_value(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line.rstrip())
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path.name}, line {number} is not JSON: {error.msg} at character {error.colno}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name}, line {number} cannot be read as JSON: {error}.") from error


def _filled_rows(worksheet: Any, path: Path) -> Iterator[tuple[int, tuple[Any, ...]]]:
    # The declared size of a sheet is often wrong; without it, rows are as long as their last cell.
    worksheet.reset_dimensions()
    for number, values in enumerate(worksheet.iter_rows(values_only=True), start=1):
        if number > MOST_ROWS:
            raise InputError(f"{path.name} has rows beyond {MOST_ROWS:,}, which no Excel sheet has.")
        if any(value is not None and value != "" for value in values):
            yield number, values
