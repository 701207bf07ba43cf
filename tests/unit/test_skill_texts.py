"""What the notebook of the skill map reads: distinct texts, conditions on rows, a cutoff and its origin."""

from __future__ import annotations

import pandas as pd
import pytest
from toy_encoders import ToyEncoder

from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.i18n import language
from workbench.notebooks.skill_texts import read_skill_texts

ROWS = {
    "jd": ["Java services", "Java services", "night nurse", "tax audit"],
    "resume": ["Java on the JVM", "ward nurse", "ward nurse", "three audits"],
    "month": ["2026-01", "2026-01", "2026-02", "2026-03"],
    "years": [3, 1, 2, 10],
    "city": ["Bonn", "Bonn", "Lyon", None],
}


@pytest.fixture
def table(tmp_path):
    def write(**columns):
        path = tmp_path / "pairs.csv"
        pd.DataFrame({**ROWS, **columns}).to_csv(path, index=False)
        return path

    return write


@pytest.fixture
def skills(table):
    return read_skill_texts(table())


class TestTexts:
    def test_each_text_is_there_once_jds_first(self, skills):
        assert skills.jds == ["Java services", "night nurse", "tax audit"]
        assert skills.resumes == ["Java on the JVM", "ward nurse", "three audits"]
        assert skills.kinds == ["jd"] * 3 + ["resume"] * 3
        assert len(set(skills.ids)) == 6

    def test_a_text_on_both_sides_has_an_id_for_each(self, table):
        skills = read_skill_texts(table(resume=["night nurse", "a", "b", "c"]))
        assert len(set(skills.ids)) == len(skills.ids) == 7

    def test_groups_are_those_of_the_first_row_that_a_text_stands_in(self, skills):
        months = skills.groups["month"].tolist()
        assert months == ["2026-01", "2026-02", "2026-03", "2026-01", "2026-01", "2026-03"]

    def test_labels_are_used_where_there_are_any_and_not_asked_for(self, skills, table):
        assert not skills.is_labelled
        assert read_skill_texts(table(label=[1, 0, 1, 1])).is_labelled

    def test_a_table_without_resumes_is_refused(self, tmp_path):
        path = tmp_path / "jds.csv"
        pd.DataFrame({"jd": ["a"]}).to_csv(path, index=False)
        with pytest.raises(InputError, match="resume"):
            read_skill_texts(path)

    def test_a_map_is_coloured_by_the_first_column_of_few_values(self, skills, table):
        assert skills.colouring == "month"
        many = read_skill_texts(table(month=["2026-01"] * 4, years=[1] * 4, city=["Bonn"] * 4))
        assert many.colouring == "month"

    def test_without_columns_there_is_none(self, tmp_path):
        path = tmp_path / "pairs.csv"
        pd.DataFrame({"jd": ["a"], "resume": ["b"]}).to_csv(path, index=False)
        assert read_skill_texts(path).colouring is None

    @pytest.mark.parametrize(
        ("code", "said", "labelled"),
        [
            ("en", "3 JDs and 3 résumé texts (from 4 pairs, without labels)", "(from 4 pairs, labelled)"),
            ("zh", "3 条岗位要求，3 条简历技能（来自 4 对，没有标注）", "（来自 4 对，已标注是否匹配）"),
        ],
    )
    def test_it_says_what_it_has(self, skills, table, code, said, labelled):
        with language(code):
            assert skills.sentence() == said
            assert repr(read_skill_texts(table(label=[1, 0, 1, 1]))).endswith(f"{labelled}>")


class TestCandidates:
    def test_without_a_column_each_text_is_one(self, skills):
        assert len(set(skills.owners(""))) == 3

    def test_a_column_says_whose_a_text_is(self, table):
        assert read_skill_texts(table(who=["ann", "bo", "cy", "ann"])).owners("who") == ["ann", "bo", "ann"]

    def test_texts_of_nobody_are_not_of_one_person(self, skills):
        owners = skills.owners("city")
        assert owners[:2] == ["Bonn", "Bonn"]
        assert owners[2] == "text 2"

    def test_a_column_that_is_not_there(self, skills):
        with pytest.raises(InputError, match=r"no column 'name' of candidates; there are .*city"):
            skills.owners("name")


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "jds", "resumes"),
        [
            ("month=2026-01", [0], [0, 1]),
            ("month != 2026-01", [1, 2], [1, 2]),
            ("month<2026-02", [0], [0, 1]),
            ("month>=2026-02-01", [1, 2], [1, 2]),
            # As numbers: as text, "10" would come before "2".
            ("years>2", [0, 2], [0, 2]),
            ("city=Lyon", [1], [1]),
        ],
    )
    def test_rows_that_meet_it(self, skills, condition, jds, resumes):
        assert skills.rows_where(condition) == (jds, resumes)

    def test_rows_that_do_not(self, skills):
        assert skills.rows_where("month<2026-02", negate=True) == skills.rows_where("month>=2026-02")

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            ("month", "is no condition; write a column, a sign and a value"),
            ("day=3", "there is no column 'day'; there are .*month"),
            ("city<M", "neither all numbers nor all dates"),
            ("month=2030-01", "No row of the table: month=2030-01"),
        ],
    )
    def test_what_cannot_be_met_is_said(self, skills, condition, message):
        with pytest.raises(InputError, match=message):
            skills.rows_where(condition)

    def test_nothing_left_over_is_said(self, skills):
        with pytest.raises(InputError, match="All rows of the table: month<2030"):
            skills.rows_where("month<2030", negate=True)


class TestCutoff:
    def test_one_that_is_given_is_taken_as_it_is(self, skills):
        assert skills.cutoff(ToyEncoder(), 0.7) == (Cutoff(0.7), "given")

    def test_without_labels_and_card_it_is_the_literatures(self, skills):
        cutoff, origin = skills.cutoff(ToyEncoder())
        assert (float(cutoff), origin) == (0.4, "literature")
