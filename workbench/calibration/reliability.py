"""Can the probabilities be believed? Reliability diagram with consistency bands, ECE and Brier score.

Probabilities must come from a fit that did not see the pairs, such as
``fit_probability(pairs).cross_fit.probability``. The sums are in
:mod:`workbench.calibration.calibration_error`, sentences in :mod:`workbench.calibration.reliability_text`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration import reliability_text
from workbench.calibration.bootstrap import quantiles
from workbench.calibration.calibration_error import (
    BrierParts,
    brier_parts,
    calibration_error,
    equal_mass_bins,
)
from workbench.calibration.counts import check_share
from workbench.calibration.cross_fitting import Cells
from workbench.calibration.effective import share_with_size
from workbench.calibration.figures import Estimate
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import CountArray, FloatArray, Observations
from workbench.calibration.reliability_draws import labels_if_right
from workbench.calibration.resampled_sums import resampled_sums
from workbench.errors import InputError

__all__ = ["Reliability", "reliability"]


@dataclass(frozen=True, eq=False, repr=False)
class Reliability:
    """What was said against what was seen.

    Attributes
    ----------
    bins : DataFrame
        One row a bin: ``low, high`` (range of probabilities), ``n`` pairs, ``said`` (their mean probability),
        ``seen`` (their share of matches), ``seen_low, seen_high`` (its Wilson interval, on the effective
        sample), ``consistent_low, consistent_high``: where `seen` would lie if the probabilities were right
        [1]_.
    curve : DataFrame
        The diagram without bins [2]_: ``said``, ``seen`` (isotonic regression of labels on probabilities),
        ``consistent_low, consistent_high``.
    ece : Estimate
        Expected calibration error over these bins, as it looks: chance makes it look larger than it is. Its
        interval is for the true one: the lower end is what is left when the error that chance makes is
        taken off, the upper end is the bootstrap's, shifted by its bias.
    rms_debiased : float
        Root mean squared calibration error over these bins, without the part that comes from chance [3]_.
    ece_if_right : float
        What such bins would show on average if the probabilities were right: chance alone.
    p_right : float
        p-value of "the probabilities are right": how often chance alone shows so large an ECE.
    brier : Estimate
        Mean squared distance of probability and label, with a bootstrap interval.
    parts : BrierParts
    log_loss : Estimate
        In nats a pair.
    n, n_bins : int
    confidence : float
    by : {"pair", "cluster"}
        What was resampled.

    References
    ----------
    .. [1] Bröcker & Smith (2007), Increasing the reliability of reliability diagrams, Weather and
       Forecasting 22(3), 651-661.
    .. [2] Dimitriadis, Gneiting & Jordan (2021), Stable reliability diagrams for probabilistic classifiers,
       PNAS 118(8), e2016191118.
    .. [3] Kumar, Liang & Ma (2019), Verified uncertainty calibration, NeurIPS 32, section 5; the variance in
       a bin is the bootstrap's, which knows of JDs and weights.
    """

    bins: pd.DataFrame
    curve: pd.DataFrame
    ece: Estimate
    rms_debiased: float
    ece_if_right: float
    p_right: float
    brier: Estimate
    parts: BrierParts
    log_loss: Estimate
    n: int
    n_bins: int
    confidence: float
    by: Literal["pair", "cluster"]

    def summary(self, language: str = "en") -> str:
        """Whether the probabilities can be believed, and how good they are."""
        return reliability_text.summary(self, language)

    def __repr__(self) -> str:
        return f"Reliability: {self.summary()}"

    def _repr_html_(self) -> str:
        return reliability_text.html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card, without the curve."""
        return {
            "ece": self.ece.to_dict(),
            "rms_debiased": self.rms_debiased,
            "ece_if_right": self.ece_if_right,
            "p_right": self.p_right,
            "brier": self.brier.to_dict(),
            "brier_parts": asdict(self.parts),
            "log_loss": self.log_loss.to_dict(),
            "n": self.n,
            "n_bins": self.n_bins,
            "binning": "equal mass",
            "by": self.by,
            "bins": self.bins.to_dict("records"),
        }


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

    Returns
    -------
    Reliability

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
    check_share(confidence, "confidence", "the confidence of intervals and bands")
    said = _checked(probability, observations)
    n_units = said.n_clusters or len(said)
    if n_units < 2 or n_resamples < 2:
        raise InputError(
            f"There are {n_units} pairs or JDs to draw from, and {n_resamples} resamples; at least 2 of each "
            "are needed."
        )
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    points = Cells.of(said)
    in_bin = equal_mass_bins(points.cell.astype(np.float64), n_bins)
    labels, weights = said.labels.astype(np.float64), said.unit_weights
    weight, said_sum, seen_sum = (
        np.bincount(in_bin, weights * values).astype(np.float64)
        for values in (np.ones(len(said)), said.scores, labels)
    )
    ece = float(calibration_error(weight, said_sum, seen_sum))

    by_point = labels_if_right(said, points.cell, n_draws=n_resamples, seed=seed)
    bin_of_point = np.empty(len(by_point), dtype=np.intp)
    bin_of_point[points.cell] = in_bin
    by_bin = np.add.reduceat(by_point, np.unique(bin_of_point, return_index=True)[1], axis=0)
    if_right = calibration_error(weight[:, None], said_sum[:, None], by_bin)

    with np.errstate(divide="ignore"):
        losses = np.stack([(said.scores - labels) ** 2, -np.log(np.abs(1 - labels - said.scores))])
    member = (in_bin == np.arange(len(weight))[:, None]).astype(np.float64)
    rows = np.concatenate([member, member * said.scores, member * labels, losses])
    sums = resampled_sums(said, rows, n_resamples=n_resamples, seed=seed)
    drawn_weight, drawn_said, drawn_seen = np.split(sums[:-2], 3)
    eces = calibration_error(drawn_weight, drawn_said, drawn_seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A bin that no resampled JD has is no error.
        drawn_gap = np.nan_to_num((drawn_said - drawn_seen) / drawn_weight)
    gap = (said_sum - seen_sum) / weight
    by_chance = np.average(np.abs(drawn_gap - gap[:, None]), axis=0, weights=weight)
    low = max(ece - float(np.quantile(by_chance, tails[1])), 0.0)
    high = min(max(float(np.quantile(eces, tails[1]) - eces.mean()) + ece, ece), 1.0)
    squared = float(np.average(gap**2 - drawn_gap.var(axis=1), weights=weight))
    means = np.average(losses, axis=1, weights=weights)
    loss_low, loss_high = quantiles(sums[-2:] / sums[: len(weight)].sum(axis=0), tails)
    brier, log_loss = (
        Estimate(float(means[i]), float(loss_low[i]), float(loss_high[i]), confidence) for i in (0, 1)
    )
    return Reliability(
        bins=_bin_table(
            said, in_bin, said_sum / weight, quantiles(by_bin / weight[:, None], tails), confidence
        ),
        curve=_curve(points, by_point * points.scale, tails),
        ece=Estimate(ece, low, high, confidence),
        rms_debiased=max(squared, 0.0) ** 0.5,
        ece_if_right=float(if_right.mean()),
        p_right=float((1 + (if_right >= ece - 1e-12).sum()) / (1 + n_resamples)),
        brier=brier,
        parts=brier_parts(said.scores, labels, weights),
        log_loss=log_loss,
        n=len(said),
        n_bins=len(weight),
        confidence=confidence,
        by="pair" if said.clusters is None else "cluster",
    )


def _checked(probability: npt.ArrayLike, observations: Observations) -> Observations:
    """The pairs with their probabilities in place of scores."""
    values = np.asarray(probability, dtype=np.float64)
    if values.shape != (len(observations),):
        raise InputError(f"probability has shape {values.shape}; ({len(observations)},) is needed.")
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(wrong):
        raise InputError(
            f"The probability at position {wrong[0]} is {values[wrong[0]]:g} ({len(wrong)} such in all); a "
            "number from 0 to 1 is needed. Scores become probabilities with fit_probability()."
        )
    said = observations.with_scores(values)
    # Sums in the order of probabilities, so that the order of rows has no say in the last digit.
    return said.subset(said.order)


def _bin_table(
    said: Observations,
    in_bin: npt.NDArray[np.intp],
    mean_said: FloatArray,
    band: list[CountArray],
    confidence: float,
) -> pd.DataFrame:
    rows = []
    for index, mean in enumerate(mean_said):
        inside = in_bin == index
        pairs = said.subset(inside)
        share, size = share_with_size(pairs.labels.astype(np.float64), pairs)
        low, high = wilson(share, size, confidence)
        rows.append(
            {
                "low": pairs.scores.min(),
                "high": pairs.scores.max(),
                "n": len(pairs),
                "said": mean,
                "seen": share,
                "seen_low": float(low),
                "seen_high": float(high),
                "consistent_low": band[0][index],
                "consistent_high": band[1][index],
            }
        )
    return pd.DataFrame(rows)


def _curve(points: Cells, drawn: FloatArray, tails: list[float]) -> pd.DataFrame:
    """Isotonic regression of labels on probabilities, and where it would lie if these were right."""
    from sklearn.isotonic import isotonic_regression

    weight = points.of_match + points.of_other
    seen = isotonic_regression(points.of_match / weight, sample_weight=weight)
    if_right = np.empty_like(drawn)
    for column in range(drawn.shape[1]):
        if_right[:, column] = isotonic_regression(drawn[:, column] / weight, sample_weight=weight)
    low, high = quantiles(if_right, tails)
    return pd.DataFrame(
        {
            "said": points.scores,
            "seen": np.clip(seen, 0, 1),
            "consistent_low": np.clip(low, 0, 1),
            "consistent_high": np.clip(high, 0, 1),
        }
    )
