"""Workbooks and tables as people save them: what a person sees there is what comes out, or it is said."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from zipfile import ZipFile

import openpyxl
import pytest
from reading import read_one

import workbench as wb
from workbench.errors import InputError, PairsWarning
from workbench.files.workbooks import sheet_rows
from workbench.pairs import read_argilla, read_label_studio


@pytest.fixture
def book():
    made = openpyxl.Workbook()
    made.active.append(["jd", "resume", "label"])
    return made


def saved(book, folder):
    path = folder / "pairs.xlsx"
    book.save(path)
    return path


class TestSheets:
    def test_hidden_sheets_are_passed_over_and_named(self, book, tmp_path):
        book.active.title, book.active.sheet_state = "choices", "hidden"
        book.create_sheet("secrets").sheet_state = "veryHidden"
        seen = book.create_sheet("岗位")
        seen.append(["jd"])
        seen.append(["Night nurse"])
        found = read_one(saved(book, tmp_path))
        assert found.texts == ["Night nurse"]
        assert "sheet '岗位'; not read: 'choices' (hidden), 'secrets' (hidden)" in found.notes

    def test_a_hidden_sheet_is_read_where_it_is_named(self, book, tmp_path):
        book.active.append(["Welder", "Fitter", 0])
        book.create_sheet("seen")
        book.active.sheet_state = "hidden"
        assert sheet_rows(saved(book, tmp_path), "Sheet").rows == [["Welder", "Fitter", 0]]

    def test_rows_keep_the_numbers_that_excel_shows(self, tmp_path):
        made = openpyxl.Workbook()
        made.active["B3"], made.active["B6"] = "jd", "Chef"
        found = sheet_rows(saved(made, tmp_path))
        assert (found.columns, found.numbers, found.rows) == (["column 1", "jd"], [6], [[None, "Chef"]])


class TestCells:
    def test_escaped_characters_are_those_that_excel_shows(self, book, tmp_path):
        book.active.append(["first_x000D_\nsecond", "_x0042_ and _x005F_x0042_", "'quoted"])
        assert sheet_rows(saved(book, tmp_path)).rows == [["first\r\nsecond", "B and _x0042_", "'quoted"]]

    def test_a_merged_cell_counts_in_each_of_its_rows(self, book, tmp_path):
        for row in (["JD one", "CV a", 1], [None, "CV b", 0], [None, "CV c", 1]):
            book.active.append(row)
        book.active.merge_cells("A2:A4")
        with pytest.warns(
            PairsWarning, match="1 merged cell counted in each of its rows \\(2 cells filled\\)"
        ):
            pairs = wb.read_pairs(saved(book, tmp_path))
        assert pairs["jd"].tolist() == ["JD one"] * 3

    def test_a_formula_that_was_never_computed_is_refused_with_its_place(self, book, tmp_path):
        book.active.append(["JD one", "CV a", 1])
        book.active.append(["JD two", "CV b", "=1-C2"])
        with pytest.raises(InputError, match=r"sheet 'Sheet', column C, row 3: a formula .* save it"):
            wb.read_pairs(saved(book, tmp_path))

    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ('<c r="A2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>', "ab"),
            ('<c r="A2" t="str"><f>IF(1,"","x")</f><v></v></c>', None),
            ('<c r="A2"><f>1+1</f><v>2</v></c>', 2),
        ],
    )
    def test_a_formula_counts_as_its_stored_value_be_it_empty(self, book, tmp_path, cell, value):
        book.active.append(["PLACE", "CV", 1])
        path = saved(book, tmp_path)
        with ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        before, _, rest = members[sheet].decode().partition('<c r="A2"')
        members[sheet] = (before + cell + rest.partition("</c>")[2]).encode()
        with ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        assert sheet_rows(path).rows[0][0] == value

    def test_errors_are_missing_and_told_with_their_rows(self, book, tmp_path):
        book.active.append(["JD one", "#N/A", 1])
        book.active.append(["#REF!", "#N/A", 1])
        for cell in ("B2", "A3", "B3"):
            book.active[cell].data_type = "e"
        found = sheet_rows(saved(book, tmp_path))
        assert found.rows == [["JD one", None, 1], [None, None, 1]]
        assert found.notes == (
            "#N/A in 2 cells taken as missing (rows 2, 3)",
            "#REF! in 1 cell taken as missing (row 3)",
        )

    def test_values_are_those_that_people_type(self, book, tmp_path):
        book.active.append([3.0, 2.5, True])
        book.active.append([datetime(2026, 3, 1, 9, 30), timedelta(hours=2), "007"])
        assert sheet_rows(saved(book, tmp_path)).rows == [
            [3, 2.5, True],
            [datetime(2026, 3, 1, 9, 30), timedelta(hours=2), "007"],
        ]

    def test_an_old_or_protected_workbook_is_refused_in_a_sentence(self, tmp_path):
        path = tmp_path / "old.xlsx"
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2048))
        with pytest.raises(InputError, match="old Office file"):
            read_one(path)


class TestWordsForMissing:
    @pytest.mark.parametrize("word", ["nan", "NaN", "NULL", "N/A", "#NAME?", "None", "<NA>"])
    def test_they_are_no_texts(self, word):
        cleaned = wb.clean(["Night nurse", f" {word} "])
        assert cleaned.texts == ["Night nurse"]
        assert cleaned.report.missing == {1: word}
        assert f"say only that there is none ({word!r})" in cleaned.report.summary()

    @pytest.mark.parametrize(
        "text", ["Nancy", "NA 12 certificate", "none of the above", "null pointers, C++"]
    )
    def test_texts_that_hold_such_a_word_stay(self, text):
        assert wb.clean([text]).texts == [text]

    def test_pairs_with_them_are_named_by_row(self, tmp_path):
        path = tmp_path / "pairs.csv"
        path.write_text("jd,resume,label\nNurse,nan,1\nWelder,Fitter,0\nnull,Chef,0\nCook,Chef,1\n", "utf-8")
        with pytest.raises(InputError, match=r"resume, row 2: 'nan': empty") as caught:
            wb.read_pairs(path)
        assert "jd, row 4: 'null': empty" in str(caught.value)
        with pytest.warns(PairsWarning, match="2 rows that could not be used left out"):
            pairs = wb.read_pairs(path, bad_rows="drop")
        assert pairs["resume"].tolist() == ["Fitter", "Chef"]

    def test_a_table_of_texts_tells_them(self, tmp_path):
        path = tmp_path / "jds.csv"
        path.write_text("id,jd\n1,Night nurse\n2,NULL\n3,NULL\n4,Welder\n", "utf-8")
        assert "2 texts only say that there is none ('NULL'): row 3, row 4" in read_one(path).notes


class TestDelimited:
    @pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;\r"])
    def test_a_first_line_may_name_the_separator(self, tmp_path, line):
        path = tmp_path / "jds.csv"
        path.write_text(f"{line}\njd;n\nNurses, wards;1\n", "utf-8", newline="")
        found = read_one(path)
        assert (found.texts, found.records[0]["row"]) == (["Nurses, wards"], 2)

    def test_columns_are_known_whatever_their_capitals_and_blanks(self, tmp_path):
        path = tmp_path / "pairs.csv"
        path.write_text(" JD ,Resume, Label\nNurse,Ward nurse,1\nNurse,Chef,0\n", "utf-8")
        with pytest.warns(PairsWarning, match="Column 'JD' read as jd"):
            pairs = wb.read_pairs(path)
        assert pairs["label"].tolist() == [1, 0]

    def test_two_columns_of_one_name_are_not_guessed(self, tmp_path):
        path = tmp_path / "pairs.csv"
        path.write_text("JD,Jd,resume,label\nNurse,Cook,Ward nurse,1\n", "utf-8")
        with pytest.raises(InputError, match="no column jd"):
            wb.read_pairs(path)


CHOSEN = {"from_name": "label", "type": "choices", "value": {"choices": ["match"]}}
ANSWER = {"result": [CHOSEN], "completed_by": 7}
TASK = {"data": {"jd": "Night nurse", "resume": "Ward nurse"}}


class TestExchange:
    @pytest.mark.parametrize("odd", [None, 12, "match", [ANSWER]])
    def test_what_is_no_annotation_is_named_and_the_sound_ones_stay(self, odd):
        with pytest.warns(PairsWarning, match="1 entry that is no answer left out .*task 1"):
            found = read_label_studio([{**TASK, "annotations": [odd, ANSWER]}])
        assert found.annotations["annotator"].tolist() == ["user-7"]
        assert len(found.unreadable) == 1

    def test_tasks_of_old_versions_have_completions(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = read_label_studio([{**TASK, "completions": [ANSWER]}])
        assert found.annotations["label"].tolist() == [1]

    def test_responses_of_argilla_may_be_a_list_by_user(self):
        record = {
            "id": "p",
            "fields": TASK["data"],
            "responses": [
                {"user_id": "a-1", "status": "submitted", "values": {"label": {"value": "match"}}},
                {"user_id": "b-1", "status": "draft", "values": {"label": {"value": "match"}}},
                None,
            ],
        }
        with pytest.warns(PairsWarning, match="record 1: NoneType"):
            found = read_argilla([record])
        assert found.annotations["annotator"].tolist() == ["user-a"]
        assert found.n_skipped == 1
