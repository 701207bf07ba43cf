"""From piles of documents to shortlists: what is shown, written, and never lost."""

from __future__ import annotations

import json
import re
import warnings
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
from pypdf import PdfWriter
from typer.testing import CliRunner

import workbench as wb
from workbench.cli import app
from workbench.cutoffs import Cutoff
from workbench.documents import Document
from workbench.documents.reading import Documents, Unread
from workbench.errors import EncoderMismatchError, InputError
from workbench.reports.shortlist import coverage_html, ranking_html, shortlist_html, write_shortlist_report
from workbench.retrieval.conditions import Condition, Met
from workbench.retrieval.ranking import rank
from workbench.scorers import load_scorer
from workbench.scorers.coverage import CoverageLevels

JDS = {
    "night-nurse": "Requirements\nRN licence is a must\nnight shifts on a ward",
    "welder": "任职要求\n持焊工证\n管道焊接经验\n加分项\n会看图纸",
    "=cmd": "Your profile\nbookkeeping and tax returns",
}
RESUMES = {
    "anna": "Experience\nWard nurse, night shifts for 7 years\nCertificates\nRN licence since 2015",
    "李师傅": "工作经历\n管道焊接十二年\n证书\n焊工证",
    "bo": "Profile\nBookkeeping, tax returns and payroll, 3 years\n<script>alert(1)</script>",
    "chess": 'Summary\n=HYPERLINK("http://x.example") and chess',
}


@pytest.fixture(scope="module")
def ranking():
    return ranked()


@pytest.fixture(scope="module")
def found():
    encoder = wb.load_encoder("keyword")
    jds = [Document(name, text, side="jd") for name, text in JDS.items()]
    jds.append(Document("story", "Join us.\nWe sail.\nWe have fun.\nCome along.", side="jd"))
    texts = {
        **RESUMES,
        "anna again": RESUMES["anna"],
        "long": "Night shifts on a ward\nStripes: " + "zebra, " * 90 + "\n" + "x " * 900,
    }
    resumes = Documents(
        [Document(name, text, side="resume") for name, text in texts.items()],
        [Unread("broken.docx", "It is <b>broken</b>.")],
    )
    levels = CoverageLevels(0.3, 0.1, encoder.fingerprint)
    options = {"cutoff": Cutoff(0.1, "keyword", encoder.fingerprint), "conditions": ["years >= 5"]}
    return rank(jds, resumes, scorer=load_scorer(encoder), encoder=encoder, levels=levels, **options)


def ranked(**options):
    jds = [Document(name, text, side="jd") for name, text in JDS.items()]
    resumes = [Document(name, text, side="resume") for name, text in RESUMES.items()]
    return wb.rank(jds, resumes, scorer="keyword", **options)


class TestShortlists:
    def test_the_right_one_leads_each(self, ranking):
        first = {jd: some[0].resume_id for jd, some in ranking.shortlists.items()}
        assert first == {"night-nurse": "anna", "welder": "李师傅", "=cmd": "bo"}

    def test_ranks_follow_the_scores_and_everyone_is_there(self, ranking):
        frame = ranking.to_frame()
        assert len(frame) == len(JDS) * len(RESUMES)
        for _jd, some in frame.groupby("jd_id"):
            assert some["rank"].tolist() == [1, 2, 3, 4]
            assert some["score"].is_monotonic_decreasing

    def test_top_is_a_limit(self):
        assert {len(some) for some in ranked(top=2).shortlists.values()} == {2}
        with pytest.raises(InputError, match="top is 0"):
            ranked(top=0)

    def test_without_a_cutoff_none_is_drawn_and_it_is_said(self, ranking):
        assert ranking.to_frame()["is_match"].isna().all()
        assert "No cutoff is calibrated" in ranking.summary()

    def test_a_cutoff_of_this_scorer_is_drawn_and_of_another_refused(self):
        fingerprint = wb.load_encoder("keyword").fingerprint
        found = ranked(cutoff=Cutoff(0.1, "keyword", fingerprint))
        frame = found.to_frame()
        assert (frame["is_match"] == (frame["score"] > 0.1)).all()
        assert f"{frame['is_match'].sum()} of 12 pairs lie above the cutoff" in found.summary()
        with pytest.raises(EncoderMismatchError):
            ranked(cutoff=Cutoff(0.1, "use", "another"))

    def test_evidence_is_the_nearest_phrase(self, ranking):
        found = ranking.coverage("night-nurse", "anna")
        assert found.rows[0].phrase.text == "RN licence since 2015"
        assert ranking.coverage("welder", "anna").rows[0].requirement.text == "持焊工证"
        with pytest.raises(InputError, match="no document 'nobody'"):
            ranking.coverage("welder", "nobody")

    def test_texts_and_tables_are_ranked_too(self):
        jds = pd.DataFrame({"jd_id": ["a"], "jd": ["night nurse"], "city": ["Bern"]})
        found = wb.rank(jds, ["chess player", "nurse at night"], scorer="keyword")
        assert found.to_frame()[["jd_id", "resume_id"]].to_numpy().tolist() == [["a", "2"], ["a", "1"]]


class TestConditions:
    resume = Document(
        "a", "Experience\nseven years? no: 4 years of welding\n8年护理", {"City": " bern ", "n": 3}, "resume"
    )

    @pytest.mark.parametrize(
        ("text", "met"),
        [
            ("years >= 5", Met(True, "8年护理")),
            ("years >= 9", Met(False, "8年护理")),
            ("city = Basel | Bern", Met(True, " bern ")),
            ("city != Bern", Met(False, " bern ")),
            ("n > 2.5", Met(True, "3")),
            ("degree = BSc", Met(None)),
            ("has: Ventilation | WELDING", Met(True, "no: 4 years of welding")),
            ("has：护理", Met(True, "8年护理")),
            ("has: dance", Met(None)),
        ],
    )
    def test_columns_tell_else_words(self, text, met):
        assert Condition.parse(text).of(self.resume) == met

    @pytest.mark.parametrize(
        ("condition", "text", "met"),
        [
            ("years >= 5", "Backend developer with five years of experience", True),
            ("years >= 5", "Twelve-year-old cat, 18 years old, born 1990 years ago", None),
            ("years >= 5", "Clerk, 2001 – 2009\nMoved here 3 years ago", True),
            ("years >= 5", "Licence since 2001", None),
            ("years >= 4", "Welder, Kiel, 2016.07 – 2018.06\nFitter, 2018 to 2019\nBSc, 2010–2015", False),
            ("years >= 4", "2016年7月—2020年9月　焊工", True),
            ("years >= 4", "2010.09—2014.06　姑苏大学　会计", None),
            ("工作年限 >= 10", "从事护理十二年", True),
            ("years >= 2", "三年级班主任，第五年", None),
            ("degree >= bachelor", "M.Sc. Physics, Kiel, 2011", True),
            ("degree >= master", "本科（会计学，2014年）", False),
            ("学历 >= 本科", "学历：大专", False),
            ("degree >= bachelor", "Scrum master of two teams", None),
            ("degree = 博士", "PhD in economics", True),
            ("language = German", "德语C1", True),
            ("语言 = 英语", "English C2", True),
            ("language = German", "A germane remark", None),
            ("certificate = RN licence | 护士执业证", "持护士执业证", True),
            ("city = Bern", "Lives in Bern", True),
            ("city != Bern", "Lives in Bern", None),
            ("has: Go", "Good with Google Docs", None),
            ("has: C++", "Five years of C++.", True),
        ],
    )
    def test_words_tell_years_degrees_languages_and_places(self, condition, text, met):
        found = Condition.parse(condition).of(Document("a", text, side="resume"))
        assert found.met is met
        assert bool(found.found) is (met is not None)

    def test_a_column_tells_before_the_words_and_a_degree_is_more_than_its_name(self):
        resume = Document("a", "PhD in law", {"Degree": "大专"}, "resume")
        assert Condition.parse("degree >= bachelor").of(resume) == Met(False, "大专")

    @pytest.mark.parametrize("text", ["nonsense", "", "years >= many", "a >= 1 | 2", "degree >= clever"])
    def test_what_is_none_is_refused(self, text):
        with pytest.raises(InputError, match=r"is no condition|is no number"):
            Condition.parse(text)

    def test_nobody_is_left_out(self):
        found = ranked(conditions=["has: RN licence"])
        assert len(found.to_frame()) == 12
        assert found.shortlists["night-nurse"][0].conditions["has: RN licence"].met


class TestWritten:
    def test_as_json_it_names_its_encoder(self, ranking):
        kept = json.loads(json.dumps(ranking.to_dict()))
        assert kept["encoder"] == {"name": "keyword", "fingerprint": ranking.encoder.fingerprint}
        assert len(kept["shortlists"]) == len(JDS)

    def test_as_json_it_tells_what_was_not_read_and_no_text_many_times(self, found):
        kept = json.dumps(found.to_dict(), ensure_ascii=False)
        assert json.loads(kept)["unread"] == [{"source": "broken.docx", "reason": "It is <b>broken</b>."}]
        assert json.loads(kept)["same_text"]["resumes"] == {"anna again": "anna"}
        (first, *_rest) = json.loads(kept)["shortlists"]["welder"]
        assert first["coverage"].keys() == {"jd_id", "resume_id", "rows"}

    def test_a_sheet_a_jd_and_no_formula(self, tmp_path):
        found = ranked(conditions=["years >= 5"])
        book = openpyxl.load_workbook(found.to_excel(tmp_path / "s.xlsx"))
        assert book.sheetnames == ["Overview", "night-nurse", "welder", "=cmd"]
        sheet = book["night-nurse"]
        assert sheet.freeze_panes == "C2"
        assert [cell.value for cell in sheet[1]][-2:] == ["RN licence is a must", "night shifts on a ward"]
        anna = {title.value: cell for title, cell in zip(sheet[1], sheet[2], strict=True)}
        assert anna["candidate"].value == "anna"
        assert anna["name"].value is None or "RN" not in anna["name"].value
        assert "RN licence since 2015" in anna["RN licence is a must"].comment.text
        assert anna["years >= 5"].value == "✓ met"
        assert anna["years >= 5"].comment.text == "Ward nurse, night shifts for 7 years"
        cells = [cell for each in book for row in each.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells)
        with pytest.raises(InputError, match=r"ends with \.xlsx"):
            found.to_excel(tmp_path / "s.xls")

    def test_states_have_a_colour_a_sign_and_a_word_and_the_cutoff_a_line(self, found, tmp_path):
        sheet = openpyxl.load_workbook(found.to_excel(tmp_path / "s.xlsx"))["night-nurse"]
        column = len(sheet[1])
        states = {
            sheet.cell(row, column).value: sheet.cell(row, column).fill.start_color.rgb for row in range(2, 8)
        }
        assert set(states) <= {"✓ covered", "? unsure", "○ no phrase found"}
        assert len(set(states.values())) == len(states) > 1
        lines = [row for row in range(2, 8) if getattr(sheet.cell(row, 1).border.top, "style", None)]
        assert lines == [found.above("night-nurse") + 2]

    @pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "＝", "＋", "－", "＠", "\r@"])
    def test_no_text_becomes_a_formula(self, sign, tmp_path):
        said = f"{sign}HYPERLINK(A1)"
        jd = Document(said, f"Requirements\n{said} must\nnight shifts", side="jd")
        resume = Document(said, f"{said}\n{said} night shifts", {"city": said}, side="resume")
        found = wb.rank([jd], [resume], scorer="keyword", conditions=["city = Bern"])
        file = found.to_excel(tmp_path / "s.xlsx")
        cells = [cell for sheet in openpyxl.load_workbook(file) for row in sheet.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells)
        told = [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith(said[:1])]
        assert len(told) >= 3
        assert all(cell.quotePrefix for cell in told)
        with ZipFile(file) as archive:
            assert not any(b"<f>" in archive.read(name) for name in archive.namelist())

    def test_names_that_excel_cannot_have_as_titles(self, tmp_path):
        ids = ["a/b:c?", "A-b c ", "x" * 40, "x" * 40 + "y", "'q'", "[]"]
        jds = [Document(name, "night nurse", side="jd") for name in ids]
        found = wb.rank(jds, ["nurse"], scorer="keyword")
        titles = openpyxl.load_workbook(found.to_excel(tmp_path / "s.xlsx")).sheetnames
        assert len(titles) == 7
        assert all(len(title) <= 31 for title in titles)

    def test_the_page_escapes_what_texts_say(self, ranking, tmp_path):
        page = write_shortlist_report(ranking, tmp_path / "s.html").read_text("utf-8")
        assert "<script>" not in page
        assert "候选人" in page
        assert not re.search(r"(?:src|href)=.(?!#|data:)", page)


class TestPage:
    """With levels and a cutoff, so that all that can be said is said."""

    def rows_of(self, html):
        return re.findall(r'<tbody class="(wb-\w+)">(.*?)</tbody>\s*(?=<tbody|</table>)', html, re.DOTALL)

    def test_a_line_parts_matches_from_the_rest(self, found):
        kinds = [kind for kind, _row in self.rows_of(shortlist_html(found, "night-nurse", styled=False))]
        above = found.above("night-nurse")
        assert 0 < above < len(found.resumes)
        assert [kind for kind in kinds if kind] == ["wb-match"] * above + ["wb-cutoff"] + ["wb-below"] * (
            len(found.resumes) - above
        )

    def test_phrases_are_marked_with_the_numbers_of_their_requirements(self, found):
        html = coverage_html(found.coverage("night-nurse", "anna"), styled=False)
        assert "<mark>RN licence since 2015<sup>1</sup></mark>" in html
        assert html.count("<mark>") == 2

    def test_nothing_is_marked_for_what_was_not_found_and_it_is_named(self, found):
        html = shortlist_html(found, "night-nurse", styled=False)
        chess = next(row for _kind, row in self.rows_of(html) if "<b>chess</b>" in row)
        assert "<mark>" not in chess
        assert re.search(r"wb-missing.*?<li>RN licence is a must</li>", chess, re.DOTALL)
        assert found.coverage("night-nurse", "chess").counts == {"covered": 0, "unsure": 0, "not found": 2}

    def test_a_jd_that_asks_for_nothing_says_so_and_misses_nothing(self, found):
        assert "names no requirement" in shortlist_html(found, "story", styled=False)
        assert not any(each.coverage.missing for each in found.shortlists["story"])

    def test_what_was_not_read_or_is_there_twice_is_told(self, found):
        html = ranking_html(found, styled=False)
        assert "It is &lt;b&gt;broken&lt;/b&gt;." in html
        assert "anna again has the same text as anna" in html

    def test_a_long_resume_is_shortened_between_its_marks(self, found):
        html = coverage_html(found.coverage("night-nurse", "long"), styled=False)
        assert "[… 1,840 characters …]" in html
        assert len(html) < 5000


class TestCommand:
    def test_folders_in_files_out(self, tmp_path):
        for side, texts in (("jds", JDS), ("cvs", RESUMES)):
            (tmp_path / side).mkdir()
            for name, text in texts.items():
                (tmp_path / side / f"{name}.txt").write_text(text, "utf-8")
        (tmp_path / "cvs" / "broken.docx").write_bytes(b"PK\x03\x04")
        files = [tmp_path / f"s{suffix}" for suffix in (".xlsx", ".csv", ".html")]
        out = [part for file in files for part in ("--out", str(file))]
        done = CliRunner().invoke(
            app, ["rank", str(tmp_path / "jds"), str(tmp_path / "cvs"), "-s", "keyword", *out]
        )
        assert done.exit_code == 1, done.output
        assert "not read: broken.docx" in done.output
        assert all(file.exists() for file in files)
        assert pd.read_csv(files[1])["jd_id"].iloc[0] == "'=cmd"

    def test_a_file_that_cannot_be_written_is_refused_before_the_work(self, tmp_path):
        done = CliRunner().invoke(app, ["rank", str(tmp_path), str(tmp_path), "--out", "s.doc"])
        assert done.exit_code == 2


class TestPicture:
    def test_a_cell_has_the_sign_of_its_state_and_the_cutoff_its_line(self, found, each_language):
        figure = found.plot("night-nurse")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a glyph that is missing is a warning
            assert figure.png().startswith(b"\x89PNG")
        (ax,) = figure.axes
        signs = {text.get_position(): text.get_text() for text in ax.texts}
        for column, each in enumerate(found.shortlists["night-nurse"]):
            for row, covered in enumerate(each.coverage.rows):
                assert signs[column, row] == {"covered": "✓", "unsure": "?", "not found": "○"}[covered.state]
        assert [line.get_xdata()[0] for line in ax.lines] == [found.above("night-nurse") - 0.5]
        assert "anna" in figure.alt

    def test_without_levels_cells_have_scores(self, ranking):
        figure = ranking.plot("welder", most=2)
        scores = [
            f"{row.score:.2f}" for each in ranking.shortlists["welder"][:2] for row in each.coverage.rows
        ]
        assert [text.get_text() for text in figure.axes[0].texts] == scores

    def test_ten_by_fifteen_is_readable(self):
        jd = "Requirements\n" + "\n".join(
            f"- requirement number {n} of fifteen, told at length" for n in range(15)
        )
        resumes = [Document(f"candidate-{n}", f"number {n}", side="resume") for n in range(10)]
        found = wb.rank([Document("a", jd, side="jd")], resumes, scorer="keyword")
        figure = found.plot("a")
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
        assert len(boxes) == 15
        assert all(one.y0 >= other.y1 for one, other in pairwise(boxes))
        assert min(box.x0 for box in boxes) >= 0


class TestPairs:
    def test_whole_documents_are_explained_by_their_requirements_and_lines_by_their_phrases(self):
        coverage = wb.explain(Document("anna", RESUMES["anna"], side="resume"), JDS["night-nurse"], "keyword")
        assert coverage.rows[0].phrase.text == "RN licence since 2015"
        assert "<mark>" in coverage._repr_html_()
        assert not hasattr(
            wb.explain("ward nurse, plays chess", "nurse on a ward, by night", "keyword"), "rows"
        )

    def test_one_jd_of_many_keeps_its_numbers(self, found):
        only = found.of("welder")
        assert only.to_frame().equals(found.to_frame().query("jd_id == 'welder'").reset_index(drop=True))
        assert only.above("welder") == found.above("welder")
        with pytest.raises(InputError, match="no document 'x'"):
            found.of("x")


def pdf(pages, password=None):
    written, made = BytesIO(), PdfWriter()
    for _page in range(pages):
        made.add_blank_page(200, 200)
    if password:
        made.encrypt(password)
    made.write(written)
    return written.getvalue()


# A file of a folder with two hundred good ones, and why it is not read; None where it is.
FILES = {
    "broken.docx": (lambda: b"PK\x03\x04", "damaged ZIP archive"),
    "empty.txt": (lambda: b"", "is empty"),
    "scan.pdf": (lambda: pdf(1), "no text"),
    "locked.pdf": (lambda: pdf(1, "secret"), "protected with a password"),
    "long.pdf": (lambda: pdf(500), "more than 400 pages"),
    "huge.txt": (lambda: b"night shifts on a ward, and so on\n" * 30_000, "more than 1,000,000 characters"),
    "mixed.txt": (lambda: "Ward nurse 夜班护士\n工作经历\nNight shifts 病房夜班，RN licence".encode(), None),
    "twice.txt": (lambda: b"Nurse 7\nnight shifts on a ward", None),
}


class TestBadInput:
    @pytest.fixture(scope="class")
    @staticmethod
    def folder(tmp_path_factory):
        folder = tmp_path_factory.mktemp("résumés")
        for n in range(200):
            (folder / f"cv-{n}.txt").write_text(f"Nurse {n}\nnight shifts on a ward", "utf-8")
        for name, (content, _why) in FILES.items():
            (folder / name).write_bytes(content())
        return folder

    @pytest.fixture(scope="class")
    @staticmethod
    def many(folder):
        jd = Document("a", "Requirements\nRN licence\nnight shifts", side="jd")
        return wb.rank([jd], folder, scorer="keyword", top=500)

    @pytest.mark.parametrize(("name", "why"), [(name, why) for name, (_content, why) in FILES.items()])
    def test_a_bad_file_is_told_with_its_reason_and_a_good_one_ranked(self, many, name, why):
        unread = {each.source: each.reason for each in many.resumes.unread}
        ranked = {each.resume_id for each in many.shortlists["a"]}
        assert (name in unread) == (why is not None)
        assert (Path(name).stem in ranked) == (why is None)
        if why:
            assert why in unread[name]
            assert unread[name] in ranking_html(many, styled=False)

    def test_the_rest_is_ranked_and_a_text_that_is_there_twice_is_said(self, many):
        assert len(many.shortlists["a"]) == 202
        assert many.shortlists["a"][0].resume_id == "mixed"
        assert many.resumes.same_text == {"twice": "cv-7"}

    @pytest.mark.parametrize(
        ("jds", "resumes", "says"),
        [
            ([], ["nurse"], "list of texts, paths or documents"),
            (["nurse"], ["nurse", " "], "resumes: text 1 is blank"),
            (["nurse"], ["ward " * 2_000_000], "more than 1,000,000 characters"),
            (["nurse"], [3], "list of texts, paths or documents"),
            (["nurse"], pd.DataFrame({"a": ["x"], "b": ["y"]}), "not clear which column"),
        ],
    )
    def test_what_cannot_be_ranked_is_refused_in_a_sentence(self, jds, resumes, says):
        with pytest.raises(InputError, match=says):
            wb.rank(jds, resumes, scorer="keyword")

    @pytest.mark.parametrize("top", [1, 3, 10_000])
    def test_one_by_one_and_more_than_there_are(self, top):
        found = wb.rank(["night nurse"], ["nurse, nights"], scorer="keyword", top=top)
        assert len(found.to_frame()) == 1
        assert found.coverage("1", "1").names_requirements

    def test_ids_that_clash_stay_apart(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "cv.txt").write_text(f"nurse {name}", "utf-8")
        found = wb.rank(["night nurse"], tmp_path, scorer="keyword")
        assert sorted(each.resume_id for each in found.shortlists["1"]) == ["a/cv.txt", "b/cv.txt"]
        frame = pd.DataFrame({"jd_id": ["x", "x", "y"], "jd": ["night nurse", "welder", None]})
        found = wb.rank(frame, ["nurse", "welder"], scorer="keyword")
        assert {jd: some[0].resume_id for jd, some in found.shortlists.items()} == {"x": "1", "x (2)": "2"}
        assert [(each.source, each.reason) for each in found.jds.unread] == [("y, row 3", "it has no text")]
