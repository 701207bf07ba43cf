"""Cohen's kappa and Krippendorff's alpha of a table of labels, and of many resamples of its rows at once.

A table has a row for each pair and a column for each annotator, NaN where there is no label. The figures of
the table itself come from scikit-learn and krippendorff; those of the resamples from counts.
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["FloatArray", "Level", "alpha", "kappa", "resampled"]

FloatArray = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal"]


def kappa(labels: FloatArray, scale: npt.NDArray[np.intp], level: Level) -> float:
    from sklearn.metrics import cohen_kappa_score

    weights = "quadratic" if level == "ordinal" else None
    kappas = []
    for i, j in combinations(range(labels.shape[1]), 2):
        both = ~np.isnan(labels[:, [i, j]]).any(axis=1)
        # With one label only, chance agreement is certain and kappa is 0/0.
        if len(np.unique(labels[both][:, [i, j]])) > 1:
            kappas.append(cohen_kappa_score(labels[both, i], labels[both, j], labels=scale, weights=weights))
    return float(np.mean(kappas)) if kappas else float("nan")


def alpha(labels: FloatArray, scale: npt.NDArray[np.intp], level: Level) -> float:
    import krippendorff

    if len(np.unique(labels[~np.isnan(labels)])) < 2:
        return float("nan")
    counts = (labels[:, :, None] == scale).sum(axis=1)
    return float(krippendorff.alpha(value_counts=counts, value_domain=scale, level_of_measurement=level))


def resampled(
    labels: FloatArray, scale: npt.NDArray[np.intp], level: Level, n_resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Kappa and alpha of `n_resamples` resamples of pairs; each of shape (n_resamples,).

    Pairs that were labelled alike are the same to both figures, so resampling pairs is drawing how
    often each kind of pair occurs: one multinomial draw instead of n draws with replacement.
    """
    said = labels[:, :, None] == scale  # (n, annotators, values)
    twos = list(combinations(range(labels.shape[1]), 2))
    confusion = np.stack([said[:, i, :, None] & said[:, j, None, :] for i, j in twos], axis=1)
    votes = said.sum(axis=1).astype(np.float64)
    coincidences = votes[:, :, None] * votes[:, None, :] - votes[:, :, None] * np.eye(len(scale))
    coincidences /= votes.sum(axis=1)[:, None, None] - 1
    n, width = len(labels), len(scale)
    features = np.concatenate([confusion.reshape(n, -1), coincidences.reshape(n, -1)], axis=1)
    kinds, frequencies = np.unique(features, axis=0, return_counts=True)
    sums = rng.multinomial(n, frequencies / n, size=n_resamples) @ kinds
    split = len(twos) * width**2
    kappas = _kappas(sums[:, :split].reshape(n_resamples, len(twos), width, width), level)
    return kappas, _alphas(sums[:, split:].reshape(n_resamples, width, width), level)


def _kappas(confusion: FloatArray, level: Level) -> FloatArray:
    """Light's kappa from confusion counts of shape (resamples, twos, values, values)."""
    width = confusion.shape[-1]
    distance = np.subtract.outer(np.arange(width), np.arange(width)) ** 2.0
    weights = distance if level == "ordinal" else (distance > 0).astype(np.float64)
    total = confusion.sum(axis=(-1, -2))
    chance = confusion.sum(axis=-1)[..., :, None] * confusion.sum(axis=-2)[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = 1 - total * (confusion * weights).sum(axis=(-1, -2)) / (chance * weights).sum(axis=(-1, -2))
    return _nanmean(each)


def _alphas(coincidences: FloatArray, level: Level) -> FloatArray:
    """Alpha from coincidence matrices of shape (resamples, values, values)."""
    width = coincidences.shape[-1]
    marginals = coincidences.sum(axis=-1)
    if level == "ordinal":
        upto = np.cumsum(marginals, axis=-1) - marginals / 2
        distance = (upto[:, :, None] - upto[:, None, :]) ** 2
    else:
        distance = np.broadcast_to(1 - np.eye(width), coincidences.shape)
    chance = (marginals[:, :, None] * marginals[:, None, :] * distance).sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas: FloatArray = (
            1 - (marginals.sum(axis=-1) - 1) * (coincidences * distance).sum(axis=(-1, -2)) / chance
        )
    return alphas


def _nanmean(each: FloatArray) -> FloatArray:
    known = ~np.isnan(each)
    count = known.sum(axis=-1)
    total = np.where(known, each, 0.0).sum(axis=-1)
    mean: FloatArray = np.divide(total, count, out=np.full(len(each), np.nan), where=count > 0)
    return mean
