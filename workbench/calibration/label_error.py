"""Labels that may be wrong: what is allowed for, how it is estimated from double labels, and what it costs.

"Right" can only mean "labelled a match". Of pairs of which the share p are matches, the share
``p (1 - b) + (1 - p) a`` is labelled a match, where a is the share of non-matches that are labelled a match
and b that of matches that are not [1]_. A target for the truth is tested as the target for labels that it
comes to with the worst a and b allowed for. They are meant for the pairs on the tested side of the cutoff: if
hard pairs are labelled wrongly more often, and lie there, an allowance must be as large as their error.

References
----------
.. [1] Rogan & Gladen (1978), Estimating prevalence from the results of a screening test, American Journal of
   Epidemiology 107, 71-76.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal

import numpy as np

from workbench.calibration.observations import Observations
from workbench.calibration.shares import scale_odds, wilson
from workbench.errors import InputError
from workbench.i18n import gettext as _
from workbench.i18n import percent
from workbench.results import Result

ANNOTATORS = "annotators"
# How labels were resolved: how often one so resolved is wrong where one person's is in the share e.
RESOLVED: dict[str, Callable[[float], float]] = {
    "single": lambda e: e,
    "adjudicated": lambda e: 3 * e**2 - 2 * e**3,
    "unanimous": lambda e: e**2 / (e**2 + (1 - e) ** 2),
}


@dataclass(frozen=True)
class LabelError(Result):
    """How often labels may be wrong, at most and at least.

    Attributes
    ----------
    false_match : float
        At most this share of pairs that are no match is labelled a match, a.
    missed_match : float
        At most this share of matches is labelled no match, b.
    false_match_least, missed_match_least : float
        At least so many are; more than 0 makes targets easier to meet, and so needs a reason.

    Examples
    --------
    >>> LabelError(0.02, 0.02).false_match
    0.02
    """

    false_match: float = 0.0
    missed_match: float = 0.0
    false_match_least: float = 0.0
    missed_match_least: float = 0.0

    def __post_init__(self) -> None:
        a, b, least_a, least_b = astuple(self)
        if not (0 <= least_a <= a < 0.5 and 0 <= least_b <= b < 0.5):
            raise InputError(
                _(
                    "label_error is {given}; it holds shares of wrong labels, from 0 to under 0.5: one for "
                    "both kinds, or two, of non-matches labelled a match and of matches labelled no match."
                ).format(given=_listed(a, b))
            )

    @classmethod
    def from_double_labels(
        cls,
        both: int,
        differ: int,
        neither: int,
        *,
        alike: bool = False,
        resolved: Literal["single", "adjudicated", "unanimous"] = "single",
        confidence: float = 0.95,
    ) -> LabelError:
        """Estimate it from twos of labels that people gave independently.

        People are taken to err equally often, and independently of each other and of the score, given what
        is true. Mistakes that they share do not show, and come on top.

        Parameters
        ----------
        both, differ, neither : int
            Twos that both say "match", that differ, and that both say "no match".
        alike : bool
            By default nothing is known at least; and at most ``differ / (differ + 2 neither)`` of non-matches
            are labelled a match, and ``differ / (differ + 2 both)`` of matches are not, which is what it
            would be if only labels of that kind were wrong. If matches and non-matches are known to be
            labelled wrongly equally often, e, then ``d = 2 e (1 - e)`` differ, and the interval of d gives e
            at least and at most: more cutoffs are found, but guarantees do not hold if only non-matches
            are labelled wrongly (docs/simulations/label_error.md).
        resolved : {"single", "adjudicated", "unanimous"}
            How one label came about: one person's; that on which two agree, or else a third one's; that on
            which two agree.
        confidence : float
            Two-sided, of the intervals (Wilson).

        Examples
        --------
        >>> found = LabelError.from_double_labels(380, 40, 580, alike=True)
        >>> f"{found.false_match_least:.3f} {found.false_match:.3f}"
        '0.015 0.028'
        """
        total = both + differ + neither
        if not total:
            raise InputError(
                _(
                    "No pair has two labels that people gave independently, so how often labels are wrong "
                    "cannot be estimated; give it as a number."
                )
            )
        wrong = RESOLVED[resolved]
        if alike:
            low, high = (wrong(flip_rate(float(d))) for d in wilson(differ / total, total, confidence))
            _refuse_ignorance(high, total)
            return cls(high, high, low, low)
        # Where a = differ / (differ + 2 agreeing), c = 2 a / (1 + a) differ among those two kinds.
        at_most = []
        for agreeing in (neither, both):
            n = differ + agreeing
            c = float(wilson(differ / n, n, confidence)[1]) if n else 1.0
            at_most.append(wrong(c / (2 - c)))
        _refuse_ignorance(max(at_most), total)
        return cls(*at_most)

    @classmethod
    def read(cls, given: LabelErrorLike, resolution: Mapping[str, Any] | None = None) -> LabelError:
        """From what a user gives: a share for both kinds, a pair of them, or ``"annotators"``.

        Parameters
        ----------
        given : float, pair of float, LabelError, "annotators" or None
        resolution : mapping, optional
            How labels were resolved, with the counts of double labels, for ``"annotators"``: what
            ``read_pairs`` notes in ``attrs["resolution"]``.
        """
        match given:
            case None:
                return cls()
            case LabelError():
                return given
            case str() if given == ANNOTATORS:
                return cls.from_resolution(resolution or {})
            case int() | float():
                return cls(float(given), float(given))
            case [float() | int() as a, float() | int() as b]:
                return cls(float(a), float(b))
        raise InputError(
            _("label_error is {given}; it is a share, two of them, or 'annotators'.").format(
                given=repr(given)
            )
        )

    @classmethod
    def from_resolution(cls, resolution: Mapping[str, Any]) -> LabelError:
        """From the double labels that a resolution counted; the two kinds of error are not taken as alike."""
        counts = {"both": 0, "differ": 0, "neither": 0, **(resolution.get("double_labels") or {})}
        twice = resolution.get("how") in ("adjudicated", "unanimous") and not resolution.get("n_single")
        return cls.from_double_labels(**counts, resolved=resolution["how"] if twice else "single")

    @classmethod
    def from_evidence(cls, evidence: Mapping[str, Any]) -> LabelError:
        """What the guarantees, or the verdict, of a card allowed for."""
        for found in (*(evidence.get("guarantees") or []), evidence.get("verdict") or {}):
            if found.get("label_error"):
                return cls(**found["label_error"])
        return cls()

    @property
    def any(self) -> bool:
        """Whether anything is allowed for."""
        return self.false_match > 0 or self.missed_match > 0

    def sentence(self) -> str:
        """What is allowed for, in words."""
        return _(
            "Allowed for wrong labels: {false} of pairs that are no match labelled a match, {missed} of "
            "matches labelled no match."
        ).format(
            false=_range(self.false_match_least, self.false_match),
            missed=_range(self.missed_match_least, self.missed_match),
        )

    def __repr__(self) -> str:
        return f"<LabelError: {self.sentence()}>"


LabelErrorLike = float | tuple[float, float] | Sequence[float] | LabelError | Literal["annotators"] | None


@dataclass(frozen=True)
class CarriedTarget:
    """A target for live pairs, carried over to labelled ones, and to their labels.

    Attributes
    ----------
    target : float
        Share of matches among live pairs.
    factor : float
        Of the odds of a match, from live pairs to labelled ones.
    a, b : float
        Shares of non-matches labelled a match, and of matches labelled no match, that are worst for showing
        it.
    """

    target: float
    factor: float = 1.0
    a: float = 0.0
    b: float = 0.0

    @property
    def in_labels(self) -> float:
        """The share labelled a match that it comes to."""
        in_pairs = float(scale_odds(self.target, self.factor))
        return in_pairs * (1 - self.b) + (1 - in_pairs) * self.a if self.a or self.b else in_pairs

    def live(self, labelled: float) -> float:
        """A share labelled a match, carried the other way: true matches among live pairs."""
        if self.a or self.b:
            labelled = float(np.clip((labelled - self.a) / (1 - self.a - self.b), 0.0, 1.0))
        return float(scale_odds(labelled, 1 / self.factor))

    def as_labelled(self, labelled: float) -> float:
        """A share labelled a match as it would be among live pairs, were they labelled."""
        return float(scale_odds(labelled, 1 / self.factor))


def carried(
    target: float,
    observations: Observations,
    prevalence: float | None,
    error: LabelError,
    *,
    at_least: bool,
) -> CarriedTarget:
    """The target that labels must show, for the truth among live pairs of `prevalence` to meet `target`.

    The odds of a match among pairs of equal score change by one factor between two populations whose
    matches, and whose others, score alike (label shift). The labelled pairs' own share of matches is itself
    known from labels only, and is taken at its worst too.

    Parameters
    ----------
    at_least : bool
        Whether a share of at least the target is to be shown, or of at most.
    """
    a, b = (
        (error.false_match, error.missed_match_least)
        if at_least
        else (error.false_match_least, error.missed_match)
    )
    if prevalence is None:
        return CarriedTarget(target, 1.0, a, b)
    seen = observations.prevalence
    if error.any:
        # The more matches there are among the labelled pairs, the more of them must show.
        low_a, high_b = (
            (error.false_match_least, error.missed_match)
            if at_least
            else (error.false_match, error.missed_match_least)
        )
        seen = (seen - low_a) / (1 - low_a - high_b)
    if not 0 < seen < 1:
        raise InputError(
            _("With pairs of one class only, nothing can be said about another prevalence.")
            if not error.any
            else _(
                "With so many wrong labels, pairs might be of one class only, and nothing can be said about "
                "another prevalence."
            )
        )
    return CarriedTarget(target, (seen / (1 - seen)) / (prevalence / (1 - prevalence)), a, b)


def not_allowed_for(resolution: Mapping[str, Any]) -> str | None:
    """What double labels say about wrong ones, where nothing was allowed for; None where they say nothing."""
    counts = resolution.get("double_labels") or {}
    if not counts.get("differ"):
        return None
    try:
        error = LabelError.from_resolution(resolution)
    except InputError:
        return None
    return _(
        "Mind: two people's labels of one pair differ in {differ} of {n} cases, so that {false} of pairs "
        "that are no match may be labelled a match, and {missed} of matches no match; mistakes that both "
        "make do not show. Nothing is allowed for this: a match is what is labelled one, until a label "
        "error is given, or annotators to estimate it."
    ).format(
        differ=counts["differ"],
        n=sum(counts.values()),
        false=_range(0.0, error.false_match),
        missed=_range(0.0, error.missed_match),
    )


def flip_rate(disagreement: float) -> float:
    """The share of wrong labels, e, with which so many of two labels differ: ``2 e (1 - e)``."""
    return (1 - math.sqrt(max(1 - 2 * disagreement, 0.0))) / 2


def _refuse_ignorance(at_most: float, n: int) -> None:
    if at_most >= 0.5:
        raise InputError(
            _(
                "From {n} double labels, labels may be wrong as often as right; let two people label more "
                "pairs, or give the share of wrong labels as a number."
            ).format(n=n)
        )


def _range(least: float, most: float) -> str:
    if not most:
        return _("none")
    if not least:
        return _("up to {most}").format(most=_rounded(most))
    return _("{least} to {most}").format(least=_rounded(least), most=_rounded(most))


def _rounded(share: float) -> str:
    return percent(float(f"{share:.2g}"), None)


def _listed(a: float, b: float) -> str:
    return f"{a:g}" if a == b else f"{a:g}, {b:g}"
