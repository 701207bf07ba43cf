"""Texts from tables: .csv, .tsv, .jsonl and .xlsx. Which column holds the texts, and what goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.files.encodings import find_encoding
from workbench.files.rows import Sheet, delimited_rows, json_lines, listed, sheet_rows
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

# A column of shorter entries, on average, is a name or a code rather than a text.
SHORTEST_MEAN_TEXT = 8

Row = tuple[int, dict[str, Any]]


def read_delimited(path: Path, text_column: str | None = None, encoding: str | None = None) -> FileTexts:
    """Texts of a .csv or .tsv file with a header line; ``007`` stays ``007``, as all values stay text."""
    encoding, notes = _chosen_encoding(path, encoding)
    table = delimited_rows(path, encoding)
    return _texts_of(path, table.columns, _named(table), "row", text_column, notes)


def read_json_lines(path: Path, text_column: str | None = None, encoding: str | None = None) -> FileTexts:
    """Texts of a .jsonl file: a string or an object on each line."""
    encoding, notes = _chosen_encoding(path, encoding)
    rows = [(number, _as_object(value, path, number)) for number, value in json_lines(path, encoding)]
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    return _texts_of(path, columns, rows, "line", text_column, notes)


def read_workbook(path: Path, text_column: str | None = None, sheet: str | None = None) -> FileTexts:
    """Texts of one sheet of an .xlsx file: the one named, else the first. Formulas are not evaluated."""
    table = sheet_rows(path, sheet)
    notes = [f"sheet {table.name!r}; not read: {listed(table.others)}"] if table.others else []
    return _texts_of(path, table.columns, _named(table), "row", text_column, notes)


def _named(table: Sheet) -> list[Row]:
    return [
        (number, {name: value for name, value in zip(table.columns, row, strict=True) if value is not None})
        for number, row in zip(table.numbers, table.rows, strict=True)
    ]


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
            raise InputError(f"{path.name} has no column {wanted!r}; its columns are: {listed(columns)}.")
        return wanted if wanted in same else same[0]
    known = [name for name in columns if _folded(name) in TEXT_COLUMNS]
    likely = list(columns) if len(columns) == 1 else known or [c for c in columns if _is_textual(c, rows)]
    if len(likely) != 1:
        reason = f"several could be: {listed(likely)}" if likely else "none looks like it"
        raise InputError(
            f"It is not clear which column of {path.name} holds the texts ({reason}). Name it with "
            f"text_column=; its columns are: {listed(columns)}."
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


def _as_object(value: Any, path: Path, number: int) -> dict[str, Any]:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise InputError(
            f"{path.name}, line {number} is {value!r:.40}; each line must be a string or an object."
        )
    return value


def _chosen_encoding(path: Path, encoding: str | None) -> tuple[str, list[str]]:
    """The encoding to read with, and a note where it is neither given nor Unicode."""
    found = encoding or find_encoding(path)
    return found, [f"read as {found}"] if not encoding and not found.startswith("utf") else []
