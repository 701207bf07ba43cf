"""Does a cutoff still hold? New pairs against its card: labelled ones test what it promises, all of them
show whether scores have moved.

What scores alone let one expect is in :mod:`workbench.calibration.estimation`; it warns, and decides nothing.
Promises are read in :mod:`workbench.calibration.evidence`; the tests are in
:mod:`workbench.calibration.verdicts` and :mod:`workbench.calibration.sequential`, the comparison of scores in
:mod:`workbench.calibration.shift`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.calibration.counts import check_share
from workbench.calibration.estimation import EstimatedPerformance, estimate_performance
from workbench.calibration.evidence import Promise, promises_of
from workbench.calibration.label_error import LabelError
from workbench.calibration.observations import AUTO, Observations, check_column
from workbench.calibration.pair_kinds import alike
from workbench.calibration.sequential import SequentialTest
from workbench.calibration.shares import share_with_size, wilson
from workbench.calibration.shift import ScoreProfile, ScoreShift, score_shift
from workbench.calibration.streams import Stream
from workbench.calibration.verdicts import TargetTest, Verdict, verdict
from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import N_, language, number, percent
from workbench.i18n import gettext as _
from workbench.pair_hashes import content_hash
from workbench.results import Result

ANSWERS = {
    True: N_("The cutoff {cutoff} still holds."),
    False: N_("The cutoff {cutoff} no longer holds."),
    None: N_("These pairs are not enough to say whether the cutoff {cutoff} still holds."),
}
FIGURES = {"precision": N_("Precision"), "false_omission_rate": N_("Missed")}
SOURCES = {
    "guaranteed": N_("guaranteed by the card"),
    "measured": N_("the worse end of the card's interval"),
    "given": N_("the target given"),
}


@dataclass(frozen=True, eq=False, repr=False)
class CheckResult(Result):
    """Whether a cutoff still holds, and why.

    Attributes
    ----------
    holds : bool or None
        True if new labels show that every promise is met; False if they show that one is not met, or if
        there is no such proof and scores have moved much; None if these pairs do not say.
    cutoff : float
    promises : tuple of Promise
    tested : Verdict, tuple of SequentialTest, or None
        All labelled pairs at once, or one promise each while they came in; None without labels.
    shift : ScoreShift or None
        None where the card has no profile of scores.
    estimated : EstimatedPerformance or None
        What the scores of all pairs let one expect without labels: an early warning, which has no say in
        `holds`. None where the card has no probabilities, or there are too few JDs to draw from.
    n_labelled, n_unlabelled : int
    prevalence_moved : tuple of float or None
        Share of matches that the card's figures are for, and that among the new labelled pairs, where these
        differ by more than chance.
    same_pairs : bool
        Whether the labelled pairs are the ones that the card was made from: these prove nothing.
    encoder_known : bool
        Whether the pairs say that the card's encoder scored them.
    confidence : float
    n_hard : int
        Pairs composed to be hard, left out because the card is of everyday ones.
    """

    holds: bool | None
    cutoff: float
    promises: tuple[Promise, ...]
    tested: Verdict | tuple[SequentialTest, ...] | None
    shift: ScoreShift | None
    estimated: EstimatedPerformance | None
    n_labelled: int
    n_unlabelled: int
    prevalence_moved: tuple[float, float] | None
    same_pairs: bool
    encoder_known: bool
    confidence: float
    n_hard: int = 0

    @property
    def tests(self) -> Sequence[TargetTest | SequentialTest]:
        """The test of each promise; none without labels."""
        return _tests(self.tested)

    @property
    def answer(self) -> str:
        """Whether it holds, in a sentence."""
        return _(ANSWERS[self.holds]).format(cutoff=number(self.cutoff))

    @property
    def reasons(self) -> list[str]:
        """Why, one sentence each."""
        shift = [] if self.shift is None else [self.shift.sentence()]
        return [*self._tested(), *shift, *self._expected(), *self._notes()]

    @property
    def early_warnings(self) -> list[str]:
        """What scores alone say against a promise, one sentence each; no proof."""
        return [
            _(
                "Early warning, from scores alone: {figure} is expected to be {expected}, {target} is "
                "promised. Label new pairs to know."
            ).format(
                figure=_(FIGURES[promise.figure]),
                expected=getattr(self.estimated, promise.figure),
                target=percent(promise.value),
            )
            for promise in self.promises
            if self.estimated is not None and self.estimated.warns_of(promise.figure, promise.value)
        ]

    def summary(self) -> str:
        """The answer and the reasons, one a line."""
        return "\n".join([self.answer, *self.reasons])

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return render("calibration/result.html", answer=self.answer, sentences=self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the reasons in English."""
        with language("en"):
            reasons = self.reasons
            warned = self.early_warnings
        return super().to_dict() | {
            "sequential": isinstance(self.tested, tuple),
            "early_warnings": warned,
            "reasons": reasons,
        }

    def _tested(self) -> list[str]:
        if self.tested is None:
            return [
                _(
                    "None of the {n} pairs is labelled, so that what the card promises cannot be tested; "
                    "only scores are compared."
                ).format(n=self.n_unlabelled)
            ]
        return [
            _("{figure}: {test} ({source}).").format(
                figure=_(FIGURES[promise.figure]),
                test=test.phrase(self.confidence),
                source=_(SOURCES[promise.source]),
            )
            for promise, test in zip(self.promises, self.tests, strict=True)
        ]

    def _expected(self) -> list[str]:
        return [] if self.estimated is None else [*self.early_warnings, self.estimated.sentence()]

    def _notes(self) -> list[str]:
        notes = []
        if self.n_hard:
            notes.append(
                _("{n} pairs composed to be hard were left out, as for the card.").format(
                    n=f"{self.n_hard:,}"
                )
            )
        if self.same_pairs:
            notes.append(
                _(
                    "Mind: these are the very pairs that the card was made from, which cannot show that it "
                    "still holds; take new ones."
                )
            )
        if self.prevalence_moved is not None:
            before, now = map(percent, self.prevalence_moved)
            notes.append(
                _(
                    "Mind: {now} of the new labelled pairs are matches, the card's figures are for {before}, "
                    "and precision moves with it; if the new pairs are no fair sample of live ones, give "
                    "prevalence."
                ).format(now=now, before=before)
            )
        if self.shift is None:
            notes.append(
                _("Mind: the card keeps no profile of scores, so that scores could not be compared.")
            )
        if not self.encoder_known:
            notes.append(_("Mind: these pairs do not say which encoder scored them."))
        return notes


def check(
    card: Cutoff,
    scored: pd.DataFrame,
    *,
    target_precision: float | None = None,
    target_missed: float | None = None,
    sequential: bool = False,
    time: str | None = None,
    most_per_jd: int | None = None,
    confidence: float = 0.95,
    prevalence: float | None = None,
    score: str = "score",
    label: str = "label",
    weight: str | None = AUTO,
    cluster: str | None = AUTO,
    seed: int = 0,
) -> CheckResult:
    """Hold new pairs against a cutoff card.

    Labelled pairs test what the card promises: all at once, by exact tests with three answers (as
    :func:`~workbench.calibration.verdicts.verdict`), or by bets on one JD after another that allow looking
    as often as one likes (:func:`~workbench.calibration.sequential.sequential_test`). Scores of all pairs,
    labelled or not, are compared with those that the card was made from.

    Parameters
    ----------
    card : Cutoff
        Read with :meth:`Cutoff.load <workbench.cutoffs.Cutoff.load>`.
    scored : DataFrame
        New pairs with the columns `score`, and `label` as far as there are labels (missing values for the
        others); scored by the card's encoder.
    target_precision, target_missed : float, optional
        Test these instead of what the card promises.
    sequential : bool
        For labelled pairs that keep coming in, with a check after each batch: give all that came since the
        card was made. A fixed test may be made once; made again and again it would fail a good cutoff sooner
        or later.
    time : str, optional
        Column that says when each labelled pair came (such as ``labelled_at``), needed for a sequential
        check: rows of a file are in no such order. Dates as ``2026-03-31``, or numbers.
    most_per_jd : int, optional
        For how many pairs on one side of the cutoff a JD counts at most in a sequential check, fixed before
        any of these pairs was seen; by default twice the most that a JD had there among the card's own.
    confidence : float
        A cutoff that keeps all promises fails this check with probability 1 - confidence at most as far as
        labels go; one that breaks one passes with that probability at most.
    prevalence : float, optional
        Share of matches among live pairs, where the new labelled pairs are no fair sample of them; what the
        card promises is carried over to it.
    score, label, weight, cluster : str
        Columns; see :meth:`Observations.from_frame`.
    seed : int
        For the chance level of PSI.

    Raises
    ------
    EncoderMismatchError
        If the pairs were scored by another encoder.
    InputError
        If there are no pairs, a column or value cannot be used, or the card promises nothing.
    CardError
        If the card's profile of scores is damaged.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> promised = {"figure": "precision", "target": 0.9, "cutoff": 0.5}
    >>> card = Cutoff(0.5, evidence={"guarantees": [promised]})
    >>> new = pd.DataFrame({"score": np.full(200, 0.7), "label": rng.random(200) < 0.75})
    >>> check(card, new).holds
    False
    """
    check_share(confidence, "confidence", _("the confidence of the check"))
    noted = scored.attrs.get("encoder") or {}
    if noted.get("fingerprint"):
        card.check_encoder(str(noted.get("name")), str(noted["fingerprint"]))
    check_column(
        scored, score, _("The pairs have no column {column}; score them with the card's encoder first.")
    )
    if not len(scored):
        raise InputError(_("There are no pairs to check the cutoff with."))
    if prevalence is not None and card.measured_prevalence is not None:
        card = card.at_prevalence(prevalence)
    scored, n_hard = alike(scored, card)
    promises = promises_of(card, target_precision=target_precision, target_missed=target_missed)
    has_label = scored[label].notna() if label in scored.columns else pd.Series(False, index=scored.index)
    labelled = scored[has_label.to_numpy()]

    columns: dict[str, Any] = {"score": score, "weight": weight, "cluster": cluster}
    # Labels play no part in how scores lie; the frame is only read and checked as one of labelled pairs is.
    live = Observations.from_frame(scored.assign(**{"label": 0}), **columns)
    shift = _shift(card, live, confidence, seed)
    tested: Verdict | tuple[SequentialTest, ...] | None = None
    moved, same = None, False
    if len(labelled):
        observations = Observations.from_frame(labelled, label=label, **columns)
        if sequential:
            if _allowed_for(card, promises).any:
                raise InputError(
                    _(
                        "The card allows for wrong labels, which a check that goes on does not; make it "
                        "at once, or give the targets that labels as they are shall meet."
                    )
                )
            stream = Stream(time, most_per_jd, prevalence)
            tested = stream.tests(labelled, columns | {"label": label}, card, promises, confidence)
        else:
            tested = _at_once(observations, card, promises, prevalence, confidence)
        moved = _prevalence_moved(card, observations, confidence) if prevalence is None else None
        same = _same_pairs(card, labelled.rename(columns={label: "label"}))
    return CheckResult(
        holds=_holds(tested, shift, same),
        cutoff=float(card.value),
        promises=promises,
        tested=tested,
        shift=shift,
        estimated=_estimated(card, live, seed),
        n_labelled=len(labelled),
        n_unlabelled=len(scored) - len(labelled),
        prevalence_moved=moved,
        same_pairs=same,
        encoder_known=bool(noted.get("fingerprint")),
        confidence=confidence,
        n_hard=n_hard,
    )


def _at_once(
    observations: Observations,
    card: Cutoff,
    promises: tuple[Promise, ...],
    prevalence: float | None,
    confidence: float,
) -> Verdict:
    targets = {promise.figure: promise.value for promise in promises}
    return verdict(
        observations,
        card.value,
        target_precision=targets.get("precision"),
        target_missed=targets.get("false_omission_rate"),
        confidence=confidence,
        prevalence=prevalence,
        label_error=_allowed_for(card, promises),
    )


def _allowed_for(card: Cutoff, promises: tuple[Promise, ...]) -> LabelError:
    """What the card's guarantees allowed for; nothing where a promise is in labels as they are."""
    guaranteed = all(promise.source == "guaranteed" for promise in promises)
    return LabelError.from_evidence(card.evidence) if guaranteed else LabelError()


def _tests(
    tested: Verdict | tuple[SequentialTest, ...] | None,
) -> Sequence[TargetTest | SequentialTest]:
    return tested.tests if isinstance(tested, Verdict) else tested or ()


def _holds(
    tested: Verdict | tuple[SequentialTest, ...] | None, shift: ScoreShift | None, same_pairs: bool
) -> bool | None:
    answers = {test.answer for test in _tests(tested)}
    if "failed" in answers:
        return False
    if answers == {"met"}:
        return None if same_pairs else True
    return False if shift is not None and shift.serious else None


def _shift(card: Cutoff, live: Observations, confidence: float, seed: int) -> ScoreShift | None:
    stored = card.evidence.get("scores")
    if stored is None:
        return None
    return score_shift(
        ScoreProfile.from_dict(stored),
        live.scores,
        weights=live.weights,
        clusters=live.clusters,
        cutoff=card.value,
        confidence=confidence,
        seed=seed,
    )


def _estimated(card: Cutoff, live: Observations, seed: int) -> EstimatedPerformance | None:
    if card.evidence.get("probability") is None or (live.n_clusters or len(live)) < 2:
        return None
    prevalence = card.prevalence if "used_at" in card.evidence else None
    return estimate_performance(card, live.scores, clusters=live.clusters, prevalence=prevalence, seed=seed)


def _prevalence_moved(
    card: Cutoff, observations: Observations, confidence: float
) -> tuple[float, float] | None:
    before = card.prevalence
    if before is None:
        return None
    share, size = share_with_size(observations.labels.astype(np.float64), observations)
    low, high = wilson(share, size, confidence)
    return None if low <= before <= high else (before, share)


def _same_pairs(card: Cutoff, labelled: pd.DataFrame) -> bool:
    stored = (card.evidence.get("pairs") or {}).get("content_hash")
    if stored is None or not {"jd", "resume"} <= set(labelled.columns):
        return False
    return bool(content_hash(labelled) == stored)
