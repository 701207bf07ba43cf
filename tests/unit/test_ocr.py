"""Pictures and scanned pages: drawn here from a known text, read by OCR, and compared with it."""

from __future__ import annotations

import random
import socket
import struct
import zlib

import pytest
from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from workbench.documents import aside, ocr
from workbench.documents.formats import read_content
from workbench.documents.pdf import read_pdf
from workbench.documents.reading import read_documents
from workbench.errors import InputError
from workbench.plots.style import cjk_font_path

pytestmark = pytest.mark.slow

LINES = {
    "zh": [
        "任职要求",
        "1. 熟悉 Java 后端开发，三年以上工作经验",
        "2. 做过 RAG 架构设计，了解向量检索",
        "3. 本科及以上学历，计算机专业优先",
        "2019.05-2024.06 某科技有限公司",
        "持有护士执业证，能够使用呼吸机",
    ],
    "en": [
        "Requirements",
        "1. Three years of backend development in Java",
        "2. Has built retrieval-augmented systems",
        "3. Bachelor's degree in computer science",
        "2019-2024 Senior Engineer, Northwind Ltd.",
        "Registered nurse, trained in ventilation",
    ],
}


def drawn(lines, *, size=(760, 420), letters=26, spacing=1.8, at=(50, 40), mode="RGB", on=None):
    picture = on or Image.new(mode, size, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.truetype(str(cjk_font_path()), letters)
    for number, line in enumerate(lines):
        draw.text((at[0], at[1] + number * letters * spacing), line, fill="black", font=font)
    return picture


def scanned(picture):
    """As a scanner gives it: a little askew, grey and grainy."""
    picture = picture.convert("L").rotate(0.6, Image.Resampling.BICUBIC, fillcolor=255)
    noise = random.Random(3)
    grain = Image.frombytes("L", picture.size, noise.randbytes(picture.width * picture.height))
    return Image.blend(picture, grain, 0.15)


def letters_of(text):
    return "".join(text.split())


def errors(found, expected):
    """Levenshtein's distance, by its definition."""
    before = list(range(len(expected) + 1))
    for i, one in enumerate(found, start=1):
        row = [i]
        for j, other in enumerate(expected, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (one != other)))
        before = row
    return before[-1]


def pdf_of(path, *pages):
    """A page for each: a text is text, a picture fills its page, None leaves it blank."""
    canvas = Canvas(str(path), pagesize=(420, 240))
    for page in pages:
        if isinstance(page, str):
            canvas.drawString(40, 200, page)
        elif page is not None:
            canvas.drawImage(ImageReader(page), 0, 0, 420, 240)
        canvas.showPage()
    canvas.save()
    return path


def black_png(path, width, height):
    """A picture of one colour and any size, a few kilobytes; nothing is unpacked to make it."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 10_000)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


@pytest.fixture
def without_extra(monkeypatch):
    monkeypatch.setattr(ocr, "find_spec", lambda name: None)
    monkeypatch.setattr(aside, "HEAVY", ())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_of_a_scan_hardly_a_letter_is_wrong(language, tmp_path):
    scanned(drawn(LINES[language])).save(tmp_path / "scan.jpg", quality=70)
    found = read_content(tmp_path / "scan.jpg")
    expected = letters_of("".join(LINES[language]))
    assert errors(letters_of(found.text), expected) <= 0.02 * len(expected)
    assert found.ocr_pages == 1
    assert 0.9 < found.ocr_confidence <= 1
    assert found.notes == (
        f"page 1 read by OCR (mean confidence {100 * found.ocr_confidence:.1f} %); check it",
    )


def test_columns_are_read_one_after_the_other(tmp_path):
    left = ["联系方式", "电话 138 0000 0000", "专业技能", "Java、Python、Go"]
    right = ["工作经历", "负责搭建文档问答系统", "Led the night shift", "教育背景"]
    picture = drawn(["张三"], at=(330, 10), size=(800, 330))
    drawn(left, at=(40, 80), on=picture)
    drawn(right, at=(430, 80), on=picture)
    picture.save(tmp_path / "cv.png")
    found = read_content(tmp_path / "cv.png").text
    assert letters_of(found) == letters_of("".join(["张三", *left, *right]))


class TestFormats:
    words = "Registered nurse"

    def small(self, **options):
        return drawn([self.words], size=(320, 90), **options)

    def read(self, path):
        return letters_of(read_content(path).text)

    def test_transparent_paper_is_white(self, tmp_path):
        picture = Image.new("RGBA", (320, 90), (0, 0, 0, 0))
        drawn([self.words], on=picture)
        picture.save(tmp_path / "cv.webp", lossless=True)
        assert self.read(tmp_path / "cv.webp") == letters_of(self.words)

    def test_it_is_read_by_what_it_is_whatever_its_name(self, tmp_path):
        self.small().save(tmp_path / "cv.jpg", format="PNG")
        assert self.read(tmp_path / "cv.jpg") == letters_of(self.words)

    def test_a_photograph_is_turned_upright(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise by 90 degrees
        self.small().rotate(90, expand=True).save(tmp_path / "cv.jpg", exif=exif)
        assert self.read(tmp_path / "cv.jpg") == letters_of(self.words)

    def test_pages_of_a_fax_are_read_one_by_one_up_to_a_limit(self, tmp_path, monkeypatch):
        first, second, third = (
            drawn([f"Page {n} of the fax"], size=(320, 90), mode="1") for n in ("one", "two", "three")
        )
        first.save(tmp_path / "fax.tiff", save_all=True, append_images=[second, third], compression="group4")
        monkeypatch.setattr(ocr, "MOST_SCANS", 2)
        steps = []

        class Bar:
            def __init__(self, total, *_, **__):
                steps.append(total)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def update(self):
                steps.append("page")

        monkeypatch.setattr(ocr, "progress_bar", Bar)
        found = read_content(tmp_path / "fax.tiff")
        assert [(letters_of(block.text), block.page) for block in found.blocks] == [
            ("Pageoneofthefax", 1),
            ("Pagetwoofthefax", 2),
        ]
        assert found.notes[1] == "not read: page 3; OCR reads the first 2 of a file"
        assert steps == [2, "page", "page"]

    def test_a_picture_without_text_and_a_damaged_one_are_refused(self, tmp_path):
        Image.new("RGB", (300, 200), "white").save(tmp_path / "a.png")
        with pytest.raises(InputError, match=r"a\.png is a picture in which OCR finds no text\."):
            read_content(tmp_path / "a.png")
        (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
        with pytest.raises(InputError, match=r"b\.png cannot be read as a PNG picture: .*save it again"):
            read_content(tmp_path / "b.png")


class TestPdf:
    def test_page_by_page_and_never_where_there_is_text(self, tmp_path):
        picture = drawn(["From the picture"], size=(420, 240))
        plain = pdf_of(tmp_path / "plain.pdf", "Typed words", picture, None)
        # A page with both: the picture stays a picture.
        both = PdfWriter(clone_from=PdfReader(plain))
        both.pages[0].merge_page(both.pages[1])
        both.write(tmp_path / "mixed.pdf")
        found = read_pdf(tmp_path / "mixed.pdf")
        assert [(block.text, block.page) for block in found.blocks] == [
            ("Typed words", 1),
            ("From the picture", 2),
        ]
        assert found.ocr_pages == 1
        assert found.notes[0] == "no text on page 3"
        assert found.notes[1].startswith("page 2 read by OCR")

    def test_without_the_extra_it_says_what_to_install(self, tmp_path, without_extra):
        picture = drawn(["From the picture"], size=(420, 240))
        mixed = pdf_of(tmp_path / "mixed.pdf", "Typed words", picture)
        assert read_pdf(mixed).text == "Typed words"
        assert read_pdf(mixed).notes == (
            "no text on page 2",
            "to have it read by OCR: pip install '.[ocr]'",
        )
        pdf_of(tmp_path / "scan.pdf", picture)
        picture.save(tmp_path / "scan.png")
        found = read_documents(tmp_path)
        assert [document.id for document in found] == ["mixed"]
        assert [each.source for each in found.unread] == ["scan.pdf", "scan.png"]
        assert all("pip install '.[ocr]'" in each.reason for each in found.unread)

    def test_a_page_of_too_many_pixels_is_left_out_and_the_rest_read(self, tmp_path):
        trap = black_png(tmp_path / "trap.png", 30_000, 30_000)
        with pytest.raises(InputError, match=r"trap\.png"):
            read_content(trap)
        poster = black_png(tmp_path / "poster.png", 8_000, 8_000)
        with pytest.raises(InputError, match=r"poster\.png has no text: .* more than 40 million pixels"):
            read_content(poster)
        body = zlib.compress(b"\0" * 10_000)
        canvas = Canvas(str(tmp_path / "cv.pdf"), pagesize=(420, 240))
        canvas.drawString(40, 200, "Typed words")
        canvas.showPage()
        canvas.drawImage(ImageReader(drawn(["x"], size=(20, 20))), 0, 0, 420, 240)
        canvas.showPage()
        canvas.save()
        writer = PdfWriter(clone_from=PdfReader(tmp_path / "cv.pdf"))
        held = next(iter(writer.pages[1]["/Resources"]["/XObject"].values())).get_object()
        from pypdf.generic import NameObject, NumberObject

        held[NameObject("/Width")] = held[NameObject("/Height")] = NumberObject(60_000)
        held[NameObject("/Filter")] = NameObject("/FlateDecode")
        held._data = body
        writer.write(tmp_path / "cv.pdf")
        found = read_pdf(tmp_path / "cv.pdf")
        assert found.text == "Typed words"
        assert found.notes == ("not read: page 2, a picture of more than 40 million pixels",)


def test_of_a_folder_it_is_said_how_many_pages_and_how_sure(tmp_path):
    pdf_of(
        tmp_path / "a.pdf", drawn(["Ward nurse"], size=(420, 240)), drawn(["Night shift"], size=(420, 240))
    )
    (tmp_path / "b.txt").write_text("typed", "utf-8")
    found = read_documents(tmp_path)
    assert found.summary() == "2 documents, 2 pages were read by OCR; check them"
    assert found[0].source["ocr_pages"] == 2
    assert 0.9 < found[0].source["ocr_confidence"] <= 1
    assert "ocr_pages" not in found[1].source


def test_ctrl_c_stops_between_pages_and_is_no_broken_file(tmp_path, monkeypatch):
    seen = []

    def interrupted(picture, page, _seen):
        seen.append(page)
        if page == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ocr, "_read", interrupted)
    monkeypatch.setattr(aside, "HEAVY", ())
    pdf_of(tmp_path / "a.pdf", *[drawn(["x"], size=(40, 40))] * 3)
    with pytest.raises(KeyboardInterrupt):
        read_documents(tmp_path)
    assert seen == [1, 2]


def test_no_network_is_asked_for_weights(tmp_path, monkeypatch):
    def refused(*_arguments, **_options):
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    ocr._engine.cache_clear()
    drawn(["Ward nurse"], size=(320, 90)).save(tmp_path / "a.png")
    assert letters_of(read_content(tmp_path / "a.png").text) == "Wardnurse"


def test_where_ocr_breaks_the_file_and_one_line_of_the_reason_are_told(tmp_path, monkeypatch):
    def broken(_picture):
        raise ValueError("Traceback (most recent call last):\n  File x\nRuntimeError: no such node\n")

    drawn(LINES["en"]).save(tmp_path / "scan.png")
    monkeypatch.setattr(ocr, "_engine", lambda: broken)
    with pytest.raises(
        InputError, match=r"^scan\.png cannot be read as .*: RuntimeError: no such node\. Open"
    ):
        read_content(tmp_path / "scan.png")
