"""Exported files: what a spreadsheet does with them, and what comes back."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from character_encoder import CharacterEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError, StoreError
from workbench.files.exporting import csv_bytes, export_frame, neutralise_formulas
from workbench.files.rows import delimited_rows
from workbench.files.workbooks import sheet_rows
from workbench.pairs import write_pairs
from workbench.pairs.tables import read_table
from workbench.retrieval import KnowledgeBase

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠A"]


@pytest.fixture
def base():
    metadata = [{"city": "上海", "level": 3}, {"tags": ["a", "b"]}, {"text": "own", "share": 0.25}]
    return KnowledgeBase.from_texts(
        ["=cmd|' /C calc'!A0", "熟悉 RAG", "-5 年经验"], CharacterEncoder(), metadata
    )


class TestFormulas:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_what_a_spreadsheet_would_evaluate_gets_an_apostrophe(self, text):
        frame = pd.DataFrame({text: [text]})
        safe = neutralise_formulas(frame)
        assert safe.columns.tolist() == ["'" + text]
        assert safe.iloc[0, 0] == "'" + text
        assert frame.iloc[0, 0] == text

    @pytest.mark.parametrize(
        "before", [" ", "\u00a0", "\u3000", "\ufeff", "\u200b", "\u202e", "\x0b", " \t", "\u2028"]
    )
    def test_what_some_programs_strip_hides_no_formula(self, before):
        for sign in "=+-@＝＋－＠﹦﹢﹣﹫−":
            text = f"{before}{sign}1"
            assert neutralise_formulas(pd.DataFrame({"text": [text]}))["text"].tolist() == ["'" + text]

    @given(texts=st.lists(st.text()))
    def test_no_text_begins_as_a_formula_and_others_are_as_they_were(self, texts):
        safe = neutralise_formulas(pd.DataFrame({"text": pd.Series(texts, dtype=object)}))["text"].tolist()
        for before, after in zip(texts, safe, strict=True):
            assert after == before or after == "'" + before
            assert not after.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))

    def test_negative_numbers_stay_numbers(self):
        assert neutralise_formulas(pd.DataFrame({"score": [-0.5]}))["score"].tolist() == [-0.5]


class TestFormats:
    def test_csv_opens_in_excel_with_chinese_and_without_formulas(self, base, tmp_path):
        path = base.export(tmp_path / "kb.csv")
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        frame = pd.read_csv(path)
        assert frame["text"].tolist() == ["'=cmd|' /C calc'!A0", "熟悉 RAG", "'-5 年经验"]
        assert frame["tags"].dropna().tolist() == ['["a", "b"]']

    def test_a_workbook_has_no_formula_cells(self, base, tmp_path):
        sheet = openpyxl.load_workbook(base.export(tmp_path / "kb.xlsx")).active
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert "f" not in {cell.data_type for cell in cells}
        assert sheet["A2"].value == "'=cmd|' /C calc'!A0"
        assert sheet["A1"].value == "text"

    def test_json_lines_are_exactly_what_is_stored(self, base, tmp_path):
        lines = base.export(tmp_path / "kb.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [
            {"text": "=cmd|' /C calc'!A0", "city": "上海", "level": 3},
            {"text": "熟悉 RAG", "tags": ["a", "b"]},
            {"text": "-5 年经验", "text (metadata)": "own", "share": 0.25},
        ]

    def test_parquet_keeps_types(self, base, tmp_path):
        frame = pd.read_parquet(base.export(tmp_path / "kb.parquet"))
        assert frame["text"].tolist() == base.texts
        assert frame["level"].dropna().tolist() == [3]
        assert frame["level"].dtype == "Int64"

    def test_parquet_writes_columns_of_mixed_types_as_text(self, tmp_path):
        base = KnowledgeBase.from_texts(["a", "b"], CharacterEncoder(), [{"level": 3}, {"level": "senior"}])
        assert pd.read_parquet(base.export(tmp_path / "kb.parquet"))["level"].tolist() == ["3", "senior"]

    def test_an_exported_knowledge_base_can_be_added_again(self, base, tmp_path):
        again = KnowledgeBase.from_texts([], CharacterEncoder())
        again.add_files(base.export(tmp_path / "kb.jsonl"), text_column="text")
        assert again.texts == base.texts

    def test_characters_that_excel_cannot_hold_are_marked(self, tmp_path):
        path = export_frame(pd.DataFrame({"note": ["a\x00b\x1fc"]}), tmp_path / "kb.xlsx")
        assert openpyxl.load_workbook(path).active["A2"].value == "a\ufffdb\ufffdc"


# More of what matters in a table than any alphabet has of it.
cells = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        st.sampled_from("=+-@＝＋－＠'\" ,;\t\r\n\u3000\ufeffa"),
    )
)


class TestRoundTrip:
    @given(texts=st.lists(cells, min_size=1))
    def test_no_line_of_a_csv_begins_a_formula_and_our_reader_gives_all_back(self, texts):
        content = csv_bytes(pd.DataFrame({"n": range(len(texts)), "text": texts}))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.csv"
            path.write_bytes(content)
            again = delimited_rows(path, "utf-8-sig")
            seen = pd.read_csv(path, dtype=str, keep_default_na=False)["text"].tolist()
        assert [row[1] for row in again.rows] == texts
        for before, after in zip(texts, seen, strict=True):
            assert after in (before, "'" + before)
            assert after.lstrip(" \u3000\ufeff\t\r\n")[:1] not in set("=+-@＝＋－＠")

    @given(text=cells)
    def test_a_carriage_return_begins_no_cell(self, text):
        content = csv_bytes(pd.DataFrame({"text": [f"a{text}\r=1", "b"]})).decode("utf-8-sig")
        assert [row[0] for row in csv.reader(io.StringIO(content, newline=""))] == [
            "text",
            neutralise_formulas(pd.DataFrame([f"a{text}\r=1"])).iloc[0, 0],
            "b",
        ]

    @settings(max_examples=25)
    @given(texts=st.lists(cells.filter(lambda text: text.strip()), min_size=1, max_size=5))
    def test_a_workbook_gives_back_what_xml_can_hold(self, texts):
        with tempfile.TemporaryDirectory() as folder:
            path = export_frame(pd.DataFrame({"text": texts}), Path(folder) / "t.xlsx")
            again = [row[0] for row in sheet_rows(path).rows]
        # XML has no carriage return of its own, and none of most control characters.
        as_xml = [re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text) for text in texts]
        assert [one.replace("\r\n", "\n").replace("\r", "\n") for one in again] == [
            one.replace("\r\n", "\n").replace("\r", "\n") for one in as_xml
        ]

    def test_labelled_pairs_are_no_formulas_in_a_spreadsheet_and_come_back(self, tmp_path):
        texts = ["-5 年经验", "'=1", "＝1", "'tis"]
        pairs = pd.DataFrame({"pair_id": list("abcd"), "jd": "护士", "resume": texts})
        write_pairs(tmp_path / "set", pairs)
        seen = pd.read_csv(tmp_path / "set" / "pairs.csv")["resume"].tolist()
        assert seen == ["'-5 年经验", "''=1", "'＝1", "'tis"]
        assert read_table(tmp_path / "set" / "pairs.csv")["resume"].tolist() == texts

    def test_what_is_no_text_is_marked(self):
        assert csv_bytes(pd.DataFrame({"text": ["a\x00b"]})).decode("utf-8-sig").split() == [
            "text",
            "a\ufffdb",
        ]


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize("name", ["kb.doc", "kb"])
    def test_an_unknown_format_is_refused_with_those_known(self, base, tmp_path, name):
        with pytest.raises(InputError, match=r"end it with \.csv, \.xlsx, \.jsonl, \.parquet"):
            base.export(tmp_path / name)

    def test_a_sheet_has_a_limit(self, tmp_path):
        frame = pd.DataFrame(0, index=[0], columns=range(16_385))
        with pytest.raises(InputError, match=r"1 rows and 16,385 columns do not fit .*export to \.csv"):
            export_frame(frame, tmp_path / "kb.xlsx")

    def test_a_cell_has_a_limit(self, tmp_path):
        with pytest.raises(InputError, match=r"has 40,000 characters, more than a cell .*export to \.csv"):
            export_frame(pd.DataFrame({"note": ["x" * 40_000]}), tmp_path / "kb.xlsx")

    @pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".jsonl", ".parquet"])
    def test_what_was_there_before_stays_if_writing_fails(self, base, tmp_path, monkeypatch, suffix):
        path = tmp_path / f"kb{suffix}"
        path.write_text("before")

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(StoreError, match="No space left on device"):
            base.export(path)
        assert path.read_text() == "before"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_folder_that_is_a_file_is_named(self, base, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="cannot be written"):
            base.export(tmp_path / "file" / "kb.csv")
