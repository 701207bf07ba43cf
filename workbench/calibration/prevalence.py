"""The share of matches among live pairs that nobody has labelled, estimated from their scores alone.

How precision and the probability of a match follow from it is in :mod:`workbench.cutoffs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from workbench.calibration.counts import check_share
from workbench.calibration.observations import FloatArray, IntArray, Observations
from workbench.cutoffs import NEVER, Cutoff
from workbench.errors import CardError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.results import Result

# A pair counts as much as it would be a match if this share of pairs were. The first is where live shares
# mostly lie, so that it tells few matches from none; the second looks at lower scores, and checks the first.
REFERENCES = (0.1, 0.7)


@dataclass(frozen=True, eq=False)
class ClassMeans(Result):
    """What a card keeps of matches and others, to tell in what shares live scores are mixed of them.

    Attributes
    ----------
    slope, intercept : float
        The chance of a match by score, on the scale of log odds, if half of all pairs were matches.
    matches, others : ndarray of float64, shape (2,)
        Mean chance of a labelled match, and of another labelled pair, reckoned at each of two shares.
    covariance : ndarray of float64, shape (4, 4)
        Of these four means, matches first, by JD where shared.
    n_units : int
        JDs, or pairs where none share one.
    """

    slope: float
    intercept: float
    matches: FloatArray
    others: FloatArray
    covariance: FloatArray
    n_units: int


@dataclass(frozen=True, repr=False)
class Prevalence(Result):
    """The share of matches among live pairs, with its interval.

    Attributes
    ----------
    value, low, high : float
    confidence : float
    n_live : int
    agree_p : float
        p-value of agreement between high and low scores on one share. Where it is small, live matches or
        others do not score like the labelled ones, and the estimate means nothing.
    """

    value: float
    low: float
    high: float
    confidence: float
    n_live: int
    agree_p: float

    @property
    def plausible(self) -> bool:
        """Whether live scores look like a mixture of the labelled matches and others."""
        return self.agree_p >= 0.01

    def on(self, card: Cutoff) -> Cutoff:
        """The card, to be read at this share and its interval.

        Raises
        ------
        InputError
            If it is not plausible.
        """
        if not self.plausible:
            raise InputError(self.sentence())
        value = float(np.clip(self.value, NEVER, 1 - NEVER))
        return card.at_prevalence(value, between=(min(self.low, value), max(self.high, value)))

    def sentence(self) -> str:
        """The share, and whether it can be believed."""
        said = _(
            "Of {n} live pairs, {share} ({low} to {high}) are matches, with {sure} confidence, if live "
            "matches and others score like the labelled ones."
        )
        if not self.plausible:
            said = _(
                "The scores of {n} live pairs are no mixture of labelled matches and others: high and low "
                "scores disagree on the share of matches ({share}, {low} to {high}, by the high ones). Do "
                "not use it; label some live pairs."
            )
        return said.format(
            n=f"{self.n_live:,}",
            share=percent(self.value),
            low=percent(self.low),
            high=percent(self.high),
            sure=percent(self.confidence, None),
        )

    def __repr__(self) -> str:
        return f"Prevalence: {self.sentence()}"


def class_means(observations: Observations) -> ClassMeans:
    """Mean chances of labelled matches and others, with their covariance.

    The chance is a logistic curve of the score, with two parameters only: of a freer curve, fitted to the
    same labels, matches and others would lie farther apart than live ones do.
    """
    from sklearn.linear_model import LogisticRegression

    observations = observations.in_order
    weights, labels = observations.unit_weights, observations.labels
    centre, scale = float(observations.scores.mean()), float(observations.scores.std()) or 1.0
    even = weights / np.where(labels == 1, weights[labels == 1].sum(), weights[labels == 0].sum())
    fitted = LogisticRegression(C=1.0).fit(
        ((observations.scores - centre) / scale)[:, None], labels, sample_weight=even / even.mean()
    )
    slope = float(fitted.coef_[0, 0]) / scale
    intercept = float(fitted.intercept_[0]) - slope * centre
    chances = _chances(observations.scores, slope, intercept)
    means, influences = [], []
    for kind in (1, 0):
        of_kind = weights * (labels == kind)
        mean = chances @ of_kind / of_kind.sum()
        means.append(mean)
        influences += list((chances - mean[:, None]) * of_kind / of_kind.sum())
    covariance, n_units = _covariance(np.array(influences), observations.clusters)
    return ClassMeans(slope, intercept, means[0], means[1], covariance, n_units)


def estimate_prevalence(
    card: Cutoff,
    live_scores: npt.ArrayLike,
    *,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Prevalence:
    """Estimate the share of matches among live pairs from their scores, without labels.

    Live scores are taken for a mixture of those of the labelled matches and of the labelled others. The mean
    of any function of the score then lies between its means of both, in the share of matches [1]_; the
    function is the chance of a match at a share of 10 %. The interval is Fieller's for that ratio, of all
    shares that the means do not contradict: it holds near 0, and is all of 0 to 1 where matches and others
    score alike [2]_. JDs are what is independent, among the labelled and (with `clusters`) the live pairs.

    Parameters
    ----------
    card : Cutoff
        With class means in its evidence, as :meth:`Study.save <workbench.calibration.Study.save>` keeps them.
    live_scores : array-like of float, shape (n,)
        By the card's encoder. All pairs that come in, or a fair sample; not only those that were shown.
    clusters : array-like, shape (n,), optional
        What live pairs share and depend on each other for: their JD, say.
    confidence : float

    Returns
    -------
    Prevalence

    Raises
    ------
    InputError
        If the card keeps no class means, or fewer than two live scores or clusters are given.
    CardError
        If what the card keeps is damaged.

    References
    ----------
    .. [1] Forman (2008), Quantifying counts and costs via classification, Data Mining and Knowledge Discovery
       17, 164-206; the continuous form is Bella, Ferri, Hernández-Orallo & Ramírez-Quintana (2010), ICDM.
    .. [2] Fieller (1954), Some problems in interval estimation, JRSS B 16(2), 175-185.

    Examples
    --------
    >>> import pandas as pd
    >>> from workbench.calibration import calibrate
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(900) < 0.4
    >>> scores = np.where(labels, 0.55, 0.35) + 0.08 * rng.standard_normal(900)
    >>> card = calibrate(pd.DataFrame({"score": scores, "label": labels}), target_precision=0.8).cutoff
    >>> live = np.where(rng.random(5000) < 0.05, 0.55, 0.35) + 0.08 * rng.standard_normal(5000)
    >>> found = estimate_prevalence(card, live)
    >>> found.low < 0.05 < found.high
    True
    >>> found.on(card).prevalence_is
    'estimated'
    """
    check_share(confidence, "confidence", _("the confidence of the interval"))
    kept = card.evidence.get("class_means")
    if not kept:
        raise InputError(
            _("The card of cutoff {cutoff} keeps no class means; calibrate again.").format(
                cutoff=number(card.value)
            )
        )
    try:
        curve = float(kept["slope"]), float(kept["intercept"])
        matches, others, covariance = (
            np.asarray(kept[name], dtype=np.float64) for name in ("matches", "others", "covariance")
        )
        means = ClassMeans(*curve, matches, others, covariance, int(kept["n_units"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(_("The card's class means are damaged: {error}.").format(error=error)) from None
    # Labels play no part; the scores are only checked as those of labelled pairs are.
    live = Observations(live_scores, np.zeros(np.size(live_scores)), clusters=clusters).in_order
    chances = _chances(live.scores, *curve)
    observed = chances.mean(axis=1)
    spread, n_units = _covariance((chances - observed[:, None]) / len(live), live.clusters)
    if n_units < 2:
        raise InputError(_("Live scores must be at least two, of two JDs where JDs are given."))
    t = float(stats.t.ppf((1 + confidence) / 2, min(means.n_units, n_units) - 1))
    low, high = _fieller(means, observed[0], spread[0, 0], t)
    value = float(np.clip(_share(means, observed, 0), 0.0, 1.0))
    return Prevalence(
        value=value,
        low=min(low, value),
        high=max(high, value),
        confidence=confidence,
        n_live=len(live),
        agree_p=_agreement(means, observed, spread),
    )


def _chances(scores: FloatArray, slope: float, intercept: float) -> FloatArray:
    """Chance of a match at each share of reference, shape (2, n)."""
    odds = np.array([np.log(share / (1 - share)) for share in REFERENCES])
    return np.asarray(special.expit(intercept + slope * scores + odds[:, None]))


def _covariance(influences: FloatArray, clusters: IntArray | None) -> tuple[FloatArray, int]:
    """Covariance of k means from the influence of each pair, shape (k, n), by cluster; how many of these."""
    if clusters is not None:
        influences = np.array([np.bincount(clusters, each) for each in influences])
    n = influences.shape[1]
    return influences @ influences.T * (n / max(n - 1, 1)), n


def _share(means: ClassMeans, observed: FloatArray, at: int) -> float:
    between = means.matches[at] - means.others[at]
    return float((observed[at] - means.others[at]) / between) if between > 0 else 0.5


def _fieller(means: ClassMeans, observed: float, variance: float, t: float) -> tuple[float, float]:
    """All shares p for which observed - p m1 - (1 - p) m0 is within t standard errors of 0, within 0 to 1."""
    between, above = means.matches[0] - means.others[0], observed - means.others[0]
    v11, v00, v10 = means.covariance[0, 0], means.covariance[2, 2], means.covariance[0, 2]
    a = between**2 - t**2 * (v11 + v00 - 2 * v10)
    b = -2 * above * between + 2 * t**2 * (v00 - v10)
    c = above**2 - t**2 * (variance + v00)
    if a <= 0 or between <= 0:
        return 0.0, 1.0
    half = np.sqrt(max(b**2 - 4 * a * c, 0.0))
    low, high = np.clip([(-b - half) / (2 * a), (-b + half) / (2 * a)], 0.0, 1.0)
    return float(low), float(high)


def _agreement(means: ClassMeans, observed: FloatArray, spread: FloatArray) -> float:
    """Two-sided p-value that both references give one share, by the delta method."""
    shares = np.array([_share(means, observed, at) for at in (0, 1)])
    between = means.matches - means.others
    if (between <= 0).any():
        return 1.0
    # Of each share: what it moves by for the live mean, the mean of matches, the mean of others.
    by_live, by_match, by_other = 1 / between, -shares / between, -(1 - shares) / between
    signs = np.array([1.0, -1.0])
    move = np.concatenate([signs * by_match, signs * by_other])
    variance = (signs * by_live) @ spread @ (signs * by_live) + move @ means.covariance @ move
    if variance <= 0:
        return 1.0
    return float(2 * stats.norm.sf(abs(shares[0] - shares[1]) / np.sqrt(variance)))
