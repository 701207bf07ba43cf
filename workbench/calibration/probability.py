"""From a score to the probability of a match, with its interval: "0.72, about 94 % (90-97)".

The curves are in :mod:`workbench.calibration.curves`, how their methods are compared in
:mod:`workbench.calibration.cross_fitting`; whether the probabilities can be believed is looked at in
:mod:`workbench.calibration.reliability`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.calibration import probability_text
from workbench.calibration.bootstrap import quantiles
from workbench.calibration.counts import check_share
from workbench.calibration.cross_fitting import Cells, CrossFit, cross_fit, pick_method
from workbench.calibration.curve_intervals import drawn_curves, odds_factor, step_intervals
from workbench.calibration.curves import (
    METHODS,
    CurveName,
    check_method,
    fitted_at,
    isotonic_knots,
)
from workbench.calibration.figures import Estimate, scale_odds
from workbench.calibration.observations import FloatArray, Observations
from workbench.errors import CardError, InputError

__all__ = ["MatchProbability", "fit_probability"]

# Knots of the table that a card keeps; linear interpolation between them errs by less than 0.0005.
KNOTS = 101
DIGITS = 6


@dataclass(frozen=True, eq=False, repr=False)
class MatchProbability:
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
    cross_fit : CrossFit or None
        What this method says of each labelled pair when fitted without its JD (or without its fold), at the
        prevalence of the labelled pairs; None on a table that was read from a card.

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
    log_loss: Mapping[str, float] = field(default_factory=dict)
    cross_fit: CrossFit | None = None

    def probability_of_match(self, score: float) -> Estimate:
        """The probability that a pair with this score is a match, with its interval."""
        at = float(score)
        if not np.isfinite(at):
            raise InputError(f"The score is {score!r}; a finite number is needed.")
        value, low, high = (
            float(np.interp(at, self.scores, table)) for table in (self.probability, self.low, self.high)
        )
        return Estimate(value, low, high, self.confidence)

    def predict(self, scores: npt.ArrayLike) -> FloatArray:
        """Probabilities for many scores, of any shape; NaN for a score that is NaN."""
        return self._read(scores, self.probability)

    def interval(self, scores: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Ends of the interval at each score, of any shape."""
        return self._read(scores, self.low), self._read(scores, self.high)

    def outside(self, scores: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each score lies beyond all labelled scores, where its probability is a guess."""
        at = np.asarray(scores, dtype=np.float64)
        return np.asarray((at < self.scores[0]) | (at > self.scores[-1]))

    def at_prevalence(self, prevalence: float | None) -> MatchProbability:
        """The table as it would be if matches had another share: prior correction of the odds.

        It supposes that live matches score like labelled matches, and live others like labelled others
        [1]_. The prevalence is taken as known, in the interval too. None changes nothing.

        Raises
        ------
        InputError
            If it is not a number between 0 and 1.

        References
        ----------
        .. [1] Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a
           priori probabilities, Neural Computation 14(1), 21-41, equation 4.
        """
        if prevalence is None:
            return self
        check_share(prevalence, "prevalence", "the share of matches among live pairs")
        factor = odds_factor(self.prevalence, prevalence)
        value, low, high = (
            scale_odds(table, factor).round(DIGITS) for table in (self.probability, self.low, self.high)
        )
        return replace(self, probability=value, low=low, high=high, prevalence=float(prevalence))

    def phrase(self, score: float, language: str = "en") -> str:
        """The score with its probability, as a hit says it."""
        return probability_text.phrase(self, score, language)

    def summary(self, language: str = "en") -> str:
        """What was fitted to what, in two sentences."""
        return probability_text.summary(self, language)

    def __repr__(self) -> str:
        return f"MatchProbability: {self.summary()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card; :meth:`from_dict` reads them back to the same table."""
        return {
            "method": self.method,
            "confidence": self.confidence,
            "prevalence": self.prevalence,
            "n": self.n,
            "n_matches": self.n_matches,
            "by": self.by,
            "log_loss": {name: round(float(loss), DIGITS) for name, loss in self.log_loss.items()},
            "scores": self.scores.tolist(),
            "probability": self.probability.tolist(),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
        }

    @classmethod
    def from_dict(cls, card: Mapping[str, Any]) -> MatchProbability:
        """Read what :meth:`to_dict` wrote, such as ``Cutoff.evidence["probability"]``.

        Raises
        ------
        CardError
            If a part is missing, tables differ in length, or one does not rise.
        """
        try:
            tables = {
                name: np.asarray(card[name], dtype=np.float64)
                for name in ("scores", "probability", "low", "high")
            }
            rest: dict[str, Any] = {
                name: card[name] for name in ("method", "confidence", "prevalence", "n", "n_matches", "by")
            }
        except (KeyError, TypeError, ValueError) as error:
            raise CardError(
                f"The table of probabilities lacks a part, or it is not a number: {error}."
            ) from None
        knots = tables["scores"]
        for name, table in tables.items():
            if table.shape != knots.shape or table.ndim != 1 or not len(table):
                raise CardError(f"The table of probabilities has {table.shape} {name}, {knots.shape} scores.")
            if not np.isfinite(table).all() or (np.diff(table) < 0).any():
                raise CardError(f"{name!r} in the table of probabilities is not finite and rising.")
        rest |= tables
        return cls(**rest, log_loss=dict(card.get("log_loss") or {}))

    def _read(self, scores: npt.ArrayLike, table: FloatArray) -> FloatArray:
        return np.asarray(np.interp(np.asarray(scores, dtype=np.float64), self.scores, table))


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
        :func:`~workbench.calibration.curves.fitted_at`.
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

    Returns
    -------
    MatchProbability

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
    check_share(confidence, "confidence", "the confidence of the interval")
    if prevalence is not None:
        check_share(prevalence, "prevalence", "the share of matches among live pairs")
    if method == "auto":
        cosines = np.abs(observations.scores).max() <= 1 + 1e-6
        tried = [name for name in METHODS if cosines or name != "beta"]
    else:
        check_method(method, observations.scores)
        tried = [method]
    fits = {name: cross_fit(observations, name, n_folds=n_folds, seed=seed) for name in tried}
    chosen = pick_method(fits, observations)

    # Sums in the order of scores, so that the order of rows has no say in the last digit.
    observations = observations.subset(observations.order)
    cells = Cells.of(observations)
    low_end, high_end = float(cells.scores[0]), float(cells.scores[-1])
    knots = np.unique(np.linspace(low_end, high_end, KNOTS))
    if chosen == "isotonic":
        knots = np.union1d(knots, isotonic_knots(cells.scores, cells.of_match, cells.of_other))
    curve = fitted_at(chosen, cells.scores, cells.of_match, cells.of_other, knots)

    drawn = drawn_curves(observations, tried, knots, prevalence, n_resamples, seed)
    low, high = quantiles(drawn.T, [(1 - confidence) / 2, (1 + confidence) / 2])
    if chosen == "isotonic":
        under = step_intervals(observations, curve, knots, confidence)
        if prevalence is not None:
            factor = odds_factor(observations.prevalence, prevalence)
            under = scale_odds(under[0], factor), scale_odds(under[1], factor)
        low, high = np.minimum(low, under[0]), np.maximum(high, under[1])
    if prevalence is not None:
        curve = scale_odds(curve, odds_factor(observations.prevalence, prevalence))
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
        log_loss={name: fit.mean_log_loss for name, fit in fits.items()},
        cross_fit=fits[chosen],
    )
