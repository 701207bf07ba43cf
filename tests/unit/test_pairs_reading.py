"""Reading labelled pairs: what is wrong is said at once, with file, row and column; the rest is counted."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest

import workbench as wb
from workbench.errors import InputError, PairsWarning
from workbench.i18n import language
from workbench.pair_hashes import content_hash
from workbench.pairs import PairsError, read_annotations, read_pairs

ROOT = Path(__file__).parents[2]

PAIRS = "pair_id,jd,resume,family\np1,Nurse on a ward,Ward nurse,care\np2,Java developer,JavaScript,it\n"
SAID = (
    "pair_id,annotator,label,labelled_at,note\np1,x,1,2026-03-01T09:00:00Z,\np2,x,0,,not the same language\n"
)


@pytest.fixture
def folder(tmp_path):
    """A function that writes a set; a file of None is left out."""

    def write(pairs: str | bytes | None = PAIRS, annotations: str | bytes | None = SAID) -> Path:
        for name, content in (("pairs.csv", pairs), ("annotations.csv", annotations)):
            if content is not None:
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


@pytest.fixture
def table(tmp_path):
    """A function that writes one table."""

    def write(content: str | bytes, name: str = "export.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def problems(path: Path, **options) -> list[tuple]:
    """What read_pairs complains of, as (file, row, column) and words."""
    with pytest.raises(PairsError) as raised:
        read_pairs(path, **options)
    return [tuple(row) for row in raised.value.to_frame().itertuples(index=False)]


class TestAFolder:
    def test_gives_a_row_for_each_pair_with_its_label_and_groups(self, folder):
        pairs = read_pairs(folder())
        assert list(pairs.columns) == ["pair_id", "jd", "resume", "label", "family"]
        assert pairs.to_dict("records") == [
            {"pair_id": "p1", "jd": "Nurse on a ward", "resume": "Ward nurse", "label": 1, "family": "care"},
            {"pair_id": "p2", "jd": "Java developer", "resume": "JavaScript", "label": 0, "family": "it"},
        ]
        assert pairs["label"].dtype == "int64"

    def test_notes_on_how_it_was_read_travel_in_attrs(self, folder):
        notes = read_pairs(folder()).attrs
        assert notes["resolution"]["n_resolved"] == 2
        assert notes["reading"] == {"bad_rows": 0, "repeated": 0, "documents": 0, "without_label": 0}
        json.dumps(notes)

    def test_texts_are_cleaned_as_search_cleans_them(self, folder):
        long = "护理 " * 400
        messy = f'pair_id,jd,resume\np1,"  Ward\n nurse",{long}\n'
        pairs = read_pairs(folder(messy, "pair_id,annotator,label\np1,x,1\n"))
        assert pairs["jd"][0] == "Ward\nnurse"
        assert [pairs["resume"][0]] == wb.clean([long]).texts == [long.strip()]
        assert pairs.attrs["reading"]["documents"] == 1

    def test_unlabelled_pairs_are_left_out_and_counted(self, folder):
        with pytest.warns(PairsWarning, match="1 pair without a label left out"):
            pairs = read_pairs(folder(annotations="pair_id,annotator,label\np1,x,1\np2,x,\n"))
        assert pairs["pair_id"].tolist() == ["p1"]
        assert pairs.attrs["reading"]["without_label"] == 1

    def test_unresolved_pairs_are_left_out_with_the_reason(self, folder):
        said = SAID + "p2,y,1,,\n"
        with pytest.warns(PairsWarning, match="1 pair.* dropped: disagreement not adjudicated"):
            pairs = read_pairs(folder(annotations=said))
        assert pairs["pair_id"].tolist() == ["p1"]

    def test_a_pool_needs_no_labels(self, folder):
        pool = read_pairs(folder(annotations=None), labelled=False)
        assert list(pool.columns) == ["pair_id", "jd", "resume", "family"]
        assert len(pool) == 2

    def test_grades_need_a_threshold(self, folder):
        grades = "pair_id,annotator,label\np1,x,3\np2,x,1\n"
        with pytest.raises(InputError, match=r"grades up to 3; .* threshold=2"):
            read_pairs(folder(annotations=grades))
        assert read_pairs(folder(annotations=grades), threshold=2)["label"].tolist() == [1, 0]

    def test_numbers_that_calibration_reads_are_numbers(self, folder):
        pairs = "pair_id,jd,resume,weight,jd_id\np1,Nurse,Ward nurse,2.5,007\np2,Java,JavaScript,1,008\n"
        read = read_pairs(folder(pairs))
        assert read["weight"].tolist() == [2.5, 1.0]
        assert read["jd_id"].tolist() == ["007", "008"]

    def test_annotations_keep_who_said_what(self, folder):
        said = read_annotations(folder())
        assert said.to_dict("records")[1] == {
            "pair_id": "p2",
            "annotator": "x",
            "label": 0,
            "labelled_at": "",
            "note": "not the same language",
        }


class TestOneTable:
    EXPORT = "cv,job,fit\nWard nurse,Nurse,Good Fit\nChef,Nurse,No Fit\nWelder,Nurse,Potential Fit\n"
    COLUMNS: ClassVar = {"jd": "job", "resume": "cv", "label": "fit"}

    def test_loads_in_one_line_with_names_and_words_mapped(self, table):
        options = {"positive": ["Good Fit"], "negative": ["No Fit", "Potential Fit"]}
        pairs = read_pairs(table(self.EXPORT), columns=self.COLUMNS, **options)
        assert pairs["label"].tolist() == [1, 0, 0]
        assert pairs["jd"].tolist() == ["Nurse"] * 3

    @pytest.mark.parametrize("header", ["jd,resume,label", "pair_id,jd,resume,label"])
    def test_a_table_with_nothing_but_a_header_is_said_to_hold_no_pair(self, table, header):
        with pytest.raises(InputError, match="no pair that can be used"):
            read_pairs(table(f"{header}\n"))

    def test_words_of_which_nothing_is_said_are_one_question_under_their_own_name(self, table):
        with pytest.raises(PairsError) as raised:
            read_pairs(table(self.EXPORT + "Cook,Nurse,No Fit\n" * 500), columns=self.COLUMNS)
        assert str(raised.value) == (
            "1 problem in the labelled pairs; nothing was read.\n"
            "  - export.csv, column fit: holds 'Good Fit', 'No Fit', 'Potential Fit': which are matches? "
            "E.g. positive='Good Fit', negative=['No Fit', 'Potential Fit']"
        )

    def test_a_word_that_seldom_means_a_match_is_no_example_of_one(self, table):
        found = problems(table("jd,resume,label\na,b,不合适\nc,d,合适\n"))
        assert "E.g. positive='合适', negative='不合适'" in found[0][3]

    def test_what_is_no_match_is_not_guessed_from_what_is_one(self, table):
        found = problems(table(self.EXPORT), columns=self.COLUMNS, positive="Good Fit")
        assert found[0][3] == (
            "holds 'No Fit', 'Potential Fit' besides the matches ('Good Fit'): are they no match? "
            "E.g. negative=['No Fit', 'Potential Fit']"
        )

    def test_zero_and_false_need_no_word(self, table):
        content = "jd,resume,label\na,b,yes\nc,d,0\ne,f,FALSE\n"
        assert read_pairs(table(content), positive="yes")["label"].tolist() == [1, 0, 0]

    def test_a_word_in_neither_list_is_a_mistake_in_its_row_that_can_be_left_out(self, table):
        options = {"columns": self.COLUMNS, "positive": "Good Fit", "negative": "No Fit"}
        assert [found[:3] for found in problems(table(self.EXPORT), **options)] == [("export.csv", 4, "fit")]
        with pytest.warns(PairsWarning, match="1 row that could not be used left out"):
            assert len(read_pairs(table(self.EXPORT), bad_rows="drop", **options)) == 2

    def test_equal_problems_are_told_once(self, table):
        rows = "".join(f"jd {i},resume {i},{'maybe' if i else 1}\n" for i in range(6769))
        with pytest.raises(PairsError) as raised:
            read_pairs(table("jd,resume,label\n" + rows))
        assert "1 problem in the labelled pairs" in str(raised.value)
        assert "export.csv, column label, row 3 and 6,767 more: 'maybe': not a label" in str(raised.value)
        assert len(raised.value.to_frame()) == 6768

    def test_words_are_said_for_a_folder_too(self, folder):
        said = "pair_id,annotator,label\np1,x,yes\np2,x,no\n"
        assert read_pairs(folder(annotations=said), positive="yes", negative="no")["label"].tolist() == [1, 0]

    def test_a_positive_word_that_never_occurs_is_refused_with_those_that_do(self, table):
        found = problems(table(self.EXPORT), columns=self.COLUMNS, positive=["good"])
        assert "'good'" in found[0][3]
        assert "'Good Fit', 'No Fit', 'Potential Fit'" in found[0][3]

    @pytest.mark.parametrize("suffix", [".csv", ".tsv", ".xlsx", ".jsonl", ".parquet"])
    def test_every_format_gives_the_same(self, tmp_path, suffix):
        frame = pd.DataFrame(
            {
                "jd": ["护士", "Java 开发"],
                "resume": ["病房护理，三年", "JavaScript"],
                "label": [1, 0],
                "site": ["上海", None],
            }
        )
        path = tmp_path / f"export{suffix}"
        {
            ".csv": lambda: frame.to_csv(path, index=False),
            ".tsv": lambda: frame.to_csv(path, index=False, sep="\t"),
            ".xlsx": lambda: frame.to_excel(path, index=False),
            ".jsonl": lambda: frame.to_json(path, orient="records", lines=True, force_ascii=False),
            ".parquet": lambda: frame.to_parquet(path),
        }[suffix]()
        pairs = read_pairs(path)
        assert pairs[["jd", "resume", "label"]].to_dict("list") == frame[["jd", "resume", "label"]].to_dict(
            "list"
        )
        assert pairs["site"].tolist() == ["上海", ""]

    def test_several_peoples_labels_are_resolved(self, table):
        content = "jd,resume,annotator,label\na,b,x,1\na,b,y,1\na,c,x,0\na,c,y,1\na,c,z,0\n"
        pairs = read_pairs(table(content), resolve="majority")
        assert pairs["label"].tolist() == [1, 0]

    def test_a_pair_without_an_id_gets_one_from_its_texts(self, table, tmp_path):
        first = read_pairs(table("jd,resume,label\na,b,1\nc,d,0\n", "one.csv"))
        second = read_pairs(table("label,resume,jd\n0,d,c\n1,b,a\n", "two.csv"))
        assert sorted(first["pair_id"]) == sorted(second["pair_id"])

    def test_rows_that_say_the_same_again_are_counted(self, table):
        with pytest.warns(PairsWarning, match="2 repeated rows left out"):
            pairs = read_pairs(table("jd,resume,label\na,b,1\na,b,1\nc,d,0\na,b,1.0\n"))
        assert len(pairs) == 2
        assert pairs.attrs["reading"]["repeated"] == 2

    def test_a_column_that_has_our_name_makes_way_for_the_one_that_is_meant(self, table):
        pairs = read_pairs(table("jd,resume,label,truth\na,b,0,1\nc,d,0,0\n"), columns={"label": "truth"})
        assert pairs["label"].tolist() == [1, 0]
        assert pairs["label (column)"].tolist() == ["0", "0"]

    def test_missing_columns_are_named_with_those_that_are_there(self, table):
        found = problems(table("job,cv\na,b\n"))
        assert found == [
            ("export.csv", pd.NA, None, "no column jd, resume, label; the columns are job, cv")
        ] or (found[0][3] == "no column jd, resume, label; the columns are job, cv")

    def test_a_mapped_column_that_is_not_there_is_named(self, table):
        found = problems(table("job,cv,label\na,b,1\n"), columns={"jd": "jobs", "resume": "cv"})
        assert found[0][3] == "no column jobs; the columns are job, cv, label"

    def test_a_mapping_the_wrong_way_round_is_explained(self, table):
        with pytest.raises(
            InputError, match=r"'job' is none of our columns .*write ours first: columns=\{'jd': 'NAME'\}"
        ):
            read_pairs(table("job,resume,label\na,b,1\n"), columns={"job": "jd"})


class TestAllProblemsAtOnce:
    def test_of_both_files_with_rows_as_a_spreadsheet_counts(self, folder):
        pairs = (
            "pair_id,jd,resume,weight\n"
            "p1,Nurse,Ward nurse,1\n"
            "p2,  ,Chef,1\n"
            "p3,Java,JavaScript,-2\n"
            "p1,Nurse,Midwife,1\n"
            ",Welder,Welds,1\n"
            'p7,"Two\nlines",Chef,1\n'
            "p8,Nurse,,many\n"
        )
        annotations = (
            "pair_id,annotator,label,labelled_at\n"
            "p1,x,1,2026-03-01\n"
            "p3,x,5,yesterday\n"
            "p3,y,1,\n"
            "p3,y,0,\n"
            "p9,x,1,\n"
            "p7,../x,1,\n"
        )
        found = problems(folder(pairs, annotations))
        assert {(file, row, column) for file, row, column, _ in found} == {
            ("pairs.csv", 3, "jd"),
            ("pairs.csv", 4, "weight"),
            ("pairs.csv", 2, "pair_id"),
            ("pairs.csv", 5, "pair_id"),
            ("pairs.csv", 6, "pair_id"),
            ("pairs.csv", 8, "resume"),
            ("pairs.csv", 8, "weight"),
            ("annotations.csv", 3, "label"),
            ("annotations.csv", 3, "labelled_at"),
            ("annotations.csv", 4, "label"),
            ("annotations.csv", 5, "label"),
            ("annotations.csv", 6, "pair_id"),
            ("annotations.csv", 7, "annotator"),
        }

    def test_missing_columns_of_both_files(self, folder):
        found = problems(folder("id,jd,resume\np1,a,b\n", "pair_id,who,label\np1,x,1\n"))
        assert [(file, what) for file, _, _, what in found] == [
            ("pairs.csv", "no column pair_id; the columns are id, jd, resume"),
            ("annotations.csv", "no column annotator; the columns are pair_id, who, label"),
        ]

    def test_the_message_reads_as_a_list(self, folder):
        with pytest.raises(PairsError) as raised:
            read_pairs(folder(annotations="pair_id,annotator,label\np1,x,1\np1,y,7\np2,x,maybe\n"))
        assert str(raised.value) == (
            "1 problem in the labelled pairs; nothing was read.\n"
            "  - annotations.csv, column label, rows 3, 4: '7', 'maybe': not a label; expected 0 or 1, a "
            "grade from 0 to 3, or a word of which it is said what it means\n"
            "Mend the file, or pass bad_rows='drop' to leave those rows out."
        )

    def test_the_list_is_in_the_language_now(self, folder):
        with language("zh"), pytest.raises(PairsError) as raised:
            read_pairs(folder(annotations="pair_id,annotator,label\np1,x,1\np1,y,7\np2,x,maybe\n"))
        assert str(raised.value) == (
            "标注对有 1 处问题；没有读取任何内容。\n"
            "  - annotations.csv 的 label 列，第 3、4 行："
            "'7'、'maybe'：不是标注；应为 0 或 1、0 到 3 的等级，或已说明含义的词\n"
            "请修正文件，或传入 bad_rows='drop' 略过这些行。"
        )

    def test_a_long_list_is_cut_but_kept(self, table):
        rows = "".join(f"jd {i},resume {i},bad {i}\n" for i in range(500))
        with pytest.raises(PairsError) as raised:
            read_pairs(table("jd,resume,label\n" + rows))
        assert len(str(raised.value)) < 600
        assert len(raised.value.to_frame()) == 500


class TestBadRows:
    def test_can_be_left_out_and_are_counted(self, table):
        content = "jd,resume,label\na,b,1\n,c,1\nd,e,7\nf,g,0\n"
        with pytest.warns(PairsWarning, match="2 rows that could not be used left out"):
            pairs = read_pairs(table(content), bad_rows="drop")
        assert pairs["jd"].tolist() == ["a", "f"]
        assert pairs.attrs["reading"]["bad_rows"] == 2

    def test_of_contradictory_labels_none_is_believed(self, table):
        content = "jd,resume,label\na,b,1\na,b,0\nc,d,0\n"
        assert [row for _, row, _, _ in problems(table(content))] == [2, 3]
        with pytest.warns(PairsWarning):
            pairs = read_pairs(table(content), bad_rows="drop")
        assert pairs["jd"].tolist() == ["c"]

    def test_the_same_id_with_other_texts_is_dropped_altogether(self, folder):
        pairs = PAIRS + "p1,Nurse,Midwife,care\n"
        with pytest.warns(PairsWarning):
            read = read_pairs(folder(pairs), bad_rows="drop")
        assert read["pair_id"].tolist() == ["p2"]

    def test_the_same_texts_under_another_id_are_a_problem(self, folder):
        pairs = PAIRS + "p3,Nurse on a  ward,Ward nurse,care\n"
        assert problems(folder(pairs)) == [
            ("pairs.csv", 4, None, "the same two texts as an earlier row, under another pair_id")
        ]

    def test_missing_columns_cannot_be_dropped(self, table):
        with pytest.raises(PairsError, match="no column label"):
            read_pairs(table("jd,resume\na,b\n"), bad_rows="drop")

    def test_nothing_left_is_an_error(self, table):
        with (
            pytest.raises(InputError, match="no pair that can be used with a label"),
            pytest.warns(PairsWarning),
        ):
            read_pairs(table("jd,resume,label\na,b,\n"))


class TestEncodings:
    CONTENT = "pair_id,jd,resume\np1,三甲医院病房护士,五年病房护理经验\np2,仓库管理员,开过叉车，管过库存\n"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
    def test_are_told(self, folder, encoding):
        pairs = read_pairs(folder(self.CONTENT.encode(encoding)))
        assert pairs["jd"].tolist() == ["三甲医院病房护士", "仓库管理员"]

    def test_windows_line_ends_change_nothing(self, folder):
        crlf = read_pairs(folder(self.CONTENT.replace("\n", "\r\n"), SAID.replace("\n", "\r\n")))
        assert crlf.equals(read_pairs(folder(self.CONTENT)))

    def test_two_encodings_in_one_file_are_refused(self, folder):
        lines = [f"q{i},三甲医院病房护士 {i},五年病房护理经验 {i}\n" for i in range(40)]
        mixed = b"pair_id,jd,resume\n" + b"".join(
            line.encode("gb18030" if i % 2 else "utf-8") for i, line in enumerate(lines)
        )
        with pytest.raises(InputError, match=r"pairs\.csv .*(save the file|encoding)"):
            read_pairs(folder(mixed))

    def test_a_wrong_encoding_that_is_asked_for_is_refused(self, folder):
        with pytest.raises(InputError, match=r"pairs\.csv is not all in ascii"):
            read_pairs(folder(self.CONTENT), encoding="ascii")

    def test_half_a_surrogate_pair_is_repaired(self, table):
        path = table('{"jd": "a\\ud800", "resume": "b", "label": 1}\n', "pairs.jsonl")
        assert read_pairs(path)["jd"].tolist() == ["a\ufffd"]


class TestFilesThatAreNone:
    def test_no_such_file(self, tmp_path):
        with pytest.raises(InputError, match="There is no file"):
            read_pairs(tmp_path / "nothing.csv")

    def test_a_folder_without_pairs(self, tmp_path):
        with pytest.raises(InputError, match=r"has no pairs\.csv"):
            read_pairs(tmp_path)

    def test_an_unknown_format(self, table):
        with pytest.raises(InputError, match=r"\.csv, \.tsv, \.jsonl, \.xlsx, \.parquet"):
            read_pairs(table("x", "pairs.doc"))

    def test_a_picture_named_as_a_workbook(self, table):
        with pytest.raises(InputError, match=r"named as an Excel workbook.*PNG"):
            read_pairs(table(b"\x89PNG\r\n\x1a\n" + b"0" * 100, "pairs.xlsx"))

    def test_a_row_with_too_many_fields_says_its_line(self, table):
        with pytest.raises(InputError, match="line 3 has 4 fields, but the header has 3"):
            read_pairs(table("jd,resume,label\na,b,1\nc,d, e,0\n"))

    def test_a_quotation_mark_that_is_not_closed(self, table):
        with pytest.raises(InputError, match=r"line \d+: unexpected end of data"):
            read_pairs(table('jd,resume,label\na,"b,1\nc,d,0\n'))

    def test_a_line_that_is_not_json(self, table):
        with pytest.raises(InputError, match="line 2 is not JSON"):
            read_pairs(table('{"jd": "a", "resume": "b", "label": 1}\n{"jd": \n', "pairs.jsonl"))


class TestContentHash:
    def test_the_order_of_rows_ids_and_groups_do_not_matter(self, folder):
        pairs = read_pairs(folder())
        shuffled = pairs.iloc[::-1].assign(pair_id=["x", "y"]).drop(columns="family")
        assert content_hash(shuffled) == content_hash(pairs)

    @pytest.mark.parametrize(
        "change", [{"label": [1, 1]}, {"jd": ["Nurse on a ward", "Java"]}, {"weight": [1.0, 2.0]}]
    )
    def test_labels_texts_and_weights_do(self, folder, change):
        pairs = read_pairs(folder())
        assert content_hash(pairs.assign(**change)) != content_hash(pairs)


@pytest.mark.slow
def test_two_hundred_thousand_rows_are_read_with_every_bad_one_found(tmp_path):
    n = 200_000
    frame = pd.DataFrame(
        {"jd": [f"岗位 {i % 500}" for i in range(n)], "resume": [f"经历 {i}" for i in range(n)], "label": 0}
    )
    frame.loc[::2, "label"] = 1
    frame.loc[[10, 199_999], "label"] = 9
    frame.to_csv(tmp_path / "large.csv", index=False)
    assert [row for _, row, _, _ in problems(tmp_path / "large.csv")] == [12, 200_001]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PairsWarning)
        assert len(read_pairs(tmp_path / "large.csv", bad_rows="drop")) == n - 2


class TestTheDemonstrationSet:
    def test_is_read_without_a_warning_and_is_what_its_datasheet_says(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pairs = wb.read_pairs(ROOT / "labeled_pairs" / "demo")
        assert len(pairs) >= 500
        assert pairs["jd"].nunique() >= 60
        assert pairs["job_family"].nunique() >= 20
        assert set(pairs["label"]) == {0, 1}

    def test_every_pair_has_two_blind_labels_and_every_disagreement_a_verdict(self):
        said = read_annotations(ROOT / "labeled_pairs" / "demo")
        blind = said[~said["annotator"].str.startswith("adjudicator")]
        assert (blind.groupby("pair_id").size() == 2).all()
        differ = blind.groupby("pair_id")["label"].nunique().eq(2)
        decided = set(said.loc[said["annotator"].str.startswith("adjudicator"), "pair_id"])
        assert set(differ.index[differ]) == decided
