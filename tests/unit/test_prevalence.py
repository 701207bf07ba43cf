"""The share of matches among live pairs, estimated from scores: held against shares that were simulated."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from typer.testing import CliRunner

import workbench as wb
from workbench.calibration import estimate_prevalence
from workbench.calibration.prevalence import REFERENCES
from workbench.cli import app
from workbench.cutoffs import SHIPPED, Cutoff
from workbench.errors import CardError, InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from simulating.prevalence import card_of, drawn

DISTANCE = 2.58


def coverage(share, runs, *, labelled=400, live=1_000, moved=0.0, seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        card = card_of(rng, labelled, DISTANCE)
        scores, _labels, jds = drawn(rng, live, share, DISTANCE, moved)
        found.append(estimate_prevalence(card, scores, clusters=jds))
    return np.mean([each.low <= share <= each.high for each in found]), found


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_interval_holds_the_true_share(share):
    held, found = coverage(share, 60)
    # 95 %, less three standard errors of 60 samples.
    assert held >= 0.86
    assert np.mean([each.plausible for each in found]) >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.005, 0.05, 0.3])
def test_the_interval_holds_the_true_share_in_many_samples(share):
    held, _found = coverage(share, 400, seed=1)
    assert held >= 0.95 - 3 * np.sqrt(0.0475 / 400)


def test_it_is_never_silently_the_labelled_share():
    _held, found = coverage(0.02, 20, labelled=576, live=5_000)
    assert max(each.high for each in found) < 0.15


def test_scores_that_are_no_mixture_of_the_labelled_ones_are_doubted_and_not_used():
    _held, found = coverage(0.05, 20, labelled=576, live=5_000, moved=0.5)
    assert np.mean([each.plausible for each in found]) <= 0.1
    doubted = next(each for each in found if not each.plausible)
    assert "Do not use it" in doubted.sentence()
    with pytest.raises(InputError, match="no mixture"):
        doubted.on(card_of(np.random.default_rng(0), 200, DISTANCE))


def test_fiellers_interval_is_the_set_of_shares_that_a_test_does_not_refuse():
    rng = np.random.default_rng(3)
    card = card_of(rng, 300, 1.5)
    scores, _labels, jds = drawn(rng, 3_000, 0.4, 1.5)
    found = estimate_prevalence(card, scores, clusters=jds)
    kept = card.evidence["class_means"]
    odds = np.exp(kept["intercept"] + kept["slope"] * scores) * REFERENCES[0] / (1 - REFERENCES[0])
    each = odds / (1 + odds)
    sums = pd.Series(each - each.mean()).groupby(jds).sum().to_numpy()
    variance = (sums**2).sum() / len(each) ** 2 * len(sums) / (len(sums) - 1)
    (match, _), (other, _) = kept["matches"], kept["others"]
    spread = np.asarray(kept["covariance"])[np.ix_([0, 2], [0, 2])]

    def refused_by(share):
        apart = each.mean() - share * match - (1 - share) * other
        weights = np.array([share, 1 - share])
        return apart**2 / (variance + weights @ spread @ weights)

    limit = stats.t.ppf(0.975, min(kept["n_units"], len(sums)) - 1) ** 2
    for low, high, end in ((-0.5, found.value, found.low), (found.value, 1.5, found.high)):
        root = optimize.brentq(lambda at: refused_by(at) - limit, low, high)
        assert end == pytest.approx(np.clip(root, 0, 1), abs=1e-6)


def test_matches_that_score_like_others_leave_every_share_possible():
    rng = np.random.default_rng(4)
    scores = rng.normal(0.4, 0.1, 400)
    study = wb.calibrate(pd.DataFrame({"score": scores, "label": rng.integers(0, 2, 400)}), n_resamples=50)
    found = estimate_prevalence(study.cutoff, rng.normal(0.4, 0.1, 1_000))
    assert (found.low, found.high) == (0.0, 1.0)


def test_a_card_without_class_means_or_with_damaged_ones_is_refused():
    with pytest.raises(InputError, match="keeps no class means"):
        estimate_prevalence(Cutoff(0.4), [0.1, 0.2])
    card = Cutoff.load(SHIPPED / "use.json")
    damaged = Cutoff(card.value, evidence={**card.evidence, "class_means": {"matches": [0.1]}})
    with pytest.raises(CardError, match="damaged"):
        estimate_prevalence(damaged, [0.1, 0.2])


class TestCommand:
    @pytest.fixture
    def live(self, tmp_path):
        """Live pairs: everyday non-matches of the demonstration, and a few of its matches."""
        pairs = wb.read_pairs(Path(__file__).parents[2] / "labeled_pairs" / "demo")
        pairs = pairs[pairs["source"] != "composed-hard"]
        few = pairs[pairs["label"] == 1].sample(20, random_state=0)
        mixed = pd.concat([pairs[pairs["label"] == 0], few])
        path = tmp_path / "live.csv"
        mixed[["jd", "resume", "jd_id"]].to_csv(path, index=False)
        return path, 20 / len(mixed)

    def test_it_estimates_the_share_and_writes_the_card_that_is_read_at_it(self, live, tmp_path):
        path, share = live
        out = tmp_path / "live.json"
        command = ["prevalence", str(SHIPPED / "use.json"), str(path), "-o", str(out), "--json"]
        done = CliRunner().invoke(app, command)
        found = json.loads(done.stdout)
        assert done.exit_code == 0
        assert found["low"] < share < found["high"] < 0.3
        card = Cutoff.load(out)
        assert (card.prevalence, card.prevalence_is) == (pytest.approx(found["value"]), "estimated")
        assert "as estimated from live scores" in card.holds_for()
