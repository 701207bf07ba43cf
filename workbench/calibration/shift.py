"""Do scores lie as they did when the cutoff was found? Kolmogorov-Smirnov and PSI, with honest chance levels.

A card keeps a profile of the scores that it was made from; new pairs need no labels to be compared with
it. What follows for the cutoff is said in :mod:`workbench.calibration.monitoring`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from workbench.calibration.difference_tests import p_said
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.shares import share_with_size
from workbench.errors import CardError, InputError
from workbench.i18n import N_, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result

# Quantiles that a profile keeps: a distribution function to within 0.2 %.
MOST_QUANTILES = 256
N_BINS = 10
# Credit scoring's rule of thumb (Siddiqi 2006, Credit Risk Scorecards, p. 136).
MODERATE, LARGE = 0.1, 0.25
THUMB = {"stable": N_("stable"), "moderate": N_("moderate"), "large": N_("large")}


@dataclass(frozen=True, eq=False, repr=False)
class ScoreProfile:
    """How scores are distributed, in a few hundred numbers.

    Attributes
    ----------
    quantiles : ndarray of float64, shape (k,)
        Ascending, evenly spaced in (weighted) rank; all scores where there are few and no weights.
    n : int
        Pairs behind it.
    size : float
        What these are worth as independent pairs of equal weight.
    """

    quantiles: FloatArray
    n: int
    size: float

    def __repr__(self) -> str:
        return (
            f"ScoreProfile({self.n} scores from {self.quantiles[0]:.4f} to {self.quantiles[-1]:.4f}, "
            f"median {np.median(self.quantiles):.4f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card; :meth:`from_dict` reads them back."""
        return {
            "n": self.n,
            "size": round(float(self.size), 2),
            # Scores waver by 1e-4 between machines; more digits are noise.
            "quantiles": self.quantiles.round(6).tolist(),
        }

    @classmethod
    def from_dict(cls, card: Mapping[str, Any]) -> ScoreProfile:
        """Read what :meth:`to_dict` wrote, such as ``Cutoff.evidence["scores"]``.

        Raises
        ------
        CardError
            If a part is missing or no number.
        """
        try:
            quantiles = np.asarray(card["quantiles"], dtype=np.float64)
            profile = cls(quantiles, int(card["n"]), float(card["size"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CardError(
                _("The profile of scores lacks a part, or it is not a number: {error}.").format(error=error)
            ) from None
        if quantiles.ndim != 1 or not len(quantiles) or not (np.diff(quantiles) >= 0).all():
            raise CardError(_("The quantiles in the profile of scores are not ascending numbers."))
        return profile


@dataclass(frozen=True)
class ScoreShift(Result):
    """New scores against a profile.

    Attributes
    ----------
    ks : float
        Largest distance of the two distribution functions (Kolmogorov-Smirnov).
    ks_p : float
        Its p-value.
    psi : float
        Population stability index over ten bins of equal mass in the profile.
    psi_p : float
        How often chance alone gives so large a PSI with so many pairs.
    psi_by_chance : float
        The PSI that chance alone exceeds with probability 1 - confidence.
    rule_of_thumb : {"stable", "moderate", "large"}
        By the usual limits of 0.1 and 0.25, which know nothing of the number of pairs.
    n_before, n_now : int
    size_before, size_now : float
        What these are worth as independent pairs.
    median_before, median_now : float
    above_before, above_now : float or None
        Share of scores above the cutoff, if one was given.
    confidence : float
        The scores have shifted if one of the two p-values is at most half of 1 - confidence.
    """

    ks: float
    ks_p: float
    psi: float
    psi_p: float
    psi_by_chance: float
    rule_of_thumb: Literal["stable", "moderate", "large"]
    n_before: int
    n_now: int
    size_before: float
    size_now: float
    median_before: float
    median_now: float
    above_before: float | None
    above_now: float | None
    confidence: float

    @property
    def shifted(self) -> bool:
        """Whether the scores differ by more than chance."""
        return min(self.ks_p, self.psi_p) <= (1 - self.confidence) / 2

    @property
    def serious(self) -> bool:
        """Whether they differ by more than chance, and by much (PSI of 0.25 or more)."""
        return self.shifted and self.rule_of_thumb == "large"

    def sentence(self) -> str:
        """Whether scores have moved, and by how much."""
        head = (
            _("Scores have moved much")
            if self.serious
            else _("Scores have moved")
            if self.shifted
            else _("Scores have not moved by more than chance")
        )
        above = ""
        if self.above_before is not None and self.above_now is not None:
            above = _(", {before} → {now} above it").format(
                before=percent(self.above_before), now=percent(self.above_now)
            )
        return _(
            "{head}: median {before} → {now}{above}; KS {ks:.3f} (p {ks_p}), PSI {psi:.3f} (p {psi_p}; "
            "chance alone stays below {by_chance:.3f}; {thumb} by the rule of thumb)."
        ).format(
            head=head,
            before=number(self.median_before),
            now=number(self.median_now),
            above=above,
            ks=self.ks,
            ks_p=p_said(self.ks_p),
            psi=self.psi,
            psi_p=p_said(self.psi_p),
            by_chance=self.psi_by_chance,
            thumb=_(THUMB[self.rule_of_thumb]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return super().to_dict() | {"shifted": self.shifted, "serious": self.serious}


def score_profile(observations: Observations) -> ScoreProfile:
    """What a card keeps of the scores that a cutoff was found on, weighted as they are.

    Examples
    --------
    >>> score_profile(Observations([0.1, 0.4, 0.2, 0.9], [0, 1, 0, 1]))
    ScoreProfile(4 scores from 0.1000 to 0.9000, median 0.3000)
    """
    observations = observations.in_order
    quantiles, weights = observations.scores, observations.weights
    if weights is not None or len(quantiles) > MOST_QUANTILES:
        at = (np.arange(MOST_QUANTILES) + 0.5) / MOST_QUANTILES
        quantiles = np.quantile(quantiles, at, method="inverted_cdf", weights=weights)
    return ScoreProfile(quantiles, len(observations), _size(observations))


def score_shift(
    before: ScoreProfile,
    scores: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    cutoff: float | None = None,
    confidence: float = 0.95,
    n_draws: int = 2000,
    seed: int = 0,
) -> ScoreShift:
    """Compare new scores with a profile.

    Both tests reckon with the effective number of pairs on both sides, so that pairs of a few JDs are not
    taken for more than they are. The chance level of PSI is drawn: bins of both sides from the pooled
    shares. (For large independent samples it is chi-squared with 9 degrees of freedom, times 1/n + 1/m
    [2]_: with 100 pairs on each side, chance alone reaches 0.34, and 0.25 means nothing.)

    Parameters
    ----------
    before : ScoreProfile
    scores : array-like of float, shape (n,)
        Of the same encoder.
    weights : array-like of float, optional
        Sampling weights of the new pairs.
    clusters : array-like, optional
        JDs of the new pairs.
    cutoff : float, optional
        Also say how many lie above it, before and now.
    confidence : float
    n_draws, seed : int
        For the chance level of PSI.

    References
    ----------
    .. [1] Hodges (1958), The significance probability of the Smirnov two-sample test, Arkiv för Matematik
       3(43), 469-486; the limiting form with n m / (n + m) pairs is used.
    .. [2] Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of
       Risk Model Validation 14(4), 89-100.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = score_profile(Observations(rng.normal(0.4, 0.1, 800), np.arange(800) % 2))
    >>> score_shift(before, rng.normal(0.4, 0.1, 300)).shifted
    False
    >>> score_shift(before, rng.normal(0.48, 0.1, 300)).serious
    True
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise InputError(
            _("New scores have shape {shape}; at least one is needed, shape (n,).").format(shape=values.shape)
        )
    # Labels play no part; all alike, for the checks and effective sizes of observations.
    now = Observations(values, np.zeros(len(values)), weights, clusters).in_order
    size = _size(now)
    ordered, reached = now.scores, np.cumsum(now.unit_weights)
    reached = np.concatenate([[0.0], reached / reached[-1]])

    ks = _largest_distance(before.quantiles, ordered, reached)
    if before.n > len(before.quantiles):
        # A profile knows its distribution function only to half a quantile.
        ks = max(ks - 0.5 / len(before.quantiles), 0.0)
    pairs = max(round(before.size * size / (before.size + size)), 1)
    ks_p = float(stats.kstwo.sf(ks, pairs)) if ks > 0 else 1.0

    edges = np.unique(np.quantile(before.quantiles, np.linspace(0, 1, N_BINS + 1)[1:-1], method="lower"))
    edges = edges[edges < before.quantiles[-1]]
    then = np.bincount(np.searchsorted(edges, before.quantiles), minlength=len(edges) + 1)
    share_then = then / then.sum()
    share_now = np.bincount(np.searchsorted(edges, now.scores), now.unit_weights, minlength=len(edges) + 1)
    share_now = share_now / share_now.sum()
    psi = float(_psi(share_then, share_now, before.n, len(values)))
    drawn = _psi_by_chance(share_then, share_now, before.size, size, n_draws, seed)
    by_size = float(_psi(share_then, share_now, before.size, size))
    return ScoreShift(
        ks=ks,
        ks_p=ks_p,
        psi=psi,
        psi_p=float((1 + (drawn >= by_size - 1e-12).sum()) / (1 + n_draws)),
        psi_by_chance=float(np.quantile(drawn, confidence)),
        rule_of_thumb="large" if psi >= LARGE else "moderate" if psi >= MODERATE else "stable",
        n_before=before.n,
        n_now=len(values),
        size_before=float(before.size),
        size_now=size,
        median_before=float(np.median(before.quantiles)),
        median_now=float(np.quantile(now.scores, 0.5, method="inverted_cdf", weights=now.weights)),
        above_before=None if cutoff is None else float((before.quantiles > cutoff).mean()),
        above_now=None if cutoff is None else float(np.average(now.scores > cutoff, weights=now.weights)),
        confidence=confidence,
    )


def _size(observations: Observations) -> float:
    """Effective number of pairs behind a distribution function: the median over its deciles."""
    scores = observations.scores
    if observations.clusters is None and observations.weights is None:
        return float(len(scores))
    deciles = np.unique(np.quantile(scores, np.linspace(0.1, 0.9, 9), method="lower"))
    sizes = [share_with_size((scores <= at).astype(np.float64), observations)[1] for at in deciles]
    return float(np.median(sizes))


def _largest_distance(quantiles: FloatArray, ordered: FloatArray, reached: FloatArray) -> float:
    """Of two step functions, at all their steps and just before."""
    at = np.union1d(quantiles, ordered)
    sides: tuple[Literal["left", "right"], ...] = ("left", "right")
    distances = [
        np.abs(
            np.searchsorted(quantiles, at, side) / len(quantiles)
            - reached[np.searchsorted(ordered, at, side)]
        )
        for side in sides
    ]
    return float(np.max(distances))


def _psi(then: FloatArray, now: FloatArray, n_then: float, n_now: float) -> FloatArray:
    """PSI over the last axis; an empty bin counts as half a pair."""
    p, q = np.maximum(then, 0.5 / n_then), np.maximum(now, 0.5 / n_now)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def _psi_by_chance(
    then: FloatArray, now: FloatArray, size_then: float, size_now: float, n_draws: int, seed: int
) -> FloatArray:
    rng = np.random.default_rng(seed)
    pooled = (size_then * then + size_now * now) / (size_then + size_now)
    n, m = max(round(size_then), 1), max(round(size_now), 1)
    p, q = rng.multinomial(n, pooled, n_draws) / n, rng.multinomial(m, pooled, n_draws) / m
    return _psi(p, q, n, m)
