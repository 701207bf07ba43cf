"""Reading texts from a file, by what its name says and what it really is. Cleaning comes later.

Which column of a table holds the texts is decided here; what is read of documents (.txt, .pdf, .docx) is in
:mod:`~workbench.retrieval.documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from workbench.asking import option
from workbench.errors import InputError
from workbench.files.kinds import BINARY, EXCEL, PDF, TEXT, WORD, kind_of
from workbench.files.rows import Sheet, delimited_rows, folded, json_lines, quoted, shortened
from workbench.files.workbooks import sheet_rows
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, paragraph
from workbench.retrieval.documents import chosen_encoding, read_lines, read_pdf, read_word
from workbench.retrieval.records import FileTexts, records_from
from workbench.texts import says_missing, tidy

__all__ = ["SUFFIXES", "TEXT_COLUMNS", "read_delimited", "read_file", "read_json_lines", "read_workbook"]

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
    encoding, notes = chosen_encoding(path, encoding)
    table = delimited_rows(path, encoding)
    return _texts_of(path, table.columns, _named(table), "row", text_column, notes)


def read_json_lines(path: Path, text_column: str | None = None, encoding: str | None = None) -> FileTexts:
    """Texts of a .jsonl file: a string or an object on each line."""
    encoding, notes = chosen_encoding(path, encoding)
    rows = [(number, _as_object(value, path, number)) for number, value in json_lines(path, encoding)]
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    return _texts_of(path, columns, rows, "line", text_column, notes)


def read_workbook(path: Path, text_column: str | None = None, sheet: str | None = None) -> FileTexts:
    """Texts of one sheet of an .xlsx file: the one named, else the first that is not hidden."""
    table = sheet_rows(path, sheet)
    return _texts_of(path, table.columns, _named(table), "row", text_column, list(table.notes))


# A new format is one line here: what the file must be, and its reader with the options that it knows.
_READERS: dict[str, tuple[str, Callable[..., FileTexts], tuple[str, ...]]] = {
    ".txt": (TEXT, read_lines, ("encoding",)),
    ".csv": (TEXT, read_delimited, ("text_column", "encoding")),
    ".tsv": (TEXT, read_delimited, ("text_column", "encoding")),
    ".jsonl": (TEXT, read_json_lines, ("text_column", "encoding")),
    ".xlsx": (EXCEL, read_workbook, ("text_column", "sheet")),
    ".pdf": (PDF, read_pdf, ()),
    ".docx": (WORD, read_word, ()),
}
SUFFIXES = tuple(_READERS)


def read_file(
    path: str | Path,
    *,
    text_column: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
) -> FileTexts:
    """The texts of a file, with a record of metadata for each.

    Parameters
    ----------
    path : str or Path
        .txt holds one text a line. Of .csv, .tsv, .jsonl and .xlsx one column holds the texts, the
        others become metadata. A .pdf gives its paragraphs, a .docx its paragraphs and table cells.
    text_column : str, optional
        Column of the texts, for tables; by default the only one, the one with a usual name (``text``,
        ``jd``, ``内容``, …), or the only one that looks like texts.
    sheet : str, optional
        Sheet of an .xlsx file; by default the first.
    encoding : str, optional
        Of a text file, if it cannot be found out; see
        :func:`~workbench.files.kinds.find_encoding`.

    Returns
    -------
    FileTexts
        Every record has ``source`` (the file's name) and one of ``line``, ``row``, ``page``.

    Raises
    ------
    InputError
        If there is no such file, its format is not known, it is not what its name says, or its
        texts cannot be read or found.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if path.is_dir():
        raise InputError(_("{path} is a folder; pass the files in it.").format(path=path))
    if not path.exists():
        raise InputError(_("There is no file {path}; check the path.").format(path=path))
    if suffix not in _READERS:
        raise InputError(
            _("{file} is of no known format; texts are read from {suffixes} files.").format(
                file=path.name, suffixes=", ".join(SUFFIXES)
            )
        )
    expected, read, options = _READERS[suffix]
    try:
        _check_kind(path, expected, encoding)
        given = {"text_column": text_column, "sheet": sheet, "encoding": encoding}
        return read(path, **{name: given[name] for name in options})
    except PermissionError as error:
        raise InputError(
            _("{path} may not be read; ask for permission, or copy it elsewhere.").format(path=path)
        ) from error


def _check_kind(path: Path, expected: str, encoding: str | None) -> None:
    if not path.stat().st_size:
        raise InputError(_("{file} is empty.").format(file=path.name))
    found = kind_of(path)
    # UTF-16 without a byte-order mark looks like a binary file to those who do not know.
    if found == expected or (found == BINARY and expected == TEXT and encoding):
        return
    right = next((suffix for suffix, reader in _READERS.items() if reader[0] == found != TEXT), None)
    if found == TEXT:
        advice = _("Rename it to .txt, .csv or .jsonl, whichever it is.")
    elif right:
        advice = _("Rename it to {name}.").format(name=f"{path.stem}{right}")
    elif found == BINARY and expected == TEXT:
        advice = _("Save it in the format that its name says.")
        little, big = option("encoding", "utf-16-le"), option("encoding", "utf-16-be")
        if little:
            wide = _("If it is text in UTF-16, say so: {little} or {big}.").format(little=little, big=big)
            advice = paragraph([advice, wide])
    else:
        advice = _("Save it in the format that its name says.")
    raise InputError(
        _("{file} is named as {expected}, but is {found}. {advice}").format(
            file=path.name,
            expected=_("a text or table file") if expected == TEXT else _(expected),
            found=_(found),
            advice=advice,
        )
    )


def _named(table: Sheet) -> list[Row]:
    return [
        (number, {name: value for name, value in zip(table.columns, row, strict=True) if value is not None})
        for number, row in zip(table.numbers, table.rows, strict=True)
    ]


def _texts_of(
    path: Path, columns: Sequence[str], rows: list[Row], place: str, text_column: str | None, notes: list[str]
) -> FileTexts:
    if not columns:
        raise InputError(_("{file} has no rows.").format(file=path.name))
    column = _text_column(path, columns, rows, text_column)
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
                places=shortened([_place(place, number) for number in words], 5),
            ),
        ]
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
    raise InputError(
        _("{file}, {place}: the text is a {type}, not a string.").format(
            file=path.name, place=_place(place, number), type=type(value).__name__
        )
    )


def _place(place: str, number: int) -> str:
    said = _("line {number}") if place == "line" else _("row {number}")
    return said.format(number=number)


def _as_object(value: Any, path: Path, number: int) -> dict[str, Any]:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise InputError(
            _("{file}, line {number} is {value}; each line must be a string or an object.").format(
                file=path.name, number=number, value=f"{value!r:.40}"
            )
        )
    return value
