"""Planned numbers of pairs come true as often as they say, over worlds drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.calibration import Observations, guarantee_precision, verdict
from workbench.calibration.further_pairs import about, further_to_tell


def test_plans_are_rounded_up():
    assert [about(n) for n in (0, 7.2, 101, 1234.5)] == [1, 8, 110, 1300]


def test_of_a_set_of_no_pairs_there_is_no_plan():
    assert further_to_tell(np.nan, 0.0, (0.9, 0.9), (0.05, 0.05), 100) is None


def test_where_labels_may_be_wrong_what_lies_between_is_never_told():
    # Between 85 and 95 % labelled a match, the target may be met or failed, however many pairs there are.
    found = further_to_tell(0.9, 2000.0, (0.95, 0.85), (0.05, 0.05), 2000)
    assert found.even is None


def test_a_plan_for_a_verdict_comes_true():
    """Shares drawn evenly: the planned number settles it in about four of five cases."""
    rng = np.random.default_rng(4)
    settled = []
    for _ in range(250):
        share, n = rng.uniform(0.7, 1.0), 60
        right = rng.binomial(n, share)
        test = verdict(_above(right, n), 0.4, target_precision=0.9).tests[0]
        if test.answer == "unclear" and test.more_pairs is not None:
            right, n = right + rng.binomial(test.more_pairs, share), n + test.more_pairs
            settled.append(verdict(_above(right, n), 0.4, target_precision=0.9).tests[0].answer != "unclear")
    assert len(settled) >= 40
    assert np.mean(settled) >= 0.8 - 2 * np.sqrt(0.16 / len(settled))


@pytest.mark.slow
def test_a_plan_for_a_guarantee_comes_true():
    """Curves, sizes and targets drawn at random."""
    rng = np.random.default_rng(11)
    found: dict[str, list[bool]] = {"even": [], "likely": []}
    for _ in range(250):
        top, steep, middle = rng.uniform(0.9, 1.0), rng.uniform(1.5, 5), rng.uniform(-0.5, 2)

        def draw(n, top=top, steep=steep, middle=middle):
            scores = rng.normal(size=n)
            return scores, rng.random(n) < top / (1 + np.exp(middle - steep * scores))

        n, target = int(rng.choice([60, 120, 250, 500])), rng.choice([0.8, 0.85, 0.9])
        scores, labels = draw(n)
        further = guarantee_precision(Observations(scores, labels), target).further
        for chance, met in found.items():
            more = None if further is None else getattr(further, chance)
            if more is not None:
                more_scores, more_labels = draw(more)
                pairs = Observations(np.r_[scores, more_scores], np.r_[labels, more_labels])
                met.append(guarantee_precision(pairs, target).found)
    assert np.mean(found["likely"]) >= 0.8 - 2 * np.sqrt(0.16 / len(found["likely"]))
    assert abs(np.mean(found["even"]) - 0.5) <= 0.15


def _above(right: int, n: int) -> Observations:
    """So many pairs above 0.4, of which so many are right."""
    return Observations(np.full(n, 0.9), np.arange(n) < right)
