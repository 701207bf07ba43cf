"""The one table of truth: how many pairs are matched rightly and wrongly at every cutoff.

One sort and cumulative sums; every curve, interval, choice and guarantee reads this table. Figures made
from the counts are in :mod:`workbench.calibration.figures`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workbench.calibration.observations import FloatArray, IntArray, Observations
from workbench.errors import InputError

__all__ = ["Counts", "count", "cutoffs_between", "kish"]


@dataclass(frozen=True, eq=False, repr=False)
class Counts:
    """Confusion counts at every cutoff, from the lowest cutoff (all are matches) to the highest (none).

    Attributes
    ----------
    cutoffs : ndarray of float64, shape (k,)
        Ascending; ``score > cutoff`` is a match. None of them lies on a score.
    tp, fp, fn, tn : ndarray of float64, shape (k,)
        Sums of weights: matches and non-matches above the cutoff (tp, fp), at or below it (fn, tn).
    n_above, n_below : ndarray of int64, shape (k,)
        Numbers of labelled pairs above, and at or below.
    size_above, size_below : ndarray of float64, shape (k,)
        Kish's effective sample size of those pairs; equal to the numbers where weights are equal.
    size_matches, size_others, size_all : float
        Effective sample sizes of the matches, of the others, and of all pairs.
    odds_factor : float
        Odds of a match where the figures shall hold, over the odds in the labelled pairs; 1 unless
        another prevalence was given (:meth:`at_prevalence`).
    """

    cutoffs: FloatArray
    tp: FloatArray
    fp: FloatArray
    fn: FloatArray
    tn: FloatArray
    n_above: IntArray
    n_below: IntArray
    size_above: FloatArray
    size_below: FloatArray
    size_matches: float
    size_others: float
    size_all: float
    odds_factor: float = 1.0

    def __len__(self) -> int:
        return len(self.cutoffs)

    def __repr__(self) -> str:
        low, high = self.cutoffs[0], self.cutoffs[-1]
        n = int(self.n_above[0] + self.n_below[0])
        return f"Counts({n} pairs at {len(self)} cutoffs from {low:.4f} to {high:.4f})"

    @property
    def prevalence(self) -> float:
        """Share of matches among all pairs, as weighted."""
        matches = self.tp[0] + self.fn[0]
        return float(matches / (matches + self.fp[0] + self.tn[0]))

    def row(self, index: int) -> Counts:
        """The counts at one cutoff."""
        one = slice(index, index + 1) if index >= 0 else slice(index, index + 1 or None)
        return replace(
            self,
            cutoffs=self.cutoffs[one],
            tp=self.tp[one],
            fp=self.fp[one],
            fn=self.fn[one],
            tn=self.tn[one],
            n_above=self.n_above[one],
            n_below=self.n_below[one],
            size_above=self.size_above[one],
            size_below=self.size_below[one],
        )

    def at_prevalence(self, prevalence: float | None) -> Counts:
        """The counts as they would be if matches had another share: label-shift correction.

        Matches and others are each reweighted by one factor, which supposes that live matches score
        like labelled matches, and live others like labelled others [1]_. Recall and specificity do not
        change; precision, false omission rate, accuracy and share selected do.

        Parameters
        ----------
        prevalence : float or None
            Share of matches among live pairs, strictly between 0 and 1; None changes nothing.

        Raises
        ------
        InputError
            If it is not such a number, or there is only one class to reweight.

        References
        ----------
        .. [1] Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a
           priori probabilities, Neural Computation 14(1), 21-41.
        """
        if prevalence is None:
            return self
        check_share(prevalence, "prevalence", "the share of matches among live pairs")
        seen = self.prevalence
        if seen in (0.0, 1.0):
            raise InputError("With pairs of one class only, nothing can be said about another prevalence.")
        of_matches, of_others = prevalence / seen, (1 - prevalence) / (1 - seen)
        return replace(
            self,
            tp=self.tp * of_matches,
            fn=self.fn * of_matches,
            fp=self.fp * of_others,
            tn=self.tn * of_others,
            odds_factor=self.odds_factor * of_matches / of_others,
        )


def count(observations: Observations, cutoffs: npt.ArrayLike | None = None) -> Counts:
    """Count at every distinct score, or at the cutoffs that are given.

    Parameters
    ----------
    observations : Observations
    cutoffs : array-like of float, shape (k,), optional
        By default one below all scores, one midway between each two neighbouring distinct scores, and
        one above all: tied scores are never split.

    Returns
    -------
    Counts

    Examples
    --------
    >>> table = count(Observations([0.2, 0.5, 0.5, 0.8], [0, 0, 1, 1]))
    >>> table.tp.tolist(), table.fp.tolist()
    ([2.0, 2.0, 1.0, 0.0], [2.0, 1.0, 0.0, 0.0])
    """
    order = observations.order
    scores = observations.scores[order]
    labels, weights = observations.labels[order], observations.unit_weights[order]
    if cutoffs is None:
        table = cutoffs_between(scores)
    else:
        table = np.unique(np.asarray(cutoffs, dtype=np.float64))
        if not len(table) or not np.isfinite(table).all():
            raise InputError("Cutoffs must be finite numbers, and at least one.")
    # Position of the first pair above each cutoff.
    first = np.searchsorted(scores, table, side="right")
    below, above = _sums_below, _sums_above
    of_match, of_other = weights * labels, weights * (1 - labels)
    squares = weights**2
    n_above = (len(scores) - first).astype(np.int64)
    return Counts(
        cutoffs=table,
        tp=above(of_match, first),
        fp=above(of_other, first),
        fn=below(of_match, first),
        tn=below(of_other, first),
        n_above=n_above,
        n_below=first.astype(np.int64),
        size_above=_kish(above(weights, first), above(squares, first), n_above),
        size_below=_kish(below(weights, first), below(squares, first), first),
        size_matches=kish(weights[labels == 1]),
        size_others=kish(weights[labels == 0]),
        size_all=kish(weights),
    )


def cutoffs_between(scores: npt.ArrayLike) -> FloatArray:
    """Cutoffs that part the scores in every way that leaves ties together.

    Parameters
    ----------
    scores : array-like of float, shape (n,)

    Returns
    -------
    ndarray of float64, shape (number of distinct scores + 1,)
        Ascending: one below all, the midpoints, one above all. Where all scores are cosines, so are
        the cutoffs.
    """
    distinct = np.unique(np.asarray(scores, dtype=np.float64))
    low, high = float(distinct[0]), float(distinct[-1])
    midpoints = distinct[:-1] + np.diff(distinct) / 2
    # Between two neighbouring floats there is no third: the midpoint must not round up to the score
    # that it shall let through.
    midpoints = np.where(midpoints >= distinct[1:], distinct[:-1], midpoints)
    margin = (high - low) / (2 * (len(distinct) - 1)) if len(distinct) > 1 else 0.005
    margin = max(margin, float(np.spacing(max(abs(low), abs(high), 1.0))))
    bottom, top = low - margin, high + margin
    if low >= -1 and high <= 1:
        # No score lies above a cutoff of 1; but all must lie above the lowest cutoff.
        top, bottom = min(top, 1.0), max(bottom, -1.0) if low > -1 else bottom
    return np.concatenate([[bottom], midpoints, [top]])


def kish(weights: npt.ArrayLike) -> float:
    """Kish's effective sample size, (sum of weights)² / (sum of squared weights); 0 for none.

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7.
    """
    weights = np.asarray(weights, dtype=np.float64)
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def check_share(value: float, name: str, meaning: str) -> None:
    """Refuse what is not a number strictly between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating) or not 0 < value < 1:
        percent = " (percent must be divided by 100)" if isinstance(value, int | float) and value > 1 else ""
        raise InputError(f"{name} is {value!r}; it is {meaning}, a number between 0 and 1{percent}.")


def _sums_above(values: FloatArray, first: npt.NDArray[np.intp]) -> FloatArray:
    # Summed from the top, not total minus bottom, so that nothing above is exactly 0.
    return np.asarray(np.append(np.cumsum(values[::-1])[::-1], 0.0)[first])


def _sums_below(values: FloatArray, first: npt.NDArray[np.intp]) -> FloatArray:
    return np.asarray(np.concatenate([[0.0], np.cumsum(values)])[first])


def _kish(sums: FloatArray, squares: FloatArray, numbers: npt.NDArray[np.integer]) -> FloatArray:
    size = np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0)
    return np.asarray(np.minimum(size, numbers))
