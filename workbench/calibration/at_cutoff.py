"""The figures at one cutoff that was fixed beforehand, and the pairs that another one decides otherwise.

Intervals know of weights and shared JDs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.calibration.bootstrap import quantiles, resample, tails
from workbench.calibration.counts import Counts, count
from workbench.calibration.figures import Costs, Estimate, FigureName
from workbench.calibration.observations import Observations
from workbench.calibration.shares import one_side, scale_odds, share_with_size, wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _

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
    estimates, counts = _shares(observations, cutoff, confidence, prevalence)
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
            ends = quantiles(resamples.figure(name, beta=beta, costs=costs), tails(confidence))
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
    return _shares(observations, cutoff, confidence, prevalence)[0]


def _shares(
    observations: Observations, cutoff: float, confidence: float, prevalence: float | None
) -> tuple[dict[FigureName, Estimate], Counts]:
    """The shares, and the counts at the cutoff, at the live prevalence if there is one."""
    counts = count(observations, [cutoff]).at_prevalence(prevalence)
    factor = counts.odds_factor
    is_above, match = observations.scores > cutoff, observations.labels == 1
    above = is_above.astype(np.float64)
    accepted, rejected = (one_side(observations, side, cutoffs=[cutoff]) for side in ("above", "below"))
    found: dict[FigureName, tuple[float, float]] = {
        "precision": (accepted.share_right[0], accepted.size[0]),
        "false_omission_rate": (1 - rejected.share_right[0], rejected.size[0]),
        "recall": share_with_size(above, observations, match),
        "specificity": share_with_size(1 - above, observations, ~match),
        "accuracy": share_with_size((is_above == match).astype(np.float64), observations),
        "share_selected": share_with_size(above, observations),
    }
    if factor != 1.0:
        sizes = found["recall"][1], found["specificity"][1]
        for name in ("accuracy", "share_selected"):
            live = counts.figure(name)
            found[name] = float(live[0]), float(counts.mixture_size(live, *sizes)[0])
    share, size = np.array(list(found.values())).T
    low, high = wilson(share, size, confidence)
    # From the odds in the labelled pairs to those where the figures shall hold.
    for ends in (share, low, high):
        ends[:2] = scale_odds(ends[:2], factor)
    rows = zip(found, share.tolist(), low.tolist(), high.tolist(), size.tolist(), strict=True)
    estimates = {name: Estimate(value, least, most, confidence, n) for name, value, least, most, n in rows}
    return estimates, counts


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
