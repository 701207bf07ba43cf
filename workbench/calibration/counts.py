"""The one table of truth: how many pairs are matched rightly and wrongly at every cutoff.

One sort and cumulative sums; every curve, interval and choice reads this table, and :func:`sweep` shows all
of it as a frame. The formulas of the figures are in :mod:`workbench.calibration.figures`; bands that know of
shared JDs come from :mod:`workbench.calibration.bootstrap`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.asking import option
from workbench.calibration.figures import FIGURES, Costs, FigureName, figure
from workbench.calibration.observations import CountArray, FloatArray, IntArray, Observations
from workbench.calibration.shares import scale_odds, wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _

BY_CUTOFF = ("cutoffs", "tp", "fp", "fn", "tn", "n_above", "n_below", "size_above", "size_below")


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
        one = slice(index, index + 1)
        return replace(self, **{name: getattr(self, name)[one] for name in BY_CUTOFF})

    def figure(self, name: FigureName, *, beta: float = 1.0, costs: Costs | None = None) -> CountArray:
        """A figure at every cutoff, shape (k,); NaN where undefined."""
        return figure(name, self.tp, self.fp, self.fn, self.tn, beta=beta, costs=costs)

    def estimates(
        self, name: FigureName, confidence: float = 0.95, *, beta: float = 1.0, costs: Costs | None = None
    ) -> tuple[CountArray, FloatArray | None, FloatArray | None]:
        """A figure at every cutoff with its two-sided Wilson interval; None for those that are no share.

        With weights, the interval is that of Kish's effective sample size. At another prevalence, precision
        and false omission rate are carried over by their odds, from the interval in the labelled pairs.
        Pairs are taken as independent here: where they share JDs, take bootstrap bands instead.
        """
        value, factor = self.figure(name, beta=beta, costs=costs), 1.0
        match name:
            case "precision" | "false_omission_rate":
                factor = self.odds_factor
                size: CountArray | float = self.size_above if name == "precision" else self.size_below
            case "recall" | "miss_rate":
                size = self.size_matches
            case "specificity":
                size = self.size_others
            case "accuracy" | "share_selected":
                size = self.mixture_size(value, self.size_matches, self.size_others)
            case _:
                return value, None, None
        low, high = wilson(scale_odds(value, 1 / factor), size, confidence)
        return value, scale_odds(low, factor), scale_odds(high, factor)

    def mixture_size(self, value: CountArray, size_matches: float, size_others: float) -> CountArray:
        """Effective size behind accuracy or share selected, of shape (k,).

        At a given prevalence such a figure is a fixed mixture of two independent shares, one a class, of
        these sizes.
        """
        size = np.full(value.shape, self.size_all)
        if self.odds_factor == 1.0:
            return size
        recall, specificity, share = self.figure("recall"), self.figure("specificity"), self.prevalence
        variance = (
            share**2 * recall * (1 - recall) / size_matches
            + (1 - share) ** 2 * specificity * (1 - specificity) / size_others
        )
        return np.asarray(np.divide(value * (1 - value), variance, out=size, where=variance > 0))

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
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
        seen = self.prevalence
        if seen in (0.0, 1.0):
            raise InputError(_("With pairs of one class only, nothing can be said about another prevalence."))
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
    pairs = observations.in_order
    labels, weights = pairs.labels, pairs.unit_weights
    if cutoffs is None:
        table = observations.cutoffs
    else:
        table = np.unique(np.asarray(cutoffs, dtype=np.float64))
        if not len(table) or not np.isfinite(table).all():
            raise InputError(_("Cutoffs must be finite numbers, and at least one."))
    # Position of the first pair above each cutoff.
    first = np.searchsorted(pairs.scores, table, side="right")
    n_above = (len(pairs) - first).astype(np.int64)
    # One after the other, so that few of their millions of numbers are held at once.
    (tp, fn), (fp, tn), sums, squares = (
        (_sums_above(values, first), _sums_below(values, first))
        for values in (weights * kind for kind in (labels, 1 - labels, 1, weights))
    )
    return Counts(
        cutoffs=table,
        tp=tp,
        fp=fp,
        fn=fn,
        tn=tn,
        n_above=n_above,
        n_below=first.astype(np.int64),
        size_above=_kish(sums[0], squares[0], n_above),
        size_below=_kish(sums[1], squares[1], first),
        size_matches=kish(weights[labels == 1]),
        size_others=kish(weights[labels == 0]),
        size_all=kish(weights),
    )


def sweep(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    prevalence: float | None = None,
    beta: float = 1.0,
    costs: Costs | None = None,
    confidence: float = 0.95,
    cutoffs: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """All figures at every distinct score.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
    labels : array-like of {0, 1}, shape (n,)
    weights : array-like of float, shape (n,), optional
        Sampling weights, 1 / probability of having been labelled. See
        :mod:`workbench.calibration.reweighting` for live scores.
    prevalence : float, optional
        Share of matches among live pairs, where it differs from that in the labelled pairs.
    beta : float
        For the F-beta column.
    costs : Costs, optional
        For the column of expected cost a pair.
    confidence : float
        Of the two-sided Wilson intervals (`..._low`, `..._high`). With weights they rest on Kish's
        effective sample size. They take pairs as independent.
    cutoffs : array-like of float, optional
        Other cutoffs than those between the scores.

    Returns
    -------
    DataFrame
        One row a cutoff, ascending, with the columns ``cutoff``, ``tp fp fn tn`` (weighted),
        ``n_above n_below`` (labelled pairs), and the figures of
        :func:`~workbench.calibration.figures.figure`. ``frame.attrs["calibration"]`` keeps the
        settings.

    Raises
    ------
    InputError
        If scores, labels or weights cannot be used; with the position.

    Examples
    --------
    >>> frame = sweep([0.2, 0.5, 0.5, 0.8], [0, 0, 1, 1])
    >>> frame[["cutoff", "precision", "recall", "false_omission_rate"]].round(2)
       cutoff  precision  recall  false_omission_rate
    0    0.05       0.50     1.0                  NaN
    1    0.35       0.67     1.0                 0.00
    2    0.65       1.00     0.5                 0.33
    3    0.95        NaN     0.0                 0.50
    """
    counts = count(Observations(scores, labels, weights), cutoffs).at_prevalence(prevalence)
    return tabulate(counts, beta=beta, costs=costs, confidence=confidence)


def tabulate(
    counts: Counts, *, beta: float = 1.0, costs: Costs | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """The frame of :func:`sweep` from counts that are there already."""
    columns: dict[str, npt.ArrayLike] = {"cutoff": counts.cutoffs}
    columns |= {name: getattr(counts, name) for name in ("tp", "fp", "fn", "tn", "n_above", "n_below")}
    for name in FIGURES:
        ends = ("", "_low", "_high")
        found = counts.estimates(name, confidence, beta=beta, costs=costs)
        columns |= {
            f"{name}{end}": values for end, values in zip(ends, found, strict=True) if values is not None
        }
    frame = pd.DataFrame(columns)
    frame.attrs["calibration"] = {
        "confidence": confidence,
        "beta": beta,
        "costs": asdict(costs or Costs()),
        "prevalence": counts.prevalence,
        "effective_size": counts.size_all,
    }
    return frame


def kish(weights: npt.ArrayLike) -> float:
    """Kish's effective sample size, (sum of weights)² / (sum of squared weights); 0 for none.

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7.
    """
    weights = np.asarray(weights, dtype=np.float64)
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0


def check_share(value: float, name: str, meaning: str) -> None:
    """Refuse what is not a number strictly between 0 and 1; `meaning` says what it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating) or not 0 < value < 1:
        given = option(name, value) if name.isidentifier() else ""
        said = (
            _("{given}: this is {meaning}, a number between 0 and 1 (percent must be divided by 100).")
            if isinstance(value, int | float) and value > 1
            else _("{given}: this is {meaning}, a number between 0 and 1.")
        )
        raise InputError(said.format(given=given or f"{name} {value!r}", meaning=meaning))


def _sums_above(values: FloatArray, first: npt.NDArray[np.intp]) -> FloatArray:
    # Summed from the top, not total minus bottom, so that nothing above is exactly 0.
    return np.asarray(np.append(np.cumsum(values[::-1])[::-1], 0.0)[first])


def _sums_below(values: FloatArray, first: npt.NDArray[np.intp]) -> FloatArray:
    return np.asarray(np.concatenate([[0.0], np.cumsum(values)])[first])


def _kish(sums: FloatArray, squares: FloatArray, numbers: npt.NDArray[np.integer]) -> FloatArray:
    size = np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0)
    return np.asarray(np.minimum(size, numbers))
