"""What a calibration found, and what it says in words.

A study holds numbers and results; each result says its own sentence, and here are those that need more than
one of them. How a study comes about is in :mod:`workbench.calibration.study`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.calibration.advice import Advice
from workbench.calibration.at_cutoff import figures_at, flips
from workbench.calibration.choice import Rule
from workbench.calibration.counts import Counts, tabulate
from workbench.calibration.figures import Estimate, FigureName, title
from workbench.calibration.grey_zones import GreyZone
from workbench.calibration.groups import GroupFigures, by_group
from workbench.calibration.guarantee import Guarantee
from workbench.calibration.key_figures import KeyFigure, key_figures
from workbench.calibration.label_error import LabelError, not_allowed_for
from workbench.calibration.observations import Observations
from workbench.calibration.optimism import HoldOut, HonestFigure, Stability
from workbench.calibration.options import Options
from workbench.calibration.pair_kinds import PairKinds
from workbench.calibration.probability import MatchProbability
from workbench.calibration.reliability_diagram import Reliability
from workbench.calibration.reweighting import LiveWeights
from workbench.calibration.verdicts import Verdict
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import digits_apart, ngettext, number, paragraph, percent
from workbench.i18n import gettext as _

# The figures that people are shown, in this order.
TOLD: tuple[FigureName, ...] = (
    "precision",
    "recall",
    "false_omission_rate",
    "specificity",
    "f_beta",
    "accuracy",
    "share_selected",
)
# Scores move by about this much between machines and versions of one encoder.
WAVERING = 1e-4
# A column beside those that the user may have.
LIVE = "weight of live scores"


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """A cutoff, and everything that was found out about it.

    Attributes
    ----------
    advice : Advice
        What to do, and the findings behind it.
    cutoff : Cutoff
        The cutoff that the advice is to adopt, with its evidence, for the encoder that scored the pairs.
        Where the advice names none, today's, which is then calibrated for no encoder.
    options : Options
        What :func:`~workbench.calibration.study.calibrate` was asked for.
    pairs : DataFrame
        The scored pairs that were calibrated on.
    kinds : PairKinds or None
        Which of the pairs given these are, and how well matches are told among everyday and hard ones; None
        where no pair was composed to be hard.
    observations : Observations
        The same as checked arrays, with weights; without those whose scores do not occur live, if live
        scores were given.
    live : LiveWeights or None
        Of each of the `pairs`, where live scores were given.
    counts : Counts
        The table of truth behind the sweep, at the live prevalence if one was given.
    bands : DataFrame
        Bootstrap bands of figures at every cutoff (by JD where shared).
    figures : mapping of str to Estimate
        Figures at the cutoff, as they look in these pairs.
    honest : mapping of str to HonestFigure
        The same, corrected for having been chosen on these pairs; empty where today's cutoff stays.
    stability : Stability
        Bootstrap distribution of the cutoff that is looked for, guarantee included.
    held_out : HoldOut or None
        The rule's choice on a part of the pairs, with figures on the rest.
    probability : MatchProbability or None
        The probability of a match as a curve of the score; None where there are too few matches, others or
        JDs to try a curve on some that it was not fitted to.
    reliability : Reliability or None
        Whether those probabilities can be believed, cross-fitted.
    """

    advice: Advice
    cutoff: Cutoff
    options: Options
    pairs: pd.DataFrame
    kinds: PairKinds | None
    observations: Observations
    live: LiveWeights | None
    counts: Counts
    bands: pd.DataFrame
    figures: Mapping[FigureName, Estimate]
    honest: Mapping[FigureName, HonestFigure]
    stability: Stability
    held_out: HoldOut | None
    probability: MatchProbability | None
    reliability: Reliability | None

    @property
    def basis(self) -> Literal["guarantee", "rule", "none"]:
        """Why this cutoff: shown to meet the targets; chosen by a rule; or there is none to adopt."""
        return self.advice.basis

    @property
    def verdict(self) -> Verdict | None:
        """The test of today's cutoff; None where there is none, or no target was asked for."""
        return self.advice.verdict

    @property
    def rule(self) -> Rule:
        """The rule that was given, else the one that aims at the target."""
        return self.options.chooses_by

    @property
    def guarantee(self) -> Guarantee | None:
        """For the target precision, if one was asked for."""
        return self.advice.guarantee

    @property
    def missed_guarantee(self) -> Guarantee | None:
        """For the target missed share, if one was asked for."""
        return self.advice.missed_guarantee

    @property
    def grey_zone(self) -> GreyZone | None:
        """Two cutoffs at once, where both targets were asked for."""
        return self.advice.grey_zone

    @property
    def current_cutoff(self) -> float | None:
        """The cutoff in use before."""
        return self.options.today

    @property
    def prevalence(self) -> float:
        """Share of matches that the figures are for: live if it was given, else weighted as labelled."""
        return self.counts.prevalence

    @cached_property
    def sweep(self) -> pd.DataFrame:
        """Every figure at every cutoff, with Wilson intervals."""
        return tabulate(self.counts, **self.options.told, confidence=self.options.confidence)

    @property
    def flips(self) -> pd.DataFrame:
        """Pairs whose decision is another one at the new cutoff than at today's, with their texts."""
        asked = self.options
        before = self.cutoff.value if asked.today is None else asked.today
        return flips(self.pairs, before, self.cutoff.value, score=asked.score, label=asked.label)

    @cached_property
    def figures_today(self) -> dict[FigureName, Estimate] | None:
        """Figures at today's cutoff, to stand beside those at the one found; None without one."""
        asked = self.options
        if asked.today is None:
            return None
        return figures_at(self.observations, asked.today, **asked.live, **asked.drawn, **asked.told)

    def by_group(self, columns: Sequence[str]) -> list[GroupFigures]:
        """Figures per group at the cutoff, for each column by itself, weighted as the study is.

        Parameters
        ----------
        columns : sequence of str
            Columns of its pairs, such as ``["job_family", "language"]``.

        Raises
        ------
        InputError
            If a column is missing, or names one group only or too many.
        """
        asked, pairs, read_as = self.options, self.pairs, self.options.columns
        if self.live is not None:
            used = self.live.weights > 0
            pairs = pairs[used].assign(**{LIVE: self.live.weights[used]})
            read_as["weight"] = LIVE
        return [by_group(pairs, column, self.cutoff.value, **asked.live, **read_as) for column in columns]

    def with_groups(self, groups: Sequence[GroupFigures]) -> Study:
        """The study, its card holding the groups too."""
        evidence = {**self.cutoff.evidence, "groups": [found.to_dict() for found in groups]}
        return replace(self, cutoff=replace(self.cutoff, evidence=evidence))

    @cached_property
    def key_figures(self) -> list[KeyFigure]:
        """The three figures that everybody is shown, for what the advice is, or else for today's cutoff.

        Empty where there is neither.
        """
        return key_figures(self.advice, self.observations, {**self.figures, **self.honest}, self.cutoff.value)

    def table(self) -> pd.DataFrame:
        """A row a figure, in words: at today's cutoff, at the one found, and that corrected."""
        moved, today, found = self.advice.kind == "move", self.current_cutoff, self.cutoff.value
        cells = {_("figure"): [*(title(name, beta=self.rule.f_beta) for name in TOLD)]}
        cells[_("figure")].append(_("labelled pairs above"))
        by_guarantee = self.basis == "guarantee"
        head = _("guaranteed, {cutoff}") if by_guarantee else _("chosen, {cutoff}")
        for at, figures, called in (
            (today, self.figures_today, _("today's, {cutoff}")),
            (found if moved else None, self.figures, head),
        ):
            if at is not None and figures is not None:
                above = f"{int((self.observations.scores > at).sum()):,}"
                cells[called.format(cutoff=number(at))] = [*(str(figures[name]) for name in TOLD), above]
        if moved:
            cells[_("corrected")] = [*(str(self.honest.get(name, "")) for name in TOLD), ""]
        return pd.DataFrame(cells)

    def summary(self) -> str:
        """All that was found, in some sentences, one a line; what to do comes first."""
        return "\n".join(self.sentences().values())

    def __repr__(self) -> str:
        figures = [str(told) for told in self.key_figures]
        return "\n".join([self.advice.sentence(), *self.advice.reasons(), *figures])

    def _repr_html_(self) -> str:
        return render("calibration/study.html", study=self)

    def plot(self) -> Any:
        """The advice as one picture: :func:`workbench.plots.plot_advice`."""
        # The one place that looks up to the plots, by name, as pandas does with its plotting backend.
        return import_module("workbench.plots").plot_advice(self)

    def to_dict(self) -> dict[str, Any]:
        """The card that :meth:`save` writes."""
        return self.cutoff.to_dict()

    def save(self, path: str | Path) -> Path:
        """Write the cutoff card.

        Raises
        ------
        InputError
            If the advice names no cutoff: a card holds the one to adopt, or there is none.
        """
        if self.advice.cutoff is None:
            raise InputError(self.no_card())
        return self.cutoff.save(path)

    def no_card(self) -> str:
        """Why there is no card."""
        if self.advice.kind == "grey_zone":
            return _(
                "A card holds one cutoff, and a grey zone has two: ask for one of the targets to get one of "
                "them."
            )
        return _("No card is written: there is no cutoff to adopt.")

    def sentences(self) -> dict[str, str]:
        """The sentences of the summary by what they are about, as far as there is anything to say.

        Keys, in this order: ``advice, reasons, pairs, kinds, verdict, guarantee, missed_guarantee, figures,
        stability, flips, grey_zone, notes``.
        """
        moved = self.advice.kind == "move"
        said = {
            "advice": self.advice.sentence(),
            "reasons": "\n".join(self.advice.reasons()),
            "pairs": self._pairs(),
            "kinds": self.kinds and paragraph([self.kinds.sentence(), self.kinds.limit()]),
            "verdict": self.verdict and self.verdict.sentence(),
            "guarantee": self.guarantee and self.guarantee.sentence(),
            "missed_guarantee": self.missed_guarantee and self.missed_guarantee.sentence(),
            "figures": self._figures() if self.key_figures else None,
            "stability": self.stability.sentence() if moved else None,
            "flips": self._flips() if moved and self.current_cutoff is not None else None,
            "grey_zone": self.grey_zone.sentence() if self.grey_zone and self.advice.cutoff is None else None,
            "notes": "\n".join(self._notes()),
        }
        return {key: sentence for key, sentence in said.items() if sentence}

    def _pairs(self) -> str:
        observations = self.observations
        name = self.cutoff.encoder_name or (self.cutoff.evidence.get("encoder") or {}).get("name")
        weighted = observations.weights is not None or self.options.prevalence is not None
        said = (
            _(
                "{n} labelled pairs, {matches} of them matches ({share}){of_jds}{scored_by}; figures are for "
                "{live} matches."
            )
            if weighted
            else _("{n} labelled pairs, {matches} of them matches ({share}){of_jds}{scored_by}.")
        )
        jds = observations.n_clusters
        return said.format(
            n=len(observations),
            matches=int(observations.labels.sum()),
            share=percent(observations.labels.mean()),
            of_jds=_(", of {n} JDs").format(n=jds) if jds else "",
            scored_by=_(", scored by {name}").format(name=name) if name else "",
            live=percent(self.prevalence),
        )

    def _figures(self) -> str:
        parts = []
        for name in TOLD[:3]:
            part = f"{title(name)} {self.figures[name]}"
            honest = self.honest.get(name)
            if honest is not None and not np.isnan(honest.honest):
                part += _(", corrected {share}").format(share=percent(honest.honest))
            parts.append(part)
        said = (
            _("At {cutoff}: {figures} ({sure} intervals; corrected for the choice on the same pairs).")
            if self.honest
            else _("At {cutoff}: {figures} ({sure} intervals).")
        )
        return said.format(
            cutoff=number(self.cutoff.value),
            figures=_("; ").join(parts),
            sure=percent(self.options.confidence, None),
        )

    def _flips(self) -> str:
        changed = self.flips
        n, right = len(changed), int(changed["right_now"].sum())
        if not n:
            said = _("From {before} to {after} no decision flips.")
        elif changed["is_match"].any():
            said = _(
                "From {before} to {after}, {n} of {total} pairs become matches: {right} are labelled a "
                "match, {wrong} are not."
            )
        else:
            said = _(
                "From {before} to {after}, {n} of {total} pairs are no matches any more: {right} are "
                "labelled no match, {wrong} are labelled a match."
            )
        ends = (self.cutoff.value if self.current_cutoff is None else self.current_cutoff, self.cutoff.value)
        before, after = (number(end, digits_apart(*ends, fewest=4, most=8)) for end in ends)
        return said.format(
            before=before,
            after=after,
            n=n,
            total=len(self.observations),
            right=right,
            wrong=n - right,
        )

    def _notes(self) -> list[str]:
        notes = []
        near = (
            0
            if self.advice.cutoff is None
            else int((np.abs(self.observations.scores - self.cutoff.value) < WAVERING).sum())
        )
        if near:
            notes.append(
                ngettext(
                    "Mind: {n} pair scores within {near:g} of the cutoff; another machine may flip it.",
                    "Mind: {n} pairs score within {near:g} of the cutoff; another machine may flip them.",
                    near,
                ).format(n=near, near=WAVERING)
            )
        if self.live is not None and self.live.n_unused:
            notes.append(
                _("Mind: {n} labelled pairs were not used, for no live pair scores like them.").format(
                    n=self.live.n_unused
                )
            )
        if self.live is not None and self.live.share_outside:
            notes.append(
                _(
                    "Mind: {share} of live scores lie beyond all labelled ones, where figures are guesses."
                ).format(share=percent(self.live.share_outside))
            )
        if not LabelError.read(self.options.label_error).any:
            unallowed = not_allowed_for(self.pairs.attrs.get("resolution") or {})
            notes += [] if unallowed is None else [unallowed]
        return notes
