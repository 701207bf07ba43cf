"""What labels say of a probability that never falls as the score rises: bounds at each score, and a middle.

Nothing but that is assumed, no curve of a certain shape: where there are few labels, bounds are far apart.
The table that a card keeps is made of them in :mod:`workbench.calibration.probability`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import ngettext
from workbench.progress import tell

# Beyond this many distinct scores, neighbours are taken as one: bounds cannot tell, and finding them is fast.
MOST_CELLS = 2000
# Scores where bounds are found, evenly spaced in rank, and as many in value; and where the best curve steps.
KNOTS = 41
# The probability is said to be the middle of the interval of this confidence.
MIDDLE = 0.3
# Probabilities that are tried, as good as 0 and 1 among them; between them it is interpolated.
NEVER = 1e-12
TRIED = np.concatenate([[NEVER], expit(np.linspace(-9, 9, 181)), [1 - NEVER]])
# A jump of the probability beside a score makes its own side an end: critical values are at least those of
# a score with this many times as many pairs on one side as on the other.
LEAST_ODDS = 6.0
# Of so many JDs all folds have their share of matches without care, which would take long.
MANY_JDS = 2000


@dataclass(frozen=True, eq=False)
class Cells:
    """Weights of matches and others at each distinct score.

    Attributes
    ----------
    scores, of_match, of_other : ndarray of float64, shape (k,)
        Mean score and weights of a cell, ascending; a weight of 1 is a pair of mean weight.
    cell : ndarray of int, shape (n,)
        Of each pair.
    """

    scores: FloatArray
    of_match: FloatArray
    of_other: FloatArray
    cell: npt.NDArray[np.intp]

    @classmethod
    def of(cls, observations: Observations) -> Cells:
        """Count; neighbours are one cell where there are too many distinct scores."""
        scores = observations.scores
        distinct = np.unique(scores)
        if len(distinct) > MOST_CELLS:
            at = np.linspace(0, len(scores) - 1, MOST_CELLS + 1).astype(np.intp)
            distinct = np.unique(np.sort(scores)[at])
        filled, cell = np.unique(np.searchsorted(distinct, scores, side="left"), return_inverse=True)
        weights = observations.unit_weights / observations.unit_weights.mean()
        of_match, of_other = (
            np.bincount(cell, weights * kind).astype(np.float64)
            for kind in (observations.labels, 1 - observations.labels)
        )
        # The least score of a cell plus the mean distance from it: exact where all are equal.
        least = np.full(len(filled), np.inf)
        np.minimum.at(least, cell, scores)
        mean = least + np.bincount(cell, weights * (scores - least[cell])) / (of_match + of_other)
        return cls(mean, of_match, of_other, cell)


def intervals(observations: Observations, *confidences: float) -> tuple[FloatArray, FloatArray]:
    """Some of the scores, ascending, both ends among them, and the intervals there.

    See :func:`monotone_intervals`, to which each pair counts as :func:`information_per_weight` says.
    """
    cells = Cells.of(observations)
    last = len(cells.scores) - 1
    by_rank = np.linspace(0, last, KNOTS).astype(np.intp)
    by_score = np.searchsorted(cells.scores, np.linspace(cells.scores[0], cells.scores[-1], KNOTS))
    at = np.unique(np.concatenate([by_rank, np.minimum(by_score, last), _beside_steps(cells)]))
    worth = information_per_weight(observations)
    return cells.scores[at], monotone_intervals(
        worth * cells.of_match, worth * cells.of_other, at, *confidences
    )


def monotone_intervals(
    of_match: FloatArray,
    of_other: FloatArray,
    at: npt.NDArray[np.intp],
    *confidences: float,
) -> FloatArray:
    """Intervals of a probability that never falls, at some of the scores.

    An interval holds every value from which the likelihood ratio of the best rising curve through that value
    to the best one of all does not take away too much [1]_; how much is said by :func:`critical_value`.

    Parameters
    ----------
    of_match, of_other : ndarray of float64, shape (k,)
        How many independent matches and others have each score, from the lowest to the highest; may be
        fractions.
    at : ndarray of int, shape (m,)
        Positions, ascending.
    *confidences : float
        Two-sided, each at one score.

    Returns
    -------
    ndarray of float64, shape (number of confidences, 2, m)
        Lower and upper ends, which never fall.

    References
    ----------
    .. [1] Banerjee & Wellner (2001), Likelihood ratio tests for monotone functions, Annals of Statistics
       29(6), 1699-1731.

    Examples
    --------
    >>> matches, others = np.array([1.0, 5, 9]), np.array([9.0, 5, 1])
    >>> monotone_intervals(matches, others, np.arange(3), 0.9).round(2).tolist()
    [[[0.0, 0.2, 0.6], [0.4, 0.8, 1.0]]]
    """
    before = np.concatenate([[0.0], np.cumsum(of_match + of_other)])
    free = _log_likelihood(of_match, of_other, TRIED[-1:])
    ends = np.empty((len(confidences), 2, len(at)))
    for column, here in enumerate(at):
        tell()
        # From above and upside down, a curve that is nowhere below a value is one that is nowhere above.
        held = (
            _log_likelihood(of_match[:here], of_other[:here], TRIED)
            + of_match[here] * np.log(TRIED)
            + of_other[here] * np.log(1 - TRIED)
            + _log_likelihood(of_other[:here:-1], of_match[:here:-1], 1 - TRIED)
        )
        lost = 2 * (free - held)
        best = int(np.argmin(lost))
        lost -= lost[best]
        # Half of the pairs at this very score count as below it, and half as above.
        below = (before[here] + before[here + 1]) / 2
        above = before[-1] - below
        for row, confidence in enumerate(confidences):
            tail = (1 - confidence) / 2
            ends[row, :, column] = (
                np.interp(critical_value(below / above, tail), lost[best::-1], TRIED[best::-1]),
                np.interp(critical_value(above / below, tail), lost[best:], TRIED[best:]),
            )
    ends[:, 0] = np.minimum.accumulate(ends[:, 0, ::-1], axis=1)[:, ::-1]
    ends[:, 1] = np.maximum.accumulate(ends[:, 1], axis=1)
    return ends


def critical_value(odds: float, tail: float) -> float:
    """How large twice the log likelihood ratio gets by chance, on one side.

    Parameters
    ----------
    odds : float
        Pairs on the side whose luck could lead to the error (for a lower end, those below) for each pair on
        the other.
    tail : float
        How often it may be larger.

    Notes
    -----
    Fitted to simulations in which the probability is the same at all scores, for luck leads the best rising
    curve furthest there (``docs/simulations/match_probability.md``). In large samples only the ratio of the
    numbers of pairs has a say. Towards an end of the scores, where that curve follows the luck of few pairs,
    the value grows with the logarithm of that ratio.
    """
    return float(max(np.log(max(odds, LEAST_ODDS) / tail**2) - 3.3, 0.0))


def information_per_weight(observations: Observations) -> float:
    """How many independent pairs a pair of mean weight is worth, at most 1.

    The variance of sums of residuals from the best rising curve, over neighbouring scores, if pairs were
    independent and weights counts, beside what it is as sums over JDs. Residuals are at least those of half a
    pair, so that sets without any error are not taken for sets of independent pairs.
    """
    from scipy.optimize import isotonic_regression

    weights = observations.unit_weights / observations.unit_weights.mean()
    n = len(observations)
    if observations.clusters is None and np.ptp(weights) == 0:
        return 1.0
    cells = Cells.of(observations)
    of_all = cells.of_match + cells.of_other
    curve = isotonic_regression(cells.of_match / of_all, weights=of_all).x
    residual = observations.labels - np.clip(curve, 0.5 / n, 1 - 0.5 / n)[cells.cell]
    clusters = np.arange(n) if observations.clusters is None else observations.clusters
    # Bounds are made by about n^(2/3) neighbours.
    n_parts = round(n ** (1 / 3))
    part = np.empty(n, dtype=np.intp)
    part[observations.order] = np.arange(n) * n_parts // n
    sums = np.bincount(clusters * n_parts + part, weights * residual)
    return float(min((weights * residual**2).sum() / (sums**2).sum(), 1.0))


def cross_fitted(observations: Observations, *, n_folds: int = 5, seed: int = 0) -> FloatArray:
    """The probability of each labelled pair, shape (n,), from fits that saw neither it nor others of its JD.

    Folds hold whole JDs where pairs share them, and about equal shares of matches
    (:class:`sklearn.model_selection.StratifiedGroupKFold`); there are fewer than `n_folds` where there are
    not so many matches, others or JDs.

    Raises
    ------
    InputError
        If there are fewer than two matches, others or JDs, so that none can be left out.
    """
    folds = _n_folds(observations, n_folds)
    # In the order of scores, so that the order of rows has no say.
    pairs = observations.in_order
    fold = _fold_of_pair(pairs, folds, seed)
    probability = np.empty(len(pairs))
    for left_out in range(folds):
        here = fold == left_out
        scores, ends = intervals(pairs.subset(~here), MIDDLE)
        probability[here] = np.interp(pairs.scores[here], scores, ends[0].mean(axis=0))
    back = np.argsort(observations.order)
    return probability[back]


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
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if observations.clusters is None else StratifiedGroupKFold
    if (observations.n_clusters or 0) > MANY_JDS:
        splitter = GroupKFold
    split = splitter(folds, shuffle=True, random_state=seed).split(
        observations.scores, observations.labels, observations.clusters
    )
    fold = np.empty(len(observations), dtype=np.intp)
    for number, (_fitted_on, left_out) in enumerate(split):
        fold[left_out] = number
    return fold


def _beside_steps(cells: Cells) -> npt.NDArray[np.intp]:
    """Positions on both sides of each step of the best rising curve."""
    from scipy.optimize import isotonic_regression

    weight = cells.of_match + cells.of_other
    steps = isotonic_regression(cells.of_match / weight, weights=weight).blocks[1:-1]
    return np.concatenate([steps - 1, steps])


def _log_likelihood(of_match: FloatArray, of_other: FloatArray, most: FloatArray) -> FloatArray:
    """Of the best rising curve that is nowhere above a value, for each of these."""
    from scipy.optimize import isotonic_regression

    if not len(of_match):
        return np.zeros(len(most))
    weight = of_match + of_other
    found = isotonic_regression(of_match / weight, weights=weight)
    starts = found.blocks[:-1]
    curve = np.clip(found.x[starts], NEVER, 1 - NEVER)
    sums = np.stack([np.add.reduceat(of_match, starts), np.add.reduceat(of_other, starts)])
    # Blocks below the value stay as they are, the others come down to it.
    own = (sums * np.log([curve, 1 - curve])).sum(axis=0)
    lower = np.searchsorted(curve, most)
    until = np.concatenate([np.zeros((3, 1)), np.cumsum([own, *sums], axis=1)], axis=1)[:, lower]
    matches, others = sums.sum(axis=1)[:, None] - until[1:]
    return np.asarray(until[0] + matches * np.log(most) + others * np.log(1 - most))
