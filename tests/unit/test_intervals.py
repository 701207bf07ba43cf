"""Intervals, bounds and p-values of one share, against scipy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, t
from statsmodels.stats.proportion import proportion_confint

from workbench.calibration import pairs_needed
from workbench.calibration.exact_tests import lower_bound, p_value_above, upper_bound
from workbench.calibration.shares import _t95, wilson
from workbench.errors import InputError

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(COUNTS, CONFIDENCES)
def test_wilson_is_that_of_scipy_and_statsmodels(counts, confidence):
    k, n = counts
    ours = [float(end) for end in wilson(k / n, n, confidence)]
    scipys = binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert ours == pytest.approx([scipys.low, scipys.high], abs=1e-12)
    assert ours == pytest.approx(proportion_confint(k, n, 1 - confidence, method="wilson"), abs=1e-12)


@given(COUNTS, CONFIDENCES)
def test_two_exact_bounds_are_the_interval_of_scipy_and_statsmodels(counts, confidence):
    k, n = counts
    ours = [float(bound(k / n, n, (1 + confidence) / 2)) for bound in (lower_bound, upper_bound)]
    scipys = binomtest(k, n).proportion_ci(confidence, method="exact")
    assert ours == pytest.approx([scipys.low, scipys.high], abs=1e-9)
    assert ours == pytest.approx(proportion_confint(k, n, 1 - confidence, method="beta"), abs=1e-9)


@given(COUNTS, st.floats(0.01, 0.99))
def test_the_p_value_is_that_of_the_exact_binomial_test(counts, target):
    k, n = counts
    expected = binomtest(k, n, target, alternative="greater").pvalue
    assert float(p_value_above(k / n, n, target)) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@given(COUNTS, CONFIDENCES)
def test_a_bound_is_the_target_that_is_just_refuted(counts, confidence):
    k, n = counts
    low = float(lower_bound(k / n, n, confidence))
    high = float(upper_bound(k / n, n, confidence))
    if k > 0:
        assert binom.sf(k - 1, n, low) == pytest.approx(1 - confidence, rel=1e-6)
    else:
        assert low == 0
    if k < n:
        assert binom.cdf(k, n, high) == pytest.approx(1 - confidence, rel=1e-6)
    else:
        assert high == 1


def test_what_is_undefined_is_nan_and_proves_nothing():
    nothing = ([np.nan, 0.5], [0, 0])
    for ends in (*wilson(*nothing), lower_bound(*nothing), upper_bound(*nothing)):
        assert np.isnan(ends).all()
    assert p_value_above(np.nan, 0, 0.9) == 1


@given(st.floats(0.5, 400), st.floats(0, 1))
def test_fewer_effective_pairs_never_narrow_an_interval(size, share):
    wide, narrow = wilson(share, size), wilson(share, 2 * size)
    assert wide[0] <= narrow[0] + 1e-12
    assert wide[1] >= narrow[1] - 1e-12


def test_with_no_error_22_pairs_show_a_precision_of_90_percent_at_90_percent():
    assert pairs_needed(0.9, confidence=0.9) == 22
    assert 0.9**22 <= 0.1 < 0.9**21


@given(st.floats(0.5, 0.98), st.sampled_from([0.8, 0.9, 0.95, 0.99]), st.integers(0, 12))
def test_pairs_needed_is_the_smallest_number_that_passes(target, confidence, errors):
    n = pairs_needed(target, confidence, errors)
    delta = 1 - confidence
    assert binom.cdf(errors, n, 1 - target) <= delta * (1 + 1e-9)
    assert n == errors + 1 or binom.cdf(errors, n - 1, 1 - target) > delta


@pytest.mark.parametrize(("target", "confidence", "errors"), [(1.0, 0.9, 0), (0.9, 95, 0), (0.9, 0.9, -1)])
def test_what_makes_no_sense_to_plan_is_refused(target, confidence, errors):
    with pytest.raises(InputError):
        pairs_needed(target, confidence, errors)


def test_quantiles_of_many_degrees_of_freedom_are_scipys():
    freedom = np.array([1, 2, 7, 9_999, 10_000, 10_001, 12_345, 10**6, 10**8])
    np.testing.assert_allclose(_t95(freedom), t.ppf(0.95, freedom), rtol=1e-14)
