"""Text of a Word document (.docx) as a person sees it: headers, text boxes, content controls, fields too."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import regex

from workbench.documents.content import CELLS, Block, Content
from workbench.errors import InputError
from workbench.files.kinds import check_archive_size, is_picture, open_archive
from workbench.i18n import gettext as _
from workbench.i18n import ngettext

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXTS = regex.compile(r"word/(?:document|(?:header|footer)\d*|footnotes|endnotes)\.xml")
# Of paragraphs and runs; docx2python takes about ten seconds for so many, which are 200 pages or more.
MOST_PIECES = 60_000
# Bytes; lxml takes some ten times as much for its tree.
MOST_TEXT = 32 * 2**20
# How docx2python writes the bullet or number of a line in a list.
_BULLET = regex.compile(r"^\t*--\t")
_NUMBER = regex.compile(r"^\t*(\(?\w{1,5}[).])\t")


def read_word(path: Path) -> Content:
    """Paragraphs and rows of tables, in order; page headers first and footers last, each once.

    Hidden text, deleted text and comments are not read; what is hidden and how many pictures and comments
    there are is told.

    Raises
    ------
    InputError
        If the file holds more than anybody would read, or has no text.
    """
    from docx2python import docx2python

    check_archive_size(path, MOST_TEXT)
    prepared, hidden = _prepared(path)
    with docx2python(prepared, duplicate_merged_cells=False) as found:
        notes = found.footnotes, found.endnotes
        lines = [
            *dict.fromkeys(_lines(found.header)),
            *_lines(found.body),
            *(line for part in notes for line in _lines(part)),
            *dict.fromkeys(_lines(found.footer)),
        ]
        n_pictures, n_comments = len(found.images), len(found.comments)
    if not lines:
        raise InputError(_("{file} has no text; text in pictures is not read.").format(file=path.name))
    return Content(tuple(Block(line) for line in lines), tuple(_unread(hidden, n_pictures, n_comments)))


def _prepared(path: Path) -> tuple[BytesIO, int]:
    """The document without what is not seen and without links' addresses; characters of hidden text left out.

    Before docx2python, which joins runs that look the same to it, a hidden one and its neighbours too.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    prepared, n_hidden, n_pieces = BytesIO(), 0, 0
    with open_archive(path) as old, ZipFile(prepared, "w") as new:
        for member in old.infolist():
            # Pictures are counted, which takes no more than their names.
            content = b"" if is_picture(member.filename) else old.read(member)
            if _TEXTS.fullmatch(member.filename):
                root = etree.fromstring(content, parser)
                n_hidden += _strip(root)
                n_pieces += sum(1 for _piece in root.iter(f"{_W}p", f"{_W}r"))
                if n_pieces > MOST_PIECES:
                    raise InputError(
                        _(
                            "{file} has more than {most} paragraphs and changes of font, which is more than "
                            "anybody reads. Save the part that matters as a document of its own."
                        ).format(file=path.name, most=f"{MOST_PIECES:,}")
                    )
                content = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
            new.writestr(member.filename, content)
    return prepared, n_hidden


def _strip(root: Any) -> int:
    n_hidden = 0
    for run in list(root.iter(f"{_W}r")):
        vanish = run.find(f"{_W}rPr/{_W}vanish")
        if vanish is not None and vanish.get(f"{_W}val", "1") not in ("0", "false", "off"):
            n_hidden += sum(len(text.text or "") for text in run.iter(f"{_W}t"))
            run.getparent().remove(run)
    # A cell may say that it spans a billion columns, and each would be made.
    for unread in list(root.iter(f"{_W}moveFrom", f"{_W}gridSpan")):
        unread.getparent().remove(unread)
    for link in list(root.iter(f"{_W}hyperlink")):
        parent, place = link.getparent(), link.getparent().index(link)
        parent[place : place + 1] = list(link)
    return n_hidden


def _lines(tables: list[list[list[list[str]]]]) -> Iterator[str]:
    """Lines of docx2python's nested lists: a table, its rows, their cells, their paragraphs."""
    for table in tables:
        for row in table:
            cells = [[_line(text) for text in cell if text.strip()] for cell in row]
            cells = [cell for cell in cells if cell]
            if len(cells) > 1 and all(len(cell) == 1 for cell in cells):
                yield CELLS.join(cell[0].replace("\n", " ") for cell in cells)
            else:
                # Cells with more than a line each are columns of a page rather than a table.
                yield from (line for cell in cells for text in cell for line in text.split("\n"))


def _line(text: str) -> str:
    text = _NUMBER.sub(r"\1 ", _BULLET.sub("• ", text))
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def _unread(hidden: int, n_pictures: int, n_comments: int) -> Iterator[str]:
    if hidden:
        yield ngettext(
            "{n} character of hidden text not read", "{n} characters of hidden text not read", hidden
        ).format(n=hidden)
    if n_pictures:
        yield ngettext("{n} picture not read", "{n} pictures not read", n_pictures).format(n=n_pictures)
    if n_comments:
        yield ngettext("{n} comment not read", "{n} comments not read", n_comments).format(n=n_comments)
