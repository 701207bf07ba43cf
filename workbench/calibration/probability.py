"""From a score to the probability of a match, with its interval: "0.72, about 94 % (90–97)".

How bounds are found is in :mod:`workbench.calibration.probability_bounds`; whether the probabilities can be
believed is looked at in :mod:`workbench.calibration.reliability_diagram`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.probability_bounds import MIDDLE, NEVER, cross_fitted, intervals
from workbench.calibration.shares import scale_odds
from workbench.errors import InputError
from workbench.i18n import chance, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result, plain

DIGITS = 6


@dataclass(frozen=True, eq=False, repr=False)
class MatchProbability(Result):
    """A rising table from scores to probabilities of a match, with bounds for each.

    Attributes
    ----------
    scores : ndarray of float64, shape (k,)
        Labelled scores, ascending, from the lowest to the highest. Between them the table is linear; beyond
        them the probability stays what it is at the nearest one, and one end of the interval is 0 or 1, for
        nothing was labelled there.
    probability, low, high : ndarray of float64, shape (k,)
        All three rise with the score.
    confidence : float
        Of the two-sided interval at one score.
    prevalence : float
        Share of matches among the pairs that the probabilities are for.
    n, n_matches : int
        Labelled pairs behind it.
    by : {"pair", "cluster"}
        What was taken as independent: pairs, or whole JDs.
    cross_fitted : ndarray of float64, shape (n,)
        What is said of each labelled pair without its JD (or without its fold), at the prevalence of the
        labelled pairs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(600) < 0.4
    >>> pairs = Observations(np.where(labels, 0.6, 0.3) + 0.15 * rng.standard_normal(600), labels)
    >>> model = fit_probability(pairs)
    >>> model.phrase(0.6)
    '0.6000, about 88 % (69–97)'
    >>> model.phrase(0.95)
    '0.9500, about 96 % (88–>99.9)'
    """

    scores: FloatArray
    probability: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: float
    prevalence: float
    n: int
    n_matches: int
    by: Literal["pair", "cluster"]
    cross_fitted: FloatArray

    def probability_of_match(self, score: float) -> Estimate:
        """The probability that a pair with this score is a match, with its interval."""
        at = float(score)
        if not np.isfinite(at):
            raise InputError(_("The score is {score!r}; a finite number is needed.").format(score=score))
        value, low, high = (
            float(each)
            for each in (
                self.predict(at),
                np.interp(at, self.scores, self.low, left=0.0),
                np.interp(at, self.scores, self.high, right=1.0),
            )
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
        >>> model = fit_probability(pairs)
        >>> model.phrase(0.45)
        '0.4500, between 25 and 75 %: few labels there'
        >>> model.at_prevalence(0.01).phrase(0.45)
        '0.4500, about 1 % (0.3–3)'
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
        """What was found from what, and what it says at the ends."""
        lowest, highest = (self.phrase(float(score)) for score in self.scores[[0, -1]])
        return _(
            "Probability of a match from {n} labelled pairs ({matches} matches), for pairs of which {share} "
            "are matches, with {sure} intervals that assume only that it never falls as the score rises "
            "({apart}): from {lowest} to {highest}."
        ).format(
            n=self.n,
            matches=self.n_matches,
            share=percent(self.prevalence),
            sure=percent(self.confidence, None),
            apart=_("JDs are independent") if self.by == "cluster" else _("pairs are independent"),
            lowest=lowest,
            highest=highest,
        )

    def __repr__(self) -> str:
        return f"MatchProbability: {self.summary()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card; :mod:`workbench.retrieval.hits` reads the table there."""
        # Without the probabilities of the labelled pairs, as many as there are pairs.
        return {
            each.name: plain(getattr(self, each.name)) for each in fields(self) if each.name != "cross_fitted"
        }


def fit_probability(
    observations: Observations,
    *,
    prevalence: float | None = None,
    confidence: float = 0.95,
    n_folds: int = 5,
    seed: int = 0,
) -> MatchProbability:
    """Find the probability of a match at each score, assuming only that it never falls as the score rises.

    Bounds are those of :func:`~workbench.calibration.probability_bounds.monotone_intervals`; the probability
    itself is the middle of the 30 % interval. Curves of a certain shape (Platt's sigmoid, beta calibration)
    are smoother, but where high scores are rare their shape says what no label does, and neither a criterion
    for choosing among them nor a bootstrap takes notice.

    Parameters
    ----------
    observations : Observations
        With weights, probabilities are those where the weights lead to.
    prevalence : float, optional
        Share of matches among live pairs, where it differs; see :meth:`MatchProbability.at_prevalence`.
    confidence : float
        Of the two-sided interval at one score (not of all scores at once).
    n_folds, seed : int
        For cross-fitting; whole JDs are left out where pairs share them.

    Raises
    ------
    InputError
        If the pairs are all of one class, or there are too few pairs or JDs to leave some out.
    """
    observations.require_both_classes()
    check_share(confidence, "confidence", _("the confidence of intervals"))
    scores, (middle, ends) = intervals(observations.in_order, MIDDLE, confidence)
    value = middle.mean(axis=0).round(DIGITS)
    found = MatchProbability(
        scores=scores,
        probability=value,
        low=np.minimum(ends[0].round(DIGITS), value),
        high=np.maximum(ends[1].round(DIGITS), value),
        confidence=confidence,
        prevalence=observations.prevalence,
        n=len(observations),
        n_matches=int(observations.labels.sum()),
        by="pair" if observations.clusters is None else "cluster",
        cross_fitted=cross_fitted(observations, n_folds=n_folds, seed=seed),
    )
    return found if prevalence is None else found.at_prevalence(prevalence)


def _odds_factor(prevalence: float, live: float) -> float:
    """By what the odds of a match are multiplied to get from one prevalence to another."""
    return live / (1 - live) / (prevalence / (1 - prevalence))
