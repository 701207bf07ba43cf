"""Cleaning: what it keeps, what it drops, and that its report adds up."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.i18n import language
from workbench.texts import MAX_CHARACTERS, CutText, Duplicate, clean, cleaning_recipe, tidy

# Characters at which naive cleaning goes wrong: combining marks, jamo, flags, joiners, odd spaces,
# line separators, controls, invisible marks and halves of surrogate pairs.
AWKWARD = (
    "aé中e\u0301\u0327\u1100\u1161🇨🇳👩\u200d💻\ufe0f"
    " \t\n\r\u2028\u3000\u00a0\x00\x1c\x85\ufeff\u200b\u2060\ud83d\ude00"
)
awkward_text = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=40)
awkward_lists = st.lists(awkward_text, max_size=12)
limits = st.integers(1, 12)


def graphemes(text: str) -> list[str]:
    return regex.findall(r"\X", text)


class TestWhatIsKept:
    def test_a_pasted_block_is_one_text_a_line(self):
        assert clean("熟悉 RAG\r\n负责前端\n\n").texts == ["熟悉 RAG", "负责前端"]

    def test_ends_are_stripped_and_inner_white_space_becomes_one_space(self):
        assert clean(["\u3000 Python \t\n 开发\u00a0经验 "]).texts == ["Python 开发 经验"]

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

    def test_texts_that_differ_only_after_the_cut_are_duplicates(self):
        cleaned = clean(["abcX", "abcY"], max_characters=3)
        assert cleaned.texts == ["abc"]
        assert cleaned.report.duplicates == (Duplicate(1, 0),)
        assert cleaned.report.cut == (CutText(0, 4, 3), CutText(1, 4, 3))

    def test_blank_texts_are_counted_with_their_positions(self):
        assert clean(["a", " ", "b", "\u200b"]).report.blank == (1, 3)


class TestCutting:
    def test_the_limit_is_512_characters(self):
        assert MAX_CHARACTERS == 512
        assert clean(["字" * 512, "词" * 513]).texts == ["字" * 512, "词" * 512]

    def test_a_text_as_long_as_the_limit_is_not_cut(self):
        assert clean(["字" * 512]).report.cut == ()

    @pytest.mark.parametrize(
        "whole",
        ["👨\u200d👩\u200d👧", "🇨🇳", "q\u0323\u0307", "\u1112\u1161\u11ab\u11ab", "❤\ufe0f"],
        ids=["family emoji", "flag", "combining marks", "jamo", "variation selector"],
    )
    def test_a_sequence_across_the_limit_is_left_out_whole(self, whole):
        assert clean(["ab" + whole], max_characters=3).texts == ["ab"]

    def test_a_sequence_longer_than_the_limit_is_cut_all_the_same(self):
        assert clean(["a" + "\u0323" * 1000]).report.cut[0].kept == 512

    def test_white_space_before_the_cut_is_dropped(self):
        assert clean(["ab cd"], max_characters=3).texts == ["ab"]


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

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_below_one_is_refused(self, limit):
        with pytest.raises(InputError, match="at least 1"):
            clean(["a"], max_characters=limit)


class TestReport:
    def test_english_summary_counts_places_from_one(self):
        report = clean("a\n\na\n" + "b" * 600).report
        said = (
            "2 texts: 1 blank dropped (no. 2); 1 duplicate dropped (no. 3); 1 cut to 512 characters (no. 4)"
        )
        assert str(report) == said

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

    def test_the_recipe_for_the_card_names_the_limit(self):
        assert cleaning_recipe(100)["max_characters"] == 100
        assert cleaning_recipe()["max_characters"] == MAX_CHARACTERS


class TestProperties:
    @given(awkward_lists, limits)
    @example(["e\u0301" * 9], 3)
    @example(["a \u0301b"], 2)
    def test_cleaning_what_is_clean_changes_nothing(self, texts, limit):
        once = clean(texts, max_characters=limit)
        twice = clean(once.texts, max_characters=limit)
        assert twice.texts == once.texts
        assert twice.report == type(twice.report)(len(once.texts), len(once.texts))

    @given(awkward_lists, limits)
    def test_a_clean_list_survives_a_paste_as_a_block(self, texts, limit):
        once = clean(texts, max_characters=limit).texts
        assert clean("\n".join(once), max_characters=limit).texts == once

    @given(awkward_lists, limits)
    def test_output_is_distinct_short_enough_and_tidy(self, texts, limit):
        out = clean(texts, max_characters=limit).texts
        assert len(set(out)) == len(out)
        for text in out:
            assert 1 <= len(text) <= limit
            assert text == text.strip()
            assert unicodedata.is_normalized("NFC", text)
            assert len(text.splitlines()) == 1
            text.encode("utf-8")

    @given(awkward_lists, limits)
    def test_order_is_kept_and_positions_lead_back_to_the_input(self, texts, limit):
        cleaned = clean(texts, max_characters=limit)
        assert cleaned.positions == sorted(set(cleaned.positions))
        assert len(cleaned.positions) == len(cleaned.texts)
        for text, position in zip(cleaned.texts, cleaned.positions, strict=True):
            assert tidy(texts[position]).startswith(text)

    @given(awkward_lists, limits)
    def test_counts_add_up_and_each_position_has_one_fate(self, texts, limit):
        cleaned = clean(texts, max_characters=limit)
        report = cleaned.report
        assert report.n_input == len(texts)
        assert report.n_output == len(cleaned.texts)
        fates = [*cleaned.positions, *report.blank, *(d.position for d in report.duplicates)]
        assert sorted(fates) == list(range(len(texts)))

    @given(awkward_lists, limits)
    def test_a_duplicate_points_to_an_earlier_text_that_was_kept(self, texts, limit):
        cleaned = clean(texts, max_characters=limit)
        for duplicate in cleaned.report.duplicates:
            assert duplicate.first < duplicate.position
            assert duplicate.first in cleaned.positions

    @given(awkward_text, limits)
    @example("e\u0323" + "\u0301" * 200 + "x", 3)
    def test_the_cut_keeps_the_longest_run_of_whole_graphemes(self, text, limit):
        whole = tidy(text)
        kept = clean([text], max_characters=limit).texts
        parts = graphemes(whole)
        if not parts:
            assert kept == []
        elif len(parts[0]) > limit:
            assert kept == [whole[:limit].rstrip()]
        else:
            run = ""
            for part in parts:
                if len(run + part) > limit:
                    break
                run += part
            assert kept == [run.rstrip()]

    @given(awkward_lists, limits)
    def test_what_was_cut_is_reported_with_both_lengths(self, texts, limit):
        report = clean(texts, max_characters=limit).report
        for cut in report.cut:
            assert cut.length == len(tidy(texts[cut.position]))
            assert cut.kept < cut.length
            assert cut.length > limit
