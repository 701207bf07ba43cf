"""Texts from documents: .txt by lines, .pdf by paragraphs of a page, .docx by paragraphs and table cells."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import regex

from workbench.errors import InputError
from workbench.files.kinds import check_archive_size, find_encoding, open_text
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext
from workbench.retrieval.records import FileTexts, Record

__all__ = ["chosen_encoding", "paragraphs_of", "read_lines", "read_pdf", "read_word"]

# Far beyond what cleaning keeps; the rest of a longer line is passed over without being held.
LONGEST_LINE = 65_536

# A line of a page that ends before this share of its widest line ends a paragraph, and so does every
# line of a page whose lines are all shorter than a column of running text.
FULL_LINE = 0.8
NARROWEST_COLUMN = 40
_STAND_INS = regex.compile("[\u2e80-\u2fdf\ufb00-\ufb06]")
_BULLET = regex.compile(
    r"\s*(?:[•●○◦▪■□◆◇▶►‣⁃∙·*➢✓✔–—-]|\(?\d{1,2}[.)、．）]|（\d{1,2}）|[①-⑳]|[一二三四五六七八九十]{1,3}、)\s*\S"
)


def read_lines(path: Path, encoding: str | None = None) -> FileTexts:
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


def read_pdf(path: Path) -> FileTexts:
    """Paragraphs of a .pdf file, with their page.

    Raises
    ------
    InputError
        If the file is damaged, needs a password, or has no text, as scans have none.
    """
    import pypdf

    # What pypdf warns of (fonts, cross-references) says nothing to the people who read this.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = pypdf.PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(
                _("{file} is protected with a password; save a copy without one and add that.").format(
                    file=path.name
                )
            )
        pages = [paragraphs_of(_composed(page.extract_text())) for page in reader.pages]
    except InputError:
        raise
    except Exception as error:  # pypdf fails in many ways on damaged files
        raise InputError(
            _(
                "{file} cannot be read as a PDF: {reason}. Open it in a PDF viewer and print it to a new PDF."
            ).format(file=path.name, reason=error)
        ) from error
    if not any(pages):
        raise InputError(
            ngettext(
                "{file} has {n} page but no text; it seems to be a scan. {advice}",
                "{file} has {n} pages but no text; it seems to be a scan. {advice}",
                len(pages),
            ).format(
                file=path.name,
                n=len(pages),
                advice=_("Run text recognition on it first (such as 'ocrmypdf -l chi_sim+eng IN OUT')."),
            )
        )
    empty = [number for number, page in enumerate(pages, start=1) if not page]
    notes = (_("no text on page {pages}").format(pages=listed(empty)),) if empty else ()
    placed = [(text, number) for number, page in enumerate(pages, start=1) for text in page]
    records: list[Record] = [{"source": path.name, "page": number} for text, number in placed]
    return FileTexts(path.name, [text for text, number in placed], records, notes)


def read_word(path: Path) -> FileTexts:
    """Paragraphs and table cells of a .docx file, in order; ``line`` counts them.

    Raises
    ------
    InputError
        If the file is damaged or has no text.
    """
    import docx

    check_archive_size(path)
    try:
        blocks = list(_blocks(docx.Document(str(path))))
    except Exception as error:  # python-docx and lxml fail in many ways on damaged files
        raise InputError(
            _(
                "{file} cannot be read as a Word document: {reason}. Open it in Word and save it again."
            ).format(file=path.name, reason=error)
        ) from error
    numbered = [(number, text) for number, text in enumerate(blocks, start=1) if text.strip()]
    if not numbered:
        raise InputError(
            _(
                "{file} has no text in paragraphs or tables; text in pictures or text boxes is not read."
            ).format(file=path.name)
        )
    records: list[Record] = [{"source": path.name, "line": number} for number, text in numbered]
    return FileTexts(path.name, [text for number, text in numbered], records)


def chosen_encoding(path: Path, encoding: str | None) -> tuple[str, list[str]]:
    """The encoding to read with, and a note where it is neither given nor Unicode."""
    found = encoding or find_encoding(path)
    is_guess = not encoding and not found.startswith("utf")
    return found, [_("read as {encoding}").format(encoding=found)] if is_guess else []


def paragraphs_of(page: str) -> list[str]:
    r"""Paragraphs of a page from its lines.

    A paragraph ends at a blank line, before a bullet or number, and after a line that leaves room at
    the right, measured in columns of which a Chinese character takes two. Lines are joined without a
    space between Chinese characters and after a hyphen.

    Examples
    --------
    >>> paragraphs_of("任职要求\n1. 熟悉 Python\n2. 有护理经验")
    ['任职要求', '1. 熟悉 Python', '2. 有护理经验']
    """
    lines = [line.rstrip() for line in page.splitlines()]
    widest = max(map(_width, lines), default=0)
    paragraphs: list[str] = []
    open_ended = False
    for line in lines:
        if open_ended and line.strip() and not _BULLET.match(line):
            paragraphs[-1] = _joined(paragraphs[-1], line.strip())
        elif line.strip():
            paragraphs.append(line.strip())
        open_ended = bool(line.strip()) and widest >= NARROWEST_COLUMN and _width(line) >= FULL_LINE * widest
    return paragraphs


def _composed(text: str) -> str:
    """Without the radicals and ligatures that some PDFs have in the place of characters."""
    return str(_STAND_INS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text))


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def _joined(start: str, rest: str) -> str:
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in (start[-1], rest[0]))
    hyphen = start[-1] == "-" and start[-2:-1].isalpha()
    return start + ("" if wide or hyphen else " ") + rest


def _blocks(container: Any) -> Iterator[str]:
    """Texts of paragraphs and of table cells, also of tables in cells; merged cells once."""
    from docx.table import Table

    for block in container.iter_inner_content():
        if not isinstance(block, Table):
            yield block.text
            continue
        seen = set()
        for row in block.rows:
            for cell in row.cells:
                if cell._tc not in seen:
                    seen.add(cell._tc)
                    yield from _blocks(cell)
