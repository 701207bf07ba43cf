"""Text of documents in other markups as their readers show it: HTML, Rich Text, OpenDocument, plain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.documents.content import CELLS, Content, content_of
from workbench.errors import InputError
from workbench.files.kinds import check_archive_size, chosen_encoding, open_text
from workbench.i18n import gettext as _

__all__ = ["html_text", "read_html", "read_open_document", "read_plain", "read_rich_text"]

# Bytes of XML; lxml takes some ten times as much for its tree.
MOST_TEXT = 32 * 2**20
_ODT_LINES = "//table:table-row|" + "|".join(
    f"//text:{kind}[not(ancestor::table:table-row)]" for kind in "hp"
)


def read_plain(path: Path, encoding: str | None = None) -> Content:
    """Lines of a text file; Markdown stays as it is written."""
    found, notes = chosen_encoding(path, encoding)
    with open_text(path, found) as file:
        return _not_empty(path, content_of(file.read(), notes))


def read_html(path: Path, encoding: str | None = None) -> Content:
    """What a browser shows of a page, without scripts and what is not displayed."""
    found, notes = chosen_encoding(path, encoding)
    with open_text(path, found) as file:
        return _not_empty(path, content_of(html_text(file.read()), notes))


def html_text(page: str) -> str:
    """The text of an HTML page with its line breaks, lists and tables."""
    from inscriptis import get_text
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.model.config import ParserConfig

    return str(get_text(page, ParserConfig(css=CSS_PROFILES["strict"])))


def read_rich_text(path: Path) -> Content:
    """Text of a Rich Text (.rtf) file."""
    from striprtf.striprtf import rtf_to_text

    source = path.read_bytes().decode("latin-1")
    text = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
    return _not_empty(path, content_of(text))


def read_open_document(path: Path) -> Content:
    """Paragraphs, headings, list items and rows of tables of an .odt file, in order.

    Raises
    ------
    InputError
        If the file is damaged or has no text.
    """
    from odfdo import Document

    check_archive_size(path, MOST_TEXT, ".xml")
    try:
        text = "\n".join(map(_odt_line, Document(path).body.xpath(_ODT_LINES)))
    except Exception as error:  # odfdo and lxml fail in many ways on damaged files
        raise InputError(
            _("{file} cannot be read as an OpenDocument text: {reason}. Save it as .docx.").format(
                file=path.name, reason=str(error) or type(error).__name__
            )
        ) from error
    return _not_empty(path, content_of(text))


def _odt_line(element: Any) -> str:
    if element.tag == "table:table-row":
        # Not `cells`: a cell may say that it stands there a billion times.
        cells = element.xpath("table:table-cell")
        return CELLS.join(filter(None, (cell.inner_text.strip() for cell in cells)))
    return ("• " if element.parent.tag == "text:list-item" else "") + str(element.inner_text)


def _not_empty(path: Path, content: Content) -> Content:
    if not content.blocks:
        raise InputError(_("{file} has no text.").format(file=path.name))
    return content
