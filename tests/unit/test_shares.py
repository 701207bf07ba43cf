"""What pairs that share JDs, or count unequally, are worth as independent pairs."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from workbench.calibration import Observations, figures_at
from workbench.calibration.shares import one_side, share_with_size, within_cluster_correlation
from workbench.errors import InputError


def clustered(n=500, n_jds=70, spread=1.0, seed=0):
    """Labels by a logistic model of the score with a random effect of the JD."""
    rng = np.random.default_rng(seed)
    jds = rng.integers(0, n_jds, n)
    scores = rng.normal(size=n)
    chance = 1 / (1 + np.exp(-(2 * scores + spread * rng.normal(size=n_jds)[jds])))
    return Observations(scores, rng.random(n) < chance, clusters=jds)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=1, max_size=30))
def test_independent_equal_pairs_are_worth_their_number(pairs):
    scores, labels = np.array(pairs).T
    above = one_side(Observations(scores, labels), "above")
    assert above.size.tolist() == above.n.tolist()
    assert above.method == "independent"
    for cutoff, n, right in zip(above.cutoffs, above.n, above.right, strict=True):
        assert (n, right) == ((scores > cutoff).sum(), labels[scores > cutoff].sum())


def test_below_the_cutoff_a_pair_is_right_if_it_is_no_match():
    below = one_side(Observations([0.1, 0.2, 0.3], [0, 1, 0]), "below")
    assert below.n.tolist() == [0, 1, 2, 3]
    assert below.right.tolist() == [0, 1, 1, 2]


def test_ignoring_clusters_gives_the_number_of_pairs():
    above = one_side(clustered(), "above", dependence="independent")
    assert above.size.tolist() == above.n.tolist()


@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
def test_a_set_is_worth_no_more_than_its_cluster_robust_variance(spread):
    """The variance of a mean by statsmodels' cluster-robust regression on a constant.

    Few JDs estimate it badly, for which Korn & Graubard take off the squared ratio of quantiles of t.
    """
    observations = clustered(spread=spread)
    above = one_side(observations, "above")
    for at in np.flatnonzero((above.n > 60) & (above.right < above.n))[::40]:
        chosen = observations.scores > above.cutoffs[at]
        right, jds = observations.labels[chosen], observations.clusters[chosen]
        fit = sm.OLS(right, np.ones(len(right))).fit(
            cov_type="cluster", cov_kwds={"groups": jds, "use_correction": False}
        )
        p, jd_count = right.mean(), len(np.unique(jds))
        robust = p * (1 - p) / fit.cov_params()[0, 0] * (jd_count - 1) / jd_count
        few = (t.ppf(0.95, len(right) - 1) / t.ppf(0.95, jd_count - 1)) ** 2
        assert above.size[at] <= few * robust * (1 + 1e-9) < robust


def test_pairs_of_one_jd_alone_are_worth_one():
    # Above 0.5 all pairs are of the first of two JDs, and not all alike.
    pairs = Observations([0.9] * 20 + [0.1] * 20, [1, 1, 1, 0] * 5 + [0] * 20, clusters=[0] * 20 + [1] * 20)
    assert one_side(pairs, "above", cutoffs=np.array([0.5])).size.tolist() == [1]


def test_pairs_that_say_the_same_are_worth_about_as_much_as_their_clusters():
    rng = np.random.default_rng(0)
    n_jds = 60
    score = np.repeat(rng.random(n_jds), 8) + 1e-6 * rng.random(8 * n_jds)
    label = np.repeat(rng.random(n_jds) < 0.5, 8)
    everything = one_side(Observations(score, label, clusters=np.repeat(np.arange(n_jds), 8)), "above")
    assert everything.size[-1] == pytest.approx(n_jds, rel=0.1)


def test_where_no_error_was_seen_nothing_is_known_of_how_errors_cluster():
    perfect = Observations([0.9] * 30 + [0.1] * 30, [1] * 30 + [0] * 30, clusters=np.arange(60) % 6)
    assert within_cluster_correlation(perfect) == 1.0
    assert one_side(perfect, "above", cutoffs=np.array([0.5])).size[0] == pytest.approx(6)


def test_what_is_not_known_of_the_correlation_counts_against_the_pairs():
    """Where JDs have nothing to do with errors, the estimate is above 0 only as often as below."""
    careful, plain = (
        np.array([within_cluster_correlation(clustered(120, 20, 0.0, seed), **how) for seed in range(60)])
        for how in ({}, {"standard_errors": 0.0})
    )
    assert (careful > plain).mean() >= 0.8
    assert (careful > 0).mean() >= 0.75 > 0.65 > (plain > 0).mean()


def test_where_no_match_was_missed_recall_is_known_from_as_many_pairs_as_there_are_jds():
    perfect = Observations([0.9] * 30 + [0.1] * 30, [1] * 30 + [0] * 30, clusters=np.arange(60) % 6)
    found = figures_at(perfect, 0.5, n_resamples=20)
    for name in ("recall", "specificity", "precision", "accuracy"):
        assert found[name].value == 1
        assert found[name].size == pytest.approx(6), name


def test_the_correlation_is_found_where_there_is_one():
    # Residuals that share half of their variance within a JD.
    rng = np.random.default_rng(0)
    jds = np.repeat(np.arange(400), 6)
    same, own = rng.random(400)[jds], rng.random(2400)
    labels = np.where(rng.random(2400) < 0.5, same, own) < 0.3
    observations = Observations(rng.random(2400), labels, clusters=jds)
    # Two pairs of a JD are both of the shared kind in a quarter of cases.
    assert within_cluster_correlation(observations, standard_errors=0) == pytest.approx(0.25, abs=0.05)


def test_unequal_weights_are_worth_less_than_equal_ones():
    rng = np.random.default_rng(0)
    scores, labels = rng.random(200), rng.integers(0, 2, 200)
    weights = rng.choice([1.0, 9.0], 200)
    above = one_side(Observations(scores, labels, weights), "above")
    kish = weights.sum() ** 2 / (weights**2).sum()
    assert above.size[-1] <= kish < 200
    assert above.share_right[-1] == pytest.approx(np.average(labels, weights=weights))


def test_without_an_error_a_set_is_worth_the_pairs_that_could_hide_one():
    """A large weight could hide many errors; about sum of weights / largest weight pairs can be relied on."""
    weights = np.array([1.0] * 100 + [10.0] * 10)
    above = one_side(Observations(np.linspace(0.9, 0.6, 110), np.ones(110), weights), "above")
    assert above.size[-1] == pytest.approx(200 / 10, rel=0.15)


def test_the_size_behind_a_share_of_independent_pairs_is_their_number():
    share, size = share_with_size(np.array([1.0, 0.0, 1.0, 1.0]), Observations([1, 2, 3, 4], [0, 1, 1, 0]))
    assert (share, size) == (0.75, 4.0)


def test_a_side_that_is_none_is_refused():
    with pytest.raises(InputError, match="'above' or 'below'"):
        one_side(clustered(), "left")  # type: ignore[arg-type]
