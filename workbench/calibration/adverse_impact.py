"""The adverse-impact ratio: how much rarer one group is selected than the group selected most often.

Selection rates come from fairlearn; intervals resample JDs. Whether a cutoff serves groups equally well is
asked in :mod:`workbench.calibration.groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration import groups_text
from workbench.calibration.bootstrap import quantiles, resampled_sums
from workbench.calibration.effective import share_with_size
from workbench.calibration.figures import Estimate
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import FloatArray, Observations

__all__ = ["FOUR_FIFTHS", "AdverseImpact", "adverse_impact"]

# Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D.
FOUR_FIFTHS = 0.8


@dataclass(frozen=True, eq=False, repr=False)
class AdverseImpact:
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

    def summary(self, language: str = "en") -> str:
        """The ratio, and what it means."""
        return groups_text.impact(self, language)

    def __repr__(self) -> str:
        return f"AdverseImpact: {self.summary()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for what is undefined."""
        rows = self.frame.astype(object).where(self.frame.notna(), None).to_dict("records")
        return {
            "reference": self.reference,
            "ratio": None if self.ratio is None else self.ratio.to_dict(),
            "answer": self.answer,
            "confidence": self.confidence,
            "groups": rows,
        }


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

    Returns
    -------
    AdverseImpact

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
    from fairlearn.metrics import MetricFrame, selection_rate

    names = np.asarray(groups, dtype=object)
    order = observations.order[np.argsort(names[observations.order].astype(str), kind="stable")]
    observations, names = observations.subset(order), names[order]
    selected = observations.scores > cutoff
    rates: pd.Series = MetricFrame(
        metrics=selection_rate,
        y_true=observations.labels,
        y_pred=selected.astype(int),
        sensitive_features=pd.Series(names, name="group"),
        sample_params={"sample_weight": observations.unit_weights},
    ).by_group
    shown = list(rates.index)
    large = [name for name in shown if judged is None or name in set(np.asarray(judged, dtype=object))]
    frame = pd.DataFrame(
        {
            "group": shown,
            "n": [int((names == name).sum()) for name in shown],
            "selected": [int(selected[names == name].sum()) for name in shown],
            "rate": rates.to_numpy(np.float64),
            "ratio": np.nan,
            "low": np.nan,
            "high": np.nan,
            "judged": [name in large for name in shown],
            "answer": "",
        }
    )
    if len(large) < 2 or not rates[large].max() > 0:
        return AdverseImpact(frame, None, None, confidence)
    reference = str(rates[large].idxmax())
    at = shown.index(reference)
    frame["ratio"] = frame["rate"] / rates[reference]
    drawn = _drawn_ratios(observations, names, shown, at, selected, n_resamples, seed)
    delta = 1 - confidence
    each = delta / (len(large) - 1)
    low, high, lowest, highest = quantiles(drawn, [delta / 2, 1 - delta / 2, each / 2, 1 - each / 2])
    for row, name in enumerate(shown):
        if frame.loc[row, "selected"] == 0:
            # No resample selects what is not there: the end that the number of pairs allows.
            pairs = observations.subset(names == name)
            share, size = share_with_size(np.zeros(len(pairs)), pairs)
            high[row], highest[row] = (
                float(wilson(share, size, level)[1]) / float(rates[reference])
                for level in (confidence, 1 - each)
            )
    others = np.array(shown) != reference
    frame.loc[others, "low"], frame.loc[others, "high"] = low[others], high[others]
    frame.loc[~others, ["low", "high"]] = 1.0
    answers = np.where(highest < FOUR_FIFTHS, "below", np.where(lowest >= FOUR_FIFTHS, "above", "unclear"))
    frame["answer"] = np.where(frame["judged"] & others, answers, "")
    frame.loc[at, "answer"] = ""
    frame = frame.sort_values(["ratio", "group"], kind="stable", ignore_index=True)
    worst = frame[frame["judged"]].iloc[0]
    ratio = Estimate(float(worst["ratio"]), float(worst["low"]), float(worst["high"]), confidence)
    return AdverseImpact(frame, reference, ratio, confidence)


def _drawn_ratios(
    observations: Observations,
    names: npt.NDArray[np.object_],
    shown: list[str],
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
