"""Does one cutoff hold for all language pairs, or do equal scores mean different things in them?

Pairs of a Chinese JD and a Chinese résumé, of two that are not, and across may lie on scales of their own.
Where labels show it, each gets an offset that is added to its scores, so that one cutoff serves all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.counts import check_share
from workbench.calibration.difference_tests import p_said
from workbench.calibration.observations import AUTO, FloatArray, Observations
from workbench.i18n import N_, listed
from workbench.i18n import gettext as _
from workbench.results import Result

NAMES = {"zh-zh": N_("Chinese pairs"), "other-other": N_("pairs without Chinese"), "across": N_("across")}
# Matches, others, and JDs that a group must have to be told from the rest.
FEWEST = 10
FOLDS = 5
# Weight of a penalty that keeps coefficients finite where classes part without an error; else it is nothing.
RIDGE = 1e-3
STEPS = 50

Names = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False, repr=False)
class LanguagePairs(Result):
    """What labels say of the scores of language pairs.

    Attributes
    ----------
    n, n_matches : mapping of str to int
        Labelled pairs and matches of each group.
    tested : tuple of str
        Groups with labels enough; with one or none there is nothing to test.
    p_value : float
        Of "at an equal score a match is as likely in each"; NaN where nothing was tested.
    offsets : mapping of str to float
        Added to the scores of a group; empty where labels do not show that it takes any.
    out_of_fold : ndarray of float64, shape (n,)
        For each labelled pair the offset that the other JDs' labels give it, so that a cutoff that is
        calibrated on these pairs is not flattered; zeros without offsets.
    """

    n: Mapping[str, int]
    n_matches: Mapping[str, int]
    tested: tuple[str, ...]
    p_value: float
    offsets: Mapping[str, float]
    out_of_fold: FloatArray

    def sentence(self) -> str:
        """Whether one cutoff serves all, and for which pairs labels cannot tell."""
        few = [_(NAMES.get(name, name)) for name in self.n if name not in self.tested]
        names = listed(_(NAMES.get(name, name)) for name in self.tested)
        if len(self.tested) < 2:
            return _("One cutoff for all languages: there are too few labels to tell whether it takes more.")
        if self.offsets:
            given = listed(f"{_(NAMES.get(name, name))} {by:+.4f}" for name, by in self.offsets.items())
            said = _(
                "Equal scores do not mean the same in {names} (p {p}); with offsets, {offsets}, one cutoff "
                "serves all."
            ).format(names=names, p=p_said(self.p_value), offsets=given)
        else:
            said = _("One cutoff for all languages: {names} differ by no more than chance (p {p}).").format(
                names=names, p=p_said(self.p_value)
            )
        if few:
            said += " " + _("Too few labels to tell: {few}.").format(few=listed(few))
        return said

    def __repr__(self) -> str:
        return self.sentence()


def compare_language_pairs(
    scored: pd.DataFrame,
    groups: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    score: str = "score",
    label: str = "label",
    weight: str | None = AUTO,
    cluster: str | None = AUTO,
) -> LanguagePairs:
    """Test whether equal scores mean the same in all groups, and find the offsets where they do not.

    A match's log odds are a parabola of the score; that groups shift it is tested by the generalised score
    test [1]_, whose variance is that between JDs, so that pairs of one JD may depend on each other, with
    Hotelling's correction for few JDs. (Of test items this is uniform differential item functioning [2]_.)
    Offsets are the shifts over the slope, the largest group's being 0.

    Parameters
    ----------
    scored : DataFrame
        Labelled pairs with scores.
    groups : array-like of str, shape (n,)
        The language pair of each.
    confidence : float
        Offsets are given where the test rejects at 1 - confidence.
    score, label, weight, cluster : str
        Columns; see :meth:`Observations.from_frame`.

    References
    ----------
    .. [1] Boos (1992), On generalized score tests, The American Statistician 46, 327-333, section 5.
    .. [2] Swaminathan & Rogers (1990), Detecting differential item functioning using logistic regression
       procedures, Journal of Educational Measurement 27, 361-370.
    """
    check_share(confidence, "confidence", _("the confidence of intervals"))
    pairs = Observations.from_frame(scored, score=score, label=label, weight=weight, cluster=cluster)
    names = np.asarray(groups, dtype=str)
    jds = np.arange(len(pairs)) if pairs.clusters is None else pairs.clusters
    counted = {name: int((names == name).sum()) for name in np.unique(names).tolist()}
    matches = {name: int(pairs.labels[names == name].sum()) for name in counted}
    tested = tuple(
        name
        for name in sorted(counted, key=counted.__getitem__, reverse=True)
        if min(matches[name], counted[name] - matches[name], len(set(jds[names == name].tolist()))) >= FEWEST
    )
    none = np.zeros(len(pairs))
    if len(tested) < 2:
        return LanguagePairs(counted, matches, tested, float("nan"), {}, none)
    scores, labels, weights = pairs.scores, pairs.labels, pairs.unit_weights

    def offsets_of(rows: npt.NDArray[np.bool_]) -> dict[str, float]:
        return _offsets(scores[rows], labels[rows], weights[rows], names[rows], tested)

    used = np.isin(names, tested)
    p = _score_test(scores[used], labels[used], weights[used], names[used], jds[used], tested)
    if not p < 1 - confidence:
        return LanguagePairs(counted, matches, tested, p, {}, none)
    fold = np.random.default_rng(0).permutation(int(jds.max()) + 1)[jds] % FOLDS
    for held_out in range(FOLDS):
        found, here = offsets_of(used & (fold != held_out)), fold == held_out
        none[here] = [found.get(name, 0.0) for name in names[here].tolist()]
    return LanguagePairs(counted, matches, tested, p, offsets_of(used), none)


def _score_test(
    scores: FloatArray,
    labels: npt.NDArray[np.int64],
    weights: FloatArray,
    names: Names,
    jds: npt.NDArray[np.intp],
    tested: tuple[str, ...],
) -> float:
    from scipy.stats import f

    at = (scores - scores.mean()) / scores.std()
    common = np.column_stack([np.ones_like(at), at, at**2])
    shifts = np.column_stack([(names == name).astype(float) for name in tested[1:]])
    likely = _likely(common, _fitted(common, labels, weights))
    information = (common * (weights * likely * (1 - likely))[:, None]).T
    # What of the shifts the common curve does not say already.
    free = shifts - common @ np.linalg.lstsq(information @ common, information @ shifts, rcond=None)[0]
    rows = free * (weights * (labels - likely))[:, None]
    codes = np.unique(jds, return_inverse=True)[1]
    sums = np.stack([np.bincount(codes, column) for column in rows.T], axis=1)
    n, q = sums.shape
    statistic = sums.sum(axis=0) @ np.linalg.pinv(sums.T @ sums) @ sums.sum(axis=0)
    # Sums of squares around 0 take in the shift itself; around their mean they would be less by it.
    squared = statistic / max(1 - statistic / n, 1e-9) * (n - 1) / n
    return float(f.sf(squared * (n - q) / (q * (n - 1)), q, n - q))


def _offsets(
    scores: FloatArray,
    labels: npt.NDArray[np.int64],
    weights: FloatArray,
    names: Names,
    tested: tuple[str, ...],
) -> dict[str, float]:
    scale = scores.std()
    shifts = [(names == name).astype(float) for name in tested[1:]]
    found = _fitted(
        np.column_stack([np.ones_like(scores), (scores - scores.mean()) / scale, *shifts]), labels, weights
    )
    slope = max(float(found[1]), 1e-9)
    return {
        tested[0]: 0.0,
        **{name: round(float(by * scale / slope), 4) for name, by in zip(tested[1:], found[2:], strict=True)},
    }


def _fitted(table: FloatArray, labels: npt.NDArray[np.int64], weights: FloatArray) -> FloatArray:
    """Coefficients of a logistic regression, by Newton's method."""
    found = np.zeros(table.shape[1])
    for _step in range(STEPS):
        likely = _likely(table, found)
        slope = table.T @ (weights * (labels - likely)) - RIDGE * found
        curvature = (table * (weights * likely * (1 - likely))[:, None]).T @ table + RIDGE * np.eye(
            len(found)
        )
        step = np.linalg.solve(curvature, slope)
        # A long step overshoots where classes hardly overlap.
        found = found + step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return found


def _likely(table: FloatArray, found: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(table @ found, -35, 35))))
