"""Reading texts for a knowledge base from a file, with where each of them stands. Cleaning comes later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.documents.content import Content
from workbench.documents.document import Document
from workbench.documents.formats import FORMATS, check_file, read_content
from workbench.documents.pasted import Pasted, documents_in, understood, understood_as
from workbench.documents.reading import Unread, read_documents
from workbench.documents.tables import TABLES, TextTable, read_texts
from workbench.errors import InputError
from workbench.files.kinds import TEXT, chosen_encoding, open_text
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.retrieval.records import FilesRead, FileTexts, Record, records_from

__all__ = ["NOTHING_READ", "SUFFIXES", "read_file", "read_files"]

# Far beyond what cleaning keeps; the rest of a longer line is passed over without being held.
LONGEST_LINE = 65_536
LINES = ".txt"
_KINDS = {LINES: TEXT, **TABLES, **{suffix: kind for suffix, (kind, _read) in FORMATS.items()}}
SUFFIXES = tuple(_KINDS)


NOTHING_READ = FilesRead()


def read_files(
    paths: str | Path | Sequence[str | Path],
    *,
    how: Pasted | None = None,
    text_column: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    progress: bool | None = None,
) -> FilesRead:
    """Whole documents of files, with a record of metadata for each; see :func:`workbench.read_documents`.

    Parameters
    ----------
    paths : str, Path, or several
        A file is one document, a table has one a row, a folder, a zip and an e-mail have many. A .txt file
        that is named itself and whose lines are a list is one text a line, as a pasted list is.
    how : {"one", "lines", "blocks"}, optional
        What .txt files that are named themselves hold, if it is told wrongly.
    text_column, sheet, encoding
        Of tables and text files, where it is not clear.

    Returns
    -------
    FilesRead
        Every record has ``source`` (the file's name, with its folder inside the one that was given).

    Raises
    ------
    InputError
        If nothing can be read.
    """
    several = [Path(paths)] if isinstance(paths, str | Path) else [Path(each) for each in paths]
    options = {"text_column": text_column, "sheet": sheet, "encoding": encoding}
    files: list[FileTexts] = []
    unread: list[Unread] = []
    for path in several:
        try:
            found = read_documents(path, progress=progress, **options)
        except InputError as error:
            if len(several) == 1:
                raise
            unread.append(Unread(path.name, str(error)))
            continue
        unread += found.unread
        by_file: dict[str, list[Document]] = {}
        for document in found:
            by_file.setdefault(str(document.source["file"]), []).append(document)
        is_text = path.suffix.lower() == LINES and path.is_file()
        files += [
            _entries(name, some[0], how) if is_text else _documents(name, some)
            for name, some in by_file.items()
        ]
    read = FilesRead(tuple(files), tuple(unread)).without_too_long()
    if not read.texts:
        raise InputError("\n".join(each.summary() for each in read.unread))
    return read


def _documents(name: str, documents: Sequence[Document]) -> FileTexts:
    # Ours is the last word on where a text came from; a column of that name is kept beside it.
    taken = {"source": "source (column)"}
    metadata = [
        {taken.get(key, key): value for key, value in each.source.items() if key != "file"} | {"source": name}
        for each in documents
    ]
    notes = tuple(dict.fromkeys(note for document in documents for note in document.notes))
    records = records_from(metadata, len(metadata))
    return FileTexts(name, [each.text for each in documents], records, notes)


def _entries(name: str, document: Document, how: Pasted | None) -> FileTexts:
    """A .txt file, as what it was understood as."""
    how = how or understood_as(document.text)
    found = documents_in(document.text, how)
    if len(found) == 1:
        return FileTexts(name, [found[0].text], [{"source": name}], document.notes)
    records: list[Record] = [{"source": name, "entry": number} for number in range(1, len(found) + 1)]
    said = understood(len(found), how)
    return FileTexts(name, [each.text for each in found], records, (said, *document.notes))


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
        .txt holds one text a line. Of a table (.csv, .tsv, .jsonl, .xlsx, .xls, .ods) one column holds the
        texts, the others become metadata. A .pdf, .docx, .odt, .rtf, .html or .md gives its paragraphs, list
        entries and rows of tables, and so does a picture where OCR is installed.
    text_column : str, optional
        Column of the texts, for tables; by default the only one, the one with a usual name (``text``,
        ``jd``, ``内容``, …), or the only one that looks like texts.
    sheet : str, optional
        Sheet of a workbook; by default the first that is not hidden.
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
    check_file(path, _KINDS, encoding)
    suffix = path.suffix.lower()
    try:
        if suffix in TABLES:
            return _rows(path, read_texts(path, text_column=text_column, sheet=sheet, encoding=encoding))
        if suffix == LINES:
            return _lines(path, encoding)
        return _paragraphs(path, read_content(path, encoding))
    except PermissionError as error:
        raise InputError(
            _("{path} may not be read; ask for permission, or copy it elsewhere.").format(path=path)
        ) from error


def _rows(path: Path, table: TextTable) -> FileTexts:
    # Ours are the last word on where a text came from; a column of that name is kept beside it.
    taken = {name: f"{name} (column)" for name in ("source", table.place)}
    metadata = [
        {taken.get(name, name): value for name, value in row.items()}
        | {"source": path.name, table.place: number}
        for row, number in zip(table.others, table.numbers, strict=True)
    ]
    return FileTexts(path.name, table.texts, records_from(metadata, len(metadata)), table.notes)


def _paragraphs(path: Path, content: Content) -> FileTexts:
    records: list[Record] = [
        {"source": path.name, **({"line": line} if block.page is None else {"page": block.page})}
        for line, block in enumerate(content.blocks, start=1)
    ]
    return FileTexts(path.name, [block.text for block in content.blocks], records, content.notes)


def _lines(path: Path, encoding: str | None) -> FileTexts:
    """Texts of a .txt file, one a line."""
    found, notes = chosen_encoding(path, encoding)
    texts: list[str] = []
    long: list[int] = []
    with open_text(path, found) as file:
        while line := file.readline(LONGEST_LINE):
            texts.append(line.removesuffix("\n"))
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                rest = file.readline(LONGEST_LINE)
                long += [len(texts)] if rest.strip() else []
                while rest and not rest.endswith("\n"):
                    rest = file.readline(LONGEST_LINE)
    if long:
        notes.append(
            ngettext(
                "{n} line read to character {last} only, line {first}",
                "{n} lines read to character {last} only, the first is line {first}",
                len(long),
            ).format(n=len(long), last=f"{LONGEST_LINE:,}", first=long[0])
        )
    records: list[Record] = [{"source": path.name, "line": number} for number in range(1, len(texts) + 1)]
    return FileTexts(path.name, texts, records, tuple(notes))
