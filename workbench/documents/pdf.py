"""Text of a PDF in reading order: columns apart, lines joined to paragraphs, values of form fields too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.documents import ocr
from workbench.documents.content import Block, Content
from workbench.documents.layout import paragraphs_on
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

__all__ = ["MOST_PAGES", "read_pdf"]

# Nobody's résumé is longer; reading takes about a second for 20 pages.
MOST_PAGES = 200


def read_pdf(path: Path) -> Content:
    """Paragraphs of a PDF with their pages, then the filled fields of its form.

    A page that is no more than a picture is read by OCR where that is installed; one with text never is.

    Raises
    ------
    InputError
        If the file is damaged, needs a password, has too many pages, or no text.
    """
    import pypdf
    from pdfminer.high_level import extract_pages

    # What these warn of (fonts, cross-references) says nothing to the people who read this.
    for name in ("pypdf", "pdfminer"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(
                _("{file} is protected with a password; save a copy without one and add that.").format(
                    file=path.name
                )
            )
        n_pages = len(reader.pages)
        if n_pages > MOST_PAGES:
            raise InputError(
                _(
                    "{file} has {n} pages; at most {most} are read. Save the pages that matter as a PDF."
                ).format(file=path.name, n=f"{n_pages:,}", most=MOST_PAGES)
            )
        pages, scans = {}, []
        for number, page in enumerate(extract_pages(path), start=1):
            pages[number] = list(paragraphs_on(page))
            if not pages[number] and len(page):
                scans.append(number)
        seen = ocr.read_scans(path, scans) if scans and ocr.is_installed() else ocr.Seen()
        fields = [Block(field, n_pages) for field in _fields(reader)]
    except InputError:
        raise
    except Exception as error:  # both fail in many ways on damaged files
        raise InputError(
            _(
                "{file} cannot be read as a PDF: {reason}. Open it in a PDF viewer and print it to a new PDF."
            ).format(file=path.name, reason=str(error) or type(error).__name__)
        ) from error
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
    empty = [n for n, texts in pages.items() if not (texts or n in seen.too_large or n in seen.beyond)]
    if empty:
        notes.insert(0, _("no text on page {pages}").format(pages=listed(empty)))
    read = [Block(text, number) for number, texts in pages.items() for text in texts]
    return Content((*read, *fields), tuple(notes), len(seen.pages), seen.confidence)


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
