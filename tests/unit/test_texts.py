"""Cleaning: what it keeps, what it drops, and that its report adds up."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.i18n import language
from workbench.texts import (
    LONGEST_LINE,
    MOST_CHARACTERS,
    Duplicate,
    clean,
    cleaning_recipe,
    is_line,
    tidy,
    tidy_lines,
)

# Characters at which naive cleaning goes wrong: combining marks, jamo, flags, joiners, odd spaces,
# line separators, controls, invisible marks and halves of surrogate pairs.
AWKWARD = (
    "aé中e\u0301\u0327\u1100\u1161🇨🇳👩\u200d💻\ufe0f"
    " \t\n\r\u2028\u3000\u00a0\x00\x1c\x85\ufeff\u200b\u2060\ud83d\ude00"
)
awkward_text = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=40)
awkward_lists = st.lists(awkward_text, max_size=12)


class TestWhatIsKept:
    def test_a_pasted_block_is_one_text_a_line(self):
        assert clean("熟悉 RAG\r\n负责前端\n\n").texts == ["熟悉 RAG", "负责前端"]

    def test_ends_are_stripped_and_inner_white_space_becomes_one_space(self):
        assert clean(["\u3000 Python \t 开发\u00a0经验 "]).texts == ["Python 开发 经验"]

    def test_text_is_composed_to_nfc(self):
        assert clean(["re\u0301sume\u0301"]).texts == ["résumé"]

    def test_invisible_marks_and_control_characters_do_not_survive(self):
        assert clean(["\ufeffRe\u200bact\u2060", "a\x00b"]).texts == ["React", "a b"]

    def test_full_width_letters_are_kept_because_nfc_is_not_nfkc(self):
        assert clean(["ＡＩ 工程师"]).texts == ["ＡＩ 工程师"]

    def test_emoji_joined_by_zero_width_joiners_stay_whole(self):
        assert clean(["👩\u200d💻 developer"]).texts == ["👩\u200d💻 developer"]

    def test_case_and_punctuation_are_kept(self):
        assert clean(["C++/C#, .NET；ok?", "c++/c#, .net；ok?"]).report.duplicates == ()

    def test_a_generator_is_accepted(self):
        assert clean(line for line in ("a", "b")).texts == ["a", "b"]

    @pytest.mark.parametrize("nothing", ["", "\n \n", [], ["", "\u3000", "\u200b"]])
    def test_nothing_in_nothing_out(self, nothing):
        cleaned = clean(nothing)
        assert cleaned.texts == []
        assert cleaned.report.n_output == 0


class TestWhatIsDropped:
    def test_the_first_of_equal_texts_is_kept_and_the_others_point_to_it(self):
        cleaned = clean(["b", "a", " b", "c", "a"])
        assert cleaned.texts == ["b", "a", "c"]
        assert cleaned.positions == [0, 1, 3]
        assert cleaned.report.duplicates == (Duplicate(2, 0), Duplicate(4, 1))

    def test_blank_texts_are_counted_with_their_positions(self):
        assert clean(["a", " ", "b", "\u200b"]).report.blank == (1, 3)


class TestWholeDocuments:
    def test_nothing_is_cut(self):
        text = "\n".join(f"line {n} " + "字" * 300 for n in range(100))
        assert clean([text]).texts == [text]

    def test_lines_stay_lines_with_one_blank_line_between_them_at_most(self):
        assert clean(["  任职要求 \r\n\n \n\n1.  熟悉\tRAG\x00 \n2. x\n"]).texts == [
            "任职要求\n\n1. 熟悉 RAG\n2. x"
        ]

    def test_a_block_is_one_text_a_line(self):
        assert clean("a\nb").texts == ["a", "b"]

    def test_a_line_is_short_and_one(self):
        assert is_line("字" * LONGEST_LINE)
        assert not is_line("字" * (LONGEST_LINE + 1))
        assert not is_line("a\nb")

    def test_more_than_any_document_is_refused_with_its_position_and_length(self):
        with pytest.raises(InputError, match=r"Text 1: it has 2,000,001 characters.*give each a file"):
            clean(["a", "x" * (MOST_CHARACTERS + 1)])


class TestRepair:
    def test_the_two_halves_of_a_surrogate_pair_are_joined(self):
        cleaned = clean(["\ud83d\ude00 ok"])
        assert cleaned.texts == ["😀 ok"]
        assert cleaned.report.repaired == (0,)

    def test_half_a_surrogate_pair_becomes_the_replacement_character(self):
        assert clean(["a\ud83d", "\ude00b"]).texts == ["a\ufffd", "\ufffdb"]


class TestWrongInput:
    @pytest.mark.parametrize("missing", [None, float("nan"), 3, b"bytes"])
    def test_an_item_that_is_no_string_is_named_with_its_position(self, missing):
        with pytest.raises(InputError, match=r"Text 1 is (NoneType|float|int|bytes)"):
            clean(["a", missing])


class TestReport:
    def test_english_summary_counts_places_from_one(self):
        report = clean("a\n\na\nb").report
        assert str(report) == "2 texts: 1 blank dropped (no. 2); 1 duplicate dropped (no. 3)"

    def test_chinese_summary(self):
        with language("zh"):
            said = clean("a\n\na").report.summary()
            many = clean("\n" * 7 + "a").report.summary()
        assert said == "1 条文本：1 空行已删（第 2 条）；1 重复已删（第 3 条）"
        assert many == "1 条文本：7 空行已删（第 1、2、3、4、5、… 条）"

    def test_a_summary_without_changes_is_only_the_count(self):
        assert str(clean("a").report) == "1 text"

    def test_long_lists_of_places_are_shortened(self):
        assert str(clean([" "] * 7).report) == "0 texts: 7 blank dropped (no. 1, 2, 3, 4, 5, …)"

    def test_the_recipe_for_the_card_says_that_lines_stay(self):
        assert cleaning_recipe()["whitespace"] == "collapsed in lines"


class TestProperties:
    @given(awkward_lists)
    @example(["e\u0301" * 9])
    @example(["a \u0301b"])
    @example(["a\n\u0301b\r\n\n\n\x1c c"])
    def test_cleaning_what_is_clean_changes_nothing(self, texts):
        once = clean(texts)
        twice = clean(once.texts)
        assert twice.texts == once.texts
        assert twice.report == type(twice.report)(len(once.texts), len(once.texts))

    @given(awkward_lists)
    def test_a_clean_list_of_lines_survives_a_paste_as_a_block(self, texts):
        once = clean([tidy(text) for text in texts]).texts
        assert clean("\n".join(once)).texts == once

    @given(awkward_lists)
    def test_output_is_distinct_and_tidy(self, texts):
        out = clean(texts).texts
        assert len(set(out)) == len(out)
        for text in out:
            assert text == text.strip() != ""
            assert unicodedata.is_normalized("NFC", text)
            assert text.split("\n") == text.splitlines() == [tidy(line) for line in text.splitlines()]
            text.encode("utf-8")

    @given(awkward_lists)
    def test_order_is_kept_and_positions_lead_back_to_the_input(self, texts):
        cleaned = clean(texts)
        assert cleaned.positions == sorted(set(cleaned.positions))
        assert len(cleaned.positions) == len(cleaned.texts)
        for text, position in zip(cleaned.texts, cleaned.positions, strict=True):
            assert tidy_lines(texts[position]) == text

    @given(awkward_lists)
    def test_counts_add_up_and_each_position_has_one_fate(self, texts):
        cleaned = clean(texts)
        report = cleaned.report
        assert report.n_input == len(texts)
        assert report.n_output == len(cleaned.texts)
        fates = [*cleaned.positions, *report.blank, *(d.position for d in report.duplicates)]
        assert sorted(fates) == list(range(len(texts)))

    @given(awkward_lists)
    def test_a_duplicate_points_to_an_earlier_text_that_was_kept(self, texts):
        cleaned = clean(texts)
        for duplicate in cleaned.report.duplicates:
            assert duplicate.first < duplicate.position
            assert duplicate.first in cleaned.positions
