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
from workbench.calibration.drawn_curves import DrawnCurves
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.probability import MatchProbability
from workbench.cutoffs import Cutoff
from workbench.errors import CardError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result

# A bootstrap of curves that never fall is a little too narrow (docs/simulations/estimation.md).
WIDER = 1.25
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
        Share of matches among live pairs, where it is known and is not the card's: all odds are multiplied by
        one factor, as is right if matches, and others, score as they did (label shift).
    n_resamples, seed : int
        Of the bootstrap of live scores.

    Returns
    -------
    EstimatedPerformance
        Intervals have the confidence of the probabilities. Where a card keeps resampled curves, each is put
        together with a resample of the live scores, so that the interval holds both uncertainties; else its
        ends take the probabilities at the ends of their own intervals, all at once, which is far wider.
        Beyond all labelled scores, a match has any probability from there on.

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
    _table(calibrated)
    if prevalence is not None:
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
        calibrated = calibrated.at_prevalence(prevalence)
    table = _table(calibrated)
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
    chance = np.interp(live.scores, table["scores"], table["probability"])
    value = _figures(float(len(live)), above.sum(), above @ chance, (1 - above) @ chance)

    knots, lower, upper, wider = _curves(calibrated, table)
    spread = _spread(live.scores, knots)
    rows = np.concatenate([np.ones((1, len(live))), above[None], above * spread, (1 - above) * spread])
    sums = resampled_sums(live, rows, n_resamples=n_resamples, seed=seed)
    seen = rows.sum(axis=1)[:, None]
    low, high = (
        _end(_both(seen, fitted, others), _both(sums, drawn, rest), side, table["confidence"], wider)
        for side, (fitted, drawn), (others, rest) in ((-1, lower, upper), (1, upper, lower))
    )
    estimates = {
        name: Estimate(at, least, most, table["confidence"])
        for name, at, least, most in zip(
            FIGURES,
            value.tolist(),
            np.minimum(value, low).tolist(),
            np.maximum(value, high).tolist(),
            strict=True,
        )
    }
    outside = (live.scores < table["scores"][0]) | (live.scores > table["scores"][-1])
    return EstimatedPerformance(
        cutoff=float(cutoff), **estimates, n=len(live), n_units=n_units, n_beyond=int(outside.sum())
    )


def _figures(n: Any, above: Any, hit: Any, missed: Any, missed_instead: Any = None) -> FloatArray:
    """The figures, by expected numbers; recall may go by other missed ones than the missed share."""
    others = missed if missed_instead is None else missed_instead
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing above, or nothing below: NaN
        return np.array(
            [
                np.divide(hit, above),
                np.divide(hit, hit + others),
                np.divide(missed, n - above),
                (hit + missed) / n,
                above / n,
            ]
        )


def _both(sums: FloatArray, curves: FloatArray, others: FloatArray) -> FloatArray:
    """The figures by the sums over knots of each resample, and curves in turn: (figures, n_resamples)."""
    n, above, *on_knots = sums
    sides = np.split(np.array(on_knots), 2)
    turn = np.arange(sums.shape[1]) % len(curves)
    hit, missed = ((curves[turn].T * side).sum(axis=0) for side in sides)
    # Recall is lowest where few are found and many missed.
    return _figures(n, above, hit, missed, (others[turn].T * sides[1]).sum(axis=0))


def _end(seen: FloatArray, drawn: FloatArray, side: int, confidence: float, wider: float) -> FloatArray:
    """One end of each figure's interval: as far from what was seen as resamples are on either side."""
    least, most = quantiles(drawn, tails(confidence))
    reach = np.maximum(seen[:, 0] - least, most - seen[:, 0])
    return np.asarray(np.clip(seen[:, 0] + side * wider * reach, 0, 1))


def _spread(scores: FloatArray, knots: FloatArray) -> FloatArray:
    """How much each score counts at each knot, and before the first and behind the last: (k + 2, n)."""
    spread = np.zeros((len(knots) + 2, len(scores)))
    column = np.arange(len(scores))
    place = np.searchsorted(knots, scores, side="right")
    inside = (scores >= knots[0]) & (scores <= knots[-1])
    spread[np.where(place == 0, 0, len(knots) + 1)[~inside], column[~inside]] = 1.0
    left = np.clip(place[inside] - 1, 0, len(knots) - 2)
    width = knots[left + 1] - knots[left]
    towards = (scores[inside] - knots[left]) / width
    spread[left + 1, column[inside]] = 1 - towards
    spread[left + 2, column[inside]] = towards
    return spread


def _curves(
    calibrated: Cutoff | MatchProbability, table: dict[str, Any]
) -> tuple[FloatArray, tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray], float]:
    """Knots; lower and upper curves over them with what holds beyond, fitted and drawn; what to widen by."""
    kept = calibrated.evidence.get("curves") if isinstance(calibrated, Cutoff) else None
    if kept is None:
        low, high = _with_ends(table["low"][None])[0], _with_ends(table["high"][None])[1]
        return table["scores"], (low, low), (high, high), 1.0
    assert isinstance(calibrated, Cutoff)
    curves = DrawnCurves.from_dict(kept)
    _at, fitted_low, fitted_high = calibrated.carried(*[curves.fitted[None]] * 3)
    _at, drawn_low, drawn_high = calibrated.carried(*[curves.drawn] * 3)
    lower = (_with_ends(fitted_low)[0], _with_ends(drawn_low)[0])
    upper = (_with_ends(fitted_high)[1], _with_ends(drawn_high)[1])
    return curves.scores, lower, upper, WIDER


def _with_ends(curves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Beyond all labelled scores: down to nothing before the first, up to 1 behind the last, as for a hit."""
    never = np.zeros((len(curves), 1))
    return (
        np.concatenate([never, curves, curves[:, -1:]], axis=1),
        np.concatenate([curves[:, :1], curves, never + 1], axis=1),
    )


def _table(calibrated: Cutoff | MatchProbability) -> dict[str, Any]:
    """Knots, probabilities with their ends, and the confidence of these; at the card's prevalence."""
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
        if isinstance(calibrated, Cutoff):
            at_ends = calibrated.carried(table["probability"], table["low"], table["high"])
            table |= dict(zip(("probability", "low", "high"), at_ends, strict=True))
        return table | {"confidence": float(kept["confidence"])}
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(
            _(
                "The card's table of probabilities lacks a part, or it is not a number ({reason}); calibrate "
                "again."
            ).format(reason=error)
        ) from None
