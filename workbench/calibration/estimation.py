"""How well a cutoff does on live pairs without labels, from their scores alone: an early warning, no proof.

The probabilities are those of :mod:`workbench.calibration.probability`; what labels prove is in
:mod:`workbench.calibration.monitoring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import quantiles, resampled_sums, tails
from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.probability import MatchProbability
from workbench.calibration.shares import scale_odds
from workbench.cutoffs import Cutoff
from workbench.errors import CardError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result

__all__ = ["EstimatedPerformance", "estimate_performance"]

FIGURES = ("precision", "recall", "false_omission_rate", "matches", "selected")


@dataclass(frozen=True, eq=False, repr=False)
class EstimatedPerformance(Result):
    """What scores alone let one expect of a cutoff.

    Attributes
    ----------
    cutoff : float
    precision, recall, false_omission_rate : Estimate
        As expected among pairs that come in like these.
    matches : Estimate
        Share of matches among them.
    selected : Estimate
        Share of scores above the cutoff; its interval is of sampling alone.
    n : int
        Scores.
    n_units : int
        JDs that they belong to, or scores where these share none.
    n_beyond : int
        Scores beyond all labelled ones: there the probability is a guess.
    """

    cutoff: float
    precision: Estimate
    recall: Estimate
    false_omission_rate: Estimate
    matches: Estimate
    selected: Estimate
    n: int
    n_units: int
    n_beyond: int

    def warns_of(self, figure: Literal["precision", "false_omission_rate"], promised: float) -> bool:
        """Whether the whole interval is on the wrong side of a promise."""
        if figure == "precision":
            return self.precision.high < promised
        return self.false_omission_rate.low > promised

    def sentence(self) -> str:
        """The estimates with what they assume."""
        said = _(
            "Without labels, from {n} scores alone: expected precision {precision}, missed {missed}, recall "
            "{recall}, above the cutoff {selected}, if a score still means what it meant for the card's "
            "pairs, which scores cannot show."
        ).format(
            n=self.n,
            precision=self.precision,
            missed=self.false_omission_rate,
            recall=self.recall,
            selected=self.selected,
        )
        if not self.n_beyond:
            return said
        return said + _(" {n} of the scores ({share}) are beyond all labelled ones: a guess.").format(
            n=self.n_beyond, share=percent(self.n_beyond / self.n)
        )

    def __repr__(self) -> str:
        return f"EstimatedPerformance at {number(self.cutoff)}: {self.sentence()}"


def estimate_performance(
    calibrated: Cutoff | MatchProbability,
    live_scores: npt.ArrayLike,
    *,
    cutoff: float | None = None,
    clusters: npt.ArrayLike | None = None,
    prevalence: float | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> EstimatedPerformance:
    """Estimate precision, recall and missed share on live pairs that nobody has labelled.

    Each score counts as a match with the probability that it has: of the pairs above the cutoff, the
    expected matches over all is the precision (confidence-based performance estimation [1]_). This is right
    if a score means live what it meant among the labelled pairs, ``P(match | score)`` being the same while
    scores may lie quite differently (covariate shift). It cannot see that this has changed (concept drift):
    only labels can.

    Parameters
    ----------
    calibrated : Cutoff or MatchProbability
        A card that keeps probabilities, or the probabilities.
    live_scores : array-like of float, shape (n,)
    cutoff : float, optional
        The card's own by default.
    clusters : array-like, shape (n,), optional
        The JD of each score: these are resampled.
    prevalence : float, optional
        Share of matches among live pairs, where it is known: all odds are multiplied by one factor, as is
        right if matches, and others, score as they did (label shift).
    n_resamples, seed : int
        Of the bootstrap of live scores.

    Returns
    -------
    EstimatedPerformance
        Intervals have the confidence of the probabilities. Their ends take the probabilities at the ends of
        their own intervals, all at once, and then the quantile over resamples of the live scores: they hold
        both uncertainties, and more than both where errors at different scores cancel.

    Raises
    ------
    InputError
        If there is no cutoff, the card keeps no probabilities, or scores are missing or all of one JD.
    CardError
        If the card's probabilities are damaged.

    References
    ----------
    .. [1] Kivimäki, Białek, Kuberski & Nurminen (2025), Performance estimation in binary classification using
       calibrated confidence, arXiv:2505.05295; as in NannyML.

    Examples
    --------
    >>> from workbench.calibration import fit_probability
    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random(800)
    >>> model = fit_probability(Observations(scores, rng.random(800) < scores))
    >>> live = rng.beta(3, 1, 2000)  # E(score | score > 0.5) is 0.8
    >>> expected = estimate_performance(model, live, cutoff=0.5).precision
    >>> expected.low < 0.8 < expected.high
    True
    """
    table = _table(calibrated)
    factor = 1.0
    if prevalence is not None:
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
        factor = prevalence / (1 - prevalence) / (table["prevalence"] / (1 - table["prevalence"]))
    if cutoff is None:
        if not isinstance(calibrated, Cutoff):
            raise InputError(_("Say at which cutoff; probabilities of a match have none of their own."))
        cutoff = calibrated.value
    # Labels play no part; the scores are only checked as those of labelled pairs are.
    live = Observations(live_scores, np.zeros(np.size(live_scores)), clusters=clusters).in_order
    n_units = live.n_clusters or len(live)
    if n_units < 2:
        raise InputError(_("All live scores are of one JD; how much JDs differ cannot be seen in them."))
    above = (live.scores > cutoff).astype(np.float64)
    # Beyond all labelled scores one end of each interval is 0 or 1, as for a hit.
    beyond: dict[str, dict[str, Any]] = {"probability": {}, "low": {"left": 0.0}, "high": {"right": 1.0}}
    chances = [
        scale_odds(np.interp(live.scores, table["scores"], table[end], **at), factor)
        for end, at in beyond.items()
    ]
    rows = np.array(
        [np.ones(len(live)), above, *(side * each for side in (above, 1 - above) for each in chances)]
    )
    value, _least, _most = _figures(rows.sum(axis=1))
    drawn = _figures(resampled_sums(live, rows, n_resamples=n_resamples, seed=seed))
    low, high = (
        quantiles(each, tails(table["confidence"]))[end] for each, end in zip(drawn[1:], (0, 1), strict=True)
    )
    estimates = {
        name: Estimate(float(value[row]), float(low[row]), float(high[row]), table["confidence"])
        for row, name in enumerate(FIGURES)
    }
    outside = (live.scores < table["scores"][0]) | (live.scores > table["scores"][-1])
    return EstimatedPerformance(
        cutoff=float(cutoff), **estimates, n=len(live), n_units=n_units, n_beyond=int(outside.sum())
    )


def _figures(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The figures by the sums of the rows, at the probabilities, at their lower and at their upper ends."""
    n, above, hit, hit_low, hit_high, missed, missed_low, missed_high = sums

    def shares(hit: FloatArray, missed: FloatArray, missed_instead: FloatArray) -> FloatArray:
        with np.errstate(invalid="ignore"):  # nothing above, or nothing below: NaN
            return np.array(
                [
                    hit / above,
                    hit / (hit + missed_instead),
                    missed / (n - above),
                    (hit + missed) / n,
                    above / n,
                ]
            )

    # Recall is lowest where few are found and many missed.
    return (
        shares(hit, missed, missed),
        shares(hit_low, missed_low, missed_high),
        shares(hit_high, missed_high, missed_low),
    )


def _table(calibrated: Cutoff | MatchProbability) -> dict[str, Any]:
    """Knots, probabilities with their ends, and the confidence and prevalence that these are for."""
    kept = (
        calibrated.to_dict()
        if isinstance(calibrated, MatchProbability)
        else calibrated.evidence.get("probability")
    )
    if kept is None:
        raise InputError(
            _(
                "The card of cutoff {cutoff} keeps no probabilities of a match, so that nothing can be "
                "estimated without labels; calibrate again."
            ).format(cutoff=number(float(calibrated)))  # type: ignore[arg-type]
        )
    try:
        table: dict[str, Any] = {
            name: np.asarray(kept[name], dtype=np.float64)
            for name in ("scores", "probability", "low", "high")
        }
        return table | {name: float(kept[name]) for name in ("confidence", "prevalence")}
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(
            _(
                "The card's table of probabilities lacks a part, or it is not a number ({reason}); calibrate "
                "again."
            ).format(reason=error)
        ) from None
