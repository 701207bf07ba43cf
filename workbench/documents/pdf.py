"""Text of a PDF in reading order: columns apart, lines joined to paragraphs, values of form fields too."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from workbench.documents import ocr
from workbench.documents.content import MOST_CHARACTERS, Block, Content
from workbench.documents.layout import paragraphs_on
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

if TYPE_CHECKING:
    from pdfminer.layout import LTPage

# Nobody's résumé is longer; reading takes about a second for 20 pages.
MOST_PAGES = 400
# Of a processor's time.
MOST_SECONDS = 45.0
# Boxes of text on a page, of which the layout analysis compares each with each.
MOST_BOXES = 1000
# Bytes that one stream may unpack to.
MOST_UNPACKED = 64 * 2**20


class _TooMuchError(Exception):
    """A page leads beyond the bounds."""


def read_pdf(path: Path) -> Content:
    """Paragraphs of a PDF with their pages, then the filled fields of its form.

    A page that is no more than a picture is read by OCR where that is installed; one with text never is.

    Raises
    ------
    InputError
        If the file needs a password, has too many pages or too much on them, or no text.
    """
    import pypdf

    # What these warn of (fonts, cross-references) says nothing to the people who read this.
    for name in ("pypdf", "pdfminer"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Of a path, all would be held in memory.
    with path.open("rb") as file:
        return _read(path, pypdf.PdfReader(file))


def _read(path: Path, reader: Any) -> Content:
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(
                _("{file} is protected with a password; save a copy without one and add that.").format(
                    file=path.name
                )
            )
        pages, scans = {}, []
        for number, page in enumerate(_pages_of(path), start=1):
            pages[number] = list(paragraphs_on(page))
            if not pages[number] and len(page):
                scans.append(number)
        n_pages = len(pages)
        seen = ocr.read_scans(path, scans) if scans and ocr.is_installed() else ocr.Seen()
        fields = [Block(field, n_pages) for field in _fields(reader)]
    except _TooMuchError:
        raise InputError(
            _(
                "{file} holds more than can be read: over {most} characters, or {seconds} s of work. Save "
                "the pages that matter as a PDF."
            ).format(file=path.name, most=f"{MOST_CHARACTERS:,}", seconds=f"{MOST_SECONDS:g}")
        ) from None
    pages |= seen.pages
    notes = list(seen.notes())
    if scans and not ocr.is_installed():
        notes.append(ocr.how_to_read())
    if not any(pages.values()) and not fields:
        raise InputError(
            ngettext(
                "{file} has {n} page but no text: {reason}.",
                "{file} has {n} pages but no text: {reason}.",
                n_pages,
            ).format(
                file=path.name,
                n=n_pages,
                reason=listed(notes) or _("there is none in its pictures either"),
            )
        )
    empty = [
        n
        for n, texts in pages.items()
        if not (texts or n in seen.too_large or n in seen.beyond or n in seen.late)
    ]
    if empty:
        notes.insert(0, _("no text on page {pages}").format(pages=listed(empty)))
    read = [Block(text, number) for number, texts in pages.items() for text in texts]
    return Content((*read, *fields), tuple(notes), len(seen.pages), seen.confidence)


def _pages_of(path: Path) -> Iterator[LTPage]:
    """The layout of each page, as pdfminer's ``extract_pages`` gives it, but within bounds.

    Raises
    ------
    _TooMuchError
        Once they are reached.
    """
    import pdfminer.pdftypes
    from pdfminer.converter import PDFPageAggregator
    from pdfminer.layout import LAParams
    from pdfminer.pdfdocument import PDFDocument
    from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
    from pdfminer.pdfpage import PDFPage
    from pdfminer.pdfparser import PDFParser

    until = time.thread_time() + MOST_SECONDS

    class Watched(PDFPageAggregator):
        """Draws nothing that leads beyond the bounds, as forms in forms in forms do."""

        drawn = 0

        def set_ctm(self, ctm: Any) -> None:
            self.count()
            super().set_ctm(ctm)

        def render_char(self, *drawn: Any, **more: Any) -> float:
            self.count()
            return super().render_char(*drawn, **more)

        def begin_page(self, page: Any, ctm: Any) -> None:
            super().begin_page(page, ctm)
            sheet: Any = self.cur_item
            group = sheet.group_textboxes

            def bounded(parameters: Any, boxes: Any) -> Any:
                found = list(boxes)
                if len(found) > MOST_BOXES:
                    raise _TooMuchError
                return group(parameters, found)

            sheet.group_textboxes = bounded

        def count(self) -> None:
            self.drawn += 1
            if self.drawn > MOST_CHARACTERS or time.thread_time() > until:
                raise _TooMuchError

    # There is no public place for this; the test with such a stream tells if it is gone.
    vars(pdfminer.pdftypes)["zlib"] = SimpleNamespace(decompress=_unpacked, error=zlib.error)
    with path.open("rb") as file:
        resources = PDFResourceManager()
        device = Watched(resources, laparams=LAParams())
        interpreter = PDFPageInterpreter(resources, device)
        pages = list(islice(PDFPage.create_pages(PDFDocument(PDFParser(file))), MOST_PAGES + 1))
        if len(pages) > MOST_PAGES:
            raise InputError(
                _(
                    "{file} has more than {most} pages, which is as many as are read. Save the pages that "
                    "matter as a PDF."
                ).format(file=path.name, most=MOST_PAGES)
            )
        for page in pages:
            interpreter.process_page(page)
            yield device.get_result()


def _unpacked(data: bytes) -> bytes:
    """A stream as far as it is sound, whatever its checksum; pdfminer's own way has no bound."""
    unpacker, found = zlib.decompressobj(-zlib.MAX_WBITS), bytearray()
    with suppress(zlib.error):
        # Two bytes of header are passed over, and with them the checksum.
        for start in range(2, len(data), 2**8):
            found += unpacker.decompress(data[start : start + 2**8])
            if len(found) > MOST_UNPACKED:
                raise _TooMuchError
    return bytes(found)


def _fields(reader: Any) -> Iterator[str]:
    """The filled fields of a form, each with its name, or what a viewer shows in its place."""
    for name, field in (reader.get_fields() or {}).items():
        value = field.get("/V")
        if field.get("/FT") == "/Btn":
            value = None if value in (None, "/Off", "") else str(value).lstrip("/")
        for said in value if isinstance(value, list) else [value]:
            if said is not None and str(said).strip():
                shown = " ".join(str(said).split())
                yield _("{name}: {value}").format(name=field.get("/TU") or name, value=shown)
