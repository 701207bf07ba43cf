"""Text of documents in other markups as their readers show it: HTML, Rich Text, OpenDocument, plain."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from workbench.documents.content import CELLS, MOST_CHARACTERS, Content, check_length, content_of
from workbench.errors import InputError
from workbench.files.kinds import check_archive_size, chosen_encoding, open_text
from workbench.i18n import gettext as _

# Bytes; lxml takes some ten times as much for its tree.
MOST_TEXT = 32 * 2**20
# What libxml2 reads.
MOST_NESTED = 2048
_DECLARATION = re.compile(r"<\?xml [^>]+?\?>")
# The depth of recursion is one for all threads.
_DEEP = Lock()
_ODT_LINES = "//table:table-row|" + "|".join(
    f"//text:{kind}[not(ancestor::table:table-row)]" for kind in "hp"
)


def read_plain(path: Path, encoding: str | None = None) -> Content:
    """Lines of a text file; Markdown stays as it is written."""
    found, notes = chosen_encoding(path, encoding)
    with open_text(path, found) as file:
        text = file.read(MOST_CHARACTERS + 1)
    check_length(text, path.name)
    return _not_empty(path, content_of(text, notes))


def read_html(path: Path, encoding: str | None = None) -> Content:
    """What a browser shows of a page, without scripts and what is not displayed."""
    found, notes = chosen_encoding(path, encoding)
    with open_text(path, found) as file:
        return _not_empty(path, content_of(html_text(file.read(), path.name), notes))


def html_text(page: str, name: str) -> str:
    """The text of an HTML page with its line breaks, lists and tables.

    Raises
    ------
    InputError
        If its elements are nested too deep.
    """
    from inscriptis.css_profiles import CSS_PROFILES
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig
    from lxml.etree import ParserError
    from lxml.html import HTMLParser, document_fromstring

    # Without this, what stands deeper than 256 elements is lost.
    parser = HTMLParser(huge_tree=True)
    page = _DECLARATION.sub("", page.strip())
    try:
        tree = document_fromstring(page, parser=parser)
    except ParserError:
        # There is nothing in it, or nothing but comments.
        return ""
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise InputError(
            _("{file} is nested more than {most} elements deep. Save it as a PDF or as text.").format(
                file=name, most=f"{MOST_NESTED:,}"
            )
        )
    with _DEEP:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(before + 2 * MOST_NESTED)
        try:
            return str(Inscriptis(tree, ParserConfig(css=CSS_PROFILES["strict"])).get_text())
        finally:
            sys.setrecursionlimit(before)


def read_rich_text(path: Path) -> Content:
    """Text of a Rich Text (.rtf) file."""
    from striprtf.striprtf import rtf_to_text

    source = path.read_bytes().decode("latin-1")
    text = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
    return _not_empty(path, content_of(text))


def read_open_document(path: Path) -> Content:
    """Paragraphs, headings, list items and rows of tables of an .odt file, in order."""
    from odfdo import Document

    check_archive_size(path, MOST_TEXT)
    body: Any = Document(path).body
    for blanks in body.xpath("//text:s[@text:c]"):
        # It may say that it is a billion of them.
        blanks.del_attribute("text:c")
    text = "\n".join(map(_odt_line, body.xpath(_ODT_LINES)))
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
