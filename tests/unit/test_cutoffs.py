"""The cutoff and its card: what counts as a match, and that a card cannot be bent unnoticed."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.cutoffs import SCHEMA, SCHEMA_VERSION, Cutoff, _digest, cards_in
from workbench.errors import CardError, CardWarning, EncoderMismatchError, InputError

EVIDENCE = {"pairs": 120, "method": "precision ≥ 0.89", "interval": [0.31, 0.44], "note": "客服 Agent"}
CALIBRATED = Cutoff(0.375, "use", "a1b2c3d4e5f6", EVIDENCE)


@pytest.fixture
def card(tmp_path):
    return CALIBRATED.save(tmp_path / "card.json")


def rewrite(path, **changes):
    card = json.loads(path.read_text(encoding="utf-8"))
    card.update(changes)
    path.write_text(json.dumps(card), encoding="utf-8")


class TestMatch:
    def test_a_score_at_the_cutoff_is_no_match(self):
        assert Cutoff(0.4).is_match([0.39, 0.4, math.nextafter(0.4, 1)]).tolist() == [False, False, True]

    def test_one_score_gives_one_answer(self):
        assert Cutoff(0.4).is_match(0.5)

    def test_the_shape_of_the_scores_is_kept(self):
        assert Cutoff(0).is_match([[0.1, -0.1], [0, 1]]).tolist() == [[True, False], [False, True]]

    def test_a_score_that_is_not_a_number_is_no_match(self):
        assert not Cutoff(-1).is_match(math.nan)

    @given(st.floats(-1, 1), st.lists(st.floats(-1, 1)))
    def test_no_score_is_a_match_above_a_higher_cutoff_only(self, value, scores):
        higher = Cutoff(min(1.0, value + 0.25)).is_match(scores)
        assert (Cutoff(value).is_match(scores) >= higher).all()


class TestValue:
    @pytest.mark.parametrize("value", [-1, 0, 1, -1.0, 0.4, np.float32(0.5), np.float64(0.5)])
    def test_cosine_similarities_are_accepted(self, value):
        assert float(Cutoff(value)) == value

    @pytest.mark.parametrize("value", [40, 1.01, -1.01, math.nan, math.inf, True, "0.4", None])
    def test_anything_else_is_refused_in_a_sentence(self, value):
        with pytest.raises(InputError, match="number from -1 to 1"):
            Cutoff(value)

    def test_the_literature_cutoff_is_calibrated_for_no_encoder(self):
        cutoff = Cutoff.from_literature()
        assert cutoff.value == 0.4
        assert not cutoff.is_calibrated


class TestEncoder:
    def test_a_calibrated_cutoff_refuses_another_fingerprint_and_names_both(self):
        with pytest.raises(EncoderMismatchError, match=r"use \[a1b2c3d4e5f6\].* not for e5 \[000000000000\]"):
            CALIBRATED.check_encoder("e5", "000000000000")

    @pytest.mark.parametrize(
        "other", ["a1b2c3d4e5f7", "b1b2c3d4e5f6", "a1b2c3d4e5f", "A1B2C3D4E5F6", "", None]
    )
    def test_one_digit_is_another_fingerprint_even_under_the_same_name(self, other):
        with pytest.raises(EncoderMismatchError):
            CALIBRATED.check_encoder("use", other)

    def test_its_own_fingerprint_is_accepted_whatever_the_name(self):
        CALIBRATED.check_encoder("renamed", "a1b2c3d4e5f6")

    def test_a_bare_number_accepts_any_encoder(self):
        Cutoff(0.4).check_encoder("e5", "000000000000")


class TestCard:
    def test_what_was_saved_is_read_back(self, card):
        assert Cutoff.load(card) == CALIBRATED

    @given(
        st.floats(-1, 1),
        st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=8), st.none())),
    )
    def test_any_value_and_evidence_survive_the_file(self, tmp_path_factory, value, evidence):
        cutoff = Cutoff(value, "use", "abc", evidence)
        assert Cutoff.load(cutoff.save(tmp_path_factory.mktemp("cards") / "card.json")) == cutoff

    def test_the_file_is_readable_json_with_chinese_as_it_is(self, card):
        text = card.read_text(encoding="utf-8")
        assert "客服 Agent" in text
        assert json.loads(text)["schema"] == SCHEMA

    def test_folders_on_the_way_are_made(self, tmp_path):
        assert CALIBRATED.save(tmp_path / "a" / "b" / "card.json").is_file()

    def test_nothing_but_the_card_is_left_in_the_folder(self, card):
        assert [path.name for path in card.parent.iterdir()] == ["card.json"]

    def test_a_card_that_cannot_be_written_leaves_the_old_one_whole(self, card):
        before = card.read_bytes()
        with pytest.raises(ValueError, match="not JSON compliant"):
            Cutoff(0.5, evidence={"precision": math.nan}).save(card)
        assert card.read_bytes() == before
        assert len(list(card.parent.iterdir())) == 1

    def test_a_number_without_encoder_can_be_a_card_too(self, tmp_path):
        assert Cutoff.load(Cutoff(0.4).save(tmp_path / "card.json")) == Cutoff(0.4)


class TestCardsThatPeopleHave:
    """Written by version 0.1: whatever is rebuilt, such a file stays readable, and is written to the byte."""

    TEXT = """{
  "schema": "jd-resume-workbench/cutoff-card",
  "schema_version": 1,
  "cutoff": 0.375,
  "encoder": {
    "name": "use",
    "fingerprint": "a1b2c3d4e5f6"
  },
  "evidence": {
    "basis": "guarantee",
    "pairs": {
      "n": 120,
      "source": null
    },
    "note": "客服 Agent",
    "interval": [
      0.31,
      0.44
    ]
  },
  "digest": "sha256:f870322e48840b9cb930704103c021490f40b1a639b8006580695c6e157d04ae"
}
"""
    CARD = Cutoff(
        0.375,
        "use",
        "a1b2c3d4e5f6",
        {
            "basis": "guarantee",
            "pairs": {"n": 120, "source": None},
            "note": "客服 Agent",
            "interval": [0.31, 0.44],
        },
    )

    def test_they_are_read(self, tmp_path):
        (tmp_path / "card.json").write_text(self.TEXT, encoding="utf-8")
        assert Cutoff.load(tmp_path / "card.json") == self.CARD

    def test_they_are_written_the_same(self, tmp_path):
        assert self.CARD.save(tmp_path / "card.json").read_text(encoding="utf-8") == self.TEXT


class TestDamagedCard:
    @pytest.mark.parametrize(
        "changes",
        [
            {"cutoff": 0.1},
            {"encoder": {"name": "qwen3-4b", "fingerprint": "a1b2c3d4e5f6"}},
            {"evidence": {"pairs": 100000}},
            {"digest": "sha256:" + "0" * 64},
            {"digest": None},
            {"remark": "added"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_any_edit_is_noticed(self, card, changes):
        rewrite(card, **changes)
        with pytest.raises(CardError, match="changed after it was written"):
            Cutoff.load(card)

    def test_a_file_that_was_cut_short_is_named(self, card):
        card.write_bytes(card.read_bytes()[:-20])
        with pytest.raises(CardError, match=r"card\.json cannot be read"):
            Cutoff.load(card)

    @pytest.mark.parametrize("content", ["[]", "{}", '"card"', '{"schema": "something else"}', "null"])
    def test_json_that_is_no_card_says_what_a_card_has(self, tmp_path, content):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(CardError, match="is not a cutoff card"):
            Cutoff.load(tmp_path / "x.json")

    def test_a_newer_version_is_refused_with_both_versions(self, card):
        rewrite(card, schema_version=SCHEMA_VERSION + 1)
        with pytest.raises(CardError, match=f"version {SCHEMA_VERSION + 1}, .*version {SCHEMA_VERSION}"):
            Cutoff.load(card)

    @pytest.mark.parametrize("version", [0, None, "1", 1.5])
    def test_any_other_version_is_refused_too(self, card, version):
        rewrite(card, schema_version=version)
        with pytest.raises(CardError, match="has card version"):
            Cutoff.load(card)

    def test_a_missing_file_says_how_to_make_one(self, tmp_path):
        with pytest.raises(CardError, match="workbench calibrate"):
            Cutoff.load(tmp_path / "none.json")

    def test_bytes_that_are_no_text_are_a_card_error(self, tmp_path):
        (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00PK\x03\x04")
        with pytest.raises(CardError, match="cannot be read"):
            Cutoff.load(tmp_path / "x.json")


class TestFolderOfCards:
    @pytest.mark.parametrize(
        "content", ["{}", "", '{"cutoff": 0.4, "enc', "[" * 100_000, '{"cutoff": NaN}', "null", "\x00"]
    )
    def test_cards_come_in_name_order_and_a_bad_one_is_named_and_passed_over(self, tmp_path, content):
        Cutoff(0.2).save(tmp_path / "2026-02.json")
        Cutoff(0.1).save(tmp_path / "2026-01.json")
        (tmp_path / "2026-03.json").write_text(content)
        (tmp_path / "notes.txt").write_text("")
        with pytest.warns(CardWarning, match=r"2026-03\.json"):
            found = cards_in(tmp_path)
        assert [(path.name, cutoff.value) for path, cutoff in found] == [
            ("2026-01.json", 0.1),
            ("2026-02.json", 0.2),
        ]

    def test_a_card_with_a_cutoff_that_is_none_is_passed_over(self, tmp_path):
        Cutoff(0.2).save(tmp_path / "card.json")
        card = json.loads((tmp_path / "card.json").read_text())
        del card["digest"]
        card["cutoff"] = 7
        (tmp_path / "card.json").write_text(json.dumps({**card, "digest": _digest(card)}))
        with pytest.warns(CardWarning, match="passed over"):
            assert cards_in(tmp_path) == []

    def test_hidden_files_are_no_cards(self, tmp_path, recwarn):
        (tmp_path / ".card.json").write_text("half")
        assert cards_in(tmp_path) == []
        assert not recwarn.list

    def test_a_folder_that_is_not_there_has_no_cards(self, tmp_path):
        assert cards_in(tmp_path / "none") == []
