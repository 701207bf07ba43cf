"""Does the cutoff serve all groups equally? Figures per group, tested against the rest, and selection rates.

Any column of the pairs can name the groups: job family, language, seniority. Groups too small to judge are
shown as such, with the number of pairs that they would need. Sentences are in
:mod:`workbench.calibration.groups_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from workbench.calibration import groups_text
from workbench.calibration.adverse_impact import AdverseImpact, adverse_impact
from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.counts import check_share
from workbench.calibration.figures import Estimate, FigureName
from workbench.calibration.intervals import wilson
from workbench.calibration.observations import AUTO, Observations
from workbench.errors import InputError

__all__ = ["GroupFigures", "by_group", "size_for_margin"]

# Sorted by what a reader asks first; all are shares of pairs.
SHOWN: tuple[FigureName, ...] = ("precision", "recall", "false_omission_rate", "share_selected")
# How often a group is selected depends on who is in it; whether decisions are right should not.
TESTED: tuple[FigureName, ...] = ("precision", "recall", "false_omission_rate", "specificity", "accuracy")
SHARES: tuple[FigureName, ...] = (*TESTED, "share_selected")
MOST_GROUPS = 100
MISSING = "(missing)"


@dataclass(frozen=True, eq=False, repr=False)
class GroupFigures:
    """Figures at one cutoff in each group, against the rest.

    Attributes
    ----------
    by : str
        Column (or columns) that names the groups.
    cutoff : float
    frame : DataFrame
        One row a group and figure: ``group, figure, n`` (pairs of the group), ``n_jds``, ``n_behind`` (pairs
        that the figure is a share of), ``size`` (what these are worth as independent pairs), ``value, low,
        high``, ``rest`` (the figure in all other pairs), ``difference``, ``p_value``, ``p_adjusted`` (Holm,
        over all groups and figures tested), ``flag`` (``"lower"``, ``"higher"`` or empty), ``enough``
        (whether the group is large enough to judge), ``size_needed``, ``more_pairs`` (about how many more
        pairs of this group it would take).
    overall : mapping of str to Estimate
        The figures in all pairs.
    impact : AdverseImpact
        Selection rates, and the four-fifths rule.
    margin : float
        Groups are large enough where the interval would reach no further than this to each side.
    confidence : float
    """

    by: str
    cutoff: float
    frame: pd.DataFrame
    overall: dict[FigureName, Estimate]
    impact: AdverseImpact
    margin: float
    confidence: float

    @property
    def flagged(self) -> pd.DataFrame:
        """Rows of groups that differ from the rest by more than chance."""
        return self.frame[self.frame["flag"] != ""]

    @property
    def too_small(self) -> pd.DataFrame:
        """Rows of groups that are too small to judge."""
        return self.frame[~self.frame["enough"]]

    def table(self, language: str = "en") -> pd.DataFrame:
        """One row a group, figures with intervals as text, for display."""
        return groups_text.table(self, language)

    def summary(self, language: str = "en") -> str:
        """Which groups differ, which are too small, and the four-fifths rule; one sentence a line."""
        return groups_text.summary(self, language)

    def __repr__(self) -> str:
        return self.summary("en")

    def _repr_html_(self) -> str:
        return groups_text.html(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card; None for what is undefined."""
        rows = self.frame.astype(object).where(self.frame.notna(), None).to_dict("records")
        return {
            "by": self.by,
            "cutoff": self.cutoff,
            "margin": self.margin,
            "confidence": self.confidence,
            "overall": {name: estimate.to_dict() for name, estimate in self.overall.items()},
            "groups": rows,
            "impact": self.impact.to_dict(),
        }


def by_group(
    scored: pd.DataFrame,
    by: str | Sequence[str],
    cutoff: float,
    *,
    figures: Sequence[FigureName] = SHOWN,
    margin: float = 0.1,
    confidence: float = 0.95,
    prevalence: float | None = None,
    score: str = "score",
    label: str = "label",
    weight: str | None = AUTO,
    cluster: str | None = AUTO,
    n_resamples: int = 2000,
    seed: int = 0,
) -> GroupFigures:
    """Figures at a cutoff in each group, with intervals, tests against the rest, and selection rates.

    Intervals are Wilson's on the effective sample of a group, so that a group of three JDs is not taken for
    more than it is. Each group is tested against all other pairs: by Fisher's exact test where pairs are
    independent and equal, else by the score test on effective samples [1]_. Holm's procedure [2]_ keeps the
    probability of flagging any group, if none differs, at 1 - confidence at most.

    Parameters
    ----------
    scored : DataFrame
        Labelled pairs with scores.
    by : str or sequence of str
        Column that names the groups; with several, groups are their combinations. Missing values are a
        group of their own.
    cutoff : float
        ``score > cutoff`` is a match.
    figures : sequence of str
        Any of precision, recall, false_omission_rate, specificity, accuracy, share_selected. The last is
        shown and not tested; see `impact`.
    margin : float
        How exact a figure of a group must be: a group is large enough where the interval would reach no
        further than this to each side if the group were like all pairs.
    confidence : float
    prevalence : float, optional
        Share of matches among all live pairs: matches and others are weighted to it, in all groups alike.
    score, label, weight, cluster : str
        Columns; see :meth:`Observations.from_frame`.
    n_resamples, seed : int
        Of the bootstrap for selection rates.

    Returns
    -------
    GroupFigures

    Raises
    ------
    InputError
        If a column is missing, there is one group only or more than 100, or a figure is no share.

    References
    ----------
    .. [1] Rao & Scott (1992), A simple method for the analysis of clustered binary data, Biometrics 48,
       577-585.
    .. [2] Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
       Statistics 6(2), 65-70.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.random(2000) < 0.4
    >>> pairs = pd.DataFrame({"score": np.where(labels, 0.6, 0.3) + 0.15 * rng.standard_normal(2000)})
    >>> pairs = pairs.assign(label=labels, language=np.where(np.arange(2000) % 4, "zh", "en"))
    >>> pairs.loc[(pairs.language == "en") & labels, "score"] -= 0.1
    >>> found = by_group(pairs, "language", 0.45, n_resamples=200)
    >>> found.flagged.query("figure == 'recall'")[["group", "value", "rest", "flag"]].round(2)
      group  value  rest    flag
    1    en   0.64  0.85   lower
    5    zh   0.85  0.64  higher
    """
    check_share(margin, "margin", "how far an interval may reach to each side")
    check_share(confidence, "confidence", "the confidence of intervals and flags")
    unknown = [name for name in figures if name not in SHARES]
    if unknown:
        raise InputError(f"{unknown[0]!r} is no figure for groups; there are {', '.join(SHARES)}.")
    observations = Observations.from_frame(scored, score=score, label=label, weight=weight, cluster=cluster)
    if prevalence is not None:
        observations = _at_prevalence(observations, prevalence)
    names, called = _groups(scored, by)
    # In the order of groups, then of scores, so that the order of rows has no say, not in the last digit.
    order = observations.order[np.argsort(names[observations.order], kind="stable")]
    observations, names = observations.subset(order), names[order]
    overall = shares_at(observations, cutoff, confidence=confidence)
    needed = {name: size_for_margin(overall[name].value, margin, confidence) for name in figures}
    select_needed = size_for_margin(overall["share_selected"].value, margin, confidence)
    rows, large = [], []
    for group in np.unique(names):
        inside = names == group
        here, others = observations.subset(inside), observations.subset(~inside)
        of_group = shares_at(here, cutoff, confidence=confidence)
        of_rest = shares_at(others, cutoff, confidence=confidence)
        if of_group["share_selected"].size >= select_needed:
            large.append(group)
        for name in figures:
            behind, behind_rest = (_behind(name, pairs, cutoff) for pairs in (here, others))
            exact = observations.weights is None and observations.clusters is None
            p_value = np.nan
            if name in TESTED and behind and behind_rest:
                p_value = _p_value(of_group[name], of_rest[name], exact=exact)
            rows.append(
                {
                    "group": group,
                    "figure": name,
                    "n": len(here),
                    "n_jds": _n_jds(here, observations),
                    "n_behind": behind,
                    **_row(of_group[name], of_rest[name], p_value, needed[name]),
                    "more_pairs": _more(
                        of_group[name], overall[name], behind, behind + behind_rest, len(here), needed[name]
                    ),
                }
            )
    frame = _with_flags(pd.DataFrame(rows), confidence)
    impact = adverse_impact(
        observations,
        names,
        cutoff,
        judged=np.array(large, dtype=object),
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )
    return GroupFigures(
        called, float(cutoff), frame, {name: overall[name] for name in figures}, impact, margin, confidence
    )


def size_for_margin(share: float, margin: float = 0.1, confidence: float = 0.95) -> int:
    """How many independent pairs give a Wilson interval that reaches at most `margin` to each side.

    Parameters
    ----------
    share : float
        As expected; NaN counts as a half, the worst case.
    margin : float
        Half the width of the interval.
    confidence : float

    Examples
    --------
    >>> size_for_margin(0.5), size_for_margin(0.95)
    (93, 25)
    """
    expected = 0.5 if np.isnan(share) else share
    sizes = np.arange(1, max(int(stats.norm.ppf((1 + confidence) / 2) ** 2 / margin**2), 1) + 3)
    low, high = wilson(expected, sizes, confidence)
    return int(sizes[np.argmax((high - low) / 2 <= margin)])


def _row(of_group: Estimate, of_rest: Estimate, p_value: float, needed: int) -> dict[str, Any]:
    size = of_group.size if np.isfinite(of_group.size) else 0.0
    return {
        "size": size,
        "value": of_group.value,
        "low": of_group.low,
        "high": of_group.high,
        "rest": of_rest.value,
        "difference": of_group.value - of_rest.value,
        "p_value": p_value,
        "enough": size >= needed,
        "size_needed": needed,
    }


def _more(of_group: Estimate, overall: Estimate, behind: int, behind_all: int, n: int, needed: int) -> float:
    """About how many more pairs of a group it takes, of JDs as alike as all JDs are; 0 if it is enough."""
    if of_group.size >= needed:
        return 0.0
    if not behind or not overall.size > 0:
        return np.nan
    # A few JDs say little about how alike the pairs of a JD are: that is taken from all pairs.
    design_effect = max(behind_all / overall.size, 1.0)
    return float(max(np.ceil(needed * design_effect / (behind / n)) - n, 1.0))


def _with_flags(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    from statsmodels.stats.multitest import multipletests

    tested = frame["p_value"].notna().to_numpy()
    adjusted = np.full(len(frame), np.nan)
    if tested.any():
        adjusted[tested] = multipletests(frame.loc[tested, "p_value"], method="holm")[1]
    side = np.where(frame["difference"] < 0, "lower", "higher")
    with np.errstate(invalid="ignore"):
        flag = np.where(adjusted <= 1 - confidence, side, "")
    at = list(frame.columns).index("p_value") + 1
    frame.insert(at, "p_adjusted", adjusted)
    frame.insert(at + 1, "flag", flag)
    return frame


def _p_value(of_group: Estimate, of_rest: Estimate, *, exact: bool) -> float:
    """Two-sided p-value of "the share is the same in the group and in the rest"."""
    (p, n), (q, m) = ((found.value, found.size) for found in (of_group, of_rest))
    if exact:
        table = [[round(p * n), round((1 - p) * n)], [round(q * m), round((1 - q) * m)]]
        return float(stats.fisher_exact(table)[1])
    pooled = (n * p + m * q) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return float(2 * stats.norm.sf(abs(p - q) / np.sqrt(variance))) if variance > 0 else 1.0


def _behind(name: FigureName, pairs: Observations, cutoff: float) -> int:
    """Number of labelled pairs that a figure is a share of."""
    match name:
        case "precision":
            return int((pairs.scores > cutoff).sum())
        case "false_omission_rate":
            return int((pairs.scores <= cutoff).sum())
        case "recall":
            return int(pairs.labels.sum())
        case "specificity":
            return int((1 - pairs.labels).sum())
    return len(pairs)


def _n_jds(here: Observations, observations: Observations) -> float:
    if observations.clusters is None:
        return np.nan
    # A group in which every pair has a JD of its own has lost its clusters.
    return float(here.n_clusters or len(here))


def _at_prevalence(observations: Observations, prevalence: float) -> Observations:
    check_share(prevalence, "prevalence", "the share of matches among live pairs")
    observations.require_both_classes()
    seen = observations.prevalence
    factors = np.where(observations.labels == 1, prevalence / seen, (1 - prevalence) / (1 - seen))
    return observations.with_weights(observations.unit_weights * factors)


def _groups(scored: pd.DataFrame, by: str | Sequence[str]) -> tuple[npt.NDArray[np.str_], str]:
    columns = [by] if isinstance(by, str) else list(by)
    for column in columns:
        if column not in scored.columns:
            raise InputError(
                f"The pairs have no column {column!r} to group by (they have "
                f"{', '.join(map(str, scored.columns))})."
            )
    parts = [
        scored[column].astype(object).where(scored[column].notna(), MISSING).astype(str) for column in columns
    ]
    names = parts[0]
    for part in parts[1:]:
        names = names + " / " + part
    called = " / ".join(columns)
    n_groups = names.nunique()
    if n_groups < 2:
        raise InputError(
            f"All pairs are of one group ({called}: {names.iloc[0]!r}); there is nothing to compare."
        )
    if n_groups > MOST_GROUPS:
        raise InputError(
            f"{called} has {n_groups} different values, too many for groups; cut numbers into ranges first "
            "(pandas.cut), or merge rare values."
        )
    return np.asarray(names, dtype=str), called
