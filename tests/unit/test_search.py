"""One query against a list or a knowledge base: what a hit says, what is refused, which cutoff counts."""

from __future__ import annotations

import json
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from character_encoder import CharacterEncoder, similarities

import workbench as wb
from workbench.cutoffs import Cutoff
from workbench.errors import (
    CardError,
    CardWarning,
    CleaningWarning,
    EncoderError,
    EncoderMismatchError,
    InputError,
    UncalibratedCutoffWarning,
)
from workbench.retrieval import KnowledgeBase, resolve_cutoff, search

TEXTS = ["python", "java", "typhoon", "nurse", "rust", "golang", "sql"]


@pytest.fixture
def encoder():
    return CharacterEncoder()


@pytest.fixture
def cards(tmp_path, monkeypatch):
    """The folder in which cutoff cards are looked for."""
    monkeypatch.setenv("WORKBENCH_PROJECT", str(tmp_path))
    return tmp_path / "labeled_pairs" / "cutoffs"


class TestHits:
    def test_scores_are_cosines_best_first(self, encoder):
        hits = search("python", TEXTS, k=7, encoder=encoder, cutoff=0.5)
        expected = similarities("python", TEXTS)
        assert [hit["score"] for hit in hits] == pytest.approx(sorted(expected, reverse=True), abs=1e-6)
        assert [hit["index"] for hit in hits] == sorted(range(7), key=lambda row: -expected[row])

    def test_a_hit_has_these_keys_and_plain_types(self, encoder):
        hit = search("python", TEXTS, encoder=encoder, cutoff=0.5)[0]
        assert {key: type(value) for key, value in hit.items()} == {
            "rank": int,
            "text": str,
            "score": float,
            "is_match": bool,
            "index": int,
            "metadata": dict,
            "phrase": dict,
        }

    def test_hits_can_be_written_as_json(self, encoder):
        hits = search("python", TEXTS, encoder=encoder, cutoff=0.5)
        assert json.loads(json.dumps(hits)) == hits

    def test_ranks_count_from_one(self, encoder):
        hits = search("python", TEXTS, k=3, encoder=encoder, cutoff=0.5)
        assert [hit["rank"] for hit in hits] == [1, 2, 3]

    def test_scores_are_not_rounded_to_what_is_shown(self, encoder):
        score = search("pythons", ["python"], encoder=encoder, cutoff=0.5)[0]["score"]
        assert score == pytest.approx(similarities("pythons", ["python"])[0], abs=1e-7)
        assert score != round(score, 4)

    def test_equal_scores_keep_the_order_of_the_list(self, encoder):
        texts = ["listen", "rust", "silent", "enlist", "tinsel"]
        hits = search("inlets", texts, k=3, encoder=encoder, cutoff=0.5)
        assert [hit["index"] for hit in hits] == [0, 2, 3]

    def test_the_index_is_the_position_in_the_list_as_given(self, encoder):
        with pytest.warns(CleaningWarning):
            hits = search("rust", ["", "java", "java", "rust"], encoder=encoder, cutoff=0.5)
        assert (hits[0]["index"], hits[0]["text"]) == (3, "rust")

    def test_a_pasted_block_is_one_text_a_line(self, encoder):
        hits = search("rust", "java\nrust\n", encoder=encoder, cutoff=0.5)
        assert [(hit["text"], hit["index"]) for hit in hits] == [("rust", 1), ("java", 0)]

    def test_the_query_is_cleaned_as_the_texts_are(self, encoder):
        # e and a combining accent are one character in NFC
        hit = search("  re\u0301sume\u0301\n", ["résumé"], encoder=encoder, cutoff=0.5)[0]
        assert hit["score"] == pytest.approx(1)


class TestMatches:
    def test_a_score_at_the_cutoff_is_not_a_match(self, encoder):
        score = search("pythons", ["python"], encoder=encoder, cutoff=0.5)[0]["score"]
        at, below = (
            search("pythons", ["python"], encoder=encoder, cutoff=cutoff)[0]["is_match"]
            for cutoff in (score, np.nextafter(score, 0))
        )
        assert (at, below) == (False, True)


class TestHowMany:
    def test_five_by_default(self, encoder):
        assert len(search("python", TEXTS, encoder=encoder, cutoff=0.5)) == 5

    def test_all_where_there_are_fewer(self, encoder):
        assert len(search("python", TEXTS[:3], encoder=encoder, cutoff=0.5)) == 3

    def test_numpy_integers_count(self, encoder):
        assert len(search("python", TEXTS, k=np.int64(2), encoder=encoder, cutoff=0.5)) == 2

    @pytest.mark.parametrize("k", [0, -1])
    def test_less_than_one_is_refused(self, encoder, k):
        with pytest.raises(InputError, match=f"k is {k}; ask for at least 1 hit"):
            search("python", TEXTS, k=k, encoder=encoder)

    def test_more_than_there_are_is_refused_with_the_most_possible(self, encoder):
        with pytest.raises(InputError, match="k is 8, but the knowledge base has 7 texts; ask for at most 7"):
            search("python", TEXTS, k=8, encoder=encoder)

    def test_texts_that_cleaning_dropped_explain_why_there_are_fewer(self, encoder):
        with pytest.raises(InputError, match=r"has 1 text \(2 blank or duplicate ones dropped\)"):
            search("python", ["java", "", "java"], k=2, encoder=encoder)

    @pytest.mark.parametrize("k", [2.5, "3"])
    def test_what_is_no_whole_number_is_refused(self, encoder, k):
        with pytest.raises(InputError, match="a whole number from 1 to 7"):
            search("python", TEXTS, k=k, encoder=encoder)


class TestBadInput:
    @pytest.mark.parametrize("query", ["", "  \n\t", "\u200b"])
    def test_an_empty_query_is_refused(self, encoder, query):
        with pytest.raises(InputError, match="The query is empty; type what you are looking for"):
            search(query, TEXTS, encoder=encoder)

    def test_a_query_that_is_no_string_is_refused(self, encoder):
        with pytest.raises(InputError, match=r"The query is list; pass one string"):
            search(["python"], TEXTS, encoder=encoder)

    @pytest.mark.parametrize("texts", [[], "", "\n\n", ["", "  "]])
    def test_an_empty_knowledge_base_is_refused(self, encoder, texts):
        with pytest.raises(InputError, match=r"The knowledge base is empty.*add at least one text"):
            search("python", texts, encoder=encoder)

    def test_a_table_is_not_taken_for_the_names_of_its_columns(self, encoder):
        frame = pd.DataFrame({"id": [1], "jd": ["java"]})
        with pytest.raises(InputError, match="is a table; pass the column of its texts, one of 'id', 'jd'"):
            search("python", frame, encoder=encoder)
        assert search("python", frame["jd"], encoder=encoder, cutoff=0.5)[0]["text"] == "java"

    def test_a_text_that_is_no_string_is_named_by_its_position(self, encoder):
        with pytest.raises(InputError, match="Text 1 is float"):
            search("python", ["java", float("nan")], encoder=encoder)

    def test_vectors_that_are_not_finite_are_refused_whoever_made_them(self, encoder):
        class Careless(CharacterEncoder):
            def encode_queries(self, texts, *, progress=None):
                return np.full((len(texts), self.dimension), np.nan, dtype=np.float32)

        with pytest.raises(EncoderError, match=r"encoder characters returned .* not finite"):
            search("python", TEXTS, encoder=Careless(), cutoff=0.5)

    def test_vectors_of_another_shape_are_refused(self, encoder):
        class Forgetful(CharacterEncoder):
            def encode_documents(self, texts, *, progress=None):
                return super().encode_documents(texts[1:])

        with pytest.raises(EncoderError, match=r"shape \(6, 61\) for 7 texts; expected \(7, 61\)"):
            search("python", TEXTS, encoder=Forgetful(), cutoff=0.5)


class TestCleaningIsSaid:
    def test_what_was_dropped_is_counted(self, encoder):
        with pytest.warns(CleaningWarning, match="1 blank dropped.*1 duplicate dropped"):
            search("python", ["java", "", "java", "x" * 600], encoder=encoder, cutoff=0.5)

    def test_clean_texts_raise_no_warning(self, encoder):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            search("python", TEXTS, encoder=encoder, cutoff=0.5)

    def test_the_warning_points_to_the_line_of_the_caller(self, encoder):
        with pytest.warns(CleaningWarning) as caught:
            search("python", ["java", ""], encoder=encoder, cutoff=0.5)
        assert [warning.filename for warning in caught] == [__file__]


class TestKnowledgeBase:
    def test_a_knowledge_base_is_searched_with_its_own_encoder(self, encoder):
        base = KnowledgeBase.from_texts(TEXTS, encoder, [{"level": n} for n in range(7)])
        hits = search("golang", base, k=1, cutoff=0.5)
        assert (hits[0]["text"], hits[0]["metadata"]) == ("golang", {"level": 5})

    def test_another_encoder_is_refused(self, encoder):
        base = KnowledgeBase.from_texts(TEXTS, encoder)
        with pytest.raises(EncoderMismatchError, match=r"built with characters .* not with others"):
            search("golang", base, encoder=CharacterEncoder("others"))

    def test_the_same_encoder_may_be_named(self, encoder):
        base = KnowledgeBase.from_texts(TEXTS, encoder)
        assert search("golang", base, encoder=encoder, cutoff=0.5)[0]["text"] == "golang"


class TestWorkedExample:
    def test_the_two_agent_jds_come_first_and_apart_from_the_rest(self):
        hits = search(wb.EXAMPLE_QUERY, wb.EXAMPLE_JDS, k=8, encoder="use", cutoff=0.4)
        assert {hit["index"] for hit in hits[:2]} == {3, 4}
        assert all("Agent" in hit["text"] for hit in hits[:2])
        gap = hits[1]["score"] - hits[2]["score"]
        assert gap > 2 * max(a["score"] - b["score"] for a, b in pairwise(hits[2:]))


class TestCutoff:
    @pytest.mark.parametrize("value", [0.25, 0, -1, np.float32(0.25), np.float64(0.25)])
    def test_a_number_is_taken_as_it_is(self, encoder, value):
        assert resolve_cutoff(value, encoder).value == value

    @pytest.mark.parametrize("value", [40, float("nan"), True, "0.4 or so", [0.4]])
    def test_what_is_no_similarity_is_refused(self, encoder, value):
        with pytest.raises(InputError):
            resolve_cutoff(value, encoder)

    def test_a_card_of_this_encoder_is_taken_from_its_path(self, encoder, tmp_path):
        path = Cutoff(0.3, encoder.name, encoder.fingerprint).save(tmp_path / "card.json")
        assert resolve_cutoff(path, encoder).value == 0.3
        assert resolve_cutoff(str(path), encoder).value == 0.3

    def test_a_card_of_another_encoder_is_refused(self, encoder):
        with pytest.raises(EncoderMismatchError, match="calibrated for someone"):
            resolve_cutoff(Cutoff(0.3, "someone", "0123456789ab"), encoder)

    def test_a_path_without_a_card_is_refused(self, encoder, tmp_path):
        with pytest.raises(CardError, match="no cutoff card at"):
            resolve_cutoff(tmp_path / "none.json", encoder)

    def test_without_one_the_last_card_of_this_encoder_is_taken(self, encoder, cards):
        Cutoff(0.31, encoder.name, encoder.fingerprint).save(cards / "2026-01-01.json")
        Cutoff(0.32, encoder.name, encoder.fingerprint).save(cards / "2026-02-01.json")
        Cutoff(0.33, "other", "0123456789ab").save(cards / "2026-03-01.json")
        (cards / "2026-04-01.json").write_text("{}")
        with pytest.warns(CardWarning, match=r"2026-04-01\.json is not a cutoff card"):
            assert resolve_cutoff(None, encoder).value == 0.32

    def test_a_card_of_the_same_name_but_another_revision_is_not_taken(self, encoder, cards):
        Cutoff(0.33, encoder.name, CharacterEncoder(revision=2).fingerprint).save(cards / "2026-01-01.json")
        with pytest.warns(UncalibratedCutoffWarning):
            assert resolve_cutoff(None, encoder).value == 0.4

    def test_a_card_that_was_calibrated_for_no_encoder_is_not_taken(self, encoder, cards):
        Cutoff(0.33).save(cards / "2026-01-01.json")
        with pytest.warns(UncalibratedCutoffWarning):
            assert resolve_cutoff(None, encoder).value == 0.4

    @pytest.mark.parametrize("kind", ["card", "file"])
    @pytest.mark.parametrize(
        "use",
        [
            lambda cutoff, encoder: search("rust", TEXTS, encoder=encoder, cutoff=cutoff),
            lambda cutoff, encoder: search("rust", KnowledgeBase.from_texts(TEXTS, encoder), cutoff=cutoff),
            lambda cutoff, encoder: KnowledgeBase.from_texts(TEXTS, encoder).search("rust", cutoff=cutoff),
            lambda cutoff, encoder: KnowledgeBase.from_texts(TEXTS, encoder).search_many(
                ["rust"], cutoff=cutoff
            ),
            lambda cutoff, encoder: resolve_cutoff(cutoff, encoder),
        ],
        ids=["search a list", "search a base", "base.search", "base.search_many", "resolve"],
    )
    def test_a_card_of_another_revision_is_refused_wherever_one_can_be_given(
        self, encoder, tmp_path, use, kind
    ):
        revised = CharacterEncoder(revision=2)
        card = Cutoff(0.33, revised.name, revised.fingerprint)
        with pytest.raises(EncoderMismatchError, match="calibrated for characters"):
            use(card if kind == "card" else card.save(tmp_path / "card.json"), encoder)
        assert use(card, revised)

    def test_without_any_card_the_literature_is_taken_with_a_warning(self, encoder, cards):
        with pytest.warns(
            UncalibratedCutoffWarning, match=r"never calibrated.*characters.*workbench calibrate"
        ):
            cutoff = resolve_cutoff(None, encoder)
        assert (cutoff.value, cutoff.is_calibrated) == (0.4, False)

    def test_the_warning_is_shown_once_for_a_line_that_searches_again_and_again(self, encoder, cards):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for query in TEXTS:
                search(query, TEXTS, encoder=encoder)
        assert [warning.category for warning in caught] == [UncalibratedCutoffWarning]
