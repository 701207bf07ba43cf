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

from workbench.calibration.figures import Estimate
from workbench.calibration.impact_intervals import correlations, impact_intervals
from workbench.calibration.observations import Observations
from workbench.calibration.shares import share_with_size
from workbench.i18n import gettext as _
from workbench.i18n import listed, percent
from workbench.results import Result

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
        (weighted share selected), ``ratio`` to the reference's rate, ``low, high`` (intervals that hold for
        all groups at once, with the reference picked as well), ``judged`` (whether the group is large
        enough), ``answer``: ``"below"`` if the ratio is shown to lie below four fifths, ``"above"`` if shown
        to lie above, else ``"unclear"``; empty for the reference and for groups that are not judged.
    reference : str or None
        The group with the highest rate among those large enough; None where there are fewer than two.
    ratio : Estimate or None
        The lowest ratio among groups large enough, with an interval that allows for its having been picked.
    confidence : float
        Of the intervals of all groups together, and of that of the lowest.
    """

    frame: pd.DataFrame
    reference: str | None
    ratio: Estimate | None
    confidence: float

    @property
    def answer(self) -> Literal["below", "above", "unclear"] | None:
        """Whether the lowest ratio is below four fifths or not; None where nothing can be compared."""
        if self.ratio is None:
            return None
        if self.ratio.high < FOUR_FIFTHS:
            return "below"
        return "above" if self.ratio.low >= FOUR_FIFTHS else "unclear"

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
            "below": _("below four fifths beyond chance: {groups}").format(groups=some(below))
            if below
            else _("one of them is below four fifths beyond chance, though not which"),
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
        Of the interval of the lowest ratio, and of those of all groups at once; both by
        :func:`~workbench.calibration.impact_intervals.impact_intervals`, with effective sizes where pairs
        share JDs.

    References
    ----------
    Four-fifths rule: 29 CFR 1607.4 D (1978). Why a ratio needs an interval: Morris & Lobsenz (2000),
    Significance tests and confidence intervals for the adverse impact ratio, Personnel Psychology 53(1),
    89-111.

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

    rows = np.flatnonzero(frame["judged"])
    member = np.array([names == name for name in frame["group"][rows]])
    rates = frame["rate"].to_numpy()[rows]
    sizes = np.array(
        [share_with_size(selected.astype(np.float64), observations, among=inside)[1] for inside in member]
    )
    together = correlations(observations, member * 1.0, selected, rates, sizes)
    found = impact_intervals(rates, sizes, confidence, together)
    answers = np.where(
        found.high < FOUR_FIFTHS, "below", np.where(found.low >= FOUR_FIFTHS, "above", "unclear")
    )
    frame.loc[rows, ["low", "high", "answer"]] = pd.DataFrame(
        {"low": found.low, "high": found.high, "answer": answers}, index=rows
    )
    frame.loc[at, "answer"] = ""
    reference = str(frame["group"][at])
    frame = frame.sort_values(["ratio", "group"], kind="stable", ignore_index=True)
    lowest = float(frame.loc[frame["judged"], "ratio"].min())
    ratio = Estimate(lowest, float(found.smallest_low), float(found.smallest_high), confidence)
    return AdverseImpact(frame, reference, ratio, confidence)


def some(names: Sequence[str]) -> str:
    """Names one after the other, the first of them where there are many."""
    shown = listed(names[:MOST_NAMED])
    left = len(names) - MOST_NAMED
    return shown if left <= 0 else _("{names} and {left} more").format(names=shown, left=left)
