"""The one table of truth: counts at every cutoff, ties left together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from workbench.calibration import Observations, count
from workbench.calibration.counts import kish
from workbench.calibration.observations import cutoffs_between
from workbench.errors import InputError

# Few different values, so that there are many ties.
SCORES = st.integers(-5, 5).map(lambda value: value / 5)
PAIRS = st.lists(st.tuples(SCORES, st.integers(0, 1), st.integers(1, 4)), min_size=1, max_size=40)


def split(pairs: list[tuple[float, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores, labels, weights = (np.array(column) for column in zip(*pairs, strict=True))
    return scores, labels, weights


@given(PAIRS)
def test_counts_are_those_of_scikit_learn_at_every_cutoff(pairs):
    scores, labels, weights = split(pairs)
    table = count(Observations(scores, labels, weights))
    for at, cutoff in enumerate(table.cutoffs):
        expected = confusion_matrix(labels, scores > cutoff, labels=[0, 1], sample_weight=weights)
        assert [[table.tn[at], table.fp[at]], [table.fn[at], table.tp[at]]] == expected.tolist()


@pytest.mark.slow
@given(PAIRS)
def test_cutoffs_part_scores_in_every_way_that_keeps_ties_together(pairs):
    scores, labels, _ = split(pairs)
    table = count(Observations(scores, labels))
    distinct = np.unique(scores)
    assert table.n_above.tolist() == [int((scores > low).sum()) for low in [-np.inf, *distinct]]
    assert not np.isin(table.cutoffs[:-1], distinct).any()


@given(PAIRS, st.randoms())
def test_the_order_of_rows_changes_nothing_at_all(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    scale = 1 / 3  # weights whose sums depend on the order of summing
    tables = [count(Observations(s, y, w * scale)) for s, y, w in (split(pairs), split(shuffled))]
    for name in ("cutoffs", "tp", "fp", "fn", "tn", "size_above", "size_below"):
        assert getattr(tables[0], name).tolist() == getattr(tables[1], name).tolist()


def test_ties_at_the_cutoff_are_not_matches():
    table = count(Observations([0.3, 0.4, 0.4, 0.5], [0, 0, 1, 1]), cutoffs=[0.4])
    assert (table.tp[0], table.fp[0], table.fn[0], table.tn[0]) == (1, 0, 1, 2)


# Halfway between two neighbours rounds to the one whose last bit is 0: here down, there up.
@pytest.mark.parametrize("low", [0.4, np.nextafter(0.4, 1), -0.4, np.nextafter(-0.4, 1)])
def test_between_neighbouring_floats_the_cutoff_is_the_lower_one(low):
    high = np.nextafter(low, 1)
    table = count(Observations([low, high], [0, 1]))
    assert table.n_above.tolist() == [2, 1, 0]


@pytest.mark.parametrize("scores", [[1.0, 0.5], [-1.0, 0.5], [1.0], [-1.0, 1.0], [0.3, 0.3], [7.0, 12.0]])
def test_the_outer_cutoffs_let_all_through_and_none(scores):
    cutoffs = cutoffs_between(scores)
    assert (np.array(scores) > cutoffs[0]).all()
    assert not (np.array(scores) > cutoffs[-1]).any()


def test_cutoffs_of_cosines_are_cosines():
    assert cutoffs_between([-0.9, 1.0]).max() == 1.0
    assert cutoffs_between([-0.99, 0.9]).min() == -1.0


def test_effective_sizes_are_those_of_kish():
    rng = np.random.default_rng(0)
    scores, weights = rng.random(30), rng.random(30) + 0.1
    table = count(Observations(scores, rng.integers(0, 2, 30), weights))
    for at, cutoff in enumerate(table.cutoffs):
        above = weights[scores > cutoff]
        expected = above.sum() ** 2 / (above**2).sum() if len(above) else 0
        assert table.size_above[at] == pytest.approx(expected)
    assert kish([3.0, 3.0, 3.0]) == pytest.approx(3)


class TestAtAnotherPrevalence:
    """Label shift: what would be counted had the classes been drawn in other shares."""

    def table(self, prevalence):
        rng = np.random.default_rng(1)
        labels = rng.random(60) < 0.5
        return count(Observations(rng.random(60) + labels, labels)).at_prevalence(prevalence)

    def test_prevalence_is_the_one_asked_for(self):
        assert self.table(0.07).prevalence == pytest.approx(0.07)

    def test_recall_and_specificity_stay(self):
        before, after = self.table(None), self.table(0.07)
        np.testing.assert_allclose(after.tp / (after.tp + after.fn), before.tp / (before.tp + before.fn))
        np.testing.assert_allclose(after.tn / (after.tn + after.fp), before.tn / (before.tn + before.fp))

    def test_the_total_stays(self):
        after = self.table(0.07)
        np.testing.assert_allclose(after.tp + after.fp + after.fn + after.tn, 60)

    def test_a_prevalence_in_percent_is_refused_with_advice(self):
        with pytest.raises(InputError, match="divided by 100"):
            self.table(7)

    def test_one_class_alone_has_no_other_prevalence(self):
        with pytest.raises(InputError, match="one class only"):
            count(Observations([0.1, 0.2], [1, 1])).at_prevalence(0.2)


def test_a_million_pairs_are_counted():
    rng = np.random.default_rng(0)
    scores, labels = rng.random(1_000_000), rng.integers(0, 2, 1_000_000)
    table = count(Observations(scores, labels))
    assert table.tp[0] == labels.sum()
    at = 50_000
    assert table.tp[at] == labels[scores > table.cutoffs[at]].sum()
