"""Reading texts from a file, by what its name says and what it really is. Cleaning comes later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.errors import InputError
from workbench.files.kinds import BINARY, EXCEL, PDF, TEXT, WORD, kind_of
from workbench.retrieval.documents import read_lines, read_pdf, read_word
from workbench.retrieval.records import FileTexts
from workbench.retrieval.tables import read_delimited, read_json_lines, read_workbook

__all__ = ["SUFFIXES", "read_file"]

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
        :func:`~workbench.files.encodings.find_encoding`.

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
        raise InputError(f"{path} is a folder; pass the files in it.")
    if not path.exists():
        raise InputError(f"There is no file {path}; check the path.")
    if suffix not in _READERS:
        raise InputError(
            f"{path.name} is of no known format; texts are read from {', '.join(SUFFIXES)} files."
        )
    expected, read, options = _READERS[suffix]
    try:
        _check_kind(path, expected, encoding)
        given = {"text_column": text_column, "sheet": sheet, "encoding": encoding}
        return read(path, **{name: given[name] for name in options})
    except PermissionError as error:
        raise InputError(f"{path} may not be read; ask for permission, or copy it elsewhere.") from error


def _check_kind(path: Path, expected: str, encoding: str | None) -> None:
    if not path.stat().st_size:
        raise InputError(f"{path.name} is empty.")
    found = kind_of(path)
    # UTF-16 without a byte-order mark looks like a binary file to those who do not know.
    if found == expected or (found == BINARY and expected == TEXT and encoding):
        return
    right = next((suffix for suffix, (kind, _, _) in _READERS.items() if kind == found != TEXT), None)
    advice = f"Rename it to {path.stem}{right}." if right else "Save it in the format that its name says."
    if found == TEXT:
        advice = "Rename it to .txt, .csv or .jsonl, whichever it is."
    elif found == BINARY and expected == TEXT:
        advice += " If it is text in UTF-16, pass encoding='utf-16-le' or 'utf-16-be'."
    named = "a text or table file" if expected == TEXT else expected
    raise InputError(f"{path.name} is named as {named}, but is {found}. {advice}")
