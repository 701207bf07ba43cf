"""What leaving out dimensions does to scores: their order, and how well they separate labelled pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError
from workbench.exploration.inputs import FIRST, SECOND, FloatArray, check_same_dimension, unit_rows
from workbench.i18n import gettext as _
from workbench.i18n import ngettext, number, paragraph
from workbench.results import Result, plain

if TYPE_CHECKING:
    import pandas as pd

COUNTS = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True, eq=False, repr=False)
class Removal(Result):
    """Scores with and without some dimensions.

    Attributes
    ----------
    dimensions : tuple of int
        What was left out.
    before, after : ndarray of float64, shape (n,)
        Scores of the same pairs.
    rank_correlation : float
        Spearman's, between both; 1 where the order of pairs stays.
    auc_before, auc_after : float or None
        Probability that a match scores higher than another pair, where there are labels.
    auc_difference : tuple of float or None
        After less before, with its 95 % interval; by JD where JDs were given.
    """

    dimensions: tuple[int, ...]
    before: FloatArray
    after: FloatArray
    rank_correlation: float
    auc_before: float | None = None
    auc_after: float | None = None
    auc_difference: tuple[float, float, float] | None = None

    def sentence(self) -> str:
        """What leaving them out does, in words."""
        k = len(self.dimensions)
        told = [
            ngettext(
                "Without {n} dimension, the scores of {pairs:,} pairs move by {shift:+.4f} on average and "
                "their order correlates by {correlation:.4f} (Spearman).",
                "Without {n} dimensions, the scores of {pairs:,} pairs move by {shift:+.4f} on average and "
                "their order correlates by {correlation:.4f} (Spearman).",
                k,
            ).format(
                n=k,
                pairs=len(self.before),
                shift=float((self.after - self.before).mean()),
                correlation=self.rank_correlation,
            )
        ]
        if self.auc_difference is not None:
            value, low, high = self.auc_difference
            if not np.isfinite(low):
                said = _("AUC {before} → {after} ({change}); no interval can be told.")
            elif low > 0:
                said = _("AUC {before} → {after} ({change}), so matches stand out more.")
            elif high < 0:
                said = _("AUC {before} → {after} ({change}), so matches stand out less.")
            else:
                said = _("AUC {before} → {after} ({change}), so no difference in telling matches is seen.")
            before, after = number(self.auc_before), number(self.auc_after)
            change = f"{value:+.4f}"
            if np.isfinite(low):
                change = _("{value:+.4f}, 95 % {low:+.4f} to {high:+.4f}").format(
                    value=value, low=low, high=high
                )
            told.append(said.format(before=before, after=after, change=change))
        return paragraph(told)

    def __repr__(self) -> str:
        return f"<Removal: {self.sentence()}>"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "dimensions": list(self.dimensions),
            "n_pairs": len(self.before),
            "mean_before": float(self.before.mean()),
            "mean_after": float(self.after.mean()),
            "rank_correlation": self.rank_correlation,
            "auc_before": self.auc_before,
            "auc_after": self.auc_after,
            "auc_difference": plain(self.auc_difference),
        }


def remove_dimensions(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    dimensions: Sequence[int] | npt.NDArray[np.intp],
    *,
    labels: npt.ArrayLike | None = None,
    jds: npt.ArrayLike | None = None,
) -> Removal:
    """Score pairs with and without some dimensions; vectors are made unit length again.

    Parameters
    ----------
    first, second : array_like, shape (n, d)
        Row i of both is pair i; at least 3 pairs.
    dimensions : sequence of int
        What to leave out.
    labels : array_like of {0, 1}, shape (n,), optional
        With labels, how well scores tell matches is compared too, by DeLong's method.
    jds : array_like, shape (n,), optional
        The JD of each pair; pairs of one JD are then not taken as independent.

    Raises
    ------
    InputError
        If there are fewer than 3 pairs, a dimension does not exist or is named twice, all would be left
        out, a vector has nothing else, or labels do not fit.
    EncoderMismatchError
        If both sides have different dimensions.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((2, 50, 8)) + np.eye(8)[0] * 9
    >>> found = remove_dimensions(*rows, [0])
    >>> bool(found.before.mean() > 0.8), bool(abs(found.after.mean()) < 0.2)
    (True, True)
    """
    left, right = _paired(first, second)
    kept = _kept(dimensions, left.shape[1])
    before, after = _scores(left, right), _scores(left[:, kept], right[:, kept])
    removed = tuple(int(dimension) for dimension in dimensions)
    correlation = _spearman(before, after)
    if labels is None:
        return Removal(removed, before, after, correlation)
    from workbench.calibration.difference_tests import delong

    areas = delong(np.stack([before, after]), labels, jds)
    auc_before, auc_after = map(float, areas.auc)
    return Removal(removed, before, after, correlation, auc_before, auc_after, areas.difference(1, 0)[:3])


def removal_curve(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    order: Sequence[int] | npt.NDArray[np.intp],
    *,
    labels: npt.ArrayLike | None = None,
    counts: Sequence[int] = COUNTS,
    n_random: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Leave out more and more dimensions, in a given order and, for comparison, at random.

    Parameters
    ----------
    first, second : array_like, shape (n, d)
        As of :func:`remove_dimensions`.
    order : sequence of int
        Such as ``profile.by_contribution``.
    labels : array_like of {0, 1}, shape (n,), optional
    counts : sequence of int
        How many to leave out; counts of `d` or more are passed over.
    n_random, seed : int
        Random draws for each count, of which the mean is given.

    Returns
    -------
    DataFrame
        ``kind`` ("ordered" or "random"), ``n_removed``, ``rank_correlation``, ``mean_score``, ``auc`` (NaN
        without labels); a row for 0 of each kind.
    """
    import pandas as pd

    left, right = _paired(first, second)
    d = left.shape[1]
    listed = np.asarray(order, dtype=np.intp)
    _kept(listed[: d - 1], d)
    rng = np.random.default_rng(seed)
    before = _scores(left, right)
    is_match = None if labels is None else _checked_labels(labels, len(before))
    rows = []
    for count in (0, *sorted({count for count in counts if 0 < count < min(d, len(listed) + 1)})):
        draws = [rng.permutation(d)[:count] for _ in range(n_random if count else 1)]
        for kind, removals in (("ordered", [listed[:count]]), ("random", draws)):
            scores = [_scores(left[:, kept], right[:, kept]) for kept in (_kept(one, d) for one in removals)]
            rows.append(
                {
                    "kind": kind,
                    "n_removed": count,
                    "rank_correlation": float(np.mean([_spearman(before, after) for after in scores])),
                    "mean_score": float(np.mean(scores)),
                    "auc": float("nan")
                    if is_match is None
                    else float(np.mean([_auc(after, is_match) for after in scores])),
                }
            )
    return pd.DataFrame(rows)


def _paired(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    left, right = unit_rows(first, FIRST).astype(np.float64), unit_rows(second, SECOND).astype(np.float64)
    check_same_dimension(FIRST, left, SECOND, right)
    if len(left) != len(right):
        raise InputError(
            _(
                "There are {first:,} first and {second:,} second vectors; row i of both must be pair i."
            ).format(first=len(left), second=len(right))
        )
    if len(left) < 3:
        raise InputError(
            _(
                "Whether the order of scores changes shows in many pairs: give at least 3, better some "
                "hundreds, not {n}."
            ).format(n=len(left))
        )
    return left, right


def _kept(dimensions: Sequence[int] | npt.NDArray[np.intp], d: int) -> npt.NDArray[np.intp]:
    named = np.asarray(dimensions, dtype=np.intp).ravel()
    if wrong := [int(dimension) for dimension in named if not 0 <= dimension < d]:
        raise InputError(
            _("There is no dimension {dimension}; vectors have {n:,}, numbered from 0.").format(
                dimension=wrong[0], n=d
            )
        )
    if len(np.unique(named)) < len(named):
        raise InputError(_("A dimension is named twice among those to leave out; name each once."))
    if len(named) >= d:
        raise InputError(_("All {n:,} dimensions would be left out; keep at least one.").format(n=d))
    return np.setdiff1d(np.arange(d), named)


def _scores(left: FloatArray, right: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    if empty := np.flatnonzero(lengths == 0).tolist():
        raise InputError(
            _(
                "Without these dimensions, a vector of pair {row} is all zeros and has no score; leave out "
                "fewer."
            ).format(row=empty[0])
        )
    return np.asarray(np.clip(np.einsum("ij,ij->i", left, right) / lengths, -1.0, 1.0))


def _spearman(before: FloatArray, after: FloatArray) -> float:
    from scipy.stats import spearmanr

    if np.ptp(before) == 0 or np.ptp(after) == 0:
        raise InputError(_("All pairs have the same score, so that they have no order to compare."))
    return float(spearmanr(before, after).statistic)


def _checked_labels(labels: npt.ArrayLike, n: int) -> npt.NDArray[np.bool_]:
    from workbench.calibration.observations import Observations

    observations = Observations(np.zeros(n), labels)
    observations.require_both_classes()
    return np.asarray(observations.labels == 1)


def _auc(scores: FloatArray, is_match: npt.NDArray[np.bool_]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(is_match, scores))
