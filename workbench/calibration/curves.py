"""The three curves that turn a score into a probability of a match: sigmoid, beta and isotonic.

Each is fitted to weighted counts of matches and others at some scores, and read at other scores; all are
monotone. Which one is taken, and how sure it is, is said in :mod:`workbench.calibration.probability`.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from workbench.calibration.observations import FloatArray
from workbench.calibration.regression import logistic_many
from workbench.errors import InputError

__all__ = ["METHODS", "CurveName", "check_method", "fitted_at", "fitted_many", "isotonic_knots"]

CurveName = Literal["sigmoid", "beta", "isotonic"]
METHODS: tuple[CurveName, ...] = get_args(CurveName)

# A cosine within 0.002 of 1 or -1 is taken as that far from it: the logarithm of the distance of two
# identical texts would be rounding noise, and outweigh all other pairs.
EDGE = 1e-3
# No penalty, as Platt and Kull et al. have it, yet a finite number that every solver takes.
NO_PENALTY = 1e10
# Far out a logistic curve rounds to 0 or 1, which no number of pairs can show.
NEVER = 1e-12


def fitted_at(
    method: CurveName,
    scores: npt.ArrayLike,
    of_match: npt.ArrayLike,
    of_other: npt.ArrayLike,
    at: npt.ArrayLike,
) -> FloatArray:
    """Fit a curve and read it at some scores.

    Parameters
    ----------
    method : {"sigmoid", "beta", "isotonic"}
        ``sigmoid``: logistic regression on the score [1]_. ``beta``: logistic regression on ``log u`` and
        ``-log(1 - u)`` with coefficients of 0 or more, where ``u = (1 + score) / 2`` [2]_. ``isotonic``:
        the monotone step function with the least squared error, linear between steps [3]_.
    scores : array-like of float, shape (k,)
    of_match, of_other : array-like of float, shape (k,)
        Weight of the matches, and of the others, that have this score.
    at : array-like of float, shape (m,)

    Returns
    -------
    ndarray of float64, shape (m,)
        Rising with the score, strictly between 0 and 1. Where higher scores are not better at all, it is
        the overall share of matches everywhere.

    Notes
    -----
    Logistic curves are fitted to Platt's targets, ``(m + 1) / (m + 2)`` for a match and ``1 / (o + 2)``
    for another pair (m matches, o others), so that classes that the score parts perfectly give no
    certainty; isotonic steps are kept within the same two values.

    References
    ----------
    .. [1] Platt (1999), Probabilistic outputs for support vector machines, in: Advances in Large Margin
       Classifiers, 61-74.
    .. [2] Kull, Silva Filho & Flach (2017), Beta calibration, AISTATS, PMLR 54, 623-631.
    .. [3] Zadrozny & Elkan (2002), Transforming classifier scores into accurate multiclass probability
       estimates, KDD, 694-699.

    Examples
    --------
    >>> curve = fitted_at("isotonic", [0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1], [1, 0, 1, 0], [0.1, 0.25, 0.4])
    >>> curve.round(2).tolist()
    [0.25, 0.5, 0.75]
    """
    x, m, o, where = (np.asarray(values, dtype=np.float64) for values in (scores, of_match, of_other, at))
    if method == "isotonic":
        return np.asarray(_isotonic(x, m, o).predict(where), dtype=np.float64)
    if method == "beta":
        curve = _logistic(_beta_features(x), m, o, _beta_features(where))
    else:
        curve = _logistic(x[:, None], m, o, where[:, None])
    return np.clip(curve, NEVER, 1 - NEVER)


def fitted_many(
    method: CurveName, scores: FloatArray, of_match: FloatArray, of_other: FloatArray, at: FloatArray
) -> FloatArray:
    """As :func:`fitted_at` for many sets of weights at once, such as resamples; logistic curves by Newton's
    method in one go, for a solver that is called five hundred times takes seconds.

    Parameters
    ----------
    of_match, of_other : ndarray of float64, shape (k, r)

    Returns
    -------
    ndarray of float64, shape (r, m)
    """
    if method == "isotonic":
        columns = zip(of_match.T, of_other.T, strict=True)
        return np.array([_isotonic_at(scores, m, o, at) for m, o in columns])
    features, where = scores[:, None], at[:, None]
    if method == "beta":
        features, where = _beta_features(scores), _beta_features(at)
    high, low = _targets(of_match, of_other)
    for_match = of_match * high + of_other * low
    for_other = of_match * (1 - high) + of_other * (1 - low)
    return np.clip(logistic_many(features, for_match, for_other, where), NEVER, 1 - NEVER)


def isotonic_knots(scores: FloatArray, of_match: FloatArray, of_other: FloatArray) -> FloatArray:
    """Scores at which the isotonic curve bends; ascending."""
    return np.asarray(_isotonic(scores, of_match, of_other).X_thresholds_, dtype=np.float64)


def check_method(method: str, scores: FloatArray) -> None:
    """Refuse a method that there is not, and beta calibration of what is no cosine.

    Raises
    ------
    InputError
        If the method is unknown or cannot be fitted to such scores.
    """
    if method not in METHODS:
        raise InputError(f"There is no method {method!r}; there are auto, {', '.join(METHODS)}.")
    if method == "beta" and np.abs(scores).max() > 1 + 1e-6:
        raise InputError(
            f"Beta calibration needs scores from -1 to 1 (cosine similarity); one is "
            f"{scores[np.argmax(np.abs(scores))]:g}. Take 'sigmoid' or 'isotonic'."
        )


def _targets(of_match: FloatArray, of_other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Platt's targets for a match and for another pair."""
    matches, others = of_match.sum(axis=0), of_other.sum(axis=0)
    return (matches + 1) / (matches + 2), 1 / (others + 2)


def _isotonic(scores: FloatArray, of_match: FloatArray, of_other: FloatArray):  # type: ignore[no-untyped-def]
    from sklearn.isotonic import IsotonicRegression

    weight = of_match + of_other
    some = weight > 0
    high, low = _targets(of_match, of_other)
    curve = IsotonicRegression(y_min=low, y_max=high, increasing=True, out_of_bounds="clip")
    return curve.fit(scores[some], of_match[some] / weight[some], sample_weight=weight[some])


def _isotonic_at(
    scores: FloatArray, of_match: FloatArray, of_other: FloatArray, at: FloatArray
) -> FloatArray:
    """As the regression above, without its checks, which take most of the time; scores ascending."""
    from sklearn.isotonic import isotonic_regression

    weight = of_match + of_other
    some = weight > 0
    high, low = _targets(of_match, of_other)
    share = of_match[some] / weight[some]
    curve = isotonic_regression(share, sample_weight=weight[some], y_min=low, y_max=high)
    return np.asarray(np.interp(at, scores[some], curve))


def _beta_features(scores: FloatArray) -> FloatArray:
    u = np.clip((1 + scores) / 2, EDGE, 1 - EDGE)
    return np.column_stack([np.log(u), -np.log1p(-u)])


def _logistic(features: FloatArray, of_match: FloatArray, of_other: FloatArray, at: FloatArray) -> FloatArray:
    """Logistic regression on soft targets with coefficients of 0 or more, read at other features."""
    high, low = _targets(of_match, of_other)
    # A soft target t is a row of class 1 with weight t and one of class 0 with weight 1 - t.
    for_match = of_match * high + of_other * low
    for_other = of_match * (1 - high) + of_other * (1 - low)
    weight = for_match + for_other
    some = weight > 0
    centre = np.average(features, axis=0, weights=weight)
    spread = np.sqrt(np.average((features - centre) ** 2, axis=0, weights=weight))
    kept = list(np.flatnonzero(spread > 1e-12))
    while kept:
        scaled = (features[some][:, kept] - centre[kept]) / spread[kept]
        model = _regression(scaled, for_match[some], for_other[some])
        wrong = [column for column, slope in zip(kept, model.coef_[0], strict=True) if slope < 0]
        if not wrong:
            rows = (at[:, kept] - centre[kept]) / spread[kept]
            return np.asarray(model.predict_proba(rows)[:, 1], dtype=np.float64)
        # As Kull et al.: leave the first one out that would make the curve fall, and fit again.
        kept.remove(wrong[0])
    return np.full(len(at), for_match.sum() / weight.sum())


def _regression(features: FloatArray, for_match: FloatArray, for_other: FloatArray):  # type: ignore[no-untyped-def]
    from sklearn.linear_model import LogisticRegression

    n = len(features)
    model = LogisticRegression(C=NO_PENALTY, solver="newton-cholesky", tol=1e-8, max_iter=200)
    return model.fit(
        np.concatenate([features, features]),
        np.repeat([1, 0], n),
        sample_weight=np.concatenate([for_match, for_other]),
    )
