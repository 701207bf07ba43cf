"""Can the probabilities be believed? Reliability diagram with confidence bands, ECE and Brier score.

Probabilities must come from a fit that did not see the pairs, such as
``fit_probability(pairs).cross_fitted``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from workbench.calibration.bootstrap import (
    CHUNK,
    POOL_FROM,
    drawn_sums,
    is_pooled,
    pooled_draws,
    quantiles,
    tails,
)
from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import CountArray, FloatArray, IntArray, Observations
from workbench.calibration.probability_bounds import intervals
from workbench.calibration.shares import share_with_size, wilson, within_cluster_correlation
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import percent, pgettext
from workbench.progress import tell
from workbench.results import Result

MOST_BINS = 10
PAIRS_PER_BIN = 20
# Of many pairs, neighbours in probability are drawn together: cells so narrow that each is as good as equal.
CELLS = 2000


@dataclass(frozen=True)
class BrierParts(Result):
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


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(Result):
    """What was said against what was seen.

    Attributes
    ----------
    bins : DataFrame
        One row a bin: ``low, high`` (range of probabilities), ``n`` pairs, ``said`` (their mean probability),
        ``seen`` (their share of matches), ``seen_low, seen_high`` (its Wilson interval, on the effective
        sample), ``consistent_low, consistent_high``: where `seen` would lie if the probabilities were right
        [1]_.
    curve : DataFrame
        The diagram without bins [2]_: ``said`` (some of the probabilities), ``seen`` (isotonic regression of
        labels on probabilities), ``seen_low, seen_high``: where the share of matches lies, if it never falls
        as the probability rises; where few were said, far apart [5]_.
    ece : Estimate
        Expected calibration error over these bins [4]_, as it looks: chance makes it look larger than it is.
        Its interval is for the true one: the lower end is what is left when the error that chance makes is
        taken off, the upper end is the bootstrap's, shifted by its bias.
    rms_debiased : float
        Root mean squared calibration error over these bins, without the part that comes from chance [3]_.
    ece_if_right : float
        What such bins would show on average if the probabilities were right: chance alone.
    p_right : float
        p-value of "the probabilities are right": how often chance alone shows so large an ECE.
    brier, log_loss : Estimate
        Mean squared distance of probability and label, and nats a pair, with bootstrap intervals.
    brier_parts : BrierParts
    n, n_bins : int
    confidence : float
    by : {"pair", "cluster"}
        What was resampled.

    References
    ----------
    .. [1] Bröcker & Smith (2007), Increasing the reliability of reliability diagrams, Weather and
       Forecasting 22(3), 651-661.
    .. [2] Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for probabilistic classifiers,
       PNAS 118(8), e2016191118; the parts of the Brier score are their equation 4.
    .. [3] Kumar, Liang & Ma (2019), Verified uncertainty calibration, NeurIPS 32, section 5; the variance in
       a bin is the bootstrap's, which knows of JDs and weights.
    .. [4] Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning,
       AAAI, 2901-2907; bins of equal mass: Nguyen & O'Connor (2015), EMNLP, 1587-1598.
    .. [5] :func:`~workbench.calibration.probability_bounds.monotone_intervals`; after Dimitriadis, Dümbgen,
       Henzi, Puke & Ziegel (2023), Honest calibration assessment for binary outcome predictions, Biometrika
       110(3), 663-680, whose bands hold at all probabilities at once.
    """

    bins: pd.DataFrame
    curve: pd.DataFrame
    ece: Estimate
    rms_debiased: float
    ece_if_right: float
    p_right: float
    brier: Estimate
    brier_parts: BrierParts
    log_loss: Estimate
    n: int
    n_bins: int
    confidence: float
    by: Literal["pair", "cluster"]

    def summary(self) -> str:
        """Whether the probabilities can be believed, and how good they are, in two sentences."""
        right = self.p_right > 1 - self.confidence
        verdict = _("No sign that the probabilities are off") if right else _("The probabilities are off")
        return _(
            "{verdict} (p {p}): the expected calibration error in {n_bins} bins of equal mass is {ece} "
            "({low:.1f}–{high:.1f}), where chance alone would show {chance}; without chance, the root mean "
            "squared error is {debiased}. Brier score {brier.value:.3f} ({brier.low:.3f}–{brier.high:.3f}) = "
            "{parts.miscalibration:.3f} miscalibration - {parts.discrimination:.3f} discrimination + "
            "{parts.uncertainty:.3f} uncertainty."
        ).format(
            verdict=verdict,
            p="< 0.001" if self.p_right < 0.001 else f"= {self.p_right:.3f}",
            n_bins=self.n_bins,
            ece=percent(self.ece.value),
            low=100 * self.ece.low,
            high=100 * self.ece.high,
            chance=percent(self.ece_if_right),
            debiased=percent(self.rms_debiased),
            brier=self.brier,
            parts=self.brier_parts,
        )

    def __repr__(self) -> str:
        return f"Reliability: {self.summary()}"

    def _repr_html_(self) -> str:
        def ends(prefix: str) -> list[str]:
            return [
                f"{100 * low:.1f}–{100 * high:.1f}"
                for low, high in zip(self.bins[f"{prefix}_low"], self.bins[f"{prefix}_high"], strict=True)
            ]

        table = pd.DataFrame(
            {
                _("pairs"): self.bins["n"],
                pgettext("column", "said"): self.bins["said"].map(percent),
                pgettext("column", "seen"): self.bins["seen"].map(percent),
                _("interval"): ends("seen"),
                _("if right"): ends("consistent"),
            }
        )
        return render("calibration/result.html", sentences=[self.summary()], table=table)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card, without the curve."""
        found = super().to_dict() | {"binning": "equal mass"}
        return {name: value for name, value in found.items() if name not in ("curve", "confidence")}


def reliability(
    observations: Observations,
    probability: npt.ArrayLike,
    *,
    n_bins: int | None = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> Reliability:
    """Compare probabilities of a match with labels.

    Parameters
    ----------
    observations : Observations
        Labels, weights and JDs; the scores play no part.
    probability : array-like of float, shape (n,)
        For each pair, from 0 to 1, from a fit that did not see it.
    n_bins : int, optional
        Bins of equal mass, for ECE and the table of bins; by default as many as leave 20 pairs a bin, and
        at most 10.
    confidence : float
        Of intervals and bands, each by itself.
    n_resamples, seed : int
        Of the bootstrap, and of the labels drawn for bands and `p_right`. Where pairs share JDs, whole JDs
        are resampled, and labels are drawn with the correlation that errors within a JD have.

    Raises
    ------
    InputError
        If a probability is missing or not between 0 and 1, or there is only one pair or JD.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true = rng.random(2000)
    >>> labels = rng.random(2000) < true
    >>> honest = reliability(Observations(true, labels), true, n_resamples=200)
    >>> boastful = reliability(Observations(true, labels), true**0.5, n_resamples=200)
    >>> honest.p_right > 0.1, boastful.p_right < 0.01
    (True, True)
    """
    check_share(confidence, "confidence", _("the confidence of intervals"))
    said = _checked(probability, observations)
    n_units = said.n_clusters or len(said)
    if n_units < 2 or n_resamples < 2:
        raise InputError(
            _(
                "There are {n} pairs or JDs to draw from, and {n_resamples} resamples; at least 2 of each "
                "are needed."
            ).format(n=n_units, n_resamples=n_resamples)
        )
    in_bin = equal_mass_bins(said.scores, n_bins)
    bins = _Bins.of(said, in_bin)
    by_bin = _labels_if_right(said, in_bin, n_draws=n_resamples, seed=seed)
    if_right = _Bins(bins.weight[:, None], bins.said[:, None], by_bin).error
    drawn, drawn_losses = _resampled(said, in_bin, n_resamples, seed)
    ece, rms_debiased = _true_error(bins, drawn, confidence)
    means = np.average(_losses(said), axis=1, weights=said.unit_weights)
    ends = quantiles(drawn_losses / drawn.weight.sum(axis=0), tails(confidence))
    brier, log_loss = (
        Estimate(float(mean), float(least), float(largest), confidence)
        for mean, least, largest in zip(means, *ends, strict=True)
    )
    band = quantiles(by_bin / bins.weight[:, None], tails(confidence))
    return Reliability(
        bins=_bin_table(said, in_bin, bins.said / bins.weight, band, confidence),
        curve=_curve(said, confidence),
        ece=ece,
        rms_debiased=rms_debiased,
        ece_if_right=float(if_right.mean()),
        p_right=float((1 + (if_right >= ece.value - 1e-12).sum()) / (1 + n_resamples)),
        brier=brier,
        brier_parts=_brier_parts(said),
        log_loss=log_loss,
        n=len(said),
        n_bins=len(bins.weight),
        confidence=confidence,
        by="pair" if said.clusters is None else "cluster",
    )


def equal_mass_bins(probability: FloatArray, n_bins: int | None = None) -> npt.NDArray[np.intp]:
    """Bin of each pair, 0 for the lowest probabilities, with about equal numbers of pairs in each.

    Equal probabilities are never parted, and no bin is empty.
    """
    wanted = n_bins or int(np.clip(len(probability) // PAIRS_PER_BIN, 1, MOST_BINS))
    _distinct, cell, size = np.unique(probability, return_inverse=True, return_counts=True)
    # A run of equal probabilities goes where its middle lies.
    middle = (np.cumsum(size) - size / 2) / size.sum()
    bins = np.minimum((middle * wanted).astype(np.intp), wanted - 1)
    return np.asarray(np.unique(bins, return_inverse=True)[1][cell])


def _checked(probability: npt.ArrayLike, observations: Observations) -> Observations:
    """The pairs with their probabilities in place of scores."""
    values = np.asarray(probability, dtype=np.float64)
    if values.shape != (len(observations),):
        raise InputError(
            _("probability has shape {shape}; ({n},) is needed.").format(
                shape=values.shape, n=len(observations)
            )
        )
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(wrong):
        raise InputError(
            _(
                "The probability at position {at} is {value:g} ({n} such in all); a number from 0 to 1 is "
                "needed. Scores become probabilities with fit_probability()."
            ).format(at=wrong[0], value=values[wrong[0]], n=len(wrong))
        )
    return observations.with_scores(values).in_order


@dataclass(frozen=True, eq=False)
class _Bins:
    """Sums over bins of weights, probabilities and labels: (n_bins,), or (n_bins, m) for m sets at once."""

    weight: FloatArray
    said: FloatArray
    seen: FloatArray

    @classmethod
    def of(cls, said: Observations, in_bin: npt.NDArray[np.intp]) -> _Bins:
        values = (np.ones(len(said)), said.scores, said.labels)
        return cls(*(np.bincount(in_bin, said.unit_weights * each).astype(np.float64) for each in values))

    @property
    def error(self) -> FloatArray:
        """Expected calibration error."""
        return np.asarray(np.abs(self.said - self.seen).sum(axis=0) / self.weight.sum(axis=0))

    @property
    def gap(self) -> FloatArray:
        """Mean probability less share of matches; 0 in a bin that no resampled JD has."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num((self.said - self.seen) / self.weight)


def _losses(said: Observations) -> FloatArray:
    """Squared distance and negative log likelihood of each pair, shape (2, n)."""
    with np.errstate(divide="ignore"):
        return np.stack([(said.scores - said.labels) ** 2, -np.log(np.abs(1 - said.labels - said.scores))])


def _resampled(
    said: Observations, in_bin: npt.NDArray[np.intp], n_resamples: int, seed: int
) -> tuple[_Bins, FloatArray]:
    """Sums over bins, and of the losses, in every resample."""
    each = [np.ones(len(said)), said.scores, said.labels, *_losses(said)]
    if not is_pooled(said):
        unit, n_units = said.clusters, said.n_clusters or len(said)
        unit, n_bins = np.arange(n_units) if unit is None else unit, int(in_bin.max()) + 1
        parts = [(in_bin * n_units + unit, n_bins)] * 3 + [(unit, 1)] * 2
        by_unit = [
            np.bincount(part, said.unit_weights * values, n_rows * n_units).reshape(n_rows, n_units)
            for values, (part, n_rows) in zip(each, parts, strict=True)
        ]
        sums = drawn_sums(said, csr_array(np.concatenate(by_unit)), n_resamples=n_resamples, seed=seed)
    else:
        cell, bin_of_cell = _cells(in_bin)
        alike = cell + len(bin_of_cell) * said.labels
        sizes = np.bincount(alike, minlength=2 * len(bin_of_cell))
        means = [np.bincount(alike, values, len(sizes)) / np.maximum(sizes, 1) for values in each]
        member = np.tile(bin_of_cell == np.arange(in_bin.max() + 1)[:, None], 2)
        rows = np.concatenate([*(member * values for values in means[:3]), means[3:]])
        sums = np.concatenate([rows @ drawn for drawn in pooled_draws(sizes, n_resamples, seed)], axis=1)
    weight, probability, labels = np.split(sums[:-2], 3)
    return _Bins(weight, probability, labels), sums[-2:]


def _cells(in_bin: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Of pairs in their order, cells of neighbours that are drawn together, and of each cell its bin."""
    n = len(in_bin)
    # Both rise, so that their sum tells a cell from all others.
    cell = np.arange(n) * min(n, CELLS) // n + in_bin
    _found, first, cell = np.unique(cell, return_index=True, return_inverse=True)
    return cell, in_bin[first]


def _true_error(bins: _Bins, drawn: _Bins, confidence: float) -> tuple[Estimate, float]:
    """The calibration error with an interval for the true one, and its root mean square without chance."""
    ece, eces, most = float(bins.error), drawn.error, tails(confidence)[1]
    by_chance = np.average(np.abs(drawn.gap - bins.gap[:, None]), axis=0, weights=bins.weight)
    low = max(ece - float(np.quantile(by_chance, most)), 0.0)
    high = min(max(float(np.quantile(eces, most) - eces.mean()) + ece, ece), 1.0)
    squared = float(np.average(bins.gap**2 - drawn.gap.var(axis=1), weights=bins.weight))
    return Estimate(ece, low, high, confidence), max(squared, 0.0) ** 0.5


def _brier_parts(said: Observations) -> BrierParts:
    """Split the Brier score without bins, by isotonic regression of labels on probabilities."""
    from sklearn.isotonic import IsotonicRegression

    labels, weights = said.labels.astype(np.float64), said.unit_weights
    recalibrated = IsotonicRegression().fit_transform(said.scores, labels, sample_weight=weights)
    as_said, at_best, overall = (
        float(np.average((labels - each) ** 2, weights=weights))
        for each in (said.scores, recalibrated, np.average(labels, weights=weights))
    )
    return BrierParts(max(as_said - at_best, 0.0), max(overall - at_best, 0.0), overall)


def _labels_if_right(
    said: Observations, cell: npt.NDArray[np.intp], *, n_draws: int, seed: int
) -> FloatArray:
    """Weighted matches a cell if each pair were a match with the probability said; shape (k, n_draws).

    Where pairs share JDs, labels of one JD are drawn with the correlation that its errors have: a pair
    takes the luck of its JD with the probability that gives this correlation, and its own luck otherwise.
    """
    rng = np.random.default_rng(seed)
    shares_luck = float(np.sqrt(within_cluster_correlation(said, standard_errors=0.0)))
    if said.weights is None and len(said) >= POOL_FROM:
        together, bin_of_cell = _cells(cell)
        sizes = np.bincount(together)[:, None]
        means = np.bincount(together, said.scores)[:, None] / sizes
        matches: Any = 0
        own: Any = np.broadcast_to(sizes, (len(sizes), n_draws))
        if said.clusters is not None and shares_luck > 0:
            lucky = _with_lucky_jds(said, together, n_draws, rng)
            matches = rng.binomial(lucky, shares_luck)
            own = sizes - matches - rng.binomial(sizes - lucky, shares_luck)
        matches = matches + rng.binomial(own, means)
        return np.asarray((bin_of_cell == np.arange(cell.max() + 1)[:, None]) @ matches.astype(np.float64))
    order = said.order
    probability = said.scores[order, None]
    n = len(said)
    to_cells = csr_array((said.unit_weights[order], (cell[order], np.arange(n))), shape=(cell.max() + 1, n))
    clusters = None if said.clusters is None else said.clusters[order]
    drawn = np.empty((to_cells.shape[0], n_draws))
    columns = max(1, 4 * CHUNK // n)
    for at in range(0, n_draws, columns):
        m = min(columns, n_draws - at)
        luck = rng.random((n, m))
        if clusters is not None and shares_luck > 0:
            of_cluster = rng.random((int(clusters.max()) + 1, m))[clusters]
            luck = np.where(rng.random((n, m)) < shares_luck, of_cluster, luck)
        drawn[:, at : at + m] = to_cells @ (luck < probability).astype(np.float64)
    return drawn


def _with_lucky_jds(
    said: Observations, together: npt.NDArray[np.intp], n_draws: int, rng: np.random.Generator
) -> IntArray:
    """Of each cell, how many pairs are matches if each takes the luck of its JD; shape (n_cells, n_draws)."""
    assert said.clusters is not None
    starts = np.flatnonzero(np.diff(together, prepend=-1))
    lucky = np.empty((len(starts), n_draws), dtype=np.int64)
    for draw in range(n_draws):
        tell()
        luck = rng.random(said.n_clusters)[said.clusters]
        lucky[:, draw] = np.add.reduceat(luck < said.scores, starts, dtype=np.int32)
    return lucky


def _bin_table(
    said: Observations,
    in_bin: npt.NDArray[np.intp],
    mean_said: FloatArray,
    band: list[CountArray],
    confidence: float,
) -> pd.DataFrame:
    labels = said.labels.astype(np.float64)
    bins = [in_bin == index for index in range(len(mean_said))]
    seen, size = np.array([share_with_size(labels, said, inside) for inside in bins]).T
    seen_low, seen_high = wilson(seen, size, confidence)
    ends = [(said.scores[inside].min(), said.scores[inside].max(), int(inside.sum())) for inside in bins]
    frame = pd.DataFrame(ends, columns=["low", "high", "n"])
    frame = frame.assign(said=mean_said, seen=seen, seen_low=seen_low, seen_high=seen_high)
    return frame.assign(consistent_low=band[0], consistent_high=band[1])


def _curve(said: Observations, confidence: float) -> pd.DataFrame:
    """Isotonic regression of labels on probabilities, and bounds of the share of matches at each."""
    from sklearn.isotonic import IsotonicRegression

    at, (ends,) = intervals(said, confidence)
    steps = IsotonicRegression(out_of_bounds="clip").fit(said.scores, said.labels, said.unit_weights)
    return pd.DataFrame({"said": at, "seen": steps.predict(at), "seen_low": ends[0], "seen_high": ends[1]})
