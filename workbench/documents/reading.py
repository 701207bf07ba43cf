"""From a path to documents: a file is one, a row of a table is one, a folder, a zip or an e-mail is many.

What a pasted text holds is told in :mod:`workbench.documents.pasted`.
"""

from __future__ import annotations

import email
import email.policy
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from functools import partial
from io import BytesIO
from math import inf
from pathlib import Path, PurePosixPath
from typing import IO

from workbench.atomic import WorkFolder
from workbench.documents.aside import Read, reading_aside
from workbench.documents.content import MOST_CHARACTERS, Content, check_length, content_of
from workbench.documents.document import Document
from workbench.documents.formats import CONVERT, FORMATS, cannot_be_read, check_file, read_content
from workbench.documents.markup import html_text
from workbench.documents.splitting import Side
from workbench.documents.tables import TABLES, place_of, read_texts
from workbench.errors import InputError
from workbench.files.kinds import DAMAGED, TEXT, ZIP, open_archive
from workbench.files.rows import folded
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, pgettext
from workbench.progress import progress_bar
from workbench.results import Result
from workbench.texts import says_missing, tidy

CONTAINERS = {".zip": ZIP, ".eml": TEXT}
# What a file of each name must be.
KINDS = {**{suffix: kind for suffix, (kind, _read) in FORMATS.items()}, **TABLES, **CONTAINERS}
# A column of these names what a row is about; otherwise its number does.
ID_COLUMNS = (
    *("id", "jd_id", "job_id", "resume_id", "candidate_id", "document_id"),
    *("编号", "岗位编号", "简历编号"),
)
# A zip in a zip may hold itself.
DEEPEST = 2
# What a zip or an e-mail may hold, with those in it: files, bytes, memory for texts; and seconds for all.
MOST_FILES = 20_000
MOST_UNPACKED = 2**30
MOST_MEMBER = 500 * 2**20
MOST_TEXT = 80 * 2**20
MOST_SECONDS = 55.0
# Bytes that a document takes beside its text.
OF_DOCUMENT = 600
MOST_ROWS = 100_000
# Bytes of an e-mail; servers pass on half of that.
MOST_MESSAGE = 50 * 2**20
MOST_SHOWN = 10


@dataclass(frozen=True)
class Unread(Result):
    """A file that gave no document, and why."""

    source: str
    reason: str

    def summary(self) -> str:
        """One line."""
        return _("not read: {file}: {reason}").format(file=self.source, reason=self.reason)


class Documents(list[Document]):
    """Documents in the order of their files, and what could not be read.

    Attributes
    ----------
    unread : list of Unread
        Files that gave nothing, each with its reason; a folder with a broken file is read all the same.
    same_text : dict of str to str
        Documents whose text an earlier one has too: its id, and that of the first.
    """

    def __init__(self, documents: Iterable[Document] = (), unread: Iterable[Unread] = ()) -> None:
        super().__init__(documents)
        self.unread = list(unread)
        first: dict[str, str] = {}
        self.same_text = {
            document.id: first[document.text]
            for document in self
            if first.setdefault(document.text, document.id) != document.id
        }

    def place(self, wanted: str) -> int:
        """Where the document with an id stands.

        Raises
        ------
        InputError
            If there is none.
        """
        for place, document in enumerate(self):
            if document.id == wanted:
                return place
        raise InputError(_("There is no document {id} here.").format(id=repr(wanted)))

    def summary(self) -> str:
        """How many there are, and a line for each that was not read or is there twice."""
        same = self.same_text.items()
        lines = [
            *(each.summary() for each in self.unread),
            *(_("{id} has the same text as {first}").format(id=id, first=first) for id, first in same),
        ]
        head = ngettext("{n} document", "{n} documents", len(self)).format(n=len(self))
        if scanned := sum(document.source.get("ocr_pages", 0) for document in self):
            said = ngettext(
                "{n} page was read by OCR; check it", "{n} pages were read by OCR; check them", scanned
            )
            head = listed([head, said.format(n=scanned)])
        more = [_("and {n} more").format(n=len(lines) - MOST_SHOWN)] if len(lines) > MOST_SHOWN else []
        return "\n".join([head, *lines[:MOST_SHOWN], *more])


def read_documents(
    path: str | Path | Iterable[str | Path],
    *,
    side: Side | None = None,
    text_column: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    progress: bool | None = None,
) -> Documents:
    """Read JDs or résumés.

    Parameters
    ----------
    path : str, Path, or several
        A file is one document (.txt, .md, .docx, .pdf, .odt, .rtf, .html; with the extra ``ocr`` also .png,
        .jpg, .tiff, .webp); a table has one a row (.csv, .tsv, .jsonl, .xlsx, .xls, .ods); a folder, a .zip
        and an e-mail (.eml, with what is attached) have many.
    side : {"jd", "resume"}, optional
        What they are; by default each document's headings tell.
    text_column, sheet, encoding
        Of tables and text files, where it is not clear; such as ``"jd"``, ``"Sheet2"``, ``"gb18030"``.
    progress : bool, optional
        Show a bar; by default for many files.

    Returns
    -------
    Documents
        A list, with what could not be read in ``unread``.

    Raises
    ------
    InputError
        If the one file that is named cannot be read, or nothing in a folder can.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    files = [file for each in paths for file in _files(each.expanduser())]
    alone = len(files) == 1 and not paths[0].is_dir()
    found: list[Document] = []
    unread: list[Unread] = []
    options = {"text_column": text_column, "sheet": sheet, "encoding": encoding}
    unit = pgettext("unit of a progress bar", "file")
    with (
        progress_bar(len(files), _("reading"), progress, unit=unit, short=10) as bar,
        reading_aside(partial(_read, options), files, bar) as read,
    ):
        for name, file in files:
            bar.update()
            try:
                for document in _documents_of(file, name, unread, encoding, read, _Held(file.name)):
                    found.append(document)
                    bar.update(0)
            except InputError as error:
                if alone:
                    raise
                unread.append(Unread(name, str(error)))
            except PermissionError:
                unread.append(
                    Unread(name, _("It may not be read; ask for permission, or copy it elsewhere."))
                )
    if not found:
        reasons = "\n".join(f"  - {each.source}: {each.reason}" for each in unread[:20])
        raise InputError(
            _("There is no document in {path}.").format(path=", ".join(map(str, paths)))
            + (f"\n{reasons}" if reasons else "")
        )
    sided = [replace(document, side=side) for document in found] if side else found
    return Documents(with_distinct_ids(sided), unread)


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Each file with the name to call it by; hidden files and Word's lock files are no documents."""
    if not path.is_dir():
        yield path.name, path
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and not _is_hidden(name):
            yield name, file


def _is_hidden(name: str) -> bool:
    parts = [part for part in PurePosixPath(name).parts if part not in (".", "..")]
    return any(part.startswith((".", "~$", "__MACOSX")) for part in parts)


@dataclass
class _Found:
    """What is read of one file: its documents, what gave none, and files that are attached to it."""

    documents: list[Document] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    attached: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class _Held:
    """How much was found in a file, in all files that lie in it."""

    name: str
    n_files: int = 0
    n_bytes: int = 0
    n_text: int = 0
    until: float = field(default_factory=lambda: time.monotonic() + MOST_SECONDS)

    def add(self, n_files: int = 0, n_bytes: int = 0, documents: Iterable[Document] = ()) -> None:
        self.n_files += n_files
        self.n_bytes += n_bytes
        self.n_text += sum(OF_DOCUMENT + sys.getsizeof(each.text) for each in documents)
        if self.n_files > MOST_FILES or self.n_bytes > MOST_UNPACKED or self.n_text > MOST_TEXT:
            raise InputError(
                _(
                    "{file} holds more than is read of one file: {files} files, {megabytes} MB unpacked, or "
                    "{text} MB of text. Split it."
                ).format(
                    file=self.name,
                    files=f"{MOST_FILES:,}",
                    megabytes=f"{MOST_UNPACKED // 2**20:,}",
                    text=MOST_TEXT // 2**20,
                )
            )


def _documents_of(
    file: Path,
    name: str,
    unread: list[Unread],
    encoding: str | None,
    read: Read[_Found],
    held: _Held,
    depth: int = 0,
) -> Iterator[Document]:
    suffix = file.suffix.lower()
    check_file(file, KINDS, encoding)
    if suffix in CONTAINERS and depth == DEEPEST:
        raise InputError(_("{file} lies too deep; unpack it.").format(file=file.name))
    found = _Found() if suffix == ".zip" else read(file, name, held.until if depth else inf)
    if depth or found.attached:
        held.add(documents=found.documents)
    unread += found.unread
    yield from found.documents
    attached = ((member, BytesIO(content), len(content)) for member, content in found.attached)
    members = _unzipped(file) if suffix == ".zip" else attached
    with WorkFolder() as folder:
        for number, (member, content, n_bytes) in enumerate(members):
            # The member's own name could lead anywhere.
            kind = PurePosixPath(member).suffix.lower()
            inner = Path(folder, f"{number}{kind if kind in KINDS or kind in CONVERT else ''}")
            inside = f"{name}/{member}"
            if time.monotonic() > held.until:
                late = _(
                    "this and all behind it; those before took {seconds} s. Unpack it, and pass the folder"
                )
                unread.append(Unread(inside, late.format(seconds=f"{MOST_SECONDS:g}")))
                return
            if kind in KINDS and n_bytes > MOST_MEMBER:
                most = MOST_MEMBER // 2**20
                unread.append(
                    Unread(inside, _("it is too large; at most {most} MB are read").format(most=most))
                )
                continue
            held.add(n_files=1, n_bytes=n_bytes if kind in KINDS else 0)
            try:
                with content, inner.open("wb") as copy:
                    if kind in KINDS:
                        shutil.copyfileobj(content, copy, 2**20)
                yield from _documents_of(inner, inside, unread, encoding, read, held, depth + 1)
            except InputError as error:
                unread.append(Unread(inside, str(error).replace(inner.name, PurePosixPath(member).name)))
            except DAMAGED as error:
                unread.append(Unread(inside, _("it cannot be unpacked: {reason}").format(reason=error)))
            finally:
                inner.unlink(missing_ok=True)


def _read(options: dict[str, str | None], file: Path, name: str) -> _Found:
    """What is read of a file that is no zip."""
    suffix = file.suffix.lower()
    if suffix in TABLES:
        return _of_table(file, name, options)
    if suffix in CONTAINERS:
        return _of_message(file, name)
    return _Found([_document(read_content(file, options["encoding"]), name)])


def _document(content: Content, name: str) -> Document:
    check_length(content.text, PurePosixPath(name).name)
    seen = {"ocr_pages": content.ocr_pages, "ocr_confidence": content.ocr_confidence}
    source = {"file": name, **(seen if content.ocr_pages else {})}
    return Document(PurePosixPath(name).stem, content.text, source, notes=content.notes)


def _of_table(file: Path, name: str, options: dict[str, str | None]) -> _Found:
    table, found = read_texts(file, **options), _Found()
    if len(table.texts) > MOST_ROWS:
        raise InputError(
            _("{file} has {n} rows; at most {most} are read of one file. Split it.").format(
                file=file.name, n=f"{len(table.texts):,}", most=f"{MOST_ROWS:,}"
            )
        )
    columns = {folded(column): column for row in table.others for column in row}
    id_column = next((columns[known] for known in ID_COLUMNS if known in columns), None)
    for text, others, number in zip(table.texts, table.others, table.numbers, strict=True):
        place = place_of(table.place, number)
        if says_missing(tidy(text)) or not text.strip():
            found.unread.append(Unread(f"{name}, {place}", _("it has no text")))
        elif len(text) > MOST_CHARACTERS:
            found.unread.append(Unread(f"{name}, {place}", _("it is longer than any JD or résumé")))
        else:
            given = str((others.get(id_column) if id_column else None) or "").strip()
            # Ours are the last word on where a text came from; columns of these names are kept beside them.
            beside = {column: f"{column} (column)" for column in ("file", table.place)}
            source = {beside.get(column, column): value for column, value in others.items()}
            source |= {"file": name, table.place: number}
            found.documents.append(
                Document(given or f"{PurePosixPath(name).stem}-{number}", text, source, notes=table.notes)
            )
    return found


def _unzipped(file: Path) -> Iterator[tuple[str, IO[bytes], int]]:
    """Files in a zip, of each its name, its content, and how long that is."""
    try:
        with open_archive(file) as archive:
            for member in archive.infolist():
                if not member.is_dir() and not _is_hidden(member.filename):
                    yield member.filename, archive.open(member), member.file_size
    except DAMAGED as error:
        raise InputError(
            _("{file} cannot be unpacked: {reason}. Unpack it, and pass the folder.").format(
                file=file.name, reason=error
            )
        ) from error


def _of_message(file: Path, name: str) -> _Found:
    if file.stat().st_size > MOST_MESSAGE:
        raise InputError(
            _("{file} is an e-mail of more than {most} MB. Save what is attached, and pass that.").format(
                file=file.name, most=MOST_MESSAGE // 2**20
            )
        )
    with cannot_be_read(file, _("an e-mail")):
        content = file.read_bytes()
        _Held(file.name).add(n_files=content.count(b"\n--"))
        message = email.message_from_bytes(content, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        text = str(body.get_content()) if body is not None else ""
        is_page = body is not None and body.get_content_subtype() == "html"
        said = content_of(html_text(text, file.name) if is_page else text)
        attached = [
            (part.get_filename() or "", part.get_payload(decode=True))
            for part in message.iter_attachments()
            if isinstance(part, EmailMessage)
        ]
    return _Found(
        [_document(said, name)] if said.blocks else [],
        attached=[(name, content) for name, content in attached if name and isinstance(content, bytes)],
    )


def with_distinct_ids(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents with distinct ids: where files share a name, their folder tells them apart."""
    found = list(documents)
    times = Counter(document.id for document in found)
    seen: Counter[str] = Counter()
    for document in found:
        name = document.id
        if times[name] > 1:
            name = name if "row" in document.source else str(document.source.get("file", name))
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name} ({seen[name]})"
        yield document if name == document.id else replace(document, id=name)
