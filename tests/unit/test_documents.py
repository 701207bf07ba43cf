"""From files, folders and pasted texts to documents with parts; nothing is lost or joined wrongly."""

from __future__ import annotations

import subprocess
import sys
from email.message import EmailMessage
from zipfile import ZipFile

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given
from hypothesis import strategies as st
from odfdo import Document as OpenDocument
from odfdo import Header, List, Paragraph, Table
from reportlab.pdfgen.canvas import Canvas

from workbench.documents import aside
from workbench.documents.formats import read_content
from workbench.documents.layout import paragraphs_of
from workbench.documents.pasted import documents_in, understood_as
from workbench.documents.pdf import MOST_PAGES, read_pdf
from workbench.documents.reading import read_documents
from workbench.documents.splitting import side_of, split
from workbench.documents.word import read_word
from workbench.errors import InputError
from workbench.i18n import language

JD = """\
Ward nurse (night shift)
About us
We are a hospital of 300 beds. Founded in 1950, e.g. by Dr. Smith.
What you'll do
• Care for patients at night; keep the records
Requirements:
1. Degree in nursing. 2. Three years on a ward, must hold a licence
Nice to have
- Experience in ventilation
Also, Mandarin would be an advantage
Benefits
Free meals
"""
CV = """\
张三
电话：138 0000 0000 | zhang@mail.example
【求职意向】
算法工程师
工作经历
2019-2024 搭建过文档问答系统；优化召回。负责 e.g. LangChain 的改造。
技能：Python、RAG
兴趣爱好
登山
"""


def kinds(text, side=None):
    return [(part.kind, part.text) for part in split(text, side)]


HEADINGS = ["\nRequirements\n", "WHAT YOU GET. ", "\nYou have\n- ", "\n薪资：", "experience", "\r\n\r\n"]


class TestParts:
    def test_of_a_jd(self):
        assert kinds(JD) == [
            ("description", "Ward nurse (night shift)"),
            ("heading", "About us"),
            ("boilerplate", "We are a hospital of 300 beds."),
            ("boilerplate", "Founded in 1950, e.g. by Dr. Smith."),
            ("heading", "What you'll do"),
            ("responsibility", "• Care for patients at night;"),
            ("responsibility", "keep the records"),
            ("heading", "Requirements:"),
            ("requirement", "1. Degree in nursing."),
            ("requirement", "2. Three years on a ward, must hold a licence"),
            ("heading", "Nice to have"),
            ("nice_to_have", "- Experience in ventilation"),
            ("nice_to_have", "Also, Mandarin would be an advantage"),
            ("heading", "Benefits"),
            ("boilerplate", "Free meals"),
        ]
        assert [part.text for part in split(JD) if part.must] == [
            "2. Three years on a ward, must hold a licence"
        ]

    def test_of_a_resume(self):
        assert kinds(CV) == [
            ("phrase", "张三"),
            ("boilerplate", "电话：138 0000 0000 | zhang@mail.example"),
            ("heading", "【求职意向】"),
            ("phrase", "算法工程师"),
            ("heading", "工作经历"),
            ("phrase", "2019-2024 搭建过文档问答系统；"),
            ("phrase", "优化召回。"),
            ("phrase", "负责 e.g. LangChain 的改造。"),
            ("heading", "技能："),
            ("phrase", "Python、RAG"),
            ("heading", "兴趣爱好"),
            ("boilerplate", "登山"),
        ]

    def test_a_run_on_list_is_taken_apart(self):
        said = "岗位职责\n1、负责系统设计；2、优化排序，3、与产品合作"
        assert [text for kind, text in kinds(said)][1:] == [
            "1、负责系统设计；",
            "2、优化排序，",
            "3、与产品合作",
        ]

    @pytest.mark.parametrize(
        "line",
        ["Uses Python 3.11 and Node.js 20.5 daily", "Team of 1,200 people", "Worked 2019.05-2021.06 at X"],
    )
    def test_numbers_do_not_end_a_sentence(self, line):
        assert kinds(line, "resume") == [("phrase", line)]

    def test_what_stands_under_an_unknown_heading_is_scored(self):
        assert kinds("## Rockets\nThey fly", "jd") == [("heading", "## Rockets"), ("description", "They fly")]

    @pytest.mark.parametrize(
        ("text", "asked"),
        [
            ("Welder\nWhy now\nWe grow. Orders doubled.\nRequirements\nMIG welding", ["MIG welding"]),
            ("Requirements and skills\nPHP\nBSc degree", ["PHP", "BSc degree"]),
            ("岗位职责：\n1. 写代码\n三、对你的要求\n1. 熟悉Go；\n工作地点：北京", ["1. 熟悉Go；"]),
            ("职位描述：\n1、负责门店运营；\n2、三年以上店长经验。", ["2、三年以上店长经验。"]),
            (
                "We hire a nurse. You care for twelve patients. You have an RN licence.",
                ["You have an RN licence."],
            ),
            ("You will\n- cook\nWe are looking for someone who has\n- a knife", ["- a knife"]),
            (
                "Requirements\n- Degree in nursing, master's preferred",
                ["- Degree in nursing, master's preferred"],
            ),
            ("Night nurse", ["Night nurse"]),
            ("Join our great team.\nWe sail.\nWe have fun.\nCome to us.", []),
        ],
    )
    def test_a_requirement_asks_for_something_and_a_story_does_not(self, text, asked):
        assert [said for kind, said in kinds(text, "jd") if kind == "requirement"] == asked

    def test_a_line_that_only_begins_like_a_heading_is_none(self):
        said = "Experience with Kafka\nSkills in welding and fitting of pipes: advanced"
        assert {kind for kind, text in kinds(said, "jd")} == {"requirement"}

    @pytest.mark.parametrize(
        ("text", "side"), [(JD, "jd"), (CV, "resume"), ("熟悉 RAG 架构设计", None), ("", None)]
    )
    def test_headings_tell_the_side(self, text, side):
        assert side_of(text) == side

    @given(
        st.lists(
            st.sampled_from([*"任职要求：:。.；; \n\t•1、Aa优先-【】#必须@+", *HEADINGS]), max_size=200
        ).map("".join),
        st.sampled_from(["jd", "resume", None]),
    )
    def test_every_character_belongs_to_exactly_one_part(self, text, side):
        parts = split(text, side)
        assert "".join(text[part.start : part.end] for part in parts) == text
        assert all(part.text == text[part.start : part.end].strip() for part in parts)


class TestWord:
    def test_tracked_changes_links_and_lists(self, tmp_path):
        made = docx.Document()
        paragraph = made.add_paragraph("kept ")._p
        for tag, kind, said in [
            ("ins", "t", "put in "),
            ("del", "delText", "taken out"),
            ("moveFrom", "t", "moved away"),
            ("moveTo", "t", "moved here"),
        ]:
            run = f"<w:r><w:{kind}>{said}</w:{kind}></w:r>".replace(
                f"<w:{kind}>", f'<w:{kind} xml:space="preserve">'
            )
            paragraph.append(parse_xml(f'<w:{tag} {nsdecls("w")} w:id="1" w:author="a">{run}</w:{tag}>'))
        link = made.add_paragraph("see ")._p
        link.append(
            parse_xml(f'<w:hyperlink {nsdecls("w")} w:anchor="x"><w:r><w:t>my page</w:t></w:r></w:hyperlink>')
        )
        made.save(tmp_path / "cv.docx")
        assert read_word(tmp_path / "cv.docx").text == "kept put in moved here\nsee my page"

    def test_headers_once_and_hidden_text_told_but_not_read(self, tmp_path):
        made = docx.Document()
        made.sections[0].header.paragraphs[0].text = "Jane Doe, nurse"
        made.add_section().header.is_linked_to_previous = False
        made.sections[1].header.paragraphs[0].text = "Jane Doe, nurse"
        made.add_paragraph("Ran a ward").add_run("keywords").font.hidden = True
        made.save(tmp_path / "cv.docx")
        found = read_word(tmp_path / "cv.docx")
        assert found.text.splitlines() == ["Jane Doe, nurse", "Ran a ward"]
        assert found.notes == ("8 characters of hidden text not read",)

    def test_a_table_for_layout_is_read_column_by_column(self, tmp_path):
        made = docx.Document()
        left, right = made.add_table(1, 2).rows[0].cells
        left.text, right.text = "Skills\nWelding", "2020 Fitter\n2022 Foreman"
        for cell, more in ((left, "Pipes"), (right, "2024 Head")):
            cell.add_paragraph(more)
        made.save(tmp_path / "cv.docx")
        assert read_word(tmp_path / "cv.docx").text.splitlines() == [
            *("Skills", "Welding", "Pipes"),
            *("2020 Fitter", "2022 Foreman", "2024 Head"),
        ]


def pdf(path, place):
    canvas = Canvas(str(path), pagesize=(600, 800))
    canvas.setFont("Helvetica", 10)
    place(canvas)
    canvas.save()
    return path


class TestPdf:
    def test_columns_are_read_one_after_the_other(self, tmp_path):
        left = ["Led the night shift of a large city", "hospital for seven years and wrote", "its rota."]
        right = ["Ventilation", "Medication audits", "English"]

        def place(canvas):
            for number, (one, two) in enumerate(zip(left, right, strict=True)):
                canvas.drawString(50, 700 - 14 * number, one)
                canvas.drawString(350, 700 - 14 * number, two)

        found = read_pdf(pdf(tmp_path / "cv.pdf", place)).text
        assert found.replace("\n", " ") == " ".join([*left, *right])

    def test_widely_spaced_lines_are_one_paragraph(self, tmp_path):
        lines = ["Looked after forty patients in a ward that never", "slept, and trained the staff."]

        def place(canvas):
            for number, line in enumerate(lines):
                canvas.drawString(50, 700 - 18 * number, line)

        assert read_pdf(pdf(tmp_path / "cv.pdf", place)).text == " ".join(lines)

    def test_filled_fields_are_read_with_their_names(self, tmp_path):
        def place(canvas):
            canvas.drawString(50, 700, "Application")
            canvas.acroForm.textfield(name="skills", value="Welding", x=50, y=600)
            canvas.acroForm.checkbox(name="licence", checked=True, x=50, y=550)
            canvas.acroForm.textfield(name="empty", value="", x=50, y=500)

        assert read_pdf(pdf(tmp_path / "form.pdf", place)).text.splitlines() == [
            "Application",
            "skills: Welding",
            "licence: Yes",
        ]

    def test_more_pages_than_anybody_reads_are_refused(self, tmp_path):
        def place(canvas):
            for _ in range(MOST_PAGES):
                canvas.drawString(50, 700, "x")
                canvas.showPage()
            canvas.drawString(50, 700, "x")

        with pytest.raises(InputError, match="more than 400 pages"):
            read_pdf(pdf(tmp_path / "long.pdf", place))

    @pytest.mark.parametrize(
        ("lines", "joined"),
        [
            ("We look for an engi-\nneer with a long breath", "We look for an engineer with a long breath"),
            ("You are a very much self-\nmotivated person", "You are a very much self-motivated person"),
            ("The state-of-the-\nart of building systems", "The state-of-the-art of building systems"),
            ("He works at night-\nShift and by day also", "He works at night-Shift and by day also"),
        ],
    )
    def test_divided_words_are_mended_and_compounds_kept(self, lines, joined):
        assert paragraphs_of(lines, width=40 if len(lines) > 40 else 20) in ([joined], lines.split("\n"))
        assert paragraphs_of("x" * 45 + f"\n{'y' * 20} {lines}", width=45)[-1].endswith(joined)


class TestOthers:
    def test_open_document(self, tmp_path):
        made = OpenDocument("text")
        made.body.clear()
        table = Table("t")
        table.set_values([["2020", "Fitter"]])
        for element in (Header(1, "Career"), Paragraph("Ran a  ward"), List(["Welding"]), table):
            made.body.append(element)
        made.save(tmp_path / "cv.odt")
        assert read_content(tmp_path / "cv.odt").text == "Career\nRan a  ward\n• Welding\n2020 | Fitter"

    def test_html_as_a_browser_shows_it(self, tmp_path):
        page = tmp_path / "jd.html"
        page.write_text(
            "<style>p{}</style><h1>A &amp; B</h1><p style='display:none'>x</p><script>y</script><li>z",
            "utf-8",
        )
        assert [line.strip(" *") for line in read_content(page).text.splitlines()] == ["A & B", "z"]

    def test_rich_text(self, tmp_path):
        path = tmp_path / "cv.rtf"
        path.write_bytes(rb"{\rtf1\ansi\ansicpg936 \'b9\'a4\'d7\'f7\par \u31070?x\par}")
        assert read_content(path).text == "工作\n神x"

    @pytest.mark.parametrize(
        ("name", "better"), [("cv.doc", ".docx"), ("cv.pages", ".docx"), ("cv.heic", ".png")]
    )
    def test_what_cannot_be_read_is_refused_with_what_can(self, tmp_path, name, better):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(InputError, match=rf"{name}.* save it as {better}"):
            read_documents(tmp_path / name)


class TestMany:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "a.txt").write_text(JD, "utf-8")
        (tmp_path / "sub" / "a.txt").write_text(CV, "utf-8")
        (tmp_path / "b.docx").write_bytes(b"PK\x03\x04 broken")
        (tmp_path / ".hidden").write_text("x", "utf-8")
        (tmp_path / "~$b.docx").write_text("x", "utf-8")
        (tmp_path / "c.md").write_text(JD, "utf-8")
        return tmp_path

    def test_a_folder_is_read_but_for_its_broken_files(self, folder):
        found = read_documents(folder)
        assert [document.id for document in found] == ["a.txt", "c", "sub/a.txt"]
        assert [each.source for each in found.unread] == ["b.docx"]
        assert found.same_text == {"c": "a.txt"}
        assert "not read: b.docx:" in found.summary()

    def test_a_broken_file_alone_is_an_error(self, folder):
        with pytest.raises(InputError, match="damaged ZIP archive"):
            read_documents(folder / "b.docx")

    def test_a_zip_gives_what_its_folder_gives_and_writes_nowhere_else(self, folder, tmp_path):
        with ZipFile(tmp_path / "all.zip", "w") as archive:
            for name in ("a.txt", "sub/a.txt", "b.docx", "c.md"):
                archive.write(folder / name, name)
            archive.writestr("../../evil.txt", "outside")
        found = read_documents(tmp_path / "all.zip")
        assert [document.text for document in found] == [
            JD.strip("\n").replace("\n\n", "\n"),
            CV.strip("\n"),
            JD.strip("\n"),
            "outside",
        ]
        assert not (tmp_path.parent / "evil.txt").exists()

    def test_a_zip_that_holds_zips_that_hold_zips_comes_to_an_end(self, tmp_path):
        inner = tmp_path / "0.zip"
        with ZipFile(inner, "w") as archive:
            archive.writestr("a.txt", "deep")
        for level in range(1, 5):
            outer = tmp_path / f"{level}.zip"
            with ZipFile(outer, "w") as archive:
                archive.write(inner, "inner.zip")
                archive.writestr(f"{level}.txt", f"level {level}")
            inner = outer
        found = read_documents(inner)
        assert [document.text for document in found] == ["level 3", "level 4"] or len(found) == 2
        assert "lies too deep" in found.unread[0].reason

    def test_a_folder_that_leads_back_to_itself_is_read_once(self, tmp_path):
        (tmp_path / "cvs").mkdir()
        (tmp_path / "cvs" / "a.txt").write_text("ward nurse")
        (tmp_path / "cvs" / "again").symlink_to(tmp_path / "cvs", target_is_directory=True)
        (tmp_path / "cvs" / "round.txt").symlink_to("round.txt")
        found = read_documents(tmp_path / "cvs")
        assert [document.text for document in found] == ["ward nurse"]

    def test_an_e_mail_and_what_is_attached(self, tmp_path):
        message = EmailMessage()
        message.set_content("Dear team,\nmy CV is attached.")
        message.add_attachment(CV.encode(), maintype="text", subtype="markdown", filename="cv.md")
        (tmp_path / "mail.eml").write_bytes(bytes(message))
        assert [d.text.splitlines()[0] for d in read_documents(tmp_path / "mail.eml")] == [
            "Dear team,",
            "张三",
        ]

    def test_a_table_has_one_a_row_with_its_id_and_the_rest(self, tmp_path):
        book = openpyxl.Workbook()
        for row in (
            ["Job ID", "description", "city"],
            ["j1", JD, "Bern"],
            ["j2", "nan", "Basel"],
            ["j3", "Chef", ""],
        ):
            book.active.append(row)
        book.save(tmp_path / "jobs.xlsx")
        found = read_documents(tmp_path / "jobs.xlsx", side="jd")
        assert [(d.id, d.source["row"], d.side) for d in found] == [("j1", 2, "jd"), ("j3", 4, "jd")]
        assert found[0].source["city"] == "Bern"
        assert found[0].text == JD
        assert [each.source for each in found.unread] == ["jobs.xlsx, row 3"]


class TestPasted:
    @pytest.mark.parametrize(
        ("text", "how"),
        [
            (JD, "one"),
            (CV, "one"),
            ("熟悉 RAG 架构设计\n有护理经验\n会焊接", "lines"),
            ("熟悉 RAG\n\n有护理经验\n\n会焊接", "lines"),
            ("• 熟悉 RAG\n• 有护理经验", "one"),
            (f"{JD}\n---\n{JD}", "blocks"),
            (f"{JD}\n\n\n{JD}\n\n\n{JD}", "blocks"),
            ("Worked on a ward for years,\nand at night", "one"),
            ("one line", "one"),
        ],
    )
    def test_what_is_understood(self, text, how):
        assert understood_as(text) == how

    def test_how_may_be_said(self):
        assert [d.text for d in documents_in("a\n\nb\nc", "blocks")] == ["a", "b\nc"]
        assert [d.text for d in documents_in("a\n\nb\nc", "lines")] == ["a", "b", "c"]
        with pytest.raises(InputError, match="how is 'words'; choose one of 'one', 'lines', 'blocks'"):
            documents_in("a", "words")


class TestAside:
    """Many slow files, read in processes of their own."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(aside, "WORTH_WHILE", 0)
        monkeypatch.setattr(aside.os, "cpu_count", lambda: 2)
        for number in range(4):
            document = docx.Document()
            document.add_paragraph(f"Ward nurse {number}, three years at night")
            document.save(tmp_path / f"{number}.docx")
        (tmp_path / "broken.docx").write_bytes(b"PK\x03\x04 broken")
        (tmp_path / "plain.txt").write_text("Java", "utf-8")
        return tmp_path

    def test_the_same_is_read_in_the_same_order(self, folder, monkeypatch):
        with language("zh"):
            found = read_documents(folder)
            monkeypatch.setattr(aside, "WORTH_WHILE", 1e9)
            one_by_one = read_documents(folder)
        assert [(each.id, each.text) for each in found] == [(each.id, each.text) for each in one_by_one]
        assert len(found) == 5
        assert found.unread == one_by_one.unread
        assert [each.source for each in found.unread] == ["broken.docx"]

    @pytest.mark.parametrize(
        "program",
        ["import os; os.abort()", pytest.param("import time; time.sleep(60)", marks=pytest.mark.slow)],
    )
    def test_a_file_that_ends_its_process_or_hangs_is_listed_and_the_rest_is_read(
        self, folder, monkeypatch, program
    ):
        start, started = aside._start, []

        def failing_once():
            started.append(None)
            if len(started) > 1:
                return start()
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            return subprocess.Popen([sys.executable, "-c", program], **pipes)

        monkeypatch.setattr(aside, "_start", failing_once)
        monkeypatch.setattr(aside, "LONGEST", 8 if "sleep" in program else 600)
        found = read_documents(folder)
        assert len(found) == 4
        (missed,) = [each for each in found.unread if each.source != "broken.docx"]
        assert f"{missed.source} takes more than" in missed.reason
