"""Lines on a page in reading order: columns apart, rows of tables whole, lines joined to paragraphs.

The lines are those of a PDF's layout, or such as :mod:`workbench.documents.ocr` makes of a picture.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import regex

from workbench.documents.content import CELLS

if TYPE_CHECKING:
    from pdfminer.layout import LTPage

# A line of a column that ends before this share of its widest line ends a paragraph, and so does every
# line of a column whose lines are all shorter than running text.
FULL_LINE = 0.8
NARROWEST_COLUMN = 40
# In heights of a letter: a space in running text is about 0.25, in justified text seldom above 0.6.
WORD_GAP = 0.15
CELL_GAP = 0.7
# Lines of one paragraph stand at most this far apart.
WIDEST_SPACING = 1.0
_STAND_INS = regex.compile("[\u2e80-\u2fdf\ufb00-\ufb06]")
# What is written with a hyphen wherever a line ends.
_COMPOUND = frozenset(
    {
        *("self", "well", "full", "part", "cross", "multi", "high", "low", "non", "long", "short", "real"),
        *("open", "end", "first", "third", "in", "on", "off", "co", "pre", "post", "mid"),
    }
)
_BULLET = regex.compile(
    r"\s*(?:[•●○◦▪■□◆◇▶►‣⁃∙·*➢✓✔–—-]|\(?\d{1,2}[.)、．）]|（\d{1,2}）|[①-⑳]|[一二三四五六七八九十]{1,3}、)\s*\S"
)


def paragraphs_of(page: str, *, width: int | None = None) -> list[str]:
    r"""Paragraphs of a column from its lines.

    A paragraph ends at a blank line, before a bullet or number, and after a line that leaves room at
    the right, measured in columns of which a Chinese character takes two. Lines are joined without a
    space between Chinese characters; a word that was divided loses its hyphen, a compound keeps it.

    Parameters
    ----------
    width : int, optional
        That of a full line, where the column's own lines do not tell.

    Examples
    --------
    >>> paragraphs_of("任职要求\n1. 熟悉 Python\n2. 有护理经验")
    ['任职要求', '1. 熟悉 Python', '2. 有护理经验']
    """
    lines = [line.rstrip() for line in page.splitlines()]
    widest = width or max(map(_width, lines), default=0)
    paragraphs: list[str] = []
    open_ended = False
    for line in lines:
        if open_ended and line.strip() and not _BULLET.match(line):
            paragraphs[-1] = _joined(paragraphs[-1], line.strip(), page)
        elif line.strip():
            paragraphs.append(line.strip())
        open_ended = bool(line.strip()) and widest >= NARROWEST_COLUMN and _width(line) >= FULL_LINE * widest
    return paragraphs


def paragraphs_on(page: LTPage) -> Iterator[str]:
    """Those of each box of text on a page, in the order of pdfminer's layout analysis."""
    from pdfminer.layout import LTTextBox

    column: list[Any] = []
    for row in _rows([box for box in page if isinstance(box, LTTextBox)]):
        stops = _stops([_words(line) for line in row[0]]) if len(row) == 1 else []
        if column and (len(row) > 1 or stops or not _goes_on(column[-1], row[0])):
            yield from paragraphs_of(_text_of(column))
            column = []
        if len(row) > 1:
            yield CELLS.join(_composed(box.get_text()).strip() for box in row)
        elif stops:
            yield from (_composed(_in_cells(line, stops)) for line in row[0])
        else:
            column.append(row[0])
    yield from paragraphs_of(_text_of(column))


def _goes_on(box: Any, other: Any) -> bool:
    """Whether a box stands right below another in one column, where wide spacing has parted their lines."""
    height = max(line.height for line in other)
    return bool(abs(box.x0 - other.x0) < 2 and -height < box.y0 - other.y1 < WIDEST_SPACING * height)


def _text_of(column: Sequence[Any]) -> str:
    return _composed("".join(box.get_text() for box in column))


def _rows(boxes: Sequence[Any]) -> Iterator[list[Any]]:
    """Boxes of a single line that share their height are a row of a table; all others stand alone."""
    row: list[Any] = []
    for box in boxes:
        single = len(list(box)) == 1
        if row and not (single and abs(box.y0 - row[-1].y0) < 1 and abs(box.y1 - row[-1].y1) < 1):
            yield row
            row = []
        row.append(box)
        if not single:
            yield row
            row = []
    if row:
        yield row


def _words(line: Any) -> list[tuple[float, float]]:
    """Where each word of a line starts, and how far that is from the word before, in heights of a letter."""
    from pdfminer.layout import LTChar

    words, before = [], None
    for item in line:
        if not isinstance(item, LTChar) or item.get_text().isspace():
            continue
        gap = math.inf if before is None else (item.x0 - before.x1) / item.size
        if gap > WORD_GAP:
            words.append((item.x0, gap))
        before = item
    return words


def _stops(lines: Sequence[list[tuple[float, float]]]) -> list[float]:
    """Where columns of a table start: after a wide gap, where a word right below or above starts too."""
    stops = set()
    for one, two in pairwise(lines):
        for line, other in ((one, two), (two, one)):
            for start, gap in line[1:]:
                if gap > CELL_GAP and any(abs(start - x) < 1 for x, _gap in other[1:]):
                    stops.add(start)
    return sorted(stops)


def _in_cells(line: Any, stops: Sequence[float]) -> str:
    cells, left = [""], list(stops)
    for item in line:
        if left and getattr(item, "x0", -math.inf) >= left[0] - 1:
            left.pop(0)
            cells.append("")
        cells[-1] += item.get_text()
    return CELLS.join(cell.strip() for cell in cells if cell.strip())


def _composed(text: str) -> str:
    """Without the radicals and ligatures that some PDFs have in the place of characters."""
    return str(_STAND_INS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text))


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def _joined(start: str, rest: str, page: str) -> str:
    if start[-1] == "\u00ad":
        return start[:-1] + rest
    if start[-1] in "-\u2010" and start[-2:-1].isalpha():
        first, second = start.split()[-1], rest.split()[0]
        compound = first[:-1].lower() in _COMPOUND or "-" in first[:-1] or first + second in page
        return (start[:-1] if rest[0].islower() and not compound else start) + rest
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in (start[-1], rest[0]))
    return start + ("" if wide else " ") + rest
