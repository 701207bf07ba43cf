"""The figures at one cutoff that was fixed beforehand, and the pairs that another one decides otherwise.

Intervals know of weights and shared JDs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.calibration.bootstrap import quantiles, resample
from workbench.calibration.counts import count
from workbench.calibration.figures import Costs, Estimate, FigureName
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.shares import one_side, share_with_size
from workbench.errors import InputError
from workbench.i18n import gettext as _

__all__ = ["REPORTED", "figures_at", "flips", "shares_at"]

# Columns that say which pair it is.
NAMED_BY = ("pair_id", "jd_id", "jd", "resume")

REPORTED: tuple[FigureName, ...] = (
    "precision",
    "recall",
    "false_omission_rate",
    "specificity",
    "f_beta",
    "accuracy",
    "youden",
    "cost",
    "share_selected",
)


def figures_at(
    observations: Observations,
    cutoff: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
    beta: float = 1.0,
    costs: Costs | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[FigureName, Estimate]:
    """All reported figures at a cutoff.

    Shares have Wilson intervals on their effective sizes (:mod:`workbench.calibration.shares`), which
    do not collapse where no error was seen, as bootstrap intervals do. F-beta, Youden and cost are no
    shares; theirs are bootstrap percentiles.

    Parameters
    ----------
    observations : Observations
    cutoff : float
    confidence : float
        Two-sided.
    prevalence : float, optional
        Live prevalence to correct figures to.
    beta, costs
        For F-beta and cost.
    n_resamples, seed : int
        For the bootstrap.

    Returns
    -------
    dict of str to Estimate

    Examples
    --------
    >>> figures = figures_at(Observations([0.1, 0.3, 0.6, 0.8], [0, 0, 1, 1]), 0.5)
    >>> print(figures["precision"])
    100.0 % (34.2–100.0)
    """
    # Sums in the order of scores, so that the order of rows has no say in the last digit.
    observations = observations.in_order
    counts = count(observations, [cutoff]).at_prevalence(prevalence)
    estimates = shares_at(observations, cutoff, confidence=confidence, prevalence=prevalence)
    resamples = None
    if len(observations) > 1 and (observations.n_clusters or 2) > 1:
        resamples = resample(
            observations, n_resamples=n_resamples, seed=seed, cutoffs=[cutoff], prevalence=prevalence
        )
    for name in REPORTED:
        if name in estimates:
            continue
        value = float(counts.figure(name, beta=beta, costs=costs)[0])
        low = high = float("nan")
        if resamples is not None:
            drawn = resamples.figure(name, beta=beta, costs=costs)
            ends = quantiles(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
            low, high = float(ends[0][0]), float(ends[1][0])
        estimates[name] = Estimate(value, low, high, confidence)
    return {name: estimates[name] for name in REPORTED}


def shares_at(
    observations: Observations,
    cutoff: float,
    *,
    confidence: float = 0.95,
    prevalence: float | None = None,
) -> dict[FigureName, Estimate]:
    """The figures that are shares of pairs, which need no resampling; otherwise as :func:`figures_at`."""
    counts = count(observations, [cutoff]).at_prevalence(prevalence)
    is_above = observations.scores > cutoff
    above, match = is_above.astype(np.float64), observations.labels == 1

    accepted, rejected = (one_side(observations, side, cutoffs=[cutoff]) for side in ("above", "below"))
    recall, size_matches = share_with_size(above, observations, match)
    specificity, size_others = share_with_size(1 - above, observations, ~match)

    def mixed(name: FigureName, indicator: FloatArray) -> Estimate:
        if counts.odds_factor == 1.0:
            return Estimate.of_share(*share_with_size(indicator, observations), confidence)
        live = counts.figure(name)
        size = counts.mixture_size(live, size_matches, size_others)
        return Estimate.of_share(float(live[0]), float(size[0]), confidence)

    def one(share: float, size: float) -> Estimate:
        return Estimate.of_share(share, size, confidence, odds_factor=counts.odds_factor)

    return {
        "precision": one(accepted.share_right[0], accepted.size[0]),
        "false_omission_rate": one(1 - rejected.share_right[0], rejected.size[0]),
        "recall": Estimate.of_share(recall, size_matches, confidence),
        "specificity": Estimate.of_share(specificity, size_others, confidence),
        "accuracy": mixed("accuracy", (is_above == match).astype(np.float64)),
        "share_selected": mixed("share_selected", above),
    }


def flips(
    pairs: pd.DataFrame, before: float, after: float, *, score: str = "score", label: str = "label"
) -> pd.DataFrame:
    """Pairs between two cutoffs.

    Parameters
    ----------
    pairs : DataFrame
        Scored pairs, perhaps with labels.
    before, after : float
        Cutoffs; ``score > cutoff`` is a match.
    score, label : str
        Columns.

    Returns
    -------
    DataFrame
        Highest score first, with the index of `pairs`: texts and ids as far as there are any, score,
        label, ``was_match``, ``is_match``, and ``right_now`` (bool; whether the new decision is the
        labelled one, absent without labels).

    Examples
    --------
    >>> pairs = pd.DataFrame({"jd": ["a", "b", "c"], "score": [0.3, 0.45, 0.6], "label": [0, 0, 1]})
    >>> flips(pairs, 0.4, 0.5)
      jd  score  label  was_match  is_match  right_now
    1  b   0.45      0       True     False       True
    """
    if score not in pairs.columns:
        raise InputError(_("The pairs have no column {column}; score them first.").format(column=repr(score)))
    scores = pairs[score].to_numpy(np.float64)
    was, now = scores > before, scores > after
    columns = [name for name in (*NAMED_BY, score, label) if name in pairs.columns]
    changed = pairs.loc[was != now, columns].assign(was_match=was[was != now], is_match=now[was != now])
    if label in changed.columns:
        changed["right_now"] = changed["is_match"] == (changed[label] == 1)
    ordered: pd.DataFrame = changed.sort_values(score, ascending=False, kind="stable")
    return ordered
