"""Lay the texts of the document set out as Word and PDF files, each as documents.csv says.

pip install python-docx reportlab matplotlib
python tools/document_layouts.py FOLDER                 writes FOLDER/jds/jd-01.pdf and all the others
python tools/document_layouts.py FOLDER --layout docx   lays all of them out in one way

The texts in labeled_pairs/documents are the source of truth; nothing is added to them and nothing left out.
Made twice with the same versions of the libraries, a file is the same to the byte.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import docx
import matplotlib
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBreak,
    NextPageTemplate,
    PageTemplate,
    Paragraph,
    Spacer,
)

DOCUMENTS = Path(__file__).parents[1] / "labeled_pairs/documents"
FOLDERS = {"jd": "jds", "resume": "resumes"}
DAY = dt.datetime(2026, 11, 29)
BULLET = re.compile(r"^(?:[•*–·▪●◆+.★✓→>◇-]|[一二三四五六七八九十]、|[（(]?\d{1,2}[）).、]|[①-⑳])\s*")
# Headings end in none of these, and hold neither an address nor a number.
NO_HEADING = re.compile(r"[。.;；,，!！?？]$|@|\d{4}")
LATIN, CHINESE = "DejaVu", "STSong-Light"
SIDEBAR = 0.30  # of the width
SIDEBAR_FULL = 0.85  # of the height


@dataclass
class Section:
    """A heading, which may be empty, and the lines below it."""

    heading: str
    lines: list[str]


def is_heading(line: str, is_first_of_block: bool, has_more: bool) -> bool:
    line = line.strip()
    if not line or NO_HEADING.search(line) or BULLET.match(line):
        return bool(re.match(r"^[一二三四五六七八九十]、\S{2,8}$", line))
    is_short = len(line) <= (14 if has_chinese(line) else 40)
    return is_short and is_first_of_block and (has_more or line.isupper())


def sections(text: str) -> list[Section]:
    """Split a text at its headings; the first section, with names and addresses, has none."""
    found = [Section("", [])]
    lines = text.rstrip("\n").split("\n")
    for index, line in enumerate(lines):
        is_first = index > 0 and not lines[index - 1].strip()
        has_more = index + 1 < len(lines) and bool(lines[index + 1].strip())
        if is_heading(line, is_first, has_more):
            found.append(Section(line, []))
        else:
            found[-1].lines.append(line)
    return found


def has_chinese(text: str) -> bool:
    return bool(re.search(r"[\u4e00-\u9fff]", text))


# ---- Word


def new_word(text: str) -> docx.document.Document:
    word = docx.Document()
    normal = word.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(10.5)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
    normal.paragraph_format.space_after = Pt(2)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(word.sections[0], side, Cm(2))
    properties = word.core_properties
    properties.created = properties.modified = DAY
    properties.author, properties.title = "", text.split("\n", 1)[0][:80]
    return word


def set_columns(section: docx.section.Section, number: int) -> None:
    columns = section._sectPr.find(qn("w:cols"))
    if columns is None:
        columns = OxmlElement("w:cols")
        section._sectPr.append(columns)
    columns.set(qn("w:num"), str(number))
    columns.set(qn("w:space"), "425")


def write_lines(place: docx.document.Document | docx.table._Cell, part: Section) -> None:
    if part.heading:
        run = place.add_paragraph().add_run(part.heading)
        run.bold, run.font.size = True, Pt(12)
    for line in part.lines:
        paragraph = place.add_paragraph(line.strip())
        if BULLET.match(line.strip()):
            paragraph.paragraph_format.left_indent = Cm(0.6)
            paragraph.paragraph_format.first_line_indent = Cm(-0.4)


def word_plain(text: str) -> docx.document.Document:
    word = new_word(text)
    for part in sections(text):
        write_lines(word, part)
    return word


def word_two_columns(text: str) -> docx.document.Document:
    """Name and address over the whole width, the rest in two newspaper columns."""
    word = new_word(text)
    first, *others = sections(text)
    write_lines(word, first)
    below = word.add_section(docx.enum.section.WD_SECTION.CONTINUOUS)
    set_columns(word.sections[0], 1)
    set_columns(below, 2)
    for part in others:
        write_lines(word, part)
    return word


def word_table(text: str) -> docx.document.Document:
    """One table: headings in the left column, what belongs to them in the right one."""
    word = new_word(text)
    first, *others = sections(text)
    write_lines(word, first)
    if others:
        table = word.add_table(rows=0, cols=2, style="Table Grid")
        for part in others:
            left, right = table.add_row().cells
            left.width, right.width = Cm(3.6), Cm(13.4)
            left.paragraphs[0].add_run(part.heading).bold = True
            lines = [line for line in part.lines if line.strip()]
            right.paragraphs[0].text = lines[0].strip() if lines else ""
            write_lines(right, Section("", lines[1:]))
    return word


def word_bytes(word: docx.document.Document) -> bytes:
    """Save with the time of every file in the archive set, so that it is the same on another day."""
    written, fixed = io.BytesIO(), io.BytesIO()
    word.save(written)
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, DAY.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return fixed.getvalue()


# ---- PDF


def register_fonts() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    pdfmetrics.registerFont(TTFont(LATIN, folder / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(f"{LATIN}-Bold", folder / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def marked(text: str, latin: str) -> str:
    """Each run of characters in the font that has them."""
    known = pdfmetrics.getFont(latin).face.charToGlyph
    runs: list[tuple[str, str]] = []
    for character in text.replace("\u3000", "  "):
        font = latin if ord(character) < 0x2E80 and ord(character) in known else CHINESE
        if runs and runs[-1][0] == font:
            runs[-1] = (font, runs[-1][1] + character)
        else:
            runs.append((font, character))
    return "".join(f'<font name="{font}">{escape(run)}</font>' for font, run in runs)


def flowables(part: Section, size: float) -> list[Flowable]:
    found: list[Flowable] = []
    if part.heading:
        style = ParagraphStyle(
            "heading", fontName=LATIN, fontSize=size + 1.5, leading=size * 1.7, spaceBefore=size * 0.5
        )
        found.append(Paragraph(marked(part.heading.strip(), f"{LATIN}-Bold"), style))
    for line in part.lines:
        if not line.strip():
            found.append(Spacer(1, size * 0.5))
            continue
        is_bullet = bool(BULLET.match(line.strip()))
        style = ParagraphStyle(
            "line",
            fontName=LATIN,
            fontSize=size,
            leading=size * 1.4,
            alignment=TA_LEFT,
            leftIndent=size if is_bullet else 0,
            firstLineIndent=-size * 0.7 if is_bullet else 0,
            wordWrap="CJK" if has_chinese(line) else None,
        )
        found.append(Paragraph(marked(line.strip(), LATIN), style))
    return found


def pdf_bytes(text: str, story: list[Flowable], pages: list[PageTemplate]) -> bytes:
    written = io.BytesIO()
    title = text.split("\n", 1)[0][:80]
    BaseDocTemplate(written, pagesize=A4, pageTemplates=pages, title=title, author="", invariant=1).build(
        story
    )
    return written.getvalue()


def pdf_plain(text: str) -> bytes:
    width, height = A4
    page = PageTemplate("page", [Frame(2 * cm, 1.8 * cm, width - 4 * cm, height - 3.6 * cm, id="all")])
    return pdf_bytes(text, [piece for part in sections(text) for piece in flowables(part, 9.5)], [page])


def pdf_two_columns(text: str) -> bytes:
    """A narrow column with name, address and short sections; a wide one with the rest, over as many pages."""
    width, height = A4
    bottom, tall = 1.5 * cm, height - 3 * cm
    narrow = (width - 3 * cm) * SIDEBAR
    wide = width - 3 * cm - narrow - 0.5 * cm
    left = Frame(1.5 * cm, bottom, narrow, tall, id="left")
    right = Frame(2 * cm + narrow, bottom, wide, tall, id="right")
    further = Frame(2 * cm + narrow, bottom, wide, tall, id="further")

    first, *others = sections(text)
    aside, main = flowables(first, 8), []
    used = height_of(aside, narrow)
    if used > tall * SIDEBAR_FULL:  # no room for a column of its own: it heads the wide one
        aside, main, used = [Spacer(1, 1)], flowables(first, 9), 0.0
    for part in others:
        pieces = flowables(part, 8)
        need = height_of(pieces, narrow)
        if sum(map(len, part.lines)) < 260 and used + need < tall * SIDEBAR_FULL:
            aside, used = aside + pieces, used + need
        else:
            main += flowables(part, 9)
    pages = [PageTemplate("first", [left, right]), PageTemplate("further", [further])]
    return pdf_bytes(text, [NextPageTemplate("further"), *aside, FrameBreak(), *main], pages)


def height_of(pieces: list[Flowable], width: float) -> float:
    return sum(piece.wrap(width - 12, 1e6)[1] + piece.getSpaceBefore() for piece in pieces)


LAYOUTS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "txt": (".txt", lambda text: text.encode()),
    "docx": (".docx", lambda text: word_bytes(word_plain(text))),
    "docx-two-columns": (".docx", lambda text: word_bytes(word_two_columns(text))),
    "docx-table": (".docx", lambda text: word_bytes(word_table(text))),
    "pdf": (".pdf", pdf_plain),
    "pdf-two-columns": (".pdf", pdf_two_columns),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layout", choices=LAYOUTS, help="instead of the one in documents.csv")
    arguments = parser.parse_args()
    register_fonts()
    with (DOCUMENTS / "documents.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            folder = FOLDERS[row["side"]]
            text = (DOCUMENTS / folder / f"{row['id']}.txt").read_text(encoding="utf-8")
            ending, lay_out = LAYOUTS[arguments.layout or row["layout"]]
            (arguments.folder / folder).mkdir(parents=True, exist_ok=True)
            (arguments.folder / folder / f"{row['id']}{ending}").write_bytes(lay_out(text))


if __name__ == "__main__":
    main()
