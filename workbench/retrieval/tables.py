"""Texts from tables: .csv, .tsv, .jsonl and .xlsx. Which column holds the texts, and what goes with them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TextIO

from workbench.errors import InputError
from workbench.files.encodings import find_encoding, open_text
from workbench.files.headers import column_names, separator_of
from workbench.files.kinds import check_archive_size
from workbench.retrieval.records import FileTexts, records_from

__all__ = ["TEXT_COLUMNS", "read_delimited", "read_json_lines", "read_workbook"]

TEXT_COLUMNS = frozenset(
    {
        *("text", "texts", "content", "contents", "sentence", "sentences", "description"),
        *("jd", "jds", "job_description", "requirement", "requirements", "job_requirement"),
        *("resume", "resumes", "résumé", "résumés", "resume_text", "skill", "skills"),
        *("文本", "内容", "正文", "描述", "要求", "职位描述", "岗位描述", "工作描述", "职位要求"),
        *("岗位要求", "任职要求", "岗位职责", "简历", "简历文本", "技能", "技能描述", "工作经历"),
    }
)

# A longer line is no row of a table: most likely a quotation mark is not closed, or it is another format.
LONGEST_LINE = 2**20
# Excel's own limit; a damaged or hostile file can claim more.
MOST_ROWS = 1_048_576
# A column of shorter entries, on average, is a name or a code rather than a text.
SHORTEST_MEAN_TEXT = 8

Row = tuple[int, dict[str, Any]]


def read_delimited(path: Path, text_column: str | None = None, encoding: str | None = None) -> FileTexts:
    """Texts of a .csv or .tsv file with a header line; ``007`` stays ``007``, as all values stay text."""
    encoding, notes = _chosen_encoding(path, encoding)
    with open_text(path, encoding, newline="") as file:
        separator = separator_of(file, path)
        reader = csv.reader(_bounded_lines(file, path), delimiter=separator, strict=True)
        try:
            header = column_names(next(reader, []))
            rows = [
                (number, _row(values, header, path, reader.line_num))
                for number, values in enumerate(reader, start=2)
                if any(value.strip() for value in values)
            ]
        except csv.Error as error:
            raise InputError(
                f"{path.name}, line {reader.line_num}: {error}. A text with quotation marks must stand in "
                "quotation marks, and those inside it must be doubled; or save the file as .xlsx."
            ) from error
    return _texts_of(path, header, rows, "row", text_column, notes)


def read_json_lines(path: Path, text_column: str | None = None, encoding: str | None = None) -> FileTexts:
    """Texts of a .jsonl file: a string or an object on each line."""
    encoding, notes = _chosen_encoding(path, encoding)
    rows: list[Row] = []
    with open_text(path, encoding) as file:
        for number, line in enumerate(_bounded_lines(file, path), start=1):
            if line.strip():
                rows.append((number, _json_object(line, path, number)))
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    return _texts_of(path, columns, rows, "line", text_column, notes)


def read_workbook(path: Path, text_column: str | None = None, sheet: str | None = None) -> FileTexts:
    """Texts of one sheet of an .xlsx file: the one named, else the first. Formulas are not evaluated."""
    import openpyxl

    check_archive_size(path)
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            names = [worksheet.title for worksheet in book.worksheets]
            if sheet is not None and sheet not in names:
                raise InputError(f"{path.name} has no sheet {sheet!r}; its sheets are: {_listed(names)}.")
            if not names:
                raise InputError(f"{path.name} has no sheet with cells.")
            chosen = sheet if sheet is not None else names[0]
            header, rows = _sheet_rows(book[chosen], path)
    except InputError:
        raise
    except Exception as error:  # openpyxl and the XML under it fail in many ways on damaged files
        raise InputError(
            f"{path.name} cannot be read as an Excel workbook: {error}. Open it in Excel and save it again."
        ) from error
    others = [name for name in names if name != chosen]
    notes = [f"sheet {chosen!r}; not read: {_listed(others)}"] if others else []
    return _texts_of(path, header, rows, "row", text_column, notes)


def _texts_of(
    path: Path, columns: Sequence[str], rows: list[Row], place: str, text_column: str | None, notes: list[str]
) -> FileTexts:
    if not columns:
        raise InputError(f"{path.name} has no rows.")
    column = _text_column(path, columns, rows, text_column)
    if len(columns) > 1 or place == "row":
        notes = [f"texts from column {column!r}", *notes]
    texts = [_as_text(row.get(column), path, place, number) for number, row in rows]
    # Ours are the last word on where a text came from; a column of that name is kept beside it.
    renamed = {name: f"{name} (column)" if name in ("source", place) else name for name in columns}
    metadata = [
        {renamed[name]: value for name, value in row.items() if name != column and value != ""}
        | {"source": path.name, place: number}
        for number, row in rows
    ]
    return FileTexts(path.name, texts, records_from(metadata, len(rows)), tuple(notes))


def _text_column(path: Path, columns: Sequence[str], rows: list[Row], wanted: str | None) -> str:
    if wanted is not None:
        same = [name for name in columns if name == wanted or _folded(name) == _folded(wanted)]
        if not same:
            raise InputError(f"{path.name} has no column {wanted!r}; its columns are: {_listed(columns)}.")
        return wanted if wanted in same else same[0]
    known = [name for name in columns if _folded(name) in TEXT_COLUMNS]
    likely = list(columns) if len(columns) == 1 else known or [c for c in columns if _is_textual(c, rows)]
    if len(likely) != 1:
        reason = f"several could be: {_listed(likely)}" if likely else "none looks like it"
        raise InputError(
            f"It is not clear which column of {path.name} holds the texts ({reason}). Name it with "
            f"text_column=; its columns are: {_listed(columns)}."
        )
    return likely[0]


def _is_textual(column: str, rows: list[Row]) -> bool:
    values = [row.get(column) for _, row in rows[:1000]]
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    worded = [text for text in texts if sum(map(str.isalpha, text)) * 2 > len(text)]
    # Categories repeat themselves, texts hardly do.
    return (
        len(worded) * 2 > len(values)
        and sum(map(len, worded)) >= SHORTEST_MEAN_TEXT * len(worded)
        and len(set(worded)) * 2 > len(worded)
    )


def _folded(name: str) -> str:
    return "_".join(name.strip().casefold().replace("-", " ").replace("_", " ").split())


def _as_text(value: Any, path: Path, place: str, number: int) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case date() | time() | datetime():
            return value.isoformat()
    raise InputError(f"{path.name}, {place} {number}: the text is a {type(value).__name__}, not a string.")


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


def _row(values: Sequence[Any], header: Sequence[str], path: Path, line: int) -> dict[str, Any]:
    extra = [value for value in values[len(header) :] if value not in (None, "")]
    if extra:
        raise InputError(
            f"{path.name}, line {line} has {len(values)} fields, but the header has {len(header)}. Put texts "
            "that contain the separator in quotation marks, or save the file as .txt with one text a line."
        )
    return dict(zip(header, values, strict=False))


def _json_object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line.rstrip())
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path.name}, line {number} is not JSON: {error.msg} at character {error.colno}. Each line must "
            "be a string or an object."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name}, line {number} cannot be read as JSON: {error}.") from error
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, Mapping):
        raise InputError(
            f"{path.name}, line {number} is {value!r:.40}; each line must be a string or an object."
        )
    return dict(value)


def _sheet_rows(worksheet: Any, path: Path) -> tuple[list[str], list[Row]]:
    # The declared size of a sheet is often wrong; without it, rows are as long as their last cell.
    worksheet.reset_dimensions()
    header: list[str] = []
    rows: list[Row] = []
    for number, values in enumerate(worksheet.iter_rows(values_only=True), start=1):
        if number > MOST_ROWS:
            raise InputError(f"{path.name} has rows beyond {MOST_ROWS:,}, which no Excel sheet has.")
        if all(value is None or value == "" for value in values):
            continue
        if not header:
            header = column_names(values)
        else:
            header += [f"column {n}" for n in range(len(header) + 1, len(values) + 1)]
            row = {name: value for name, value in zip(header, values, strict=False) if value is not None}
            rows.append((number, row))
    return header, rows


def _chosen_encoding(path: Path, encoding: str | None) -> tuple[str, list[str]]:
    """The encoding to read with, and a note where it is neither given nor Unicode."""
    found = encoding or find_encoding(path)
    return found, [f"read as {found}"] if not encoding and not found.startswith("utf") else []


def _listed(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(map(repr, names[:most])) + (", …" if len(names) > most else "")
