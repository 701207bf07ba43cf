"""From a score to the probability of a match, with its interval: "0.72, about 94 % (90–97)".

The curves are in :mod:`workbench.calibration.probability_curves`; whether the probabilities can be believed
is looked at in :mod:`workbench.calibration.reliability_diagram`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.calibration.bootstrap import quantiles, resample, tails
from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.probability_curves import (
    METHODS,
    NEVER,
    Cells,
    CrossFit,
    CurveName,
    check_method,
    cross_fit,
    fitted,
    isotonic_knots,
    pick_method,
)
from workbench.calibration.shares import scale_odds, share_with_size, wilson
from workbench.errors import InputError
from workbench.i18n import N_, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result

__all__ = ["MatchProbability", "chance", "fit_probability"]

# Knots of the table that a card keeps; linear interpolation between them errs by less than 0.0005.
KNOTS = 101
DIGITS = 6
# Cells of scores that resamples are counted in: where within a cell a pair lies does not move a curve.
MOST_DRAWN = 250
NAMES = {
    "sigmoid": N_("a sigmoid (Platt)"),
    "beta": N_("beta calibration"),
    "isotonic": N_("isotonic regression"),
}


@dataclass(frozen=True, eq=False, repr=False)
class MatchProbability(Result):
    """A monotone table from scores to probabilities of a match, with pointwise intervals.

    Attributes
    ----------
    method : {"sigmoid", "beta", "isotonic"}
    scores : ndarray of float64, shape (k,)
        Knots, ascending, from the lowest labelled score to the highest. Between knots it is linear;
        beyond them it stays what it is at the nearest one, for nothing was labelled there.
    probability, low, high : ndarray of float64, shape (k,)
        All three rise with the score.
    confidence : float
        Of the two-sided interval at one score.
    prevalence : float
        Share of matches among the pairs that the probabilities are for.
    n, n_matches : int
        Labelled pairs behind it.
    by : {"pair", "cluster"}
        What was resampled for the interval: pairs, or whole JDs.
    log_loss : mapping of str to float
        Cross-fitted log loss of each method that was tried, in nats a pair.
    cross_fit : CrossFit
        What this method says of each labelled pair when fitted without its JD (or without its fold), at the
        prevalence of the labelled pairs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(600) < 0.4
    >>> pairs = Observations(np.where(labels, 0.6, 0.3) + 0.15 * rng.standard_normal(600), labels)
    >>> model = fit_probability(pairs, n_resamples=200)
    >>> model.method
    'sigmoid'
    >>> model.phrase(0.72)
    '0.7200, about 96 % (94–98)'
    """

    method: CurveName
    scores: FloatArray
    probability: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: float
    prevalence: float
    n: int
    n_matches: int
    by: Literal["pair", "cluster"]
    log_loss: Mapping[str, float]
    cross_fit: CrossFit

    def probability_of_match(self, score: float) -> Estimate:
        """The probability that a pair with this score is a match, with its interval."""
        at = float(score)
        if not np.isfinite(at):
            raise InputError(_("The score is {score!r}; a finite number is needed.").format(score=score))
        value, low, high = (
            float(np.interp(at, self.scores, table)) for table in (self.probability, self.low, self.high)
        )
        return Estimate(value, low, high, self.confidence)

    def predict(self, scores: npt.ArrayLike) -> FloatArray:
        """Probabilities for many scores, of any shape; NaN for a score that is NaN."""
        at = np.asarray(scores, dtype=np.float64)
        return np.asarray(np.interp(at, self.scores, self.probability))

    def at_prevalence(
        self, prevalence: float, *, between: tuple[float, float] | None = None
    ) -> MatchProbability:
        """The same table for pairs of which another share are matches.

        Right if matches, and others, have the same scores there as in the labelled pairs, only in other
        numbers: the odds of a match are then multiplied by one factor at every score.

        Parameters
        ----------
        prevalence : float
            Share of matches among the pairs that the table shall be for, between 0 and 1.
        between : tuple of float, optional
            Interval of `prevalence`, if it was estimated: the lower bounds are then those at its lower end,
            the upper bounds those at its upper end. May begin at 0 and end at 1.

        Raises
        ------
        InputError
            If `prevalence` is not between 0 and 1, or is outside its own interval.

        References
        ----------
        Elkan (2001), The foundations of cost-sensitive learning, IJCAI, 973-978, theorem 2; Saerens, Latinne
        & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities, Neural
        Computation 14(1), 21-41, equation 2.4.

        Examples
        --------
        >>> labels = np.arange(200) % 2
        >>> pairs = Observations(np.linspace(0, 0.5, 200) + 0.4 * labels, labels)
        >>> model = fit_probability(pairs, n_resamples=50)
        >>> model.phrase(0.45)
        '0.4500, about 50 % (36–68)'
        >>> model.at_prevalence(0.01).phrase(0.45)
        '0.4500, about 1.0 % (0.6–2)'
        """
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
        least, most = (prevalence, prevalence) if between is None else np.clip(between, NEVER, 1 - NEVER)
        if not least <= prevalence <= most:
            raise InputError(
                _("The prevalence {share} is outside its own interval, {low} to {high}.").format(
                    share=percent(prevalence), low=percent(least), high=percent(most)
                )
            )

        def moved(table: FloatArray, share: float) -> FloatArray:
            return scale_odds(table, _odds_factor(self.prevalence, share)).round(DIGITS)

        return replace(
            self,
            prevalence=float(prevalence),
            probability=moved(self.probability, prevalence),
            low=moved(self.low, least),
            high=moved(self.high, most),
        )

    def phrase(self, score: float) -> str:
        """The score with its probability, as a hit says it: "0.7200, about 94 % (90–97)"."""
        found = self.probability_of_match(score)
        said = _("{score}, {chance}")
        if not self.scores[0] <= score <= self.scores[-1]:
            said = _("{score}, {chance}, a guess beyond all labelled scores")
        return said.format(score=number(score), chance=chance(found.value, found.low, found.high))

    def summary(self) -> str:
        """What was fitted to what, and what it says at the ends."""
        lowest, highest = (self.phrase(float(score)) for score in self.scores[[0, -1]])
        return _(
            "Probability of a match by {curve} from {n} labelled pairs ({matches} matches), for pairs of "
            "which {share} are matches, with {sure} intervals {resampled}: from {lowest} to {highest}."
        ).format(
            curve=_(NAMES[self.method]),
            n=self.n,
            matches=self.n_matches,
            share=percent(self.prevalence),
            sure=percent(self.confidence, None),
            resampled=_("resampled by JD") if self.by == "cluster" else _("resampled by pair"),
            lowest=lowest,
            highest=highest,
        )

    def __repr__(self) -> str:
        return f"MatchProbability: {self.summary()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card; :mod:`workbench.retrieval.hits` reads the table there."""
        return {name: value for name, value in super().to_dict().items() if name != "cross_fit"}


def chance(value: float, low: float, high: float) -> str:
    """A probability with its interval, as a hit says it: "about 94 % (90–97)"."""
    shown, least, most = (_whole(share) for share in (value, low, high))
    if shown[0] in "<>":
        return _("{share} % ({low}–{high})").format(share=shown, low=least, high=most)
    return _("about {share} % ({low}–{high})").format(share=shown, low=least, high=most)


def _whole(share: float) -> str:
    """Whole percent; one digit more near 0 and 1, where whole percents would say never or always."""
    percents = 100 * share
    if 1 <= percents <= 99:
        return f"{percents:.0f}"
    return "<0.1" if percents < 0.1 else ">99.9" if percents > 99.9 else f"{percents:.1f}"


def fit_probability(
    observations: Observations,
    *,
    method: CurveName | Literal["auto"] = "auto",
    prevalence: float | None = None,
    confidence: float = 0.95,
    n_folds: int = 5,
    n_resamples: int = 500,
    seed: int = 0,
) -> MatchProbability:
    """Fit the probability of a match as a monotone curve of the score.

    Parameters
    ----------
    observations : Observations
        With weights, probabilities are those where the weights lead to.
    method : {"auto", "sigmoid", "beta", "isotonic"}
        ``"auto"`` takes the sigmoid, the stiffest of the three, unless another has a cross-fitted log loss
        that is better by more than one standard error of the difference. See
        :func:`~workbench.calibration.probability_curves.fitted`.
    prevalence : float, optional
        Share of matches among live pairs, where it differs: odds are corrected to it, in each resample
        from the prevalence of that resample.
    confidence : float
        Of the two-sided interval at one score (not of all scores at once).
    n_folds : int
        For cross-fitting; whole JDs are left out where pairs share them.
    n_resamples, seed : int
        Of the bootstrap that the interval comes from, by JD where shared. Each resample fits again, and
        with ``"auto"`` takes the method that says best what the resample left out, so that the interval
        knows that the shape of the curve is not known either. An isotonic curve is flat over some scores,
        and its bootstrap collapses where these hold no error; where it is the curve taken, the interval is
        at least Wilson's for the pairs under the step.

    Raises
    ------
    InputError
        If the pairs are all of one class, the method does not exist or does not fit such scores, or there
        are too few pairs or JDs to leave some out.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 5.3 and 3.8. One standard
    error: Breiman, Friedman, Olshen & Stone (1984), Classification and Regression Trees, section 3.4.3.
    """
    observations.require_both_classes()
    check_share(confidence, "confidence", _("the confidence of intervals"))
    if prevalence is not None:
        check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
    if method == "auto":
        cosines = np.abs(observations.scores).max() <= 1 + 1e-6
        tried = [name for name in METHODS if cosines or name != "beta"]
    else:
        check_method(method, observations.scores)
        tried = [method]
    fits = {name: cross_fit(observations, name, n_folds=n_folds, seed=seed) for name in tried}
    chosen = pick_method(fits, observations)

    # Sums in the order of scores, so that the order of rows has no say in the last digit.
    observations = observations.in_order
    cells = Cells.of(observations)
    knots = np.unique(np.linspace(cells.scores[0], cells.scores[-1], KNOTS))
    if chosen == "isotonic":
        knots = np.union1d(knots, isotonic_knots(cells.scores, cells.of_match, cells.of_other))
    curve = fitted(chosen, cells.scores, cells.of_match[:, None], cells.of_other[:, None], knots)[0]
    drawn = _drawn_curves(observations, tried, knots, prevalence, n_resamples, seed)
    low, high = quantiles(drawn.T, tails(confidence))
    if chosen == "isotonic":
        under = _step_intervals(observations, curve, knots, confidence)
        if prevalence is not None:
            under = scale_odds(under, _odds_factor(observations.prevalence, prevalence))
        low, high = np.minimum(low, under[0]), np.maximum(high, under[1])
    if prevalence is not None:
        curve = scale_odds(curve, _odds_factor(observations.prevalence, prevalence))
    # Rounding and reading Wilson's ends step by step must not make a table fall.
    value = np.maximum.accumulate(curve.round(DIGITS))
    low = np.maximum.accumulate(np.minimum(low, curve).round(DIGITS))
    high = np.minimum.accumulate(np.maximum(high, curve).round(DIGITS)[::-1])[::-1]
    return MatchProbability(
        method=chosen,
        scores=knots,
        probability=value,
        low=np.minimum(low, value),
        high=np.maximum(high, value),
        confidence=confidence,
        prevalence=observations.prevalence if prevalence is None else float(prevalence),
        n=len(observations),
        n_matches=int(observations.labels.sum()),
        by="pair" if observations.clusters is None else "cluster",
        log_loss={name: round(fit.mean_log_loss, DIGITS) for name, fit in fits.items()},
        cross_fit=fits[chosen],
    )


def _drawn_curves(
    observations: Observations,
    methods: Sequence[CurveName],
    knots: FloatArray,
    prevalence: float | None,
    n_resamples: int,
    seed: int,
) -> FloatArray:
    """The curve that each resample leads to, shape (n_resamples, k); NaN where it leads to none."""
    table = observations.cutoffs
    if len(table) > MOST_DRAWN:
        # Evenly spaced in rank, both ends included.
        at = np.linspace(0, len(observations) - 1, MOST_DRAWN).astype(np.intp)
        inner = np.searchsorted(table, np.sort(observations.scores)[at])
        table = table[np.unique(np.concatenate([[0], inner, [len(table) - 1]]))]
    choosing = len(methods) > 1
    resamples = resample(observations, n_resamples=n_resamples, seed=seed, cutoffs=table, out_of_bag=choosing)
    cells = Cells.of(observations, resamples.cutoffs)
    of_match, of_other = cells.drawn(resamples)
    read_at = np.concatenate([knots, cells.scores]) if choosing else knots
    fits = np.array([fitted(method, cells.scores, of_match, of_other, read_at) for method in methods])
    drawn = fits[0]
    if choosing:
        assert resamples.outside is not None
        left_match, left_other = cells.drawn(resamples.outside)
        said = fits[:, :, len(knots) :].transpose(0, 2, 1)
        losses = -(left_match * np.log(said) + left_other * np.log1p(-said)).sum(axis=1)
        drawn = fits[np.argmin(losses, axis=0), np.arange(n_resamples), : len(knots)]
    if prevalence is not None:
        share = of_match.sum(axis=0) / (of_match.sum(axis=0) + of_other.sum(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            # A resample of one class only says nothing about another prevalence: NaN.
            odds = (drawn / (1 - drawn)).T * _odds_factor(share, prevalence)
            drawn = np.where((share > 0) & (share < 1), odds / (1 + odds), np.nan).T
    return np.asarray(drawn, dtype=np.float64)


def _step_intervals(
    observations: Observations, curve: FloatArray, knots: FloatArray, confidence: float
) -> FloatArray:
    """Wilson's interval of the pairs under the step that each knot lies on: low and high, shape (2, k)."""
    ends = np.stack([curve, curve])
    for value in np.unique(curve):
        on_step = np.flatnonzero(curve == value)
        first, last = knots[on_step[0]], knots[on_step[-1]]
        inside = (observations.scores >= first) & (observations.scores <= last)
        if inside.any():
            share, size = share_with_size(observations.labels.astype(np.float64), observations, inside)
            ends[:, on_step] = np.array(wilson(share, size, confidence))[:, None]
    return ends


def _odds_factor(prevalence: float | FloatArray, live: float) -> Any:
    """By what the odds of a match are multiplied to get from one prevalence, or many, to another."""
    return live / (1 - live) / (prevalence / (1 - prevalence))
