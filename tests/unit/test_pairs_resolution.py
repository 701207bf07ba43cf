"""Several people's labels become one, and what cannot is dropped and counted."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.i18n import language
from workbench.pairs import resolve


def said(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["pair_id", "annotator", "label"])


annotations = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["x", "y", "z", "adjudicator", "adjudicator-2"])),
    st.integers(0, 3),
    max_size=20,
).map(lambda labels: said(*((pair, who, label) for (pair, who), label in labels.items())))


class TestRules:
    def test_majority_needs_more_than_half(self):
        labels = said(("a", "x", 1), ("a", "y", 1), ("a", "z", 0), ("b", "x", 1), ("b", "y", 0))
        found = resolve(labels, "majority")
        assert found.labels.to_dict() == {"a": 1}
        assert found.reasons == {"no majority": 1}

    def test_half_of_four_grades_is_no_majority(self):
        labels = said(("a", "w", 2), ("a", "x", 2), ("a", "y", 1), ("a", "z", 3))
        assert resolve(labels, "majority").reasons == {"no majority": 1}

    def test_unanimous_drops_what_one_sees_differently(self):
        labels = said(("a", "x", 1), ("a", "y", 1), ("b", "x", 1), ("b", "y", 0))
        found = resolve(labels, "unanimous")
        assert found.labels.to_dict() == {"a": 1}
        assert found.dropped.to_dict("records") == [{"pair_id": "b", "reason": "not unanimous"}]

    def test_the_adjudicator_has_the_last_word_even_against_all(self):
        labels = said(("a", "x", 1), ("a", "y", 1), ("a", "adjudicator", 0))
        found = resolve(labels, "adjudicated")
        assert found.labels.to_dict() == {"a": 0}
        assert found.n_adjudicated == 1

    def test_a_disagreement_without_adjudication_is_dropped(self):
        labels = said(("a", "x", 1), ("a", "y", 0), ("b", "x", 0), ("b", "y", 0))
        found = resolve(labels, "adjudicated")
        assert found.labels.to_dict() == {"b": 0}
        assert found.reasons == {"disagreement not adjudicated": 1}

    def test_adjudicators_who_disagree_settle_nothing(self):
        labels = said(("a", "x", 1), ("a", "adjudicator", 0), ("a", "adjudicator-wang", 1))
        assert resolve(labels, "adjudicated").reasons == {"adjudicators disagree": 1}

    def test_anybody_can_be_named_an_adjudicator(self):
        labels = said(("a", "x", 1), ("a", "boss", 0))
        assert resolve(labels, "adjudicated", adjudicators=["boss"]).labels.to_dict() == {"a": 0}

    def test_a_threshold_turns_grades_into_labels_before_people_are_compared(self):
        labels = said(("a", "x", 2), ("a", "y", 3), ("b", "x", 1), ("b", "y", 2))
        found = resolve(labels, "unanimous", threshold=2)
        assert found.labels.to_dict() == {"a": 1}

    def test_pairs_with_one_label_are_counted_or_dropped_as_asked(self):
        labels = said(("a", "x", 1), ("b", "x", 0), ("b", "y", 0))
        assert resolve(labels).n_single == 1
        assert resolve(labels, min_labels=2).reasons == {"too few labels": 1}

    def test_saying_the_same_twice_counts_once(self):
        labels = said(("a", "x", 1), ("a", "x", 1), ("a", "y", 0), ("a", "z", 0))
        assert resolve(labels, "majority").labels.to_dict() == {"a": 0}


@pytest.mark.slow
@given(annotations, st.sampled_from(["majority", "unanimous", "adjudicated"]), st.integers(1, 3))
def test_no_label_is_invented_and_no_pair_lost(labels, how, min_labels):
    found = resolve(labels, how, min_labels=min_labels)
    given_labels = labels.groupby("pair_id")["label"].agg(set).to_dict() if len(labels) else {}
    assert all(label in given_labels[pair] for pair, label in found.labels.items())
    assert sorted([*found.labels.index, *found.dropped["pair_id"]]) == sorted(given_labels)


@given(annotations)
def test_majority_is_what_counting_says(labels):
    found = resolve(labels, "majority").labels.to_dict()
    for pair, group in labels.groupby("pair_id")["label"]:
        label, votes = Counter(group).most_common(1)[0]
        assert found.get(pair) == (label if 2 * votes > len(group) else None)


@pytest.mark.slow
@given(annotations, st.sampled_from(["majority", "unanimous", "adjudicated"]), st.randoms())
def test_the_order_of_rows_changes_nothing(labels, how, random):
    order = list(range(len(labels)))
    random.shuffle(order)
    assert (
        resolve(labels, how).labels.to_dict()
        == resolve(labels.iloc[order].reset_index(drop=True), how).labels.to_dict()
    )


class TestRefused:
    def test_two_labels_by_one_annotator(self):
        with pytest.raises(InputError, match="x has given more than one label to pair a"):
            resolve(said(("a", "x", 1), ("a", "x", 0)))

    def test_a_label_off_the_scale(self):
        with pytest.raises(InputError, match="1 label is not 0, 1, 2 or 3, but 5, in row 0"):
            resolve(said(("a", "x", 5)))

    def test_an_unknown_rule(self):
        with pytest.raises(InputError, match="choose one of majority, unanimous, adjudicated"):
            resolve(said(("a", "x", 1)), "mean")

    def test_a_missing_column(self):
        with pytest.raises(InputError, match="no column 'annotator'; they have pair_id, label"):
            resolve(pd.DataFrame({"pair_id": ["a"], "label": [1]}))


def test_the_counts_are_for_a_card_and_the_sentence_for_people():
    found = resolve(said(("a", "x", 1), ("a", "y", 0), ("b", "x", 1)))
    assert found.to_dict() == {
        "how": "adjudicated",
        "threshold": None,
        "n_resolved": 1,
        "n_single": 1,
        "n_adjudicated": 0,
        "n_dropped": 1,
        "dropped": {"disagreement not adjudicated": 1},
        "double_labels": {"both": 0, "differ": 1, "neither": 0},
    }
    with language("zh"):
        assert found.summary() == (
            "2 对中 1 对有定论（规则：裁定；其中 1 对只有一份标注）；舍去 1 对：有分歧，尚未裁定 1 对。"
        )
        assert found.reasons == {"disagreement not adjudicated": 1}
        assert "有定论" in found._repr_html_()
