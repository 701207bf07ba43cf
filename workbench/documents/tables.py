"""The texts in a table, one a row: which column holds them, and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from workbench.asking import option
from workbench.errors import InputError
from workbench.files.kinds import EXCEL, OLD_OFFICE, OPEN_SHEET, TEXT, chosen_encoding
from workbench.files.rows import Sheet, delimited_rows, folded, json_lines, quoted, shortened
from workbench.files.workbooks import sheet_rows
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.texts import kind_of, says_missing, tidy

# What a file of each name must be.
TABLES = {
    ".csv": TEXT,
    ".tsv": TEXT,
    ".jsonl": TEXT,
    ".xlsx": EXCEL,
    ".xls": OLD_OFFICE,
    ".ods": OPEN_SHEET,
}
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


@dataclass(frozen=True)
class TextTable:
    """The texts of a table.

    Attributes
    ----------
    texts : list of str
        One a row, ``""`` where there is none.
    others : list of dict
        The other columns' values of each row, without those that are empty.
    place : {"row", "line"}
        What `numbers` count: rows as a spreadsheet shows them, or lines of a .jsonl file.
    numbers : list of int
    notes : tuple of str
        How it was read, where that was a choice.
    """

    texts: list[str]
    others: list[dict[str, Any]]
    place: str
    numbers: list[int]
    notes: tuple[str, ...]


def read_texts(
    path: Path, *, text_column: str | None = None, sheet: str | None = None, encoding: str | None = None
) -> TextTable:
    """The texts of a .csv, .tsv, .jsonl, or spreadsheet file; ``007`` of a text file stays ``007``.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, or it is not clear which column holds the texts.
    """
    match path.suffix.lower():
        case ".csv" | ".tsv":
            encoding, notes = chosen_encoding(path, encoding)
            table = delimited_rows(path, encoding)
            return _texts_of(path, table.columns, _named(table), "row", text_column, notes)
        case ".jsonl":
            encoding, notes = chosen_encoding(path, encoding)
            rows = [(number, _as_object(value, path, number)) for number, value in json_lines(path, encoding)]
            columns = list(dict.fromkeys(name for _, row in rows for name in row))
            return _texts_of(path, columns, rows, "line", text_column, notes)
    table = sheet_rows(path, sheet)
    return _texts_of(path, table.columns, _named(table), "row", text_column, table.notes)


def place_of(place: str, number: int) -> str:
    """``row 3`` or ``line 3``, for a message."""
    said = _("line {number}") if place == "line" else _("row {number}")
    return said.format(number=number)


def _named(table: Sheet) -> list[Row]:
    return [
        (number, {name: value for name, value in zip(table.columns, row, strict=True) if value is not None})
        for number, row in zip(table.numbers, table.rows, strict=True)
    ]


def _texts_of(
    path: Path,
    columns: Sequence[str],
    rows: list[Row],
    place: str,
    text_column: str | None,
    notes: Sequence[str],
) -> TextTable:
    if not columns:
        raise InputError(_("{file} has no rows.").format(file=path.name))
    column = text_column_of(path, columns, rows, text_column)
    if len(columns) > 1 or place == "row":
        notes = [_("texts from column {name}").format(name=repr(column)), *notes]
    texts = [_as_text(row.get(column), path, place, number) for number, row in rows]
    words = {
        number: text for (number, row), text in zip(rows, texts, strict=True) if says_missing(tidy(text))
    }
    if words:
        notes = [
            *notes,
            ngettext(
                "{n} text only says that there is none ({words}): {places}",
                "{n} texts only say that there is none ({words}): {places}",
                len(words),
            ).format(
                n=len(words),
                words=listed(dict.fromkeys(map(repr, words.values()))),
                places=shortened([place_of(place, number) for number in words], 5),
            ),
        ]
    others = [
        {name: value for name, value in row.items() if name != column and value != ""} for number, row in rows
    ]
    return TextTable(texts, others, place, [number for number, row in rows], tuple(notes))


def text_column_of(path: Path, columns: Sequence[str], rows: list[Row], wanted: str | None) -> str:
    if wanted is not None:
        same = [name for name in columns if name == wanted or folded(name) == folded(wanted)]
        if not same:
            raise InputError(
                _("{file} has no column {name}; its columns are: {columns}.").format(
                    file=path.name, name=repr(wanted), columns=quoted(columns)
                )
            )
        return wanted if wanted in same else same[0]
    known = [name for name in columns if folded(name) in TEXT_COLUMNS]
    likely = list(columns) if len(columns) == 1 else known or [c for c in columns if _is_textual(c, rows)]
    if len(likely) != 1:
        if likely:
            reason = _("several could be: {columns}").format(columns=quoted(likely))
        else:
            reason = _("none looks like it")
        raise InputError(
            _("It is not clear which column of {file} holds the texts ({reason}). {advice}").format(
                file=path.name, reason=reason, advice=_name_the_column(columns, likely)
            )
        )
    return likely[0]


def _name_the_column(columns: Sequence[str], likely: Sequence[str]) -> str:
    how = option("text_column", (likely or columns)[0])
    if how:
        said = _("Its columns are: {columns}; name the one with the texts, such as {how}.")
    else:
        said = _("Its columns are: {columns}; call the one with the texts 'text' in the file.")
    return said.format(columns=quoted(columns), how=how)


def _is_textual(column: str, rows: list[Row]) -> bool:
    values = [row.get(column) for number, row in rows[:1000]]
    texts = [value.strip() for value in values if isinstance(value, str) and value.strip()]
    worded = [text for text in texts if sum(map(str.isalpha, text)) * 2 > len(text)]
    # Categories repeat themselves, texts hardly do.
    return (
        len(worded) * 2 > len(values)
        and sum(map(len, worded)) >= SHORTEST_MEAN_TEXT * len(worded)
        and len(set(worded)) * 2 > len(worded)
    )


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
        case timedelta():
            return str(value)
    raise InputError(
        _("{file}, {place}: the text is a {type}, not a string.").format(
            file=path.name, place=place_of(place, number), type=type(value).__name__
        )
    )


def _as_object(value: Any, path: Path, number: int) -> dict[str, Any]:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise InputError(
            _("{file}, line {number} is {value}; each line must be a string or an object.").format(
                file=path.name, number=number, value=kind_of(value)
            )
        )
    return value
