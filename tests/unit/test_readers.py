"""Reading texts from files: formats, encodings, columns, and files that are not what they seem."""

from __future__ import annotations

import json
import re
import tracemalloc
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZipFile

import docx
import openpyxl
import pytest
from character_encoder import CharacterEncoder
from fuzz import samples
from hypothesis import given
from hypothesis import strategies as st
from reading import read_one
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

import workbench as wb
from workbench.documents.layout import paragraphs_of
from workbench.errors import InputError
from workbench.files import kinds
from workbench.files.workbooks import sheet_rows
from workbench.retrieval import KnowledgeBase

JDS = list(wb.EXAMPLE_JDS)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def writing(name, content, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return writing


@pytest.fixture
def workbook(tmp_path):
    """Write an Excel workbook of sheets (name -> rows) and return its path."""

    def writing(sheets, name="jds.xlsx"):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return writing


@pytest.fixture
def pdf(tmp_path):
    """Write a PDF of pages of paragraphs, wrapped and in Chinese, and return its path."""

    def writing(*pages, **options):
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
        style = ParagraphStyle("zh", fontName="STSong-Light", fontSize=10.5, leading=16, wordWrap="CJK")
        flow = []
        for page in pages:
            flow += [*(Paragraph(text, style) for text in page), PageBreak()]
        SimpleDocTemplate(str(tmp_path / "cv.pdf"), **options).build(flow)
        return tmp_path / "cv.pdf"

    return writing


class TestLines:
    def test_a_text_file_is_one_text_a_line(self, write):
        found = read_one(write("jds.txt", "\n".join(JDS) + "\n"))
        assert found.texts == JDS
        assert found.records == [{"source": "jds.txt", "entry": n} for n in range(1, 9)]
        assert found.notes == ("understood as 8 documents, one a line",)

    @given(
        lines=st.lists(st.text(st.characters(exclude_characters="\r\n\x00\ufeff", exclude_categories=["Cs"])))
    )
    def test_nothing_but_white_space_is_lost_whatever_it_is_read_as(self, tmp_path_factory, lines):
        path, text = tmp_path_factory.mktemp("lines") / "any.txt", "\n".join(["a", *lines])
        path.write_text(text, encoding="utf-8", newline="")
        for how in ("one", "lines", "blocks"):
            assert "".join("".join(read_one(path, how=how).texts).split()) == "".join(text.split())

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_line_ends_of_all_systems(self, write, end):
        assert read_one(write("jds.txt", f"java{end}rust{end}")).texts == ["java", "rust"]


class TestEncodings:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gbk", "gb18030", "gb2312"]
    )
    def test_chinese_is_read_in(self, write, encoding):
        assert read_one(write("jds.txt", "\n".join(JDS), encoding)).texts == JDS

    @pytest.mark.parametrize("jd", [*JDS, "熟悉 RAG 架构设计", "护理", "精通Java", "会计"])
    def test_even_a_short_text_in_gbk_is_read_rightly(self, write, jd):
        found = read_one(write("jd.txt", jd, "gbk"))
        assert found.texts == [jd]
        assert found.notes == ("read as gb18030",)

    def test_gbk_that_begins_far_into_the_file_is_read_rightly(self, write):
        lines = ["python"] * 100_000 + JDS
        assert read_one(write("jds.txt", "\n".join(lines), "gbk")).texts == lines

    def test_traditional_chinese_in_big5_is_read_rightly(self, write):
        text = "負責大模型應用落地：基於開源或商用大語言模型做微調與推理部署。\n具備護理經驗"
        assert read_one(write("jds.txt", text, "big5")).texts == text.split("\n")

    @pytest.mark.parametrize(
        ("text", "encoding"),
        [("Développeur à Genève", "cp1252"), ("José", "latin-1"), ("喆祎曦垚", "gbk")],
    )
    def test_what_could_be_several_is_asked_for(self, write, text, encoding):
        path = write("cv.txt", text, encoding)
        with pytest.raises(InputError, match=r"cv\.txt is not UTF-8.*cannot be told.*encoding='gb18030'"):
            read_one(path)
        assert read_one(path, encoding=encoding).texts == [text]

    def test_noise_is_no_text_in_any_encoding(self, write):
        with pytest.raises(InputError, match="no encoding fits it"):
            read_one(write("noise.txt", bytes(1 + (n * 73 + 11) % 255 for n in range(2000))))

    def test_a_damaged_place_in_utf8_is_named(self, write):
        before = JDS[0].encode()
        path = write("jds.txt", before + b"\xff" + JDS[1].encode())
        with pytest.raises(InputError, match=f"UTF-8 but for a damaged place at byte {len(before)}"):
            read_one(path)

    def test_an_encoding_that_does_not_fit_is_named(self, write):
        with pytest.raises(InputError, match=r"jds\.txt is not all in ascii.*Save the file as UTF-8"):
            read_one(write("jds.txt", "护理"), encoding="ascii")

    def test_an_encoding_that_does_not_exist_is_named(self, write):
        with pytest.raises(InputError, match="'chinese-ish' is no encoding that Python knows"):
            read_one(write("jds.txt", "护理"), encoding="chinese-ish")

    def test_utf16_without_a_mark_is_asked_for(self, write):
        path = write("jds.txt", "nurse 护理", "utf-16-le")
        with pytest.raises(InputError, match=r"a binary file.*say so: encoding='utf-16-le'"):
            read_one(path)
        assert read_one(path, encoding="utf-16-le").texts == ["nurse 护理"]


class TestDelimited:
    def test_other_columns_become_metadata(self, write):
        found = read_one(write("jds.csv", "岗位描述,编号,城市\n熟悉 Java,007,上海\n护理经验,008,\n"))
        assert found.texts == ["熟悉 Java", "护理经验"]
        assert found.records == [
            {"编号": "007", "城市": "上海", "source": "jds.csv", "row": 2},
            {"编号": "008", "source": "jds.csv", "row": 3},
        ]
        assert found.notes == ("texts from column '岗位描述'",)

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_the_separator_is_found(self, write, separator):
        content = f"id{separator}text\n1{separator}熟悉 Java\n"
        assert read_one(write("jds.csv", content)).texts == ["熟悉 Java"]

    def test_tabs_separate_a_tsv(self, write):
        assert read_one(write("jds.tsv", "text\tid\nC, C++; Java\t1\n")).texts == ["C, C++; Java"]

    def test_quoted_texts_may_hold_separators_quotes_and_line_breaks(self, write):
        found = read_one(write("jds.csv", 'text,id\n"熟悉 ""RAG"",\n以及 Agent",1\n护理,2\n'))
        assert found.texts == ['熟悉 "RAG",\n以及 Agent', "护理"]

    def test_a_file_saved_by_chinese_excel_is_read(self, write):
        path = write("jds.csv", "职位描述,城市\r\n熟悉 Java 后端开发,上海\r\n", "gbk")
        assert read_one(path).texts == ["熟悉 Java 后端开发"]

    def test_columns_named_as_our_own_are_kept_beside_them(self, write):
        found = read_one(write("jds.csv", "text,source,row\njava,web,9\n"))
        assert found.records == [
            {"source (column)": "web", "row (column)": "9", "source": "jds.csv", "row": 2}
        ]

    def test_formulas_stay_text(self, write):
        assert read_one(write("jds.csv", 'text\n"=1+1"\n')).texts == ["=1+1"]

    def test_a_row_with_too_many_fields_is_named(self, write):
        with pytest.raises(InputError, match=r"jds\.csv, line 3 has 3 fields, but the header has 2"):
            read_one(write("jds.csv", "text,id\njava,1\nC,C++,2\n"))

    def test_a_quotation_mark_that_is_not_closed_is_named(self, write):
        with pytest.raises(InputError, match=r"jds\.csv, line 3: .*those inside it must be doubled"):
            read_one(write("jds.csv", 'text,id\njava,1\n"rust,2\n'))

    def test_a_header_alone_has_no_texts(self, write):
        with pytest.raises(InputError, match=r"There is no document in .*jds\.csv"):
            read_one(write("jds.csv", "text,id\n"))


class TestColumns:
    @pytest.mark.parametrize("name", ["text", "JD", "Job Description", "resume", "内容", "任职要求"])
    def test_a_usual_name_is_found(self, write, name):
        content = f"comment,{name}\nthis one is long enough to be a text,java\n"
        assert read_one(write("jds.csv", content)).texts == ["java"]

    def test_the_only_one_that_looks_like_texts_is_found(self, write):
        rows = [f"{n},{jd},上海,2026-03-0{n},E-{n}" for n, jd in enumerate(JDS, start=1)]
        found = read_one(write("jds.csv", "\n".join(["no,what,city,date,code", *rows])))
        assert found.texts == JDS
        assert found.notes == ("texts from column 'what'",)

    def test_the_only_column_is_taken_whatever_its_name(self, write):
        assert read_one(write("jds.csv", "x\njava\n")).texts == ["java"]

    def test_several_that_could_be_are_asked_about(self, write):
        path = write("pairs.csv", "jd,resume,label\njava,rust,0\n")
        with pytest.raises(
            InputError, match=r"several could be: 'jd', 'resume'\)\. .* such as text_column='jd'"
        ):
            read_one(path)
        assert read_one(path, text_column="resume").texts == ["rust"]

    def test_none_that_looks_like_it_is_asked_about_with_all_columns(self, write):
        with pytest.raises(InputError, match=r"none looks like it\).*Its columns are: 'a', 'b'"):
            read_one(write("numbers.csv", "a,b\n1,2\n"))

    def test_a_column_that_is_not_there_is_refused_with_those_that_are(self, write):
        with pytest.raises(InputError, match="no column 'jd'; its columns are: 'a', 'b'"):
            read_one(write("numbers.csv", "a,b\n1,2\n"), text_column="jd")


class TestJsonLines:
    def test_strings_and_objects(self, write):
        found = read_one(write("jds.jsonl", '"java"\n\n{"text": "rust", "level": 3, "tags": ["a"]}\n'))
        assert found.texts == ["java", "rust"]
        assert found.records == [
            {"source": "jds.jsonl", "line": 1},
            {"level": 3, "tags": ["a"], "source": "jds.jsonl", "line": 3},
        ]

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('{"text": "rust"', r"line 2 is not JSON: .* at character 1[67]\."),
            ("[1]", r"line 2 is list; each line must be a string or an object"),
            ('{"text": ["rust"]}', "line 2: the text is a list, not a string"),
            ("[" * 100_000, "line 2 cannot be read as JSON"),
        ],
    )
    def test_a_line_that_is_something_else_is_named(self, write, line, said):
        with pytest.raises(InputError, match=said):
            read_one(write("jds.jsonl", f'{{"text": "java"}}\n{line}\n'))


class TestWorkbook:
    def test_cells_keep_their_types(self, workbook):
        rows = [["编号", "职位描述", "级别", "日期"], ["007", "熟悉 Java", 3, datetime(2026, 3, 1)]]
        found = read_one(workbook({"岗位": rows}))
        assert found.texts == ["熟悉 Java"]
        assert found.records == [
            {"编号": "007", "级别": 3, "日期": "2026-03-01", "source": "jds.xlsx", "row": 2}
        ]

    def test_rows_are_numbered_as_excel_numbers_them(self, workbook):
        found = read_one(workbook({"s": [[None], ["text"], ["java"], [None], ["rust"]]}))
        assert [(text, record["row"]) for text, record in zip(found.texts, found.records, strict=True)] == [
            ("java", 3),
            ("rust", 5),
        ]

    def test_the_first_sheet_is_read_and_the_others_are_named(self, workbook):
        path = workbook({"a": [["text"], ["java"]], "b": [["text"], ["rust"]]})
        found = read_one(path)
        assert found.texts == ["java"]
        assert "sheet 'a'; not read: 'b'" in found.notes
        assert read_one(path, sheet="b").texts == ["rust"]

    def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(self, workbook):
        with pytest.raises(InputError, match="no sheet 'c'; its sheets are: 'a', 'b'"):
            read_one(workbook({"a": [], "b": []}), sheet="c")

    def test_an_empty_sheet_is_named(self, workbook):
        with pytest.raises(InputError, match=r"jds\.xlsx has no rows"):
            read_one(workbook({"a": []}))

    def test_formulas_are_not_evaluated(self, workbook):
        path = workbook({"a": [["text"], ['=HYPERLINK("http://example.com")'], ["java"]]})
        with pytest.raises(InputError, match="row 2: a formula without a stored value"):
            read_one(path)

    def test_a_workbook_that_would_unpack_to_too_much_is_refused(self, workbook, monkeypatch):
        path = workbook({"a": [["text"], ["java"]]})
        with ZipFile(path, "a", ZIP_DEFLATED) as archive:
            archive.writestr("xl/zeros", bytes(5 * 2**20))
        monkeypatch.setattr(kinds, "MOST_UNPACKED", 2**20)
        with pytest.raises(InputError, match=r"0\.0 MB but would unpack to 5 MB; at most 1 MB"):
            sheet_rows(path)

    def test_a_damaged_workbook_is_named(self, workbook, tmp_path):
        path = workbook({"a": [["text"], ["java"]]})
        with ZipFile(path) as old, ZipFile(tmp_path / "damaged.xlsx", "w") as new:
            for name in old.namelist():
                new.writestr(name, b"<broken" if name.startswith("xl/worksheets") else old.read(name))
        with pytest.raises(InputError, match=r"damaged\.xlsx cannot be read as an Excel workbook"):
            read_one(tmp_path / "damaged.xlsx")


class TestPdf:
    def test_wrapped_lines_are_joined_to_paragraphs(self, pdf):
        long = JDS[0] + JDS[1]
        english = "Led the design of an agent with tool calls and multi-turn dialogue " * 3
        found = read_one(pdf(["工作经历", long, "2. 精通 Java"], [english]))
        assert found.texts == ["\n".join(["工作经历", long, "2. 精通 Java", english.strip()])]
        assert found.records == [{"source": "cv.pdf"}]

    def test_a_scan_is_named(self, tmp_path):
        canvas = Canvas(str(tmp_path / "scan.pdf"))
        canvas.rect(100, 100, 50, 50)
        canvas.save()
        with pytest.raises(
            InputError, match=r"scan\.pdf has 1 page but no text: there is none in its pictures either"
        ):
            read_one(tmp_path / "scan.pdf")

    def test_pages_without_text_are_noted(self, tmp_path):
        canvas = Canvas(str(tmp_path / "mixed.pdf"))
        canvas.drawString(100, 700, "Python")
        canvas.showPage()
        canvas.rect(100, 100, 50, 50)
        canvas.save()
        found = read_one(tmp_path / "mixed.pdf")
        assert (found.texts, found.notes) == (["Python"], ("no text on page 2",))

    def test_a_password_is_asked_to_be_removed(self, pdf):
        with pytest.raises(InputError, match=r"cv\.pdf is protected with a password"):
            read_one(pdf(["secret"], encrypt="swordfish"))

    def test_a_damaged_pdf_is_named(self, write):
        with pytest.raises(InputError, match=r"cv\.pdf cannot be read as a PDF"):
            read_one(write("cv.pdf", b"%PDF-1.7\n1 0 obj\n<<"))


class TestParagraphs:
    def test_lines_that_leave_room_at_the_right_end_a_paragraph(self):
        full = "负责大模型应用落地基于开源或商用大语言模型做微"
        assert paragraphs_of(f"{full}\n调与部署\n教育背景\n北京大学") == [
            f"{full}调与部署",
            "教育背景",
            "北京大学",
        ]

    def test_english_lines_are_joined_with_a_space_and_hyphens_without(self):
        lines = [
            "Led a team that built a customer-service agent and a full-",
            "stack application with many users who came from all of the",
            "world",
        ]
        assert paragraphs_of("\n".join(lines)) == [f"{lines[0]}{lines[1]} {lines[2]}"]

    @pytest.mark.parametrize("bullet", ["• ", "1. ", "2、", "（3）", "- ", "①", "一、", "● "])
    def test_a_bullet_begins_a_paragraph(self, bullet):
        full = "x" * 60
        assert paragraphs_of(f"{full}\n{bullet}Java") == [full, f"{bullet}Java"]

    def test_a_page_of_short_lines_is_a_list(self):
        assert paragraphs_of("Python 开发\nJava 开发\nRust 开发") == ["Python 开发", "Java 开发", "Rust 开发"]


class TestWord:
    def test_paragraphs_and_rows_in_their_order_merged_cells_once(self, tmp_path):
        document = docx.Document()
        document.add_paragraph("主导过智能客服 Agent 项目")
        table = document.add_table(2, 2)
        table.cell(0, 0).merge(table.cell(0, 1)).text = "技能"
        table.cell(1, 0).text = "Python"
        table.cell(1, 1).text = "RAG"
        document.add_paragraph("")
        document.add_paragraph("末段")
        document.save(tmp_path / "cv.docx")
        found = read_one(tmp_path / "cv.docx")
        assert found.texts == ["主导过智能客服 Agent 项目\n技能\nPython | RAG\n末段"]
        assert found.records == [{"source": "cv.docx"}]

    def test_a_document_without_text_is_named(self, tmp_path):
        docx.Document().save(tmp_path / "cv.docx")
        with pytest.raises(InputError, match=r"cv\.docx has no text; text in pictures is not read"):
            read_one(tmp_path / "cv.docx")


@pytest.mark.slow  # each piece that is no XML any more is looked at by a process of its own
@pytest.mark.parametrize("suffix", [".docx", ".odt", ".xlsx", ".ods"])
def test_entities_that_name_other_files_are_not_expanded(suffix, tmp_path):
    """In each piece of XML of a sound file in turn."""
    (tmp_path / "secret.txt").write_text("the secret")
    declared = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    sound = tmp_path / f"sound{suffix}"
    sound.write_bytes(samples()[suffix])
    column = {"text_column": "resume"} if suffix == ".xlsx" else {}
    assert read_one(sound, **column).texts
    with ZipFile(sound) as archive:
        members = {name: archive.read(name).decode("utf-8", "ignore") for name in archive.namelist()}
    asked = 0
    for hostile, xml in members.items():
        changed = re.sub(r"(<\?xml.*?\?>)?", lambda head: head[0] + declared, xml, count=1, flags=re.S)
        changed, n = re.subn(r">([^<>]*[^<>\s][^<>]*)</", r">\1 &x;</", changed)
        if not xml.startswith("<") or not n:
            continue
        asked += 1
        with ZipFile(tmp_path / f"hostile{suffix}", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, changed if name == hostile else content)
        try:
            read = repr(read_one(tmp_path / f"hostile{suffix}", **column))
        except InputError as error:
            read = str(error)
        assert "the secret" not in read, hostile
    assert asked


class TestFilesThatAreSomethingElse:
    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("cv.pdf", PNG, "named as a PDF, but is a PNG picture"),
            ("cv.pdf", b"\xff\xd8\xff\xe0", "named as a PDF, but is a JPEG picture"),
            ("cv.txt", b"%PDF-1.7\n1 0 obj\n", r"but is a PDF\. Rename it to cv\.pdf"),
            ("jds.xlsx", b"text,id\njava,1\n", "but is a text file. Rename it to .txt, .csv or .jsonl"),
            ("jds.xlsx", OLD_OFFICE, r"but is an old Office file \(\.doc, \.xls\) or one that is protected"),
            ("jds.csv", PNG, "named as a text or table file, but is a PNG picture"),
            ("jds.jsonl", b"\x1f\x8b\x08\x00", "but is a gzip archive"),
            ("cv.docx", b"PK\x03\x04 and no more", "but is a damaged ZIP archive"),
            ("cv.txt", b"<!DOCTYPE html><html>", "but is an HTML page"),
        ],
    )
    def test_both_are_named(self, write, name, content, said):
        with pytest.raises(InputError, match=said):
            read_one(write(name, content))

    def test_a_word_document_named_as_a_workbook(self, tmp_path):
        docx.Document().save(tmp_path / "jds.docx")
        path = (tmp_path / "jds.docx").rename(tmp_path / "jds.xlsx")
        with pytest.raises(InputError, match=r"but is a Word document \(\.docx\)\. Rename it to jds\.docx"):
            read_one(path)

    @pytest.mark.parametrize("text", ["PK 体系建设", "RIFF", "PAR1 等级", "GIF8 动画"])
    def test_words_that_other_formats_begin_with_are_text(self, write, text):
        assert read_one(write("jds.txt", text)).texts == [text]

    def test_an_unknown_format_is_refused_with_those_known(self, write):
        with pytest.raises(InputError, match=r"cv\.xyz is of no known format.*\.txt, .*\.docx, .*\.csv"):
            read_one(write("cv.xyz", "x"))

    def test_an_empty_file_is_named(self, write):
        with pytest.raises(InputError, match=r"jds\.txt is empty"):
            read_one(write("jds.txt", ""))

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"There is no file .*typo\.txt; check the path"):
            read_one(tmp_path / "typo.txt")

    def test_a_folder_without_documents_is_named(self, tmp_path):
        with pytest.raises(InputError, match="There is no document in"):
            read_one(tmp_path)


@pytest.fixture(scope="module")
def long_line(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"abcdefg " * 2**17)
        file.write(b"\njava\n")
    return path


class TestALineOfAHundredMegabytes:
    @pytest.fixture
    def named(self, long_line):
        def naming(suffix):
            path = long_line.with_suffix(suffix)
            if not path.exists():
                path.hardlink_to(long_line)
            return path

        return naming

    def peak_of(self, act):
        tracemalloc.start()
        try:
            return act(), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_a_text_file_is_more_than_a_document(self, named):
        base = KnowledgeBase.from_texts([], CharacterEncoder())
        with pytest.raises(InputError, match=r"long\.txt has more than 1,000,000 characters, and no JD"):
            base.add_files(named(".txt"))

    @pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
    def test_a_table_is_refused(self, named, suffix):
        def refused():
            with pytest.raises(InputError, match="line 1 has more than 1,048,576 characters"):
                read_one(named(suffix))

        _, peak = self.peak_of(refused)
        assert peak < 20 * 2**20


class TestAddingFiles:
    def test_each_file_is_accounted_for(self, write):
        base = KnowledgeBase.from_texts(["java"], CharacterEncoder())
        first = write("a.txt", "java\nrust\n\n")
        second = write("b.csv", "text,id\nrust,1\ngolang,2\n")
        report = base.add_files([first, second])
        counts = [
            (file.source, file.n_input, file.added, file.already_there, file.duplicates, file.blank)
            for file in report.files
        ]
        assert counts == [("a.txt", 2, 1, 1, 0, 0), ("b.csv", 2, 1, 0, 1, 0)]
        assert (report.n_input, report.added) == (4, 2)
        assert base.metadata["source"].tolist()[1:] == ["a.txt", "b.csv"]
        assert json.loads(json.dumps(report.to_dict()))["files"][1]["source"] == "b.csv"
        assert "b.csv: 1 of 2 added, 1 duplicate; texts from column 'text'" in str(report)

    def test_of_files_of_which_one_cannot_be_read_the_rest_is_added(self, write):
        base = KnowledgeBase.from_texts(["java"], CharacterEncoder())
        report = base.add_files([write("a.txt", "rust"), write("b.pdf", PNG)])
        assert base.texts == ["java", "rust"]
        assert [each.source for each in report.unread] == ["b.pdf"]
        assert "PNG picture" in str(report)

    def test_markup_in_file_names_is_shown_as_text(self, write):
        base = KnowledgeBase.from_texts([], CharacterEncoder())
        report = base.add_files(write("<b>.txt", "java"))
        assert "&lt;b&gt;.txt" in report._repr_html_()
