"""The formats of whole documents: what a file of each name must be, and who reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.asking import option
from workbench.documents.content import Content
from workbench.documents.markup import read_html, read_open_document, read_plain, read_rich_text
from workbench.documents.ocr import read_picture
from workbench.documents.pdf import read_pdf
from workbench.documents.word import read_word
from workbench.errors import InputError
from workbench.files.kinds import (
    BINARY,
    HTML,
    JPEG,
    OPEN_DOCUMENT,
    PDF,
    PNG,
    RICH_TEXT,
    TEXT,
    TIFF,
    WEBP,
    WORD,
    kind_of,
)
from workbench.i18n import gettext as _
from workbench.i18n import paragraph

Reader = Callable[[Path, str | None], Content]


def _without_encoding(read: Callable[[Path], Content]) -> Reader:
    return lambda path, encoding: read(path)


# A new format is one line here.
FORMATS: dict[str, tuple[str, Reader]] = {
    ".txt": (TEXT, read_plain),
    ".md": (TEXT, read_plain),
    ".docx": (WORD, _without_encoding(read_word)),
    ".pdf": (PDF, _without_encoding(read_pdf)),
    ".odt": (OPEN_DOCUMENT, _without_encoding(read_open_document)),
    ".rtf": (RICH_TEXT, _without_encoding(read_rich_text)),
    ".html": (HTML, read_html),
    ".htm": (HTML, read_html),
    ".png": (PNG, _without_encoding(read_picture)),
    ".jpg": (JPEG, _without_encoding(read_picture)),
    ".jpeg": (JPEG, _without_encoding(read_picture)),
    ".tif": (TIFF, _without_encoding(read_picture)),
    ".tiff": (TIFF, _without_encoding(read_picture)),
    ".webp": (WEBP, _without_encoding(read_picture)),
}
# Their readers go by what is in the file, whatever its name.
PICTURES = (PNG, JPEG, TIFF, WEBP)
# Formats that no kept library reads, and what the programs that write them can save instead.
CONVERT = {
    ".doc": ".docx",
    ".dot": ".docx",
    ".wps": ".docx",
    ".pages": ".docx",
    ".ppt": ".pdf",
    ".pptx": ".pdf",
    ".xps": ".pdf",
    ".msg": ".eml",
    **dict.fromkeys((".bmp", ".gif", ".heic"), ".png"),
}


def read_content(path: Path, encoding: str | None = None) -> Content:
    """The text of a document.

    Raises
    ------
    InputError
        If its format is not known, it is not what its name says, or it cannot be read or has no text.
    """
    check_file(path, {suffix: kind for suffix, (kind, _read) in FORMATS.items()}, encoding)
    kind, read = FORMATS[path.suffix.lower()]
    with cannot_be_read(path, _(kind)):
        return read(path, encoding)


@contextmanager
def cannot_be_read(path: Path, kind: str) -> Iterator[None]:
    """Say that the file cannot be read, whatever is raised inside: libraries fail in many ways.

    Raises
    ------
    InputError
        If anything is raised, but for want of memory.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(
            _(
                "{file} cannot be read as {kind}: {reason}. Open it in the program that wrote it, and save "
                "it again."
            ).format(file=path.name, kind=kind, reason=str(error) or type(error).__name__)
        ) from error


def check_file(path: Path, kinds: dict[str, str], encoding: str | None = None) -> None:
    """Refuse a file of none of these formats, or that is not what its name says.

    Parameters
    ----------
    kinds : dict of str to str
        What a file of each suffix must be.
    encoding : str, optional
        With one, what looks like a binary file may be text, as UTF-16 without a byte-order mark does.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise InputError(_("{path} is a folder; pass the files in it.").format(path=path))
    if not path.exists():
        raise InputError(_("There is no file {path}; check the path.").format(path=path))
    if suffix not in kinds:
        raise InputError(_not_known(path, kinds))
    if not path.stat().st_size:
        raise InputError(_("{file} is empty.").format(file=path.name))
    expected, found = kinds[suffix], kind_of(path)
    # An HTML page may begin with anything, and UTF-16 looks binary to those who do not know.
    if (
        found == expected
        or (found in PICTURES and expected in PICTURES)
        or (found, expected) == (TEXT, HTML)
        or (found == BINARY and expected == TEXT and encoding)
    ):
        return
    right = next((suffix for suffix, kind in kinds.items() if kind == found != TEXT), None)
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


def _not_known(path: Path, suffixes: Iterable[str]) -> str:
    better = CONVERT.get(path.suffix.lower())
    if better:
        return _("{file} cannot be read; open it where it was made, and save it as {better}.").format(
            file=path.name, better=better
        )
    return _("{file} is of no known format; texts are read from {suffixes} files.").format(
        file=path.name, suffixes=", ".join(suffixes)
    )
