"""What a page was given: a pasted text, as what it is understood as, and added files, as documents.

Files are checked here and read by :mod:`workbench.documents`; no widget lives here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.asking import asked_by, nowhere
from workbench.documents.document import Document
from workbench.documents.formats import FORMATS
from workbench.documents.pasted import Pasted, documents_in, understood, understood_as
from workbench.documents.reading import CONTAINERS, Documents, read_documents
from workbench.documents.tables import TABLES
from workbench.errors import InputError, WorkbenchError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.progress import tell
from workbench.texts import tidy_lines, too_long

UPLOAD_FORMATS = (*FORMATS, *TABLES, *CONTAINERS)


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded: its name, and the documents in it."""

    name: str
    documents: Documents

    def sentence(self) -> str:
        """Its name, and how much is in it."""
        if len(self.documents) == 1:
            n = len(self.documents[0].text)
            said = ngettext("{file}: {n} character", "{file}: {n} characters", n)
        else:
            n = len(self.documents)
            said = ngettext("{file}: {n} document", "{file}: {n} documents", n)
        return said.format(file=self.name, n=f"{n:,}")


@dataclass(frozen=True)
class Given:
    r"""A pasted text and uploaded files; replaced as a whole.

    Attributes
    ----------
    pasted : str
    how : {"one", "lines", "blocks"} or None
        What somebody said that the pasted text is; None for what it is understood as.
    uploads : tuple of Upload

    Examples
    --------
    >>> given = Given("Night nurse\nRequirements\n- RN licence")
    >>> len(given.documents), len(replace(given, how="lines").documents)
    (1, 3)
    """

    pasted: str = ""
    how: Pasted | None = None
    uploads: tuple[Upload, ...] = ()

    @property
    def understood_as(self) -> Pasted:
        """What the pasted text is taken for."""
        return self.how or understood_as(self.pasted)

    @property
    def documents(self) -> list[Document]:
        """Those in the pasted text, without a source, and then those of the files."""
        pasted = [
            replace(each, source={}) for each in documents_in(self.pasted, self.understood_as) if self.pasted
        ]
        return [*pasted, *(each for upload in self.uploads for each in upload.documents)]

    def sentence(self) -> str:
        """What the pasted text is understood as; empty for a text of one line."""
        if len(self.pasted.splitlines()) < 2:
            return ""
        return understood(len(documents_in(self.pasted, self.understood_as)), self.understood_as)

    def edited(self, pasted: str) -> Given:
        """With another pasted text, which stays what somebody said it is while half of its lines stay."""
        before = {line for line in self.pasted.splitlines() if line.strip()}
        stay = 2 * len(before.intersection(pasted.splitlines())) >= max(1, len(before))
        return replace(self, pasted=pasted, how=self.how if stay else None)

    def with_upload(self, upload: Upload) -> Given:
        """With one more file; a text file whose lines are a list goes on where a pasted list stands."""
        if upload.name.lower().endswith(".txt"):
            text = tidy_lines("\n".join(each.text for each in upload.documents))
            stands_a_list = not self.pasted.strip() or self.understood_as == "lines"
            if stands_a_list and understood_as(text) == "lines":
                pasted = "\n".join(filter(None, [self.pasted.rstrip("\n"), text]))
                return replace(self, pasted=pasted, how="lines")
        return replace(self, uploads=(*self.uploads, upload))

    def without(self, at: int) -> Given:
        """Without the upload at a place."""
        return replace(self, uploads=self.uploads[:at] + self.uploads[at + 1 :])

    @classmethod
    def of(cls, texts: str | Sequence[str]) -> Given:
        """What code passes: a pasted block, or a list, of which each item is one document."""
        if isinstance(texts, str):
            return cls(texts)
        if any("\n" in text.strip() for text in texts):
            return cls(uploads=tuple(_as_uploads(texts)))
        return cls("\n".join(texts), "lines")


def read_upload(path: Path) -> Upload:
    """The documents of a file that was added.

    Raises
    ------
    InputError
        If the kind of file is not one of :data:`UPLOAD_FORMATS`, or it holds no text, or too much.
    WorkbenchError
        What the reader says, with the name that the user knows.
    """
    name = path.name
    if path.suffix.lower() not in UPLOAD_FORMATS:
        raise InputError(
            _("{file} cannot be read; add one of {formats}.").format(
                file=name, formats=listed(UPLOAD_FORMATS)
            )
        )
    try:
        with asked_by(nowhere):
            found = read_documents(path, progress=False)
    except WorkbenchError as error:
        raise type(error)(str(error).replace(str(path), name)) from error
    for each in found:
        if said := too_long(each.text):
            raise InputError(_("{file}: {reason}").format(file=name, reason=said))
    return Upload(
        name, Documents((replace(each, source=_source(each.source, name)) for each in found), found.unread)
    )


def read_uploads(paths: Sequence[Path]) -> list[Upload | Exception]:
    """Each file's documents, or what its reader said; whoever listens may end it between two."""
    found: list[Upload | Exception] = []
    for path in paths:
        try:
            found.append(read_upload(path))
        except Exception as error:
            found.append(error)
        tell()
    return found


def _source(source: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Where a document came from, as a knowledge base tells it."""
    others = {key: value for key, value in source.items() if key not in ("file", "source")}
    return {**others, "source": str(source.get("file", name))}


def _as_uploads(texts: Sequence[str]) -> list[Upload]:
    return [
        Upload(_("text {n}").format(n=number), Documents([Document(str(number), text)]))
        for number, text in enumerate(texts, start=1)
    ]
