"""The three curves that turn a score into a probability of a match, and what they say of unseen pairs.

Each is fitted to weighted counts of matches and others at some scores, for many sets of counts at once
(folds, resamples), and read at other scores; all are monotone. Which one is taken, and how sure it is, is
said in :mod:`workbench.calibration.probability`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from workbench.calibration.bootstrap import Resamples
from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext

__all__ = [
    "METHODS",
    "Cells",
    "CrossFit",
    "CurveName",
    "check_method",
    "cross_fit",
    "fitted",
    "isotonic_knots",
]

CurveName = Literal["sigmoid", "beta", "isotonic"]
METHODS: tuple[CurveName, ...] = get_args(CurveName)

# Beyond this many distinct scores, neighbours are fitted as one: the curve cannot tell, and fitting is fast.
MOST_CELLS = 2000
# A cosine within 0.002 of 1 or -1 is taken as that far from it: the logarithm of the distance of two
# identical texts would be rounding noise, and outweigh all other pairs.
EDGE = 1e-3
# Far out a logistic curve rounds to 0 or 1, which no number of pairs can show.
NEVER = 1e-12
MOST_STEPS = 50
# The largest change of a coefficient (of a feature of spread 1) that counts as none.
TOLERANCE = 1e-7
# Keeps the system solvable where a feature is constant; far below what a thousandth of a pair would do.
RIDGE = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Weights of matches and others at each distinct score, or between neighbouring cutoffs.

    Attributes
    ----------
    scores, of_match, of_other : ndarray of float64, shape (k,)
        Mean score and weights of a cell, ascending; a weight of 1 is a pair of mean weight.
    cell : ndarray of int, shape (n,)
        Of each pair.
    filled : ndarray of int, shape (k,)
        Which of the intervals between the given cutoffs hold pairs, in order; all where none were given.
    scale : float
        What sampling weights were multiplied by, so that they have the mean 1.
    """

    scores: FloatArray
    of_match: FloatArray
    of_other: FloatArray
    cell: npt.NDArray[np.intp]
    filled: npt.NDArray[np.intp]
    scale: float

    @classmethod
    def of(cls, observations: Observations, cutoffs: FloatArray | None = None) -> Cells:
        """Count in cells between ascending cutoffs; by default a cell for each distinct score."""
        scores = observations.scores
        if cutoffs is None:
            distinct = np.unique(scores)
            if len(distinct) > MOST_CELLS:
                at = np.linspace(0, len(scores) - 1, MOST_CELLS + 1).astype(np.intp)
                distinct = np.unique(np.sort(scores)[at])
            index = np.searchsorted(distinct, scores, side="left")
        else:
            index = np.searchsorted(cutoffs, scores, side="left") - 1
        filled, cell = np.unique(index, return_inverse=True)
        scale = 1.0 / observations.unit_weights.mean()
        weights = observations.unit_weights * scale
        of_match, of_other = (
            np.bincount(cell, weights * kind).astype(np.float64)
            for kind in (observations.labels, 1 - observations.labels)
        )
        # The least score of a cell plus the mean distance from it: exact where all are equal.
        least = np.full(len(filled), np.inf)
        np.minimum.at(least, cell, scores)
        mean = least + np.bincount(cell, weights * (scores - least[cell])) / (of_match + of_other)
        return cls(mean, of_match, of_other, cell, filled, float(scale))

    def drawn(self, resamples: Resamples) -> FloatArray:
        """Weights of matches and others in each cell of each resample, shape (2, k, n_resamples)."""
        # Counts above each cutoff, differenced, are counts between cutoffs: the top one has nothing above.
        above = np.stack([resamples.tp, resamples.fp]).astype(np.float64)
        return np.asarray(np.maximum(-np.diff(above, axis=1)[:, self.filled] * self.scale, 0))


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Probabilities of labelled pairs, each from a fit that did not see the pair, nor others of its JD.

    Attributes
    ----------
    probability, log_loss : ndarray of float64, shape (n,)
        In the order of the pairs; the loss of each in nats.
    mean_log_loss : float
        Weighted.
    """

    probability: FloatArray
    log_loss: FloatArray
    mean_log_loss: float

    def better_than(self, other: CrossFit, observations: Observations) -> tuple[float, float]:
        """By how much its log loss is lower, with the standard error (of sums over JDs where shared)."""
        order = observations.order
        weights = observations.unit_weights[order] / observations.unit_weights[order].sum()
        gain = (other.log_loss - self.log_loss)[order]
        mean = float((weights * gain).sum())
        parts = weights * (gain - mean)
        if observations.clusters is not None:
            parts = np.bincount(observations.clusters[order], parts)
        return mean, float(np.sqrt((parts**2).sum() * len(parts) / max(len(parts) - 1, 1)))


def fitted(
    method: CurveName, scores: FloatArray, of_match: FloatArray, of_other: FloatArray, at: FloatArray
) -> FloatArray:
    """Fit a curve to each set of counts, and read it at some scores.

    Parameters
    ----------
    method : {"sigmoid", "beta", "isotonic"}
        ``sigmoid``: logistic regression on the score [1]_. ``beta``: logistic regression on ``log u`` and
        ``-log(1 - u)`` with coefficients of 0 or more, where ``u = (1 + score) / 2`` [2]_. ``isotonic``:
        the monotone step function with the least squared error, linear between steps [3]_.
    scores : ndarray of float64, shape (k,)
        Ascending and distinct.
    of_match, of_other : ndarray of float64, shape (k, r)
        Weight of the matches, and of the others, that have this score; a column a set.
    at : ndarray of float64, shape (m,)

    Returns
    -------
    ndarray of float64, shape (r, m)
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
    >>> matches = np.array([[0.0], [1], [0], [1]])
    >>> scores, at = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.1, 0.25, 0.4])
    >>> fitted("isotonic", scores, matches, 1 - matches, at).round(2).tolist()
    [[0.25, 0.5, 0.75]]
    """
    if method == "isotonic":
        columns = zip(of_match.T, of_other.T, strict=True)
        return np.array([np.interp(at, *_isotonic(scores, m, o)) for m, o in columns])
    features, where = scores[:, None], at[:, None]
    if method == "beta":
        features, where = _beta_features(scores), _beta_features(at)
    high, low = _targets(of_match, of_other)
    # A soft target t is a row of class 1 with weight t and one of class 0 with weight 1 - t.
    for_match = of_match * high + of_other * low
    for_other = of_match * (1 - high) + of_other * (1 - low)
    return np.clip(_logistic(features, for_match, for_other, where), NEVER, 1 - NEVER)


def isotonic_knots(scores: FloatArray, of_match: FloatArray, of_other: FloatArray) -> FloatArray:
    """Scores at which the isotonic curve of one set of counts, shape (k,), bends; ascending."""
    knots, curve = _isotonic(scores, of_match, of_other)
    bends = np.diff(curve, prepend=np.nan) != 0
    return np.asarray(knots[bends | np.append(bends[1:], True)])


def check_method(method: str, scores: FloatArray) -> None:
    """Refuse a method that there is not, and beta calibration of what is no cosine.

    Raises
    ------
    InputError
        If the method is unknown or cannot be fitted to such scores.
    """
    if method not in METHODS:
        raise InputError(
            _("There is no method {method!r}; there are {methods}.").format(
                method=method, methods=listed(["auto", *METHODS])
            )
        )
    if method == "beta" and np.abs(scores).max() > 1 + 1e-6:
        raise InputError(
            _(
                "Beta calibration needs scores from -1 to 1 (cosine similarity); one is {score:g}. Take "
                "'sigmoid' or 'isotonic'."
            ).format(score=scores[np.argmax(np.abs(scores))])
        )


def cross_fit(observations: Observations, method: CurveName, *, n_folds: int = 5, seed: int = 0) -> CrossFit:
    """Fit a curve on all folds but one, and read it on that one, for each fold.

    Folds hold whole JDs where pairs share them, and about equal shares of matches
    (:class:`sklearn.model_selection.StratifiedGroupKFold`); there are fewer than `n_folds` where there are
    not so many matches, others or JDs.

    Raises
    ------
    InputError
        If there are fewer than two matches, others or JDs, so that none can be left out.
    """
    folds = _n_folds(observations, n_folds)
    # All in the order of scores, so that the order of rows has no say, not even in the last digit.
    order = observations.order
    observations = observations.in_order
    cells = Cells.of(observations)
    weights = observations.unit_weights * cells.scale
    fold = _fold_of_pair(observations, folds, seed)
    of_match, of_other = (
        np.stack(
            [
                np.bincount(cells.cell, weights * kind * (fold != left_out), minlength=len(cells.scores))
                for left_out in range(folds)
            ],
            axis=1,
            dtype=np.float64,
        )
        for kind in (observations.labels, 1 - observations.labels)
    )
    curves = fitted(method, cells.scores, of_match, of_other, cells.scores)
    probability = curves[fold, cells.cell]
    log_loss = -np.log(np.where(observations.labels == 1, probability, 1 - probability))
    mean = float(np.average(log_loss, weights=observations.weights))
    back = np.argsort(order)
    return CrossFit(probability[back], log_loss[back], mean)


def _n_folds(observations: Observations, wanted: int) -> int:
    matches = int(observations.labels.sum())
    others = len(observations) - matches
    units = {
        ngettext("{n} match", "{n} matches", matches).format(n=matches): matches,
        ngettext("{n} pair that is no match", "{n} pairs that are no match", others).format(n=others): others,
    }
    if (jds := observations.n_clusters) is not None:
        units[ngettext("{n} JD", "{n} JDs", jds).format(n=jds)] = jds
    few, fewest = min(units.items(), key=lambda unit: unit[1])
    if min(wanted, fewest) < 2:
        raise InputError(
            _(
                "These {n} pairs hold {few} only; at least 2 are needed, so that a curve can be tried on "
                "pairs that it was not fitted to. Label more."
            ).format(n=len(observations), few=few)
        )
    return min(wanted, fewest)


def _fold_of_pair(observations: Observations, folds: int, seed: int) -> npt.NDArray[np.intp]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if observations.clusters is None else StratifiedGroupKFold
    split = splitter(folds, shuffle=True, random_state=seed).split(
        observations.scores, observations.labels, observations.clusters
    )
    fold = np.empty(len(observations), dtype=np.intp)
    for number, (_fitted_on, left_out) in enumerate(split):
        fold[left_out] = number
    return fold


def pick_method(fits: Mapping[CurveName, CrossFit], observations: Observations) -> CurveName:
    """The first method, unless another's log loss is better by more than one standard error."""
    best, best_gain = next(iter(fits)), 0.0
    default = fits[best]
    for name, fit in fits.items():
        gain, error = fit.better_than(default, observations)
        if gain > error and gain > best_gain:
            best, best_gain = name, gain
    return best


def _targets(of_match: FloatArray, of_other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Platt's targets for a match and for another pair."""
    matches, others = of_match.sum(axis=0), of_other.sum(axis=0)
    return (matches + 1) / (matches + 2), 1 / (others + 2)


def _isotonic(
    scores: FloatArray, of_match: FloatArray, of_other: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Scores that have any weight, and the curve there."""
    from sklearn.isotonic import isotonic_regression

    weight = of_match + of_other
    some = weight > 0
    high, low = _targets(of_match, of_other)
    share = of_match[some] / weight[some]
    curve = isotonic_regression(share, sample_weight=weight[some], y_min=low, y_max=high)
    return scores[some], np.asarray(curve, dtype=np.float64)


def _beta_features(scores: FloatArray) -> FloatArray:
    u = np.clip((1 + scores) / 2, EDGE, 1 - EDGE)
    return np.column_stack([np.log(u), -np.log1p(-u)])


def _logistic(
    features: FloatArray, for_match: FloatArray, for_other: FloatArray, at: FloatArray
) -> FloatArray:
    """Logistic regression for each column of weights, read at other features; shapes as of :func:`fitted`.

    In one go, for a solver that is called five hundred times takes seconds. Features whose coefficient
    would be negative are left out of that fit, the first one first, as Kull et al. do.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    used = spread > 1e-12
    scaled = (features[:, used] - centre[used]) / spread[used]
    where = (at[:, used] - centre[used]) / spread[used]
    n_features, n_sets = scaled.shape[1], for_match.shape[1]
    kept = np.ones((n_features, n_sets), dtype=bool)
    coefficients = np.zeros((n_features + 1, n_sets))
    waiting = np.arange(n_sets)
    while len(waiting):
        coefficients[:, waiting] = _newton(
            scaled, for_match[:, waiting], for_other[:, waiting], kept[:, waiting]
        )
        negative = (coefficients[1:] < 0) & kept
        waiting = np.flatnonzero(negative.any(axis=0))
        if len(waiting):
            kept[np.argmax(negative[:, waiting], axis=0), waiting] = False
    return np.asarray(expit(coefficients[0][:, None] + coefficients[1:].T @ where.T))


def _newton(
    features: FloatArray, for_match: FloatArray, for_other: FloatArray, kept: npt.NDArray[np.bool_]
) -> FloatArray:
    """Coefficients, intercept first, shape (p + 1, r); 0 for features that are not kept."""
    rows = np.column_stack([np.ones(len(features)), features])
    products = (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
    free = np.concatenate([np.ones((1, kept.shape[1]), dtype=bool), kept])
    weight = for_match + for_other
    total = weight.sum(axis=0)
    size = rows.shape[1]
    held = RIDGE * total[:, None, None] * np.eye(size) + (~free.T)[:, :, None] * np.eye(size)
    found = np.zeros(free.shape)
    found[0] = np.log(for_match.sum(axis=0) / for_other.sum(axis=0))
    loss = _loss(rows @ found, for_match, for_other)
    step_size = np.ones(for_match.shape[1])
    for _step in range(MOST_STEPS):
        chance = expit(rows @ found)
        gradient = (rows.T @ (for_match - weight * chance)) * free
        curvature = (products.T @ (weight * chance * (1 - chance))).T.reshape(-1, size, size)
        curvature *= free.T[:, :, None] & free.T[:, None, :]
        step = np.linalg.solve(curvature + held, gradient.T[:, :, None])[:, :, 0].T
        tried = found + step_size * step
        tried_loss = _loss(rows @ tried, for_match, for_other)
        # Newton's step may overshoot where classes hardly overlap: half of it then, and whole again after.
        better = tried_loss <= loss + 1e-12 * np.abs(loss)
        change = np.abs(np.where(better, tried - found, 0.0)).max(axis=0)
        found, loss = np.where(better, tried, found), np.where(better, tried_loss, loss)
        if (better & (change < TOLERANCE)).all():
            break
        step_size = np.where(better, 1.0, step_size / 2)
    return found


def _loss(logits: FloatArray, for_match: FloatArray, for_other: FloatArray) -> FloatArray:
    """Negative log likelihood of each column."""
    return np.asarray(
        (for_match * np.logaddexp(0, -logits) + for_other * np.logaddexp(0, logits)).sum(axis=0)
    )
