"""The result of comparing encoders: figures, differences to a baseline, decisions that flip, in words.

How it is computed is in :mod:`workbench.calibration.comparing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.calibration.choice import Rule
from workbench.calibration.comparing_figures import COMPARED, ComparedFigure
from workbench.calibration.difference_tests import p_said
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import N_, listed, ngettext, number, paragraph, percent, pgettext
from workbench.i18n import gettext as _
from workbench.results import Result

__all__ = ["FEW_OF_A_KIND", "Comparison", "Standing", "beyond_chance", "groups_table"]

Standing = Literal["better", "worse", "as good", "no worse", "unclear"]

# With fewer JDs or pairs to draw from, intervals tend to be too narrow: Cameron, Gelbach & Miller (2008),
# Bootstrap-based improvements for inference with clustered errors, Review of Economics and Statistics 90.
FEW_UNITS = 30
# With fewer matches or others, normal and bootstrap intervals of AUC are a matter of luck.
FEW_OF_A_KIND = 10
NAMES: dict[ComparedFigure, str] = {
    "auc": N_("AUC"),
    "average_precision": N_("AP"),
    "precision_at_recall": N_("precision at recall {recall}"),
    "f1": N_("F1"),
    "precision": N_("precision"),
    "recall": N_("recall"),
    "accuracy": N_("accuracy"),
}
STANDINGS: dict[Standing, str] = {
    "better": N_("it is better"),
    "worse": N_("it is worse"),
    "as good": N_("it is as good, to within {margin:g}"),
    "no worse": N_("it is no worse, to within {margin:g}"),
    "unclear": N_("which is better cannot be told from these pairs"),
}
# Figures that are told as areas, not as percent.
AREAS = {"auc", "average_precision", "f1"}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Encoders on the same pairs, against a baseline.

    Attributes
    ----------
    frame : DataFrame
        One row an encoder and figure: ``encoder, figure, value, low, high, optimism`` (what was taken off
        the value for having chosen the cutoff on the same pairs), ``difference`` (to the baseline),
        ``difference_low, difference_high, p_value, p_adjusted`` (of AUC; Holm, over the encoders). Figures:
        ``auc``; ``average_precision``; ``precision_at_recall``, at the recall :attr:`at_recall` or a little
        more; ``precision, recall, f1, accuracy`` at each encoder's own cutoff.
    decisions : DataFrame
        One row two encoders, each at its own cutoff: ``encoder, other, differ`` (pairs decided otherwise),
        ``share`` (weighted), ``better, worse`` (how many of these `encoder` decides as labelled, and not).
    baseline : str
    cutoffs : mapping of str to float or None
        Each encoder's own; None where the rule finds none.
    cutoff_intervals : mapping of str to tuple of two floats
        Percentiles of the cutoffs that resamples chose.
    at_recall : float
    milliseconds : mapping of str to float
        Cost of a text, where it was given.
    margin : float
        Differences in AUC below this do not matter.
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
    """

    frame: pd.DataFrame
    decisions: pd.DataFrame
    baseline: str
    cutoffs: Mapping[str, float | None]
    cutoff_intervals: Mapping[str, tuple[float, float]]
    at_recall: float
    milliseconds: Mapping[str, float]
    margin: float
    confidence: float
    n: int
    n_matches: int
    n_units: int
    by: Literal["pair", "cluster"]
    prevalence: float
    auc_method: Literal["DeLong", "Obuchowski", "bootstrap"]
    rule: Rule | None

    @property
    def encoders(self) -> list[str]:
        """Names, the baseline first, the others in the order in which they were given."""
        return list(dict.fromkeys(self.frame["encoder"]))

    def row(self, encoder: str, figure: ComparedFigure = "auc") -> pd.Series:
        """One line of the frame.

        Raises
        ------
        InputError
            If there is no such encoder or figure.
        """
        found = self.frame[(self.frame["encoder"] == encoder) & (self.frame["figure"] == figure)]
        if found.empty:
            raise InputError(
                _(
                    "{encoder!r} with {figure!r} was not compared; encoders are {encoders}, figures "
                    "{figures}."
                ).format(
                    encoder=encoder, figure=figure, encoders=listed(self.encoders), figures=listed(COMPARED)
                )
            )
        return found.iloc[0]

    def standing(self, encoder: str) -> Standing:
        """Where an encoder stands against the baseline, by AUC.

        Better or worse, if they differ by more than chance (Holm); else as good, if the interval of the
        difference lies within the margin [1]_; no worse, if it lies above minus the margin; else unclear.

        References
        ----------
        .. [1] Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach
           for assessing the equivalence of average bioavailability, J Pharmacokin Biopharm 15, 657-680.
        """
        row = self.row(encoder)
        if row["p_adjusted"] <= 1 - self.confidence:
            return "better" if row["difference"] > 0 else "worse"
        if not row["difference_low"] > -self.margin:
            return "unclear"
        return "as good" if row["difference_high"] < self.margin else "no worse"

    def suffices(self, encoder: str) -> bool:
        """Whether it is shown to fall short of the baseline by less than the margin, in AUC."""
        return bool(self.row(encoder)["difference_low"] > -self.margin)

    def flips(self, encoder: str) -> pd.Series | None:
        """The line of decisions of an encoder and the baseline; None where one of them has no cutoff."""
        self.row(encoder)
        line = self.decisions[
            (self.decisions["encoder"] == encoder) & (self.decisions["other"] == self.baseline)
        ]
        return None if line.empty else line.iloc[0]

    def sentence(self, encoder: str) -> str:
        """Is it worth it: the difference to the baseline, flips, and cost, in one or two sentences."""
        row, base = self.row(encoder), self.row(self.baseline)
        if encoder == self.baseline:
            return _("{encoder} (baseline): AUC {value:.3f} ({low:.3f}–{high:.3f}){cost}.").format(
                encoder=encoder,
                value=row["value"],
                low=row["low"],
                high=row["high"],
                cost=self._cost(encoder),
            )
        standing = self.standing(encoder)
        said = _(STANDINGS[standing]).format(margin=self.margin)
        if standing == "worse" and self.suffices(encoder):
            said = _("{worse}, but by less than {margin:g}").format(worse=said, margin=self.margin)
        gap = _(
            "{encoder} against {baseline}: AUC {value:.3f} against {other:.3f}, {gap:+.3f} ({ends}; p {p} "
            "after Holm's correction): {standing}{cost}."
        ).format(
            encoder=encoder,
            baseline=self.baseline,
            value=row["value"],
            other=base["value"],
            gap=row["difference"],
            ends=_("no interval can be given")
            if np.isnan(row["difference_low"])
            else _("{low:+.3f} to {high:+.3f}").format(
                low=row["difference_low"], high=row["difference_high"]
            ),
            p=p_said(row["p_adjusted"]),
            standing=said,
            cost=self._cost(encoder),
        )
        return paragraph([gap, self._decisions(encoder)])

    def summary(self) -> str:
        """All encoders against the baseline, one a line, and below what was compared and how."""
        return "\n".join([*map(self.sentence, self.encoders), self.method()])

    def method(self) -> str:
        """On which pairs, for which prevalence, and where intervals come from."""
        by_jd = self.by == "cluster"
        pairs = (
            _("{n} labelled pairs of {jds} JDs, {matches} of them matches; figures are for {share} matches.")
            if by_jd
            else _("{n} labelled pairs, {matches} of them matches; figures are for {share} matches.")
        )
        drawn = (
            _("{sure} intervals from resampled JDs, those of AUC by {method}; only AUC is tested.")
            if by_jd
            else _("{sure} intervals from resampled pairs, those of AUC by {method}; only AUC is tested.")
        )
        by = pgettext("method", "the same") if self.auc_method == "bootstrap" else _("{name}'s method")
        said = [
            pairs.format(n=self.n, jds=self.n_units, matches=self.n_matches, share=percent(self.prevalence)),
            drawn.format(sure=percent(self.confidence, None), method=by.format(name=self.auc_method)),
        ]
        if self.rule is not None:
            rule = _(
                "Each encoder has its own cutoff, {rule}; figures there are corrected for having been chosen "
                "on the same pairs."
            )
            said.append(rule.format(rule=self.rule.describe()))
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
                if by_jd
                else _("With only {n} pairs, intervals tend to be too narrow: label more.")
            )
            said.append(few.format(n=self.n_units))
        return paragraph(said)

    def figure_name(self, key: ComparedFigure) -> str:
        """What a figure is called, with the recall that it is at."""
        return _(NAMES[key]).format(recall=percent(self.at_recall, None))

    def cell(self, encoder: str, key: ComparedFigure) -> tuple[str, str]:
        """A figure and its interval as text; a dash where it is undefined, and no interval."""
        row = self.row(encoder, key)
        if np.isnan(row["value"]):
            return "–", ""
        if key in AREAS:
            value, interval = f"{row['value']:.3f}", f"{row['low']:.3f}–{row['high']:.3f}"
        else:
            value, interval = percent(row["value"]), f"{100 * row['low']:.1f}–{100 * row['high']:.1f}"
        return value, "" if np.isnan(row["low"]) else interval

    def table(self) -> pd.DataFrame:
        """One row an encoder as text: cutoff, figures with intervals, flips against the baseline, cost."""
        rows = []
        for name in self.encoders:
            row = {_("encoder"): name, _("cutoff"): number(self.cutoffs[name])}
            for key in NAMES:
                value, interval = self.cell(name, key)
                row[self.figure_name(key)] = (
                    _("{value} ({interval})").format(value=value, interval=interval) if interval else value
                )
            line = self.flips(name)
            differ = "–" if line is None else str(int(line["differ"]))
            row[_("decisions that differ")] = "" if name == self.baseline else differ
            if self.milliseconds:
                cost = self.milliseconds.get(name)
                row[_("ms a text")] = "–" if cost is None else f"{cost:.3g}"
            rows.append(row)
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        lines = self.summary().split("\n")
        return render("calibration/result.html", sentences=lines, table=self.table())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = super().to_dict()
        found["figures"], found["resampled_by"] = found.pop("frame"), found.pop("by")
        return found | {
            "standing": {name: self.standing(name) for name in self.encoders if name != self.baseline}
        }

    def _decisions(self, encoder: str) -> str:
        line = self.flips(encoder)
        if line is None:
            return _("One of the two has no cutoff, so that decisions cannot be compared.")
        if not line["differ"]:
            return _("At their own cutoffs no decision differs.")
        return ngettext(
            "At their own cutoffs {differ} of {n} decisions differ ({share}), of which {better} is right "
            "with {encoder}.",
            "At their own cutoffs {differ} of {n} decisions differ ({share}), of which {better} are right "
            "with {encoder}.",
            int(line["better"]),
        ).format(
            differ=line["differ"],
            n=self.n,
            share=percent(line["share"]),
            better=line["better"],
            encoder=encoder,
        )

    def _cost(self, encoder: str) -> str:
        """What a text costs, as the end of a sentence."""
        own, base = self.milliseconds.get(encoder), self.milliseconds.get(self.baseline)
        if own is None:
            return ""
        if encoder == self.baseline or base is None or min(base, own) <= 0:
            return _(", {own:.3g} ms a text").format(own=own)
        if 0.95 < own / base < 1.05:
            said = _("; it takes as long ({own:.3g} against {base:.3g} ms a text)")
        elif own > base:
            said = _("; it takes {times:.2g} times as long ({own:.3g} against {base:.3g} ms a text)")
        else:
            said = _("; it is {times:.2g} times as fast ({own:.3g} against {base:.3g} ms a text)")
        return said.format(own=own, base=base, times=max(own / base, base / own))


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
