"""What to do: keep today's cutoff, move it, use two with people reading in between, or adopt none.

The advice rests on the test of today's cutoff (:mod:`workbench.calibration.verdicts`), on guarantees
(:mod:`workbench.calibration.guarantee`, :mod:`workbench.calibration.grey_zones`) and on the choice of a rule
(:mod:`workbench.calibration.choice`). It never names a cutoff of which a target was asked and not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.calibration.choice import Choice, choose
from workbench.calibration.counts import Counts
from workbench.calibration.further_pairs import FurtherPairs
from workbench.calibration.grey_zones import GreyZone, grey_zone
from workbench.calibration.guarantee import Guarantee, guarantee_missed, guarantee_precision
from workbench.calibration.observations import Observations
from workbench.calibration.options import Options
from workbench.calibration.verdicts import Verdict, verdict, verdict_on_today
from workbench.i18n import digits_apart, number, percent
from workbench.i18n import gettext as _
from workbench.results import Result, plain


@dataclass(frozen=True, eq=False, repr=False)
class Advice(Result):
    """What to do about the cutoff, and the findings that it rests on.

    Attributes
    ----------
    kind : {"keep", "move", "grey_zone", "none"}
        Keep today's cutoff; move to another one; use two cutoffs, with people reading in between; or adopt
        none.
    cutoff : float or None
        The one to adopt; None for a grey zone and where there is none.
    options : Options
        What was asked for.
    verdict : Verdict or None
        On today's cutoff; None where there is none, or no target was asked for.
    choice : Choice
        What the rule chose, with naive figures; it counts only where a rule was given.
    guarantee, missed_guarantee : Guarantee or None
        For the targets that were asked for, each by itself.
    grey_zone : GreyZone or None
        Both targets at once, where both were asked for.
    closest : Verdict or None
        Where both targets were asked for and no cutoff is shown to meet them: the test of the one that looks
        best in these pairs; None where none even looks as if it met both.
    """

    kind: Literal["keep", "move", "grey_zone", "none"]
    cutoff: float | None
    options: Options
    verdict: Verdict | None
    choice: Choice
    guarantee: Guarantee | None
    missed_guarantee: Guarantee | None
    grey_zone: GreyZone | None
    closest: Verdict | None

    @property
    def basis(self) -> Literal["guarantee", "rule", "none"]:
        """Why this cutoff: shown to meet the targets; chosen by the rule that was given; or there is none."""
        if self.cutoff is None:
            return "none"
        return "guarantee" if self.options.rule is None else "rule"

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """Those that decide: of both targets at once, where both were asked for; none with a rule."""
        if self.options.rule is not None:
            return ()
        return (
            (self.grey_zone.precision, self.grey_zone.missed)
            if self.grey_zone is not None
            else self._searched
        )

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Reject at or below the first, accept above the second; both are the cutoff, where there is one."""
        if self.kind == "grey_zone" and self.grey_zone is not None:
            return self.grey_zone.reject_to, self.grey_zone.accept_from
        return self.cutoff, self.cutoff

    @property
    def further(self) -> tuple[int, int | None] | None:
        """About how many more labelled pairs give what was asked for in every second case, in four of five.

        None where nothing is lacking, or where far more pairs would not help.
        """
        if self.cutoff is not None or self.options.rule is not None:
            return None
        if self.closest is not None:
            return _together([test.further for test in self.closest.tests if test.answer != "met"])
        if self.kind == "grey_zone":
            return None
        return _together([found.further for found in self._searched if not found.found])

    @property
    def _searched(self) -> tuple[Guarantee, ...]:
        return tuple(found for found in (self.guarantee, self.missed_guarantee) if found is not None)

    def sentence(self) -> str:
        """What to do, in one sentence: the first line of all that is shown of a calibration."""
        return _("{what}: {why}.").format(what=self.what(), why=self.why())

    def what(self) -> str:
        """What to do, in a few words."""
        low, high = self.ends
        if self.kind == "keep":
            said = _("Keep {high}")
        elif self.kind == "move":
            said = _("Move to {high}")
        elif self.kind == "none":
            said = _("There is no cutoff to adopt")
        elif low is None:
            said = _("Use a grey zone up to {high}")
        elif high is None:
            said = _("Use a grey zone from {low} on")
        else:
            said = _("Use a grey zone from {low} to {high}")
        today, digits = self.options.today, 4
        if self.kind == "move" and self.cutoff is not None and today is not None:
            digits = digits_apart(self.cutoff, today, fewest=4, most=8)
        return said.format(low=number(low), high=number(high, digits))

    def why(self) -> str:
        """What speaks for it, or what to do instead; the rest of the sentence."""
        if self.options.rule is not None:
            return self._why_by_rule(self.choice.rule.describe())
        if self.cutoff is not None:
            return self._held()
        if self.kind == "grey_zone" and self.grey_zone is not None:
            share = percent(self.grey_zone.share_to_read.value)
            low, high = self.ends
            if low is not None and high is not None:
                said = _(
                    "no single cutoff is shown to meet both targets, so that people read the {share} of "
                    "pairs in between"
                )
            elif low is None:
                said = _(
                    "no single cutoff is shown to meet both targets; pairs above it are matches, and people "
                    "read the other {share}"
                )
            else:
                said = _(
                    "no single cutoff is shown to meet both targets; pairs at or below it are no matches, "
                    "and people read the other {share}"
                )
            return said.format(share=share)
        if self.further is None:
            return _("lower the target, or take another encoder")
        return _("label {many} more pairs, or take another encoder").format(many=_many(self.further))

    def _held(self) -> str:
        held = (
            _("it meets both targets at once, with {sure} confidence")
            if len(self._searched) > 1
            else _("it meets the target, with {sure} confidence")
        )
        return held.format(sure=percent(self.options.confidence, None))

    def _why_by_rule(self, rule: str) -> str:
        if self.choice.cutoff is None:
            return _("none does what was asked for ({rule})").format(rule=rule)
        if self.cutoff is None:
            return _(
                "{rule} is not shown to meet what else was asked for; label more pairs, lower the target, or "
                "take another encoder"
            ).format(rule=rule)
        if self._searched:
            return _("{rule}; {held}").format(rule=rule, held=self._held())
        return _("{rule}, as it looks in these pairs; nothing is guaranteed").format(rule=rule)

    def reasons(self) -> list[str]:
        """Why, in a few sentences."""
        reasons = []
        if self.kind == "grey_zone" and (further := self._for_the_other_end()) is not None:
            said = _("For the other end of the grey zone, label {many} more pairs.")
            reasons.append(said.format(many=_many(further)))
        if self.grey_zone is not None and self.options.rule is None and self.cutoff is None:
            reasons.append(self._what_would_change_it())
        if self.kind == "grey_zone" and self.grey_zone is not None:
            reasons += _one_is_not_enough(self.grey_zone)
        elif self.kind != "keep" and self.verdict is not None and self.verdict.answer != "kept":
            reasons.append(self.verdict.in_short())
        return reasons

    def _for_the_other_end(self) -> tuple[int, int | None] | None:
        """How many more labelled pairs might give the end that a grey zone lacks."""
        assert self.grey_zone is not None
        lacking = [found for found in (self.grey_zone.precision, self.grey_zone.missed) if not found.found]
        return _together([found.further for found in lacking]) if lacking else None

    def _what_would_change_it(self) -> str:
        if self.closest is None:
            return (
                _(
                    "No single cutoff meets both targets even as it looks in these pairs: more labels would "
                    "give a grey zone at best, one cutoff takes lower targets or another encoder."
                )
                if self.kind == "none"
                else _(
                    "No single cutoff meets both targets even as it looks in these pairs: only lower targets "
                    "or another encoder would change that."
                )
            )
        at = number(self.closest.cutoff)
        if self.further is None:
            return _(
                "{cutoff} looks as if it met both targets, but by so little that more labels would hardly "
                "show it."
            ).format(cutoff=at)
        return _(
            "{cutoff} looks as if it met both targets; {many} more labelled pairs might show it."
        ).format(cutoff=at, many=_many(self.further))

    def __repr__(self) -> str:
        return f"Advice: {self.sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """The numbers alone, for JSON; the findings are beside them on the card."""
        asked = self.options
        low, high = self.ends
        zone = None
        if self.kind == "grey_zone" and self.grey_zone is not None:
            zone = {
                "reject_to": low,
                "accept_from": high,
                "share_to_read": self.grey_zone.share_to_read,
                "missed_with_one": self.grey_zone.missed_with_one,
                "precision_with_one": self.grey_zone.precision_with_one,
            }
        found = {
            "kind": self.kind,
            "cutoff": self.cutoff,
            "basis": self.basis,
            "today": asked.today,
            "targets": {"precision": asked.target_precision, "missed": asked.target_missed},
            "confidence": asked.confidence,
            "grey_zone": zone,
            "further": self.further and dict(zip(("even", "likely"), self.further, strict=True)),
        }
        return dict(plain(found))


def advise(observations: Observations, counts: Counts, asked: Options) -> Advice:
    """Test today's cutoff as it stands, look for another one, and say which is to be adopted, if any.

    Today's cutoff is kept where it is shown to meet all that was asked for; else the one is taken that is
    guaranteed to. With both targets that is one cutoff for both at once, each with half of the error; where
    there is none, pairs between two cutoffs are left to people. A rule that is given decides instead, within
    what the targets beside it leave.

    Parameters
    ----------
    observations : Observations
    counts : Counts
        Of these, at the live prevalence.
    asked : Options
    """
    tested = verdict_on_today(observations, asked)
    precision = missed = zone = closest = None
    if asked.target_precision is not None:
        precision = guarantee_precision(observations, asked.target_precision, **asked.tested)
    if asked.target_missed is not None:
        missed = guarantee_missed(observations, asked.target_missed, **asked.tested)
    if asked.target_precision is not None and asked.target_missed is not None:
        zone = grey_zone(observations, asked.target_precision, asked.target_missed, **asked.tested)
    choice = choose(counts, asked.chooses_by, confidence=asked.confidence)
    kept = tested is not None and tested.answer == "kept"
    if asked.rule is not None:
        cutoff = choice.cutoff if _is_shown(choice.cutoff, precision, missed, zone) else None
        kept = cutoff is not None and asked.today is not None and _same(observations, cutoff, asked.today)
    elif zone is not None:
        cutoff = zone.one_cutoff
    else:
        leading = precision or missed
        cutoff = None if leading is None else leading.cutoff
    if kept:
        cutoff = asked.today
    kind: Literal["keep", "move", "grey_zone", "none"] = (
        "keep" if kept else "none" if cutoff is None else "move"
    )
    if zone is not None and asked.rule is None and cutoff is None:
        closest = _closest(observations, counts, asked)
        if (zone.reject_to, zone.accept_from) != (None, None):
            kind = "grey_zone"
    # Scores are cosines; a cutoff beyond them would decide as the last of them does.
    cutoff = None if cutoff is None else min(max(cutoff, -1.0), 1.0)
    return Advice(kind, cutoff, asked, tested, choice, precision, missed, zone, closest)


def _together(lacking: list[FurtherPairs | None]) -> tuple[int, int | None] | None:
    """How many more pairs give all that is lacking, as far as that is known."""
    known = [each for each in lacking if each is not None and each.even is not None]
    if not known or len(known) < len(lacking):
        return None
    likely = [each.likely for each in known if each.likely is not None]
    return max(each.even or 0 for each in known), max(likely) if len(likely) == len(known) else None


def _many(further: tuple[int, int | None]) -> str:
    even, likely = further
    if likely is None:
        return _("at least {even}").format(even=f"{even:,}")
    return _("about {even} to {likely}").format(even=f"{even:,}", likely=f"{likely:,}")


def _is_shown(
    cutoff: float | None, precision: Guarantee | None, missed: Guarantee | None, zone: GreyZone | None
) -> bool:
    """Whether a cutoff lies where all that was asked for is guaranteed."""
    if cutoff is None:
        return False
    above, below = (precision, missed) if zone is None else (zone.precision, zone.missed)
    high_enough = above is None or (above.cutoff is not None and cutoff >= above.cutoff)
    low_enough = below is None or (below.cutoff is not None and cutoff <= below.cutoff)
    return high_enough and low_enough


def _same(observations: Observations, one: float, other: float) -> bool:
    """Whether two cutoffs decide every pair alike."""
    return not np.any((observations.scores > one) != (observations.scores > other))


def _closest(observations: Observations, counts: Counts, asked: Options) -> Verdict | None:
    """The test of the cutoff that looks as if it met both targets by most; None where none looks so."""
    assert asked.target_precision is not None
    assert asked.target_missed is not None
    by_how_much = np.minimum(
        (counts.figure("precision") - asked.target_precision) / (1 - asked.target_precision),
        1 - counts.figure("false_omission_rate") / asked.target_missed,
    )
    by_how_much = np.nan_to_num(by_how_much, nan=-1.0)
    best = int(np.argmax(by_how_much))
    if by_how_much[best] < 0:
        return None
    targets = {"target_precision": asked.target_precision, "target_missed": asked.target_missed}
    how: dict[str, Any] = {**targets, **asked.live, "label_error": asked.label_error}
    return verdict(observations, float(counts.cutoffs[best]), **how)


def _one_is_not_enough(zone: GreyZone) -> list[str]:
    """What either end would cost as the only cutoff."""
    precision, missed = percent(zone.precision.target), percent(zone.missed.target)
    said = []
    if zone.accept_from is not None and zone.missed_with_one is not None:
        said.append(
            _(
                "With {cutoff} alone, {share} of the pairs at or below it would be missed, which is not "
                "shown to be at most {target}."
            ).format(cutoff=number(zone.accept_from), share=zone.missed_with_one, target=missed)
        )
    if zone.reject_to is not None and zone.precision_with_one is not None:
        said.append(
            _(
                "With {cutoff} alone, {share} of the pairs above it are labelled a match, which is not shown "
                "to be at least {target}."
            ).format(cutoff=number(zone.reject_to), share=zone.precision_with_one, target=precision)
        )
    return said
