"""What a curve says of pairs that it was not fitted to: cross-fitting by JD, and choosing between curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.calibration.curves import CurveName, fitted_at
from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import InputError

__all__ = ["Cells", "CrossFit", "cross_fit", "pick_method"]

# Beyond this many distinct scores, neighbours are fitted as one: the curve cannot tell, and fitting is fast.
MOST_CELLS = 2000


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
        is_match = (observations.labels == 1).astype(np.float64)
        of_match = np.bincount(cell, weights * is_match).astype(np.float64)
        of_other = np.bincount(cell, weights * (1 - is_match)).astype(np.float64)
        # The least score of a cell plus the mean distance from it: exact where all are equal.
        least = np.full(len(filled), np.inf)
        np.minimum.at(least, cell, scores)
        mean = least + np.bincount(cell, weights * (scores - least[cell])) / (of_match + of_other)
        return cls(mean, of_match, of_other, cell, filled, float(scale))


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Probabilities of labelled pairs, each from a fit that did not see the pair, nor others of its JD.

    Attributes
    ----------
    probability : ndarray of float64, shape (n,)
        In the order of the pairs.
    log_loss : ndarray of float64, shape (n,)
        Of each pair, in nats.
    mean_log_loss : float
        Weighted.
    n_folds : int
    """

    probability: FloatArray
    log_loss: FloatArray
    mean_log_loss: float
    n_folds: int


def cross_fit(observations: Observations, method: CurveName, *, n_folds: int = 5, seed: int = 0) -> CrossFit:
    """Fit a curve on all folds but one, and read it on that one, for each fold.

    Folds hold whole JDs where pairs share them, and about equal shares of matches
    (:class:`sklearn.model_selection.StratifiedGroupKFold`).

    Parameters
    ----------
    observations : Observations
    method : {"sigmoid", "beta", "isotonic"}
    n_folds : int
        Fewer where there are not so many matches, others or JDs.
    seed : int
        Of the shuffle; the order of the pairs has no say.

    Returns
    -------
    CrossFit

    Raises
    ------
    InputError
        If there are fewer than two matches, others or JDs, so that none can be left out.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    matches = int(observations.labels.sum())
    units = {"matches": matches, "pairs that are no match": len(observations) - matches}
    if observations.n_clusters is not None:
        units["JDs"] = observations.n_clusters
    fewest = min(units, key=lambda name: units[name])
    folds = min(n_folds, units[fewest])
    if folds < 2:
        raise InputError(
            f"There are {units[fewest]} {fewest} among these {len(observations)} pairs; at least 2 are "
            "needed, so that a curve can be tried on pairs that it was not fitted to. Label more."
        )
    # All in the order of scores, so that the order of rows has no say, not even in the last digit.
    order = observations.order
    observations = observations.subset(order)
    if observations.clusters is None:
        split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(order, observations.labels)
    else:
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        split = splitter.split(order, observations.labels, observations.clusters)
    cells = Cells.of(observations)
    weights = observations.unit_weights * cells.scale
    k = len(cells.scores)
    probability = np.empty(len(observations))
    for fit, rest in split:
        of_match, of_other = (
            np.bincount(cells.cell[fit], weights[fit] * kind[fit], minlength=k)
            for kind in (observations.labels, 1 - observations.labels)
        )
        curve = fitted_at(method, cells.scores, of_match, of_other, cells.scores)
        probability[rest] = curve[cells.cell[rest]]
    right = np.where(observations.labels == 1, probability, 1 - probability)
    log_loss = -np.log(right)
    mean = float(np.average(log_loss, weights=observations.weights))
    back = np.argsort(order)
    return CrossFit(probability[back], log_loss[back], mean, folds)


def pick_method(fits: Mapping[CurveName, CrossFit], observations: Observations) -> CurveName:
    """The first method, unless another's log loss is better by more than one standard error.

    Parameters
    ----------
    fits : mapping of str to CrossFit
        The first one is the default.
    observations : Observations
        Where pairs share JDs, the standard error is that of sums over JDs.

    Returns
    -------
    str
    """
    names = list(fits)
    default = best = names[0]
    best_gain = 0.0
    order = observations.order
    weights = observations.unit_weights[order] / observations.unit_weights[order].sum()
    for name in names[1:]:
        gain = (fits[default].log_loss - fits[name].log_loss)[order]
        mean = float((weights * gain).sum())
        parts = weights * (gain - mean)
        if observations.clusters is not None:
            parts = np.bincount(observations.clusters[order], parts)
        standard_error = float(np.sqrt((parts**2).sum() * len(parts) / max(len(parts) - 1, 1)))
        if mean > standard_error and mean > best_gain:
            best, best_gain = name, mean
    return best
