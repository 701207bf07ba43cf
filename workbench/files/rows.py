"""The rows of a table file as they stand there, with its header: .csv, .tsv, .jsonl.

Workbooks are read in :mod:`workbench.files.workbooks`.

What the columns mean, and which of them is asked for, is the business of those who read.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, TextIO

from workbench.errors import InputError
from workbench.files.exporting import as_it_was
from workbench.files.kinds import open_text
from workbench.i18n import gettext as _
from workbench.i18n import listed
from workbench.texts import brief

# A longer line or field is no part of a table: most likely a quotation mark is not closed, or it is
# another format. A résumé may be a page.
LONGEST_LINE = 2**20
# A longer header is none: most likely line breaks are missing.
LONGEST_HEADER = 2**16
_NAMED_SEPARATOR = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)


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
    notes : tuple of str
        What a person who sees the file should know: other sheets, merged cells, errors in cells.
    """

    columns: list[str]
    numbers: list[int]
    rows: list[list[Any]]
    notes: tuple[str, ...] = ()


def delimited_rows(path: Path, encoding: str, most: float = inf) -> Sheet:
    """Rows of a .csv or .tsv file with a header line; all values stay text, ``007`` too.

    Raises
    ------
    InputError
        If a row has more fields than the header, a quotation mark is not closed, a line is too long, or all
        values take more than `most` bytes of memory.
    """
    held = 0
    numbers: list[int] = []
    rows: list[list[Any]] = []
    with open_text(path, encoding, newline="") as file:
        separator = separator_of(file, path)
        reader = csv.reader(_bounded_lines(file, path), delimiter=separator, strict=True)
        before = csv.field_size_limit(LONGEST_LINE)
        try:
            header = column_names([as_it_was(name) for name in next(reader, [])])
            for number, values in enumerate(reader, start=2):
                if any(value.strip() for value in values):
                    numbers.append(number)
                    rows.append(_as_wide_as(header, list(map(as_it_was, values)), path, reader.line_num))
                    held += sum(map(sys.getsizeof, rows[-1]))
                    if held > most:
                        raise too_much_text(path, most)
        except csv.Error as error:
            raise InputError(
                _(
                    "{file}, line {line}: {reason}. A text with quotation marks must stand in quotation "
                    "marks, and those inside it must be doubled; or save the file as .xlsx."
                ).format(file=path.name, line=reader.line_num, reason=error)
            ) from error
        finally:
            csv.field_size_limit(before)
    return Sheet(header, numbers, rows)


def too_much_text(path: Path, most: float) -> InputError:
    """That a table holds more than so many bytes of texts."""
    said = _(
        "{file} holds more than {most} MB of texts and numbers, which is the most that is read. Split it."
    )
    return InputError(said.format(file=path.name, most=f"{most / 2**20:.0f}"))


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


def quoted(names: Sequence[str], most: int = 12) -> str:
    """Names in quotation marks, for a message."""
    return shortened(list(map(brief, names)), most)


def shortened(items: Sequence[str], most: int = 12) -> str:
    """The items, or the first of them where there are many, for a message."""
    return listed([*items[:most], *["…"] * (len(items) > most)])


def separator_of(file: TextIO, path: Path) -> str:
    """The separator that a first line ``sep=;`` names, as Excel reads it, or that splits the header most.

    The suffix decides where none does. Afterwards the file stands before its header.
    """
    header = file.readline(LONGEST_HEADER)
    if named := _NAMED_SEPARATOR.fullmatch(header.rstrip("\r\n")):
        return named[1]
    file.seek(0)
    candidates = "\t,;|" if path.suffix.lower() == ".tsv" else ",;\t|"
    return max(candidates, key=lambda separator: len(next(csv.reader([header], delimiter=separator), [])))


def column_names(header: Sequence[Any]) -> list[str]:
    """Names of columns; those without get a number, repeated ones too.

    Examples
    --------
    >>> column_names(["jd", None, "jd"])
    ['jd', 'column 2', 'jd (3)']
    """
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        name = str(cell).strip() if cell is not None else ""
        name = name or f"column {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names


def folded(name: object) -> str:
    """A name of a column as people mean it: without regard to capitals, blanks, hyphens and underscores.

    Examples
    --------
    >>> folded(" Job-Description ")
    'job_description'
    """
    return "_".join(str(name).strip().casefold().replace("-", " ").replace("_", " ").split())


def _bounded_lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise InputError(
                _(
                    "{file}, line {line} has more than {most} characters, too many for a row of a table. Is "
                    "it another format, or are line breaks missing?"
                ).format(file=path.name, line=number, most=f"{LONGEST_LINE:,}")
            )
        yield line


def _as_wide_as(header: list[str], values: list[str], path: Path, line: int) -> list[Any]:
    if any(values[len(header) :]):
        raise InputError(
            _(
                "{file}, line {line} has {n} fields, but the header has {columns}. Put texts that contain "
                "the separator in quotation marks."
            ).format(file=path.name, line=line, n=len(values), columns=len(header))
        )
    return [*values[: len(header)], *[""] * (len(header) - len(values))]


def _json_value(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line.rstrip())
    except json.JSONDecodeError as error:
        raise InputError(
            _("{file}, line {line} is not JSON: {reason} at character {place}.").format(
                file=path.name, line=number, reason=error.msg, place=error.colno
            )
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            _("{file}, line {line} cannot be read as JSON: {reason}.").format(
                file=path.name, line=number, reason=error
            )
        ) from error
