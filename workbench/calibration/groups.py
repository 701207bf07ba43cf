"""Does the cutoff serve all groups equally? Figures per group, tested against the rest, and selection rates.

Any column of the pairs can name the groups: job family, language, seniority. Groups too small to judge are
shown as such, with the number of pairs that they would need. Selection rates are compared in
:mod:`workbench.calibration.selection_rates`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.calibration.at_cutoff import shares_at
from workbench.calibration.counts import check_share
from workbench.calibration.difference_tests import holm, p_said, same_share
from workbench.calibration.exact_tests import size_for_margin
from workbench.calibration.figures import Estimate, FigureName
from workbench.calibration.observations import AUTO, Observations, check_column
from workbench.calibration.selection_rates import AdverseImpact, adverse_impact, some
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import N_, listed, ngettext, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result

# Sorted by what a reader asks first; all are shares of pairs.
SHOWN: tuple[FigureName, ...] = ("precision", "recall", "false_omission_rate", "share_selected")
# How often a group is selected depends on who is in it; whether decisions are right should not.
TESTED: tuple[FigureName, ...] = ("precision", "recall", "false_omission_rate", "specificity", "accuracy")
SHARES: tuple[FigureName, ...] = (*TESTED, "share_selected")
MOST_GROUPS = 100
MISSING = "(missing)"
COLUMNS = (
    *("group", "figure", "n", "n_jds", "n_behind", "size", "value", "low", "high", "rest", "difference"),
    *("p_value", "p_adjusted", "flag", "enough", "size_needed", "more_pairs"),
)
NAMES: dict[FigureName, str] = {
    "precision": N_("precision"),
    "recall": N_("recall"),
    "false_omission_rate": N_("missed share"),
    "specificity": N_("specificity"),
    "accuracy": N_("accuracy"),
    "share_selected": N_("share selected"),
}


@dataclass(frozen=True, eq=False, repr=False)
class GroupFigures(Result):
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

    @property
    def can_judge(self) -> bool:
        """Whether any group is large enough to be judged."""
        return bool(self.frame["enough"].any())

    def table(self, between: str = " ") -> pd.DataFrame:
        """One row a group: pairs, JDs, and each figure with its interval and what is to be said of it.

        `between` stands between a figure and the remark that there are too few pairs for it.
        """
        rows = []
        for group, lines in self.frame.groupby("group", sort=False):
            first = lines.iloc[0]
            row: dict[str, object] = {_("group"): group, _("pairs"): first["n"]}
            if lines["n_jds"].notna().all():
                row["JD"] = int(first["n_jds"])
            row |= {_(NAMES[line["figure"]]): _cell(line, between) for line in lines.to_dict("records")}
            rows.append(row)
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """Which groups differ, which are too small, and the four-fifths rule; one sentence a line."""
        held = _(
            "Intervals of a group's figures hold for each by itself; those of impact ratios for all at once."
        )
        return "\n".join([*self._differences(), *self._lacks(), self.impact.summary(), held])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        lines = self.summary().split("\n")
        return render("calibration/result.html", sentences=lines, table=self.table())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the card; None for what is undefined."""
        found = super().to_dict()
        found["groups"] = found.pop("frame")
        return found

    def _differences(self) -> list[str]:
        tested = self.frame[self.frame["p_value"].notna()]
        flagged = self.flagged.sort_values("p_adjusted", kind="stable")
        if len(tested) and flagged.empty:
            return [
                _(
                    "By {by}, at {cutoff}: no group differs from the rest by more than chance in {figures} "
                    "({n} tests, Holm's correction)."
                ).format(
                    by=self.by,
                    cutoff=number(self.cutoff),
                    figures=listed(_(NAMES[name]) for name in tested["figure"].unique()),
                    n=len(tested),
                )
            ]
        sides = {"lower": _("lower"), "higher": _("higher")}
        said = _(
            "{group}: {figure} is {side} at {cutoff}, {value} ({low:.1f}–{high:.1f}) against {rest} in the "
            "rest (p {p} after Holm's correction)."
        )
        return [
            said.format(
                group=f"{self.by} = {line['group']}",
                figure=_(NAMES[line["figure"]]),
                side=sides[line["flag"]],
                cutoff=number(self.cutoff),
                value=percent(line["value"]),
                low=100 * line["low"],
                high=100 * line["high"],
                rest=percent(line["rest"]),
                p=p_said(line["p_adjusted"]),
            )
            for line in flagged.to_dict("records")
        ]

    def _lacks(self) -> list[str]:
        # The figure that needs most says what a group needs.
        needs = self.too_small.groupby("group", sort=False, as_index=False).agg(
            n=("n", "first"), n_jds=("n_jds", "first"), more=("more_pairs", "max")
        )
        if needs.empty:
            return []
        return [
            _(
                "{few} of {total} groups are too small to be judged to ±{margin:.0f} points in some figure: "
                "{groups}."
            ).format(
                few=len(needs),
                total=self.frame["group"].nunique(),
                margin=100 * self.margin,
                groups=some([_lack(need) for need in needs.to_dict("records")]),
            )
        ]


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
        Of precision, recall, false_omission_rate, specificity, accuracy; share_selected is not tested.
    margin : float
        How exact a figure of a group must be: a group is large enough where the interval would reach no
        further than this to each side if the group were like all pairs.
    confidence : float
    prevalence : float, optional
        Share of matches among all live pairs: matches and others are weighted to it, in all groups alike.
    score, label, weight, cluster : str
        Columns; see :meth:`Observations.from_frame`.

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
    >>> found = by_group(pairs, "language", 0.45)
    >>> found.flagged.query("figure == 'recall'")[["group", "value", "rest", "flag"]].round(2)
      group  value  rest    flag
    1    en   0.64  0.85   lower
    5    zh   0.85  0.64  higher
    """
    check_share(margin, "margin", _("how far an interval may reach to each side"))
    check_share(confidence, "confidence", _("the confidence of intervals"))
    unknown = [name for name in figures if name not in SHARES]
    if unknown:
        raise InputError(
            _("{figure!r} is no figure for groups; there are {figures}.").format(
                figure=unknown[0], figures=listed(SHARES)
            )
        )
    observations = Observations.from_frame(scored, score=score, label=label, weight=weight, cluster=cluster)
    if prevalence is not None:
        observations = _at_prevalence(observations, prevalence)
    names, called = _groups(scored, by)
    # In the order of groups, then of scores, so that the order of rows has no say, not in the last digit.
    order = observations.order[np.argsort(names[observations.order], kind="stable")]
    observations, names = observations.subset(order), names[order]
    overall = shares_at(observations, cutoff, confidence=confidence)
    needed = {name: size_for_margin(overall[name].value, margin, confidence) for name in SHARES}
    exact = observations.weights is None and observations.clusters is None
    rows, large = [], []
    for group in np.unique(names):
        inside = names == group
        here, others = observations.subset(inside), observations.subset(~inside)
        of_group, of_rest = (shares_at(pairs, cutoff, confidence=confidence) for pairs in (here, others))
        if of_group["share_selected"].size >= needed["share_selected"]:
            large.append(group)
        # A group in which every pair has a JD of its own has lost its clusters.
        n_jds = np.nan if observations.clusters is None else here.n_clusters or len(here)
        for name in figures:
            value, rest = of_group[name], of_rest[name]
            behind, behind_rest = (_behind(name, pairs, cutoff) for pairs in (here, others))
            tested = name in TESTED and behind and behind_rest
            p = same_share(value, rest, exact=exact) if tested else np.nan
            size = value.size if np.isfinite(value.size) else 0.0
            worth = overall[name].size / max(behind + behind_rest, 1)
            more = _more(size, needed[name], worth, behind / len(here), len(here))
            at = (value.value, value.low, value.high, rest.value, value.value - rest.value, p)
            enough = size >= needed[name]
            rows.append(
                (group, name, len(here), n_jds, behind, size, *at, np.nan, "", enough, needed[name], more)
            )
    return GroupFigures(
        by=called,
        cutoff=float(cutoff),
        frame=_with_flags(pd.DataFrame(rows, columns=list(COLUMNS)), confidence),
        overall={name: overall[name] for name in figures},
        impact=adverse_impact(observations, names, cutoff, judged=large, confidence=confidence),
        margin=margin,
        confidence=confidence,
    )


def _cell(line: Mapping[Any, Any], between: str) -> str:
    if np.isnan(line["value"]):
        return "–"
    said = _("{value} ({low:.0f}–{high:.0f})").format(
        value=percent(line["value"]), low=100 * line["low"], high=100 * line["high"]
    )
    said += {"lower": " ▼", "higher": " ▲"}.get(line["flag"], "")
    return said if line["enough"] else said + between + _("too few")


def _lack(need: Mapping[Any, Any]) -> str:
    """A group that is too small, with how large it is and should be."""
    n, jds = need["n"], need["n_jds"]
    if np.isnan(jds):
        pairs = ngettext("{n} pair", "{n} pairs", n).format(n=n)
    else:
        pairs = ngettext("{n} pair of {jds:.0f} JDs", "{n} pairs of {jds:.0f} JDs", n).format(n=n, jds=jds)
    if np.isnan(need["more"]):
        return _("{group} ({pairs})").format(group=need["group"], pairs=pairs)
    return _("{group} ({pairs}, about {more:.0f} more needed)").format(
        group=need["group"], pairs=pairs, more=need["more"]
    )


def _more(size: float, needed: int, worth: float, share_behind: float, n: int) -> float:
    """About how many more pairs of a group it takes, of JDs as alike as all JDs are; 0 if it is enough.

    A few JDs say little about how alike the pairs of a JD are: what a pair is worth is that of all pairs.
    """
    if size >= needed:
        return 0.0
    if not share_behind or not worth > 0:
        return np.nan
    return float(max(np.ceil(needed * max(1 / worth, 1.0) / share_behind) - n, 1.0))


def _with_flags(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    tested = frame["p_value"].notna()
    frame.loc[tested, "p_adjusted"] = holm(frame.loc[tested, "p_value"])
    different = frame["p_adjusted"] <= 1 - confidence
    frame.loc[different, "flag"] = np.where(frame["difference"] < 0, "lower", "higher")[different]
    return frame


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


def _at_prevalence(observations: Observations, prevalence: float) -> Observations:
    check_share(prevalence, "prevalence", _("the share of matches among live pairs"))
    observations.require_both_classes()
    seen = observations.prevalence
    factors = np.where(observations.labels == 1, prevalence / seen, (1 - prevalence) / (1 - seen))
    return observations.with_weights(observations.unit_weights * factors)


def _groups(scored: pd.DataFrame, by: str | Sequence[str]) -> tuple[npt.NDArray[np.str_], str]:
    columns = [by] if isinstance(by, str) else list(by)
    for column in columns:
        check_column(scored, column)
    values = scored[columns].astype(object).where(scored[columns].notna(), MISSING).astype(str)
    names, called = values.agg(" / ".join, axis=1), " / ".join(columns)
    n_groups = names.nunique()
    if n_groups < 2:
        raise InputError(
            _("All pairs are of one group ({column}: {group!r}); there is nothing to compare.").format(
                column=called, group=names.iloc[0]
            )
        )
    if n_groups > MOST_GROUPS:
        raise InputError(
            _(
                "{column} has {n} different values, too many for groups; cut numbers into ranges first "
                "(pandas.cut), or merge rare values."
            ).format(column=called, n=n_groups)
        )
    return names.to_numpy(dtype=str), called
