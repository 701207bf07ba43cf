"""How many more labels make the precision at the cutoff known well enough, and what active labelling saves.

The number is reckoned from the labels that there are; the saving is tried out where the truth is known. Which
pairs to label is in :mod:`workbench.pairs.proposing`, the chance of a guaranteed cutoff in
:mod:`workbench.pairs.forecasting`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from workbench.calibration.observations import Observations
from workbench.calibration.shares import one_side
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.pairs.proposing import combine_batches, propose
from workbench.results import Result

if TYPE_CHECKING:
    import pandas as pd

# The first batch knows no labels; what it finds shapes the second.
FIRST_BATCH = 1 / 3


@dataclass(frozen=True, repr=False)
class Plan(Result):
    """How many more pairs to label.

    Attributes
    ----------
    cutoff : float
    precision, share_above : float
        As the labelled pairs show them, weighted: precision at the cutoff, and share of pairs above it.
    half_width, confidence : float
        What is asked for: precision known to within ± `half_width`.
    design_effect : float
        How many labelled pairs above the cutoff are worth one independent pair of equal weight.
    n_above : int
        Labelled pairs above the cutoff.
    half_width_now : float
        Half-width that they give.
    more_above : int
        Further pairs above the cutoff that are needed; 0 where there are enough.
    more : int
        Further pairs if they are drawn evenly from all; those below the cutoff tell of missed matches.
    """

    cutoff: float
    precision: float
    share_above: float
    half_width: float
    confidence: float
    design_effect: float
    n_above: int
    half_width_now: float
    more_above: int
    more: int

    def summary(self) -> str:
        """The plan in words."""
        known = _(
            "About {precision} of the pairs above the cutoff {cutoff} are labelled a match, known to within "
            "±{now} points ({n} pairs, {confidence} confidence)."
        ).format(
            cutoff=number(self.cutoff),
            precision=percent(self.precision),
            now=f"{100 * self.half_width_now:.1f}",
            n=self.n_above,
            confidence=percent(self.confidence, None),
        )
        if self.more_above:
            needed = _(
                "For ±{asked} points, about {more_above} more labels above the cutoff are needed, or about "
                "{more} if pairs are drawn evenly from all."
            )
        else:
            needed = _("There are enough labels for ±{asked} points.")
        asked = f"{100 * self.half_width:g}"
        return f"{known} {needed.format(asked=asked, more_above=self.more_above, more=self.more)}"

    def __repr__(self) -> str:
        return f"<Plan: {self.summary()}>"

    def _repr_html_(self) -> str:
        return render("pairs/sentence.html", sentence=self.summary())


def plan(
    scored: pd.DataFrame,
    cutoff: float,
    *,
    half_width: float = 0.02,
    confidence: float = 0.95,
) -> Plan:
    """About how many more labels make the precision at the cutoff known to within ± `half_width`.

    The precision that the labelled pairs show is taken for the true one, and the number of pairs is found
    for which Wilson's interval has that half-width. Where pairs share JDs or have weights, more are needed
    by the design effect that they show now, as calibration reckons it.

    Parameters
    ----------
    scored : DataFrame
        Labelled pairs with ``score`` and ``label``; ``weight`` and ``jd_id`` are heeded if there.
    cutoff : float
    half_width : float
        Half of the width of the two-sided interval, 0.02 for ± 2 points.
    confidence : float

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        If no labelled pair lies above the cutoff, or a number is out of its range.
    """
    if not 0 < half_width < 0.5:
        raise InputError(
            _("half_width is {value}; it is a number between 0 and 0.5, such as 0.02.").format(
                value=repr(half_width)
            )
        )
    if not 0 < confidence < 1:
        raise InputError(
            _("confidence is {value}; it is a number between 0 and 1, such as 0.95.").format(
                value=repr(confidence)
            )
        )
    observations = Observations.from_frame(scored)
    side = one_side(observations, "above", cutoffs=np.array([float(cutoff)]))
    n, size, precision = int(side.n[0]), float(side.size[0]), float(side.share_right[0])
    if not n:
        raise InputError(
            _(
                "No labelled pair lies above the cutoff {cutoff:g}, so nothing is known about precision "
                "there; have a batch around it proposed, and label that first."
            ).format(cutoff=cutoff)
        )
    effect = n / size
    needed = effect * labels_for_half_width(precision, half_width, confidence)
    share_above = float(side.weight[0] / observations.unit_weights.sum())
    more_above = max(0, math.ceil(needed - n))
    return Plan(
        cutoff=float(cutoff),
        precision=precision,
        share_above=share_above,
        half_width=half_width,
        confidence=confidence,
        design_effect=effect,
        n_above=n,
        half_width_now=_half_width(precision, size, confidence),
        more_above=more_above,
        more=math.ceil(more_above / share_above),
    )


def labels_for_half_width(share: float, half_width: float, confidence: float = 0.95) -> int:
    """The smallest number of independent pairs for which Wilson's interval of a share is so narrow.

    Parameters
    ----------
    share : float
        Share that is expected, such as a precision of 0.9.
    half_width : float
        Half of the width of the interval.
    confidence : float
        Two-sided.

    Returns
    -------
    int

    Examples
    --------
    >>> labels_for_half_width(0.9, 0.02)
    868
    """
    # The half-width of Wilson's interval, solved for n.
    h2, z2 = half_width**2, float(special.ndtri((1 + confidence) / 2)) ** 2
    half = share * (1 - share) / 2 - h2
    root = z2 * (half + math.sqrt(max(half**2 - h2 * (h2 - 1 / 4), 0))) / h2
    # What rounding adds to a whole number must not count as one more.
    return max(1, math.ceil(root * (1 - 1e-12)))


def simulate_labelling(
    pool: pd.DataFrame,
    cutoff: float,
    sizes: Sequence[int] = (60, 120, 240, 480),
    *,
    n_repeats: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """How far estimates at the cutoff are from the truth, with so many labels, active or random.

    Active: two batches of :func:`~workbench.pairs.propose`, the second in the light of the first, put
    together by :func:`~workbench.pairs.combine_batches`. Random: as many pairs drawn evenly.

    Parameters
    ----------
    pool : DataFrame
        Pairs with ``score`` and the true ``label``, which is only looked at for pairs that are drawn.
    cutoff : float
        ``score > cutoff`` is a match.
    sizes : sequence of int
        Numbers of labels.
    n_repeats : int
        Draws of each size.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        ``method`` ("active", "random"), ``n``, ``figure`` ("precision", "missed"), ``bias`` and ``rmse``
        (root mean squared error) of the estimates, and ``n_undefined``, the draws without a pair on
        that side of the cutoff, which are left out of both.

    Raises
    ------
    InputError
        If the pool is smaller than the largest size, or has no pair above or below the cutoff.
    """
    import pandas as pd

    if max(sizes) > len(pool) or min(sizes) < 6:
        raise InputError(_("sizes must be from 6 to the {n} pairs of the pool.").format(n=len(pool)))
    pool = pool[["score", "label"]].assign(pair_id=np.arange(len(pool)))
    truth = _figures(pool.assign(weight=1.0), cutoff)
    if not np.isfinite(truth).all():
        raise InputError(
            _("The pool has pairs on one side of the cutoff {cutoff:g} only.").format(cutoff=cutoff)
        )
    errors = []
    for n in sizes:
        for repeat in range(n_repeats):
            drawn = seed * 1_000_003 + repeat
            even = pool.sample(n, random_state=drawn).assign(weight=1.0)
            for method, sample in (("active", _active(pool, cutoff, n, drawn)), ("random", even)):
                errors.append((method, n, *(_figures(sample, cutoff) - truth)))
    table = pd.DataFrame(errors, columns=["method", "n", "precision", "missed"])
    by = table.melt(["method", "n"], var_name="figure").groupby(["method", "n", "figure"], sort=False)[
        "value"
    ]
    found = by.agg(
        bias="mean",
        rmse=lambda error: np.sqrt(np.mean(error**2)),
        n_undefined=lambda error: int(error.isna().sum()),
    )
    return found.reset_index().sort_values(["n", "method"], kind="stable", ignore_index=True)


def live_like_pool(
    matches: Sequence[float] | pd.Series[float],
    others: Sequence[float] | pd.Series[float],
    *,
    n: int = 10_000,
    prevalence: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """A pool with scores like those of labelled pairs, but of another size and share of matches.

    Scores of each class are drawn from a kernel density estimate [1]_, not again from the same few
    values: a score that occurs twice would give away its label.

    Parameters
    ----------
    matches, others : sequence of float
        Scores of labelled pairs of each class; at least 2 of each.
    n : int
    prevalence : float
        Share of matches.
    seed : int

    Returns
    -------
    DataFrame
        ``score, label``.

    References
    ----------
    .. [1] Silverman (1986), Density Estimation for Statistics and Data Analysis, section 6.4.1 (the
       smoothed bootstrap).
    """
    import pandas as pd
    from scipy.stats import gaussian_kde

    if min(len(matches), len(others)) < 2 or not 0 < prevalence < 1:
        raise InputError(
            _("A pool needs scores of at least two pairs of each class, and a prevalence from 0 to 1.")
        )
    rng = np.random.default_rng(seed)
    n_matches = round(n * prevalence)
    parts = [
        pd.DataFrame({"score": gaussian_kde(np.asarray(scores)).resample(size, seed=rng)[0], "label": label})
        for scores, size, label in ((matches, n_matches, 1), (others, n - n_matches, 0))
    ]
    pool = pd.concat(parts, ignore_index=True)
    # A cosine's scale, or that of a scorer which goes beyond it.
    return pool.assign(score=pool["score"].clip(min(-1, *matches, *others), max(1, *matches, *others)))


def _half_width(share: float, n: float, confidence: float) -> float:
    # Wilson (1927); equation 4 in Brown, Cai & DasGupta (2001).
    z = float(special.ndtri((1 + confidence) / 2))
    return float(z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))


def _active(pool: pd.DataFrame, cutoff: float, n: int, seed: int) -> pd.DataFrame:
    unlabelled = pool.drop(columns="label")
    first = propose(unlabelled, round(n * FIRST_BATCH), cutoff, seed=seed)
    first["label"] = pool["label"].to_numpy()[first["pair_id"]]
    second = propose(unlabelled, n - len(first), cutoff, labelled=first, seed=seed + 500_000)
    second["label"] = pool["label"].to_numpy()[second["pair_id"]]
    return combine_batches([first, second])


def _figures(sample: pd.DataFrame, cutoff: float) -> np.ndarray:
    """Precision above the cutoff and share of matches at or below it, weighted; NaN where undefined."""
    above = sample["score"].to_numpy() > cutoff
    weights, labels = sample["weight"].to_numpy(), sample["label"].to_numpy()
    return np.array(
        [
            np.average(labels[side], weights=weights[side]) if side.any() else np.nan
            for side in (above, ~above)
        ]
    )
