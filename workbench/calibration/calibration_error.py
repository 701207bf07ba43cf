"""How far probabilities are from what is seen: binning, expected calibration error, Brier score in parts.

Plain sums over bins and pairs, for one set of labels or for many drawn ones at once; what they mean is said
in :mod:`workbench.calibration.reliability`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.calibration.observations import FloatArray

__all__ = ["BrierParts", "brier_parts", "calibration_error", "equal_mass_bins"]

MOST_BINS = 10
PAIRS_PER_BIN = 20


@dataclass(frozen=True)
class BrierParts:
    """The Brier score as ``miscalibration - discrimination + uncertainty``.

    Attributes
    ----------
    miscalibration : float
        What recalibrating (isotonically) would take off; 0 is best.
    discrimination : float
        What recalibrated probabilities gain over always saying the overall share; more is better.
    uncertainty : float
        The score of always saying the overall share.
    """

    miscalibration: float
    discrimination: float
    uncertainty: float


def equal_mass_bins(probability: FloatArray, n_bins: int | None = None) -> npt.NDArray[np.intp]:
    """Bins with about equal numbers of pairs; equal probabilities are never parted.

    Parameters
    ----------
    probability : ndarray of float, shape (n,)
    n_bins : int, optional
        By default as many as leave 20 pairs a bin, and at most 10.

    Returns
    -------
    ndarray of int, shape (n,)
        Bin of each pair, 0 for the lowest probabilities; no bin is empty.
    """
    wanted = n_bins or int(np.clip(len(probability) // PAIRS_PER_BIN, 1, MOST_BINS))
    _, cell, size = np.unique(probability, return_inverse=True, return_counts=True)
    # A run of equal probabilities goes where its middle lies.
    middle = (np.cumsum(size) - size / 2) / size.sum()
    bins = np.minimum((middle * wanted).astype(np.intp), wanted - 1)
    return np.asarray(np.unique(bins, return_inverse=True)[1][cell])


def calibration_error(weight: FloatArray, said: FloatArray, seen: FloatArray) -> FloatArray:
    """Expected calibration error from sums over bins.

    Parameters
    ----------
    weight, said, seen : ndarray of float, shape (n_bins,) or (n_bins, m)
        Sums of weights, of weighted probabilities, and of weighted labels in each bin; m sets at once.

    Returns
    -------
    ndarray of float, shape () or (m,)
        Mean over pairs of the distance between mean probability and share of matches of their bin.

    References
    ----------
    Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning, AAAI,
    2901-2907. Bins of equal mass: Nguyen & O'Connor (2015), EMNLP, 1587-1598.
    """
    return np.asarray(np.abs(said - seen).sum(axis=0) / weight.sum(axis=0))


def brier_parts(probability: FloatArray, labels: FloatArray, weights: FloatArray) -> BrierParts:
    """Split the Brier score without bins, by isotonic regression of labels on probabilities.

    References
    ----------
    Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for probabilistic classifiers, PNAS
    118(8), e2016191118, equation 4.
    """
    from sklearn.isotonic import IsotonicRegression

    recalibrated = IsotonicRegression().fit_transform(probability, labels, sample_weight=weights)
    overall = np.average(labels, weights=weights)

    def score(said: FloatArray | float) -> float:
        return float(np.average((labels - said) ** 2, weights=weights))

    at_best = score(recalibrated)
    return BrierParts(
        max(score(probability) - at_best, 0.0), max(score(overall) - at_best, 0.0), score(overall)
    )
