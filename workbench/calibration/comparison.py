"""The result of comparing encoders: which is better at its own cutoff, in a sentence, and the evidence.

How it is computed is in :mod:`workbench.calibration.comparing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.calibration.choice import Rule, TargetPrecision, TargetRecall
from workbench.calibration.comparing_figures import ComparedFigure
from workbench.calibration.difference_tests import p_said
from workbench.calibration.figures import title
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import gettext as _
from workbench.i18n import listed, ngettext, number, paragraph, percent, pgettext
from workbench.results import Result

Standing = Literal["better", "worse", "unclear"]

# With fewer JDs or pairs to draw from, intervals tend to be too narrow: Cameron, Gelbach & Miller (2008),
# Bootstrap-based improvements for inference with clustered errors, Review of Economics and Statistics 90.
FEW_UNITS = 30
# With fewer matches or others, normal and bootstrap intervals of AUC are a matter of luck.
FEW_OF_A_KIND = 10
# Figures that are told as areas, not as percent.
AREAS = {"auc", "average_precision", "f_beta"}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Encoders on the same pairs, against a baseline.

    Attributes
    ----------
    frame : DataFrame
        One row an encoder and figure: ``encoder, figure, value, low, high, difference`` (to the baseline),
        ``difference_low, difference_high``. The first figure says which is better. Figures: ``recall,
        precision, f_beta, accuracy`` at each encoder's own cutoff, values without what choosing it
        flatters, and without that which the rule holds equal; ``auc``; ``average_precision``. Where the
        rule finds no cutoff, nothing is called a match.
    decisions : DataFrame
        One row two encoders, each at its own cutoff: ``encoder, other, differ`` (pairs decided otherwise),
        ``share, share_low, share_high`` (weighted), ``better, worse`` (how many of these `encoder` decides
        as labelled, and not), ``found, lost`` (those labelled a match among them) and ``p_value`` (McNemar's
        exact test, which takes pairs as independent).
    baseline : str
    cutoffs : mapping of str to float or None
        Each encoder's own; None where the rule finds none.
    cutoff_intervals : mapping of str to tuple of two floats
        Percentiles of the cutoffs that resamples chose.
    milliseconds : mapping of str to float
        Cost of a text, where it was given.
    confidence : float
    n, n_matches : int
    n_units : int
        Number of JDs, or of pairs where they are independent.
    by : {"pair", "cluster"}
        What was resampled.
    prevalence : float
        Share of matches that precision, F1 and accuracy are for: as weighted, or as given.
    auc_method : {"DeLong", "Obuchowski", "bootstrap"}
    rule : Rule or None
        How cutoffs were chosen; None where all were given.
    n_left_out : int
        Pairs of another kind than those that were compared.
    """

    frame: pd.DataFrame
    decisions: pd.DataFrame
    baseline: str
    cutoffs: Mapping[str, float | None]
    cutoff_intervals: Mapping[str, tuple[float, float]]
    milliseconds: Mapping[str, float]
    confidence: float
    n: int
    n_matches: int
    n_units: int
    by: Literal["pair", "cluster"]
    prevalence: float
    auc_method: Literal["DeLong", "Obuchowski", "bootstrap"]
    rule: Rule | None
    n_left_out: int = 0

    @property
    def encoders(self) -> list[str]:
        """Names, the baseline first, the others in the order in which they were given."""
        return list(dict.fromkeys(self.frame["encoder"]))

    @property
    def figures(self) -> list[ComparedFigure]:
        """What encoders are compared by, that which says which is better first."""
        return list(dict.fromkeys(self.frame["figure"]))

    @property
    def others(self) -> list[str]:
        """All encoders but the baseline."""
        return self.encoders[1:]

    def row(self, encoder: str, figure: ComparedFigure | None = None) -> pd.Series:
        """One line of the frame; of the figure that says which is better by default.

        Raises
        ------
        InputError
            If there is no such encoder or figure.
        """
        figure = figure or self.figures[0]
        found = self.frame[(self.frame["encoder"] == encoder) & (self.frame["figure"] == figure)]
        if found.empty:
            raise InputError(
                _(
                    "{encoder!r} with {figure!r} was not compared; encoders are {encoders}, figures "
                    "{figures}."
                ).format(
                    encoder=encoder,
                    figure=figure,
                    encoders=listed(self.encoders),
                    figures=listed(self.figures),
                )
            )
        return found.iloc[0]

    def standing(self, encoder: str) -> Standing:
        """Better or worse, if the interval of the difference in the first figure lies on one side of 0."""
        row = self.row(encoder)
        if row["difference_low"] > 0:
            return "better"
        return "worse" if row["difference_high"] < 0 else "unclear"

    def flips(self, encoder: str) -> pd.Series:
        """The line of decisions of an encoder and the baseline.

        Raises
        ------
        InputError
            If there is no such encoder, or it is the baseline.
        """
        between = (self.decisions["encoder"] == encoder) & (self.decisions["other"] == self.baseline)
        if not between.any():
            raise InputError(
                _("{encoder} was not compared with {baseline}; the others are {others}.").format(
                    encoder=repr(encoder), baseline=self.baseline, others=listed(self.others)
                )
            )
        return self.decisions[between].iloc[0]

    def sentence(self, encoder: str) -> str:
        """Is it better than the baseline, at the cutoff each would use: the difference with its interval."""
        row = self.row(encoder)
        low, high = row["difference_low"], row["difference_high"]
        said = {
            "better": _(
                "{encoder} is better than {baseline}: {gap} ({low} to {high}) {figure}, by labelled pairs."
            ),
            "worse": _(
                "{encoder} is worse than {baseline}: {gap} ({low} to {high}) {figure}, by labelled pairs."
            ),
            "unclear": _(
                "{encoder} and {baseline}: no difference larger than {most} {figure} can be told by labelled "
                "pairs ({gap}; {low} to {high})."
            ),
        }[self.standing(encoder)]
        if np.isnan(low):
            said = _("{encoder} and {baseline} cannot be told apart by these few labelled pairs.")
        return said.format(
            encoder=encoder,
            baseline=self.baseline,
            figure=self.figure_name(self.figures[0]),
            most=f"{max(-low, high):.3f}",
            gap=f"{row['difference']:+.3f}",
            low=f"{low:+.3f}",
            high=f"{high:+.3f}",
        )

    def evidence(self, encoder: str) -> str:
        """What stands behind the sentence: AUC, which needs no cutoff, and the decisions that differ."""
        auc, line = self.row(encoder, "auc"), self.flips(encoder)
        said = [
            _("{encoder}: AUC {value:.3f} against {other:.3f}, {gap:+.3f} ({ends}).").format(
                encoder=encoder,
                value=auc["value"],
                other=self.row(self.baseline, "auc")["value"],
                gap=auc["difference"],
                ends=_("no interval can be given")
                if np.isnan(auc["difference_low"])
                else _("{low:+.3f} to {high:+.3f}").format(
                    low=auc["difference_low"], high=auc["difference_high"]
                ),
            )
        ]
        for name in (encoder, self.baseline):
            if self.cutoffs[name] is None:
                nothing = _("No cutoff of {encoder} does it; then nothing is called a match.")
                said.append(nothing.format(encoder=name))
        decided = _("At their own cutoffs no decision differs.")
        if line["differ"]:
            decided = _(
                "At their own cutoffs {differ} of {n} decisions differ ({share}, {low} to {high}): "
                "{better} are as labelled with {encoder}, {worse} with {baseline} (McNemar's exact p {p}, "
                "which takes pairs as independent). Of those labelled a match, {found} are found with "
                "{encoder} alone, {lost} with {baseline} alone."
            )
        said.append(
            decided.format(
                **line[["differ", "better", "worse", "found", "lost"]],
                n=f"{self.n:,}",
                share=percent(line["share"]),
                low=percent(line["share_low"]),
                high=percent(line["share_high"]),
                encoder=encoder,
                baseline=self.baseline,
                p=p_said(line["p_value"]),
            )
        )
        return paragraph(said)

    def summary(self) -> str:
        """All encoders against the baseline, one a line, and below what was compared and how."""
        return "\n".join([*map(self.sentence, self.others), self.method()])

    def method(self) -> str:
        """On which pairs, for which prevalence, and where intervals come from."""
        by_jd = self.by == "cluster"
        pairs = (
            _("{n} labelled pairs of {jds} JDs, {matches} of them matches; figures are for {share} matches.")
            if by_jd
            else _("{n} labelled pairs, {matches} of them matches; figures are for {share} matches.")
        )
        drawn = (
            _("{sure} intervals from {n} resampled JDs, those of AUC by {method}.")
            if by_jd
            else _("{sure} intervals from {n} resampled pairs, those of AUC by {method}.")
        )
        by = pgettext("method", "the same") if self.auc_method == "bootstrap" else _("{name}'s method")
        said = [
            pairs.format(
                n=f"{self.n:,}", jds=self.n_units, matches=self.n_matches, share=percent(self.prevalence)
            ),
            drawn.format(
                sure=percent(self.confidence, None), n=self.n_units, method=by.format(name=self.auc_method)
            ),
        ]
        if self.n_left_out:
            left_out = ngettext(
                "{n} pair of another kind is left out.",
                "{n} pairs of another kind are left out.",
                self.n_left_out,
            )
            said.append(left_out.format(n=f"{self.n_left_out:,}"))
        if self.rule is not None:
            rule = _("Each encoder has its own cutoff, {rule}, chosen again in every resample.")
            said.append(rule.format(rule=self.rule.describe()))
        if len(self.others) > 1:
            at_once = _(
                "Better and worse are said of {figure} alone, and hold for all {n} comparisons at once."
            )
            said.append(at_once.format(figure=self.figure_name(self.figures[0]), n=len(self.others)))
        said += self._few()
        return paragraph(said)

    def _few(self) -> list[str]:
        """That there is too little to go by, where there is."""
        said = []
        fewest = min(self.n_matches, self.n - self.n_matches)
        if fewest < FEW_OF_A_KIND:
            few = (
                _("There are only {n} matches, which says next to nothing.")
                if fewest == self.n_matches
                else _("There are only {n} pairs that do not match, which says next to nothing.")
            )
            said.append(few.format(n=fewest))
        if self.n_units < FEW_UNITS:
            few = (
                _("With only {n} JDs, intervals tend to be too narrow: label more.")
                if self.by == "cluster"
                else _("With only {n} pairs, intervals tend to be too narrow: label more.")
            )
            said.append(few.format(n=self.n_units))
        return said

    def figure_name(self, key: ComparedFigure) -> str:
        """What a figure is called, with what the rule holds equal beside it."""
        match key, self.rule:
            case "recall", TargetPrecision(target):
                return _("recall at {share} precision").format(share=percent(target))
            case "precision", TargetRecall(target):
                return _("precision at {share} recall").format(share=percent(target))
            case "auc", _rule:
                return "AUC"
            case "average_precision", _rule:
                return "AP"
        return title(key, beta=1.0 if self.rule is None else self.rule.f_beta)  # type: ignore[arg-type]

    def cell(self, encoder: str, key: ComparedFigure) -> str:
        """A figure with its interval as text; a dash where it is undefined."""
        row = self.row(encoder, key)
        if np.isnan(row["value"]):
            return "–"
        if key in AREAS:
            value, interval = f"{row['value']:.3f}", f"{row['low']:.3f}–{row['high']:.3f}"
        else:
            value, interval = percent(row["value"]), f"{100 * row['low']:.1f}–{100 * row['high']:.1f}"
        if np.isnan(row["low"]):
            return value
        return _("{value} ({interval})").format(value=value, interval=interval)

    def table(self, figures: Sequence[ComparedFigure] | None = None, *, across: bool = False) -> pd.DataFrame:
        """One row an encoder as text: cutoff, figures with intervals, decisions that differ, cost.

        Parameters
        ----------
        figures : sequence of str, optional
            All by default.
        across : bool
            One row a figure instead, and a column an encoder.
        """
        rows = []
        for name in self.encoders:
            row = {_("encoder"): name, _("cutoff"): number(self.cutoffs[name])}
            row |= {self.figure_name(key): self.cell(name, key) for key in figures or self.figures}
            row[_("decisions that differ")] = (
                "" if name == self.baseline else f"{self.flips(name)['differ']:,}"
            )
            if self.milliseconds:
                cost = self.milliseconds.get(name)
                row[_("ms a text")] = "–" if cost is None else f"{cost:.3g}"
            rows.append(row)
        found = pd.DataFrame(rows)
        if not across:
            return found
        turned = found.set_index(_("encoder")).T.rename_axis(columns=None)
        return turned.rename_axis(_("figure")).reset_index()

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        lines = self.summary().split("\n")
        return render("calibration/result.html", sentences=lines, table=self.table(across=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = super().to_dict()
        found["figures"], found["resampled_by"] = found.pop("frame"), found.pop("by")
        return found | {"standing": {name: self.standing(name) for name in self.others}}


def groups_table(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of :func:`~workbench.calibration.comparing.compare_by` as text, one row a group and encoder.

    With a remark where AUC is no better than chance.
    """
    rows = []
    for group, members in frame.groupby("group", sort=False):
        for place, line in enumerate(members.to_dict("records")):
            remark = "" if line["above_chance"] else _("≈ chance")
            if line["auc_high"] < 0.5:
                # False friends that share words with a JD can mislead an encoder more than a coin would.
                remark = _("< chance")
            if not line["enough"]:
                remark = _("too few")
            of = _("{matches:,} of {n:,}").format(matches=line["n_matches"], n=line["n"])
            rows.append(
                {
                    _("group"): "" if place else group,
                    pgettext("column", "matches"): "" if place else of,
                    _("encoder"): line["encoder"],
                    "AUC": _with_ends(line, "auc", "", "–"),
                    _("difference"): _with_ends(line, "difference", "+", ", ") if place else "",
                    " ": remark,
                }
            )
    return pd.DataFrame(rows)


def beyond_chance(frame: pd.DataFrame) -> str:
    """In which groups of a frame as that of :func:`groups_table` no encoder beats a coin, if in any."""
    beaten = frame[frame["enough"]].groupby("group", sort=False)["above_chance"].any()
    if beaten.all():
        return _("In every group some encoder is better than chance.")
    return _("No encoder is better than chance on: {groups}.").format(groups=listed(beaten.index[~beaten]))


def _with_ends(line: Mapping[Any, Any], key: str, sign: str, between: str) -> str:
    value, low, high = (line[f"{key}{end}"] for end in ("", "_low", "_high"))
    if np.isnan(value):
        return "–"
    said = f"{value:{sign}.3f}"
    return said if np.isnan(low) else f"{said} ({low:{sign}.3f}{between}{high:{sign}.3f})"
