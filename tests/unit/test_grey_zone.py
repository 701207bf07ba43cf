"""Two cutoffs: accept, reject, and read what is between."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.calibration import Observations, grey_zone, guarantee_missed, guarantee_precision
from workbench.errors import InputError
from workbench.i18n import language


def simulated(n=800, seed=0, a=(6, 4), b=(3, 6)):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    return Observations(np.where(labels, rng.beta(*a, n), rng.beta(*b, n)), labels)


def test_each_side_has_its_part_of_the_error():
    pairs = simulated()
    zone = grey_zone(pairs, 0.85, 0.1, confidence=0.9, split=0.3)
    assert zone.precision.confidence == pytest.approx(0.97)
    assert zone.missed.confidence == pytest.approx(0.93)
    assert zone.accept_from == guarantee_precision(pairs, 0.85, confidence=0.97).cutoff
    assert zone.reject_to == guarantee_missed(pairs, 0.1, confidence=0.93).cutoff


def test_shares_are_those_of_the_pairs():
    pairs = simulated()
    zone = grey_zone(pairs, 0.85, 0.1)
    accepted, rejected = pairs.scores > zone.accept_from, pairs.scores <= zone.reject_to
    assert zone.share_accepted == pytest.approx(accepted.mean())
    assert zone.share_rejected == pytest.approx(rejected.mean())
    assert zone.n_to_read == (~accepted & ~rejected).sum()
    assert zone.share_to_read.value == pytest.approx(zone.n_to_read / len(pairs))
    assert zone.share_to_read.low < zone.share_to_read.value < zone.share_to_read.high


def test_where_the_two_overlap_one_cutoff_meets_both_and_nothing_is_read():
    pairs = simulated(a=(20, 3), b=(3, 20))
    zone = grey_zone(pairs, 0.85, 0.1)
    assert zone.accept_from == zone.reject_to
    assert zone.precision.cutoff <= zone.accept_from <= zone.missed.cutoff
    assert zone.n_to_read == 0
    assert zone.accept_from not in pairs.scores
    assert "Nothing has to be read" in zone.sentence()
    with language("zh"):
        assert "无需人工阅读" in zone.sentence()


def test_where_a_side_cannot_be_guaranteed_nothing_is_decided_there():
    pairs = simulated(120, a=(5, 5), b=(4, 6))
    zone = grey_zone(pairs, 0.95, 0.02)
    assert zone.accept_from is None
    assert zone.share_accepted == 0
    assert zone.reject_to is None
    assert zone.share_to_read.value == 1
    assert "all pairs have to be read" in zone.sentence()
    with language("zh"):
        assert "全部需要人工阅读" in zone.sentence()


def test_at_a_live_prevalence_shares_are_those_of_live_pairs():
    pairs = simulated()
    zone = grey_zone(pairs, 0.6, 0.1, prevalence=0.15)
    accepted = pairs.scores > zone.accept_from
    expected = 0.15 * accepted[pairs.labels == 1].mean() + 0.85 * accepted[pairs.labels == 0].mean()
    assert zone.share_accepted == pytest.approx(expected)
    assert zone.share_accepted + zone.share_rejected + zone.share_to_read.value == pytest.approx(1)


def test_only_what_holds_is_claimed():
    rng = np.random.default_rng(0)
    # Plenty of sure matches; what is left says little.
    scores = np.concatenate([rng.uniform(0.8, 0.9, 300), rng.uniform(0.1, 0.7, 100)])
    labels = np.concatenate([np.ones(300), rng.integers(0, 2, 100)])
    zone = grey_zone(Observations(scores, labels), 0.9, 0.02)
    assert zone.accept_from is not None
    assert zone.reject_to is None
    assert "missed" not in zone.sentence().split(":")[1]


def test_a_split_that_is_none_is_refused():
    with pytest.raises(InputError, match="split"):
        grey_zone(simulated(), 0.9, 0.1, split=1)


def test_the_dictionary_holds_both_guarantees():
    card = grey_zone(simulated(), 0.85, 0.1).to_dict()
    assert card["precision"]["figure"] == "precision"
    assert card["missed"]["figure"] == "false_omission_rate"
