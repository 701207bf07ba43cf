"""Files that are small and hold without end: each is refused, or read as far as it is sound."""

from __future__ import annotations

import re
import sys
import zlib
from zipfile import ZIP_DEFLATED, ZipFile

import docx
import hostile
import openpyxl
import pyarrow as pa
import pytest
from odfdo import Document as OpenDocument
from pyarrow import parquet
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, StreamObject
from reportlab.pdfgen.canvas import Canvas

from workbench.documents import pdf, reading, word
from workbench.documents.formats import read_content
from workbench.documents.pdf import read_pdf
from workbench.documents.reading import read_documents
from workbench.errors import InputError, PairsWarning
from workbench.files import kinds, workbooks
from workbench.pairs import read_argilla, read_pairs


def rewritten(path, member, content):
    """The archive with one member made anew from its bytes."""
    with ZipFile(path) as old:
        members = {each.filename: old.read(each) for each in old.infolist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as new:
        for name, body in members.items():
            new.writestr(name, content(body) if name == member else body)
    return path


def word_file(path, n_paragraphs):
    made = docx.Document()
    made.add_paragraph("Nurse")
    made.save(path)
    more = b"<w:p><w:r><w:t>ward</w:t></w:r></w:p>" * n_paragraphs
    return rewritten(path, "word/document.xml", lambda xml: xml.replace(b"<w:sectPr", more + b"<w:sectPr"))


def pdf_file(path, n_pages=1):
    canvas = Canvas(str(path), pagesize=(200, 200))
    for _ in range(n_pages):
        canvas.drawString(20, 100, "Nurse")
        canvas.showPage()
    canvas.save()
    return path


def with_content(path, drawing, **forms):
    """The one-page PDF with other instructions, and forms (name to instructions) that these can call."""
    writer = PdfWriter(clone_from=PdfReader(path))
    page = writer.pages[0]
    held = page["/Resources"].get_object()
    names = DictionaryObject()
    for name, instructions in forms.items():
        stream = StreamObject()
        stream._data = instructions
        stream[NameObject("/Type")] = NameObject("/XObject")
        stream[NameObject("/Subtype")] = NameObject("/Form")
        stream[NameObject("/BBox")] = ArrayObject(map(FloatObject, (0, 0, 200, 200)))
        stream[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): names})
        names[NameObject(f"/{name}")] = writer._add_object(stream)
    held[NameObject("/XObject")] = names
    stream = StreamObject()
    stream._data = zlib.compress(drawing)
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    page[NameObject("/Contents")] = writer._add_object(stream)
    writer.write(path)
    return path


class TestWord:
    def test_xml_that_grows_without_end(self, tmp_path):
        path = word_file(tmp_path / "cv.docx", 1_000_000)
        assert path.stat().st_size < 300_000
        with pytest.raises(InputError, match=r"cv\.docx has 0\.\d MB but would unpack to \d+ MB; at most 32"):
            read_content(path)

    def test_more_paragraphs_than_anybody_reads(self, tmp_path, monkeypatch):
        monkeypatch.setattr(word, "MOST_PIECES", 400)
        assert len(read_content(word_file(tmp_path / "cv.docx", 150)).blocks) == 151
        with pytest.raises(InputError, match="more than 400 paragraphs and changes of font"):
            read_content(word_file(tmp_path / "cv.docx", 250))

    def test_pictures_do_not_count_as_text(self, tmp_path):
        path = word_file(tmp_path / "cv.docx", 1)
        with ZipFile(path, "a") as archive:
            archive.writestr("word/media/photo.png", bytes(40 * 2**20), ZIP_DEFLATED)
        assert read_content(path).text == "Nurse\nward"

    def test_nesting_without_an_end(self, tmp_path):
        path = word_file(tmp_path / "cv.docx", 1)
        deep = b"<w:tbl><w:tr><w:tc>" * 5000 + b"</w:tc></w:tr></w:tbl>" * 5000
        rewritten(path, "word/document.xml", lambda xml: xml.replace(b"<w:sectPr", deep + b"<w:sectPr"))
        with pytest.raises(InputError, match=r"cv\.docx cannot be read as a Word document.*save it again"):
            read_content(path)


class TestOpenDocument:
    def test_cells_that_say_they_stand_there_a_billion_times(self, tmp_path):
        made = OpenDocument("text")
        made.save(tmp_path / "cv.odt")
        table = (
            b'<table:table table:name="t"><table:table-row><table:table-cell office:value-type="string" '
            b'table:number-columns-repeated="1000000000"><text:p>Nurse</text:p></table:table-cell>'
            b"</table:table-row></table:table></office:text>"
        )
        rewritten(tmp_path / "cv.odt", "content.xml", lambda xml: xml.replace(b"</office:text>", table))
        assert "Nurse" in read_content(tmp_path / "cv.odt").text.splitlines()

    def test_xml_that_grows_without_end(self, tmp_path):
        OpenDocument("text").save(tmp_path / "cv.odt")
        more = b"<text:p>ward</text:p>" * 2_000_000 + b"</office:text>"
        rewritten(tmp_path / "cv.odt", "content.xml", lambda xml: xml.replace(b"</office:text>", more))
        with pytest.raises(InputError, match="would unpack to 40 MB; at most 32"):
            read_content(tmp_path / "cv.odt")


class TestHtml:
    @pytest.mark.parametrize("n", [10, 254, 2000])
    def test_no_text_is_lost_however_deep(self, tmp_path, n):
        page = f"<p>Nurse{'<div>' * n}ward{'</div>' * n}<p>night"
        (tmp_path / "cv.html").write_text(page, "utf-8")
        assert read_content(tmp_path / "cv.html").text.split() == ["Nurse", "ward", "night"]

    def test_deeper_is_refused(self, tmp_path):
        (tmp_path / "cv.html").write_text("<div>" * 3000 + "ward", "utf-8")
        with pytest.raises(InputError, match=r"cv\.html is nested more than 2,048 elements deep"):
            read_content(tmp_path / "cv.html")


class TestPdf:
    def test_far_too_many_pages_are_refused_without_reading_them(self, tmp_path, monkeypatch):
        path = pdf_file(tmp_path / "cv.pdf", 600)
        monkeypatch.setattr(pdf, "paragraphs_on", lambda page: pytest.fail("a page was read"))
        with pytest.raises(InputError, match="more than 400 pages"):
            read_pdf(path)

    def test_a_stream_that_unpacks_without_end(self, tmp_path):
        path = with_content(pdf_file(tmp_path / "cv.pdf"), b"q Q " * 20_000_000)
        assert path.stat().st_size < 500_000
        with pytest.raises(InputError, match=r"cv\.pdf holds more than can be read"):
            read_pdf(path)

    def test_forms_in_forms_in_forms(self, tmp_path, monkeypatch):
        """Each calls the next ten times: a million million drawings from some hundred bytes."""
        monkeypatch.setattr(pdf, "MOST_CHARACTERS", 20_000)
        forms = {f"F{n}": f"/F{n + 1} Do ".encode() * 10 for n in range(12)} | {"F12": b"q 1 0 0 1 1 1 cm Q"}
        path = with_content(pdf_file(tmp_path / "cv.pdf"), b"/F0 Do", **forms)
        with pytest.raises(InputError, match="over 20,000 characters"):
            read_pdf(path)

    def test_more_text_than_anybody_reads(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pdf, "MOST_CHARACTERS", 1000)
        path = tmp_path / "cv.pdf"
        canvas = Canvas(str(path))
        for line in range(40):
            canvas.drawString(20, 800 - 15 * line, "a nurse on a ward by night")
        canvas.save()
        with pytest.raises(InputError, match="over 1,000 characters"):
            read_pdf(path)

    def test_work_without_an_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pdf, "MOST_SECONDS", -1.0)
        with pytest.raises(InputError, match="s of work"):
            read_pdf(pdf_file(tmp_path / "cv.pdf"))

    def test_words_strewn_over_a_page(self, tmp_path, monkeypatch):
        monkeypatch.setattr(pdf, "MOST_BOXES", 50)
        canvas = Canvas(str(tmp_path / "cv.pdf"))
        for at in range(100):
            canvas.drawString(5 + 60 * (at % 10), 20 + 80 * (at // 10), "ward")
        canvas.save()
        with pytest.raises(InputError, match="holds more than can be read"):
            read_pdf(tmp_path / "cv.pdf")

    @pytest.mark.parametrize("damage", ["checksum", "end"])
    def test_a_damaged_stream_is_read_as_far_as_it_is_sound(self, tmp_path, damage):
        drawing = b"BT /F1 12 Tf 20 100 Td (Ward nurse) Tj ET " + b"q Q " * 3
        path = with_content(pdf_file(tmp_path / "cv.pdf"), drawing)
        packed = zlib.compress(drawing)
        broken = packed[:-4] + b"\0\0\0\0" if damage == "checksum" else packed[:-8] + b"\xff" * 8
        path.write_bytes(path.read_bytes().replace(packed, broken))
        assert read_pdf(path).text == "Ward nurse"


class TestWorkbook:
    def book(self, path, cells):
        made = openpyxl.Workbook()
        for place, value in cells.items():
            made.active[place] = value
        made.save(path)
        return path

    def test_a_cell_in_the_last_row_and_column(self, tmp_path):
        path = self.book(tmp_path / "a.xlsx", {"A1": "text", "A2": "a ward nurse", "XFD1048576": "x"})
        with pytest.raises(InputError, match=r"a\.xlsx, sheet 'Sheet' is too large: at most 2,000,000 cells"):
            read_documents(path)

    def test_a_border_there_is_no_cell(self, tmp_path):
        made = openpyxl.Workbook()
        made.active["A1"], made.active["A2"] = "text", "a ward nurse"
        made.active["XFD1048576"].font = openpyxl.styles.Font(bold=True)
        made.save(tmp_path / "a.xlsx")
        assert [document.text for document in read_documents(tmp_path / "a.xlsx")] == ["a ward nurse"]

    @pytest.mark.parametrize("shared", [True, False])
    def test_a_long_text_shown_in_many_cells(self, tmp_path, monkeypatch, shared):
        long = "a ward nurse " * 1000
        cells = {"A1": "text"} | {f"A{row}": long for row in range(2, 102)}
        path = self.book(tmp_path / "a.xlsx", cells)
        if shared:
            self.share(path, long)
        assert [document.text for document in read_documents(path)] == [long] * 100
        monkeypatch.setattr(workbooks, "MOST_LETTERS", 1_000_000)
        with pytest.raises(InputError, match="and 1,000,000 characters are read"):
            workbooks.sheet_rows(path)

    def share(self, path, text):
        """Keep the text once, as Excel does."""
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
        link = f'<Relationship Id="rIdS" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'.encode()
        rewritten(
            path,
            "xl/worksheets/sheet1.xml",
            lambda xml: re.sub(
                rb't="inlineStr"><is><t[^>]*>' + text.encode() + rb"</t></is>", b't="s"><v>0</v>', xml
            ),
        )
        rewritten(path, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace(b"</Relationships>", link))
        with ZipFile(path, "a") as archive:
            shown = f'<t xml:space="preserve">{text}</t>'
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}"><si>{shown}</si></sst>')

    def test_an_open_sheet_whose_end_is_missing(self, tmp_path):
        OpenDocument("spreadsheet").save(tmp_path / "a.ods")
        rewritten(tmp_path / "a.ods", "content.xml", lambda xml: xml[: xml.rindex(b"</table:table>")])
        with pytest.raises(InputError, match=r"a\.ods cannot be read"):
            read_documents(tmp_path / "a.ods")


class TestContainers:
    def test_of_a_folder_the_rest_is_read(self, tmp_path):
        word_file(tmp_path / "bomb.docx", 1_000_000)
        (tmp_path / "good.txt").write_text("Ward nurse", "utf-8")
        found = read_documents(tmp_path)
        assert [document.text for document in found] == ["Ward nurse"]
        assert [each.source for each in found.unread] == ["bomb.docx"]

    def test_zips_in_a_zip_count_together(self, tmp_path, monkeypatch):
        monkeypatch.setattr(reading, "MOST_FILES", 10)
        for name in "ab":
            with ZipFile(tmp_path / f"{name}.zip", "w") as archive:
                for n in range(4):
                    archive.writestr(f"{n}.txt", f"Ward nurse {n}")
        with ZipFile(tmp_path / "all.zip", "w") as archive:
            for name in "ab":
                archive.write(tmp_path / f"{name}.zip", f"{name}.zip")
        assert len(read_documents(tmp_path / "all.zip")) == 8
        with ZipFile(tmp_path / "all.zip", "a") as archive:
            archive.writestr("c.txt", "Ward nurse")
        with pytest.raises(InputError, match=r"all\.zip holds more than is read of one file: 10 files"):
            read_documents(tmp_path / "all.zip")

    def test_what_is_no_document_is_not_unpacked(self, tmp_path, monkeypatch):
        monkeypatch.setattr(reading, "MOST_UNPACKED", 1000)
        with ZipFile(tmp_path / "all.zip", "w", ZIP_DEFLATED) as archive:
            archive.writestr("film.mp4", bytes(10_000))
            archive.writestr("good.txt", "Ward nurse")
        found = read_documents(tmp_path / "all.zip")
        assert [document.text for document in found] == ["Ward nurse"]
        assert [each.source for each in found.unread] == ["all.zip/film.mp4"]

    def test_more_members_than_can_be_listed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(kinds, "MOST_DIRECTORY", 1000)
        with ZipFile(tmp_path / "all.zip", "w") as archive:
            for n in range(100):
                archive.writestr(f"{n}.txt", "Ward nurse")
        with pytest.raises(InputError, match=r"all\.zip holds more files than are read"):
            read_documents(tmp_path / "all.zip")

    def test_a_damaged_member_is_named_and_the_rest_read(self, tmp_path):
        with ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("a.txt", "Ward nurse, damaged")
            archive.writestr("b.txt", "Ward nurse, sound")
        path = tmp_path / "all.zip"
        path.write_bytes(path.read_bytes().replace(b"damaged", b"DAMAGED"))
        found = read_documents(path)
        assert [document.text for document in found] == ["Ward nurse, sound"]
        assert [each.source for each in found.unread] == ["all.zip/a.txt"]

    def test_all_files_of_a_zip_together_have_a_minute(self, tmp_path, monkeypatch):
        with ZipFile(tmp_path / "all.zip", "w") as archive:
            for name in "abc":
                archive.writestr(f"{name}.txt", "Ward nurse")
        clock = iter([0.0, 10.0, 54.0, 56.0])
        monkeypatch.setattr(reading.time, "monotonic", lambda: next(clock, 56.0))
        found = read_documents(tmp_path / "all.zip")
        assert [document.id for document in found] == ["a", "b"]
        assert [(each.source, "took 55 s" in each.reason) for each in found.unread] == [
            ("all.zip/c.txt", True)
        ]

    def test_an_email_of_a_million_parts(self, tmp_path):
        head = b'Content-Type: multipart/mixed; boundary="b"\n\n'
        (tmp_path / "a.eml").write_bytes(head + b"--b\n\nNurse\n" * 30_000)
        with pytest.raises(InputError, match=r"a\.eml holds more than is read of one file: 20,000 files"):
            read_documents(tmp_path / "a.eml")

    def test_a_huge_file_in_a_zip_is_passed_over(self, tmp_path, monkeypatch):
        monkeypatch.setattr(reading, "MOST_MEMBER", 2**20)
        with ZipFile(tmp_path / "all.zip", "w", ZIP_DEFLATED) as archive:
            archive.writestr("huge.txt", bytes(2**20 + 1))
            archive.writestr("good.txt", "Ward nurse")
        found = read_documents(tmp_path / "all.zip")
        assert [document.text for document in found] == ["Ward nurse"]
        assert [(each.source, "at most 1 MB" in each.reason) for each in found.unread] == [
            ("all.zip/huge.txt", True)
        ]


class TestPairs:
    def test_a_table_of_more_than_is_read(self, tmp_path, monkeypatch):
        path = tmp_path / "a.csv"
        path.write_text("jd,resume,label\n" + "Nurse,a ward nurse,1\nNurse,a cook,0\n" * 100, "utf-8")
        monkeypatch.setattr("workbench.pairs.reading.MOST_TEXT", 2**20)
        with pytest.warns(PairsWarning):
            assert len(read_pairs(path)) == 2
        monkeypatch.setattr("workbench.pairs.reading.MOST_TEXT", 10_000)
        with pytest.raises(InputError, match=r"a\.csv holds more than 0 MB of texts and numbers"):
            read_pairs(path)

    def test_a_parquet_text_that_is_no_text(self, tmp_path):
        texts = pa.array([b"Nurse", b"\xff\xfe"]).view(pa.string())
        parquet.write_table(pa.table({"jd": texts, "resume": texts, "label": [1, 0]}), tmp_path / "a.parquet")
        with pytest.raises(InputError, match=r"a\.parquet cannot be read as a Parquet file"):
            read_pairs(tmp_path / "a.parquet")

    def test_half_a_character_in_the_name_of_a_group(self, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"jd": "a", "resume": "b", "label": 1, "\\ud800": 1}\n', "utf-8")
        assert "\ufffd" in read_pairs(tmp_path / "a.jsonl").columns
        record = {"fields": {"jd": "a", "resume": "b"}, "metadata": {"\ud800": 1}}
        assert "\ufffd" in read_argilla([record]).pairs.columns


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="where else the peak is told is not known")
@pytest.mark.parametrize(
    "name",
    [
        "docx_elements",
        "pdf_runs",
        "pairs_parquet",
        "xls_last_cell",
        "real_pdf_300_pages",
        "real_scan_full_page",
    ],
)
def test_no_file_takes_more_than_half_a_gigabyte(name):
    """All of them: `python tests/hostile.py`."""
    assert hostile.tried(name)["lost"] == []
