"""What calibration takes in, and what it refuses, with the position of what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.calibration import Observations, observations, shares
from workbench.calibration.counts import count
from workbench.calibration.shares import one_side
from workbench.errors import InputError


@pytest.mark.parametrize(
    ("scores", "labels", "weights", "said"),
    [
        ([0.1, np.nan, 0.3], [0, 1, 1], None, r"score at position 1 is nan"),
        ([0.1, 0.2, np.inf], [0, 1, 1], None, r"score at position 2 is inf"),
        ([0.1, 0.2], [0, 2], None, r"label at position 1 is 2"),
        ([0.1, 0.2], [0, np.nan], None, r"label at position 1 is nan"),
        ([0.1, 0.2], [0, 1], [1, 0], r"weight at position 1 is 0"),
        ([0.1, 0.2], [0, 1], [1, -3], r"weight at position 1 is -3"),
        ([0.1, 0.2], [0, 1, 1], None, r"2 scores but 3 labels"),
        ([0.1, 0.2], [0, 1], [1.0], r"2 scores but 1 weights"),
        ([], [], None, r"no pairs"),
        ([[0.1, 0.2]], [0, 1], None, r"shape \(1, 2\)"),
        (["high", "low"], [0, 1], None, r"cannot be read as numbers"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_position(scores, labels, weights, said):
    with pytest.raises(InputError, match=said):
        Observations(scores, labels, weights)


def test_the_number_of_bad_values_is_said_with_the_first_of_them():
    with pytest.raises(InputError, match=r"3 such pairs, the first at 0, 2, 4"):
        Observations([np.nan, 0.1, np.nan, 0.2, np.nan], [0, 1, 0, 1, 0])


def test_a_missing_cluster_is_refused_with_its_position():
    with pytest.raises(InputError, match=r"cluster at position 1 is missing"):
        Observations([0.1, 0.2, 0.3], [0, 1, 1], clusters=["a", None, "a"])


def test_clusters_of_one_pair_each_are_no_clusters():
    assert Observations([0.1, 0.2], [0, 1], clusters=["a", "b"]).clusters is None


def test_the_caller_keeps_the_array():
    scores = np.array([0.1, 0.2])
    observations = Observations(scores, [0, 1])
    scores[0] = 9
    assert observations.scores[0] == 0.1


class TestFromAFrame:
    def frame(self, **columns: object) -> pd.DataFrame:
        return pd.DataFrame({"score": [0.1, 0.2, 0.3], "label": [0, 1, 1], **columns})

    def test_finds_the_jd_id_before_the_text(self):
        frame = self.frame(jd=["x", "y", "y"], jd_id=["a", "a", "b"])
        assert Observations.from_frame(frame).clusters.tolist() == [0, 0, 1]

    def test_takes_inclusion_probabilities_as_weights(self):
        observations = Observations.from_frame(self.frame(inclusion_probability=[0.5, 1.0, 0.25]))
        assert observations.weights.tolist() == [2.0, 1.0, 4.0]

    def test_pairs_of_one_jd_are_independent_within_it(self):
        assert Observations.from_frame(self.frame(jd=["x", "x", "x"])).clusters is None

    def test_takes_no_clusters_when_told(self):
        assert Observations.from_frame(self.frame(jd=["x", "x", "y"]), cluster=None).clusters is None

    def test_takes_nullable_integers_and_booleans(self):
        labels = pd.array([0, 1, 1], dtype="Int64")
        assert Observations.from_frame(self.frame().assign(label=labels)).labels.tolist() == [0, 1, 1]
        assert Observations.from_frame(self.frame().assign(label=[False, True, True])).labels.sum() == 2

    def test_a_missing_label_of_a_nullable_column_is_refused(self):
        labels = pd.array([0, pd.NA, 1], dtype="Int64")
        with pytest.raises(InputError, match="label at position 1"):
            Observations.from_frame(self.frame().assign(label=labels))

    def test_says_which_column_is_missing_and_what_to_do(self):
        with pytest.raises(InputError, match=r"no column 'score' .*score them first"):
            Observations.from_frame(pd.DataFrame({"label": [1]}))
        with pytest.raises(InputError, match=r"no column 'team'"):
            Observations.from_frame(self.frame(), cluster="team")


@pytest.mark.parametrize(("labels", "kind"), [([1, 1], "a match"), ([0, 0], "no match")])
def test_one_class_alone_is_refused_where_both_are_needed(labels, kind):
    with pytest.raises(InputError, match=f"All 2 pairs are labelled as {kind}"):
        Observations([0.1, 0.2], labels).require_both_classes()


class TestWhereScoresAreMoreThanCanBeToldApart:
    """As with millions of them, only at 60: figures stay exact, and cutoffs are near the best."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        for module in (observations, shares):
            monkeypatch.setattr(module, "MOST_SCORES", 60)

    @pytest.mark.parametrize("clusters", [None, np.arange(2_000) % 90])
    def test_counts_and_sides_are_exact_at_any_cutoff(self, clusters):
        rng = np.random.default_rng(1)
        scores, labels = rng.random(2_000).round(3), rng.integers(0, 2, 2_000)
        pairs = Observations(scores, labels, clusters=clusters)
        assert len(pairs.cutoffs) <= 61
        table = count(pairs)
        assert table.tp.tolist() == [labels[scores > at].sum() for at in table.cutoffs]
        assert table.tn.tolist() == [(1 - labels)[scores <= at].sum() for at in table.cutoffs]
        for at in (0.0305, 0.5, 0.7777):
            above, below = (one_side(pairs, side, cutoffs=[at]) for side in ("above", "below"))
            assert (above.n[0], above.right[0]) == ((scores > at).sum(), labels[scores > at].sum())
            assert below.right[0] == (1 - labels)[scores <= at].sum()
            assert above.reach[0] == scores[scores > at].min()

    def test_cutoffs_are_evenly_spaced_in_rank_and_split_no_tie(self):
        scores = 0.9 * np.random.default_rng(2).random(5_000).round(3)
        cutoffs = Observations(scores, np.arange(5_000) % 2).cutoffs
        assert not np.isin(cutoffs, scores).any()
        assert cutoffs[0] < scores.min()
        assert cutoffs[-1] > scores.max()
        between = np.diff([(scores <= at).sum() for at in cutoffs])
        assert between.max() <= 5_000 / 59 + np.unique(scores, return_counts=True)[1].max()

    def test_fewer_distinct_scores_are_all_told_apart(self):
        scores = np.repeat(np.arange(60) / 60, [1] * 59 + [4_000])
        assert len(Observations(scores, np.arange(len(scores)) % 2).cutoffs) == 61
