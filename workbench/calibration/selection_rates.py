"""The adverse-impact ratio: how much rarer one group is selected than the group selected most often.

Whether a cutoff serves groups equally well is asked in :mod:`workbench.calibration.groups`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.bootstrap import quantiles, resampled_sums
from workbench.calibration.figures import Estimate
from workbench.calibration.observations import FloatArray, Observations
from workbench.calibration.shares import share_with_size, wilson
from workbench.i18n import gettext as _
from workbench.i18n import listed, percent
from workbench.results import Result

__all__ = ["FOUR_FIFTHS", "AdverseImpact", "adverse_impact", "some"]

# Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D.
FOUR_FIFTHS = 0.8
# More groups than these in one sentence nobody reads; tables have them all.
MOST_NAMED = 5


@dataclass(frozen=True, eq=False, repr=False)
class AdverseImpact(Result):
    """Selection rates of groups against that of the group selected most often.

    Attributes
    ----------
    frame : DataFrame
        One row a group, lowest ratio first: ``group, n, selected`` (pairs above the cutoff), ``rate``
        (weighted share selected), ``ratio`` to the reference's rate, ``low, high`` (its interval),
        ``judged`` (whether the group is large enough), ``answer``: ``"below"`` if the ratio is shown to lie
        below four fifths, ``"above"`` if shown to lie above, else ``"unclear"``; empty for groups that are
        not judged.
    reference : str or None
        The group with the highest rate among those large enough; None where there are fewer than two.
    ratio : Estimate or None
        The lowest ratio among groups large enough, with its interval.
    confidence : float
        Of each interval by itself; answers hold for all groups at once (Bonferroni).
    """

    frame: pd.DataFrame
    reference: str | None
    ratio: Estimate | None
    confidence: float

    @property
    def answer(self) -> Literal["below", "above", "unclear"] | None:
        """Below four fifths if any group is, above if all are; None where nothing can be compared."""
        if self.reference is None:
            return None
        answers = set(self.frame.loc[self.frame["judged"], "answer"])
        return "below" if "below" in answers else "unclear" if "unclear" in answers else "above"

    def summary(self) -> str:
        """The ratio, and what it means."""
        if self.reference is None or self.ratio is None:
            return _(
                "Fewer than two groups are large enough (or nothing is selected): selection rates cannot be "
                "compared."
            )
        worst = self.frame[self.frame["judged"]].iloc[0]
        below = self.frame.loc[self.frame["answer"] == "below", "group"].tolist()
        answer = {
            "below": _("below four fifths beyond chance: {groups}").format(groups=some(below)),
            "above": _("all ratios are at least four fifths beyond chance"),
        }.get(str(self.answer), _("whether it is below four fifths cannot be told yet"))
        return _(
            "Adverse-impact ratio {ratio.value:.2f} ({ratio.low:.2f}–{ratio.high:.2f}): {rate} of {group} "
            "are selected, {highest} of {reference}, the highest; {answer}."
        ).format(
            ratio=self.ratio,
            rate=percent(worst["rate"]),
            group=worst["group"],
            highest=percent(self.frame.set_index("group")["rate"][self.reference]),
            reference=self.reference,
            answer=answer,
        )

    def __repr__(self) -> str:
        return f"AdverseImpact: {self.summary()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for what is undefined."""
        found = super().to_dict() | {"answer": self.answer}
        found["groups"] = found.pop("frame")
        return found


def adverse_impact(
    observations: Observations,
    groups: npt.ArrayLike,
    cutoff: float,
    *,
    judged: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> AdverseImpact:
    """Compare how often pairs of each group are selected.

    Parameters
    ----------
    observations : Observations
    groups : array-like of str, shape (n,)
        Group of each pair.
    cutoff : float
        Pairs above it are selected.
    judged : array-like of str, optional
        Groups that are large enough; all by default. The others are shown, but are neither reference nor
        have a say in the answer.
    confidence : float
    n_resamples, seed : int
        Of the bootstrap, by JD where shared. The reference stays the one of the labelled pairs.

    References
    ----------
    Four-fifths rule: 29 CFR 1607.4 D (1978). Bootstrap for ratios: Morris & Lobsenz (2000), Significance
    tests and confidence intervals for the adverse impact ratio, Personnel Psychology 53(1), 89-111.

    Examples
    --------
    >>> scores = [0.9] * 30 + [0.1] * 10 + [0.9] * 12 + [0.1] * 28
    >>> pairs = Observations(scores, [1] * 40 + [0] * 40)
    >>> found = adverse_impact(pairs, ["a"] * 40 + ["b"] * 40, 0.5)
    >>> found.reference, round(found.ratio.value, 3), found.answer
    ('a', 0.4, 'below')
    """
    names = np.asarray(groups, dtype=object).astype(str)
    order = observations.order[np.argsort(names[observations.order], kind="stable")]
    observations, names = observations.subset(order), names[order]
    selected, weights = observations.scores > cutoff, observations.unit_weights
    frame = (
        pd.DataFrame({"group": names, "selected": selected, "weight": weights, "passed": weights * selected})
        .groupby("group", sort=True, as_index=False)
        .agg(
            n=("selected", "size"), selected=("selected", "sum"), rate=("passed", "sum"), of=("weight", "sum")
        )
    )
    frame["rate"] /= frame.pop("of")
    frame[["ratio", "low", "high"]] = np.nan
    frame["judged"] = True if judged is None else frame["group"].isin(np.asarray(judged).astype(str))
    frame["answer"] = ""
    large = frame[frame["judged"]]
    if len(large) < 2 or not large["rate"].max() > 0:
        return AdverseImpact(frame, None, None, confidence)
    at = int(np.nanargmax(frame["rate"].where(frame["judged"])))
    best = float(frame["rate"][at])
    frame["ratio"] = frame["rate"] / best

    delta = 1 - confidence
    each = delta / (len(large) - 1)
    drawn = _drawn_ratios(observations, names, frame["group"], at, selected, n_resamples, seed)
    low, high, lowest, highest = quantiles(drawn, [delta / 2, 1 - delta / 2, each / 2, 1 - each / 2])
    for row in np.flatnonzero(frame["selected"] == 0):
        # No resample selects what is not there: the end that the number of pairs allows.
        pairs = observations.subset(names == frame["group"][row])
        share, size = share_with_size(np.zeros(len(pairs)), pairs)
        high[row], highest[row] = (wilson(share, size, level)[1] / best for level in (confidence, 1 - each))
    answers = np.where(highest < FOUR_FIFTHS, "below", np.where(lowest >= FOUR_FIFTHS, "above", "unclear"))
    frame["low"], frame["high"], frame["answer"] = low, high, np.where(frame["judged"], answers, "")
    frame.loc[at, ["low", "high", "answer"]] = 1.0, 1.0, ""
    reference = str(frame["group"][at])
    frame = frame.sort_values(["ratio", "group"], kind="stable", ignore_index=True)
    worst = frame[frame["judged"]].iloc[0]
    ratio = Estimate(float(worst["ratio"]), float(worst["low"]), float(worst["high"]), confidence)
    return AdverseImpact(frame, reference, ratio, confidence)


def some(names: Sequence[str]) -> str:
    """Names one after the other, the first of them where there are many."""
    shown = listed(names[:MOST_NAMED])
    left = len(names) - MOST_NAMED
    return shown if left <= 0 else _("{names} and {left} more").format(names=shown, left=left)


def _drawn_ratios(
    observations: Observations,
    names: npt.NDArray[np.str_],
    shown: pd.Series,
    reference: int,
    selected: npt.NDArray[np.bool_],
    n_resamples: int,
    seed: int,
) -> FloatArray:
    """Ratio of each group's rate to the reference's in each resample, shape (groups, n_resamples)."""
    member = np.array([names == name for name in shown], dtype=np.float64)
    rows = np.concatenate([member * selected, member])
    chosen, of_group = np.split(resampled_sums(observations, rows, n_resamples=n_resamples, seed=seed), 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = chosen / of_group
        ratio = rate / rate[reference]
    return np.where(np.isfinite(ratio), ratio, np.nan)
