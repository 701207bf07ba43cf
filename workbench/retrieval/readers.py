"""Whole documents for a knowledge base, with where each of them comes from. Cleaning comes later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.documents.document import Document
from workbench.documents.pasted import Pasted, documents_in, understood, understood_as
from workbench.documents.reading import Unread, read_documents
from workbench.errors import InputError
from workbench.retrieval.records import FilesRead, FileTexts, Record, records_from

LINES = ".txt"


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
    files: list[FileTexts] = []
    unread: list[Unread] = []
    for path in several:
        try:
            found = read_documents(
                path, text_column=text_column, sheet=sheet, encoding=encoding, progress=progress
            )
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
