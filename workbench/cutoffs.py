"""The cutoff and its card: a number that is never parted from the encoder and evidence behind it.

Only the value object and its file live here; how a cutoff is found is in :mod:`workbench.calibration`.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.asking import with_option
from workbench.atomic import write_whole
from workbench.errors import CardError, CardWarning, EncoderMismatchError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import number, percent
from workbench.settings import LITERATURE_CUTOFF

SCHEMA = "jd-resume-workbench/cutoff-card"
SCHEMA_VERSION = 1

SHIPPED = Path(__file__).parent / "data" / "cards"
# Where nobody gave a prevalence, what would be seen at this one is said beside: few of those who apply fit.
FEW = 0.05
# An estimated prevalence may begin at 0 and end at 1, where odds end.
NEVER = 1e-9


class CardFigure(NamedTuple):
    """A share that a card knows, with its interval, at the card's prevalence."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return _("{share} ({low}–{high})").format(
            share=percent(self.value), low=f"{100 * self.low:.1f}", high=f"{100 * self.high:.1f}"
        )


@dataclass(frozen=True)
class Cutoff:
    """A similarity above which a pair counts as a match, with what it was measured on.

    Attributes
    ----------
    value : float
        ``score > value`` is a match, ``score <= value`` is not.
    encoder_name, fingerprint : str or None
        The encoder that the cutoff is valid for; None where nobody measured it for one.
    evidence : mapping
        JSON-serialisable: pairs, cleaning, method, figures with intervals, versions, date.
    frozen : str
        What its scorer froze of the labelled documents, as of :func:`workbench.frozen.as_text`: with it the
        scorer gives the scores that the cutoff is valid for. Empty where a scorer freezes nothing.

    Examples
    --------
    >>> cutoff = Cutoff(0.4)
    >>> cutoff.is_match([0.39, 0.4, 0.41]).tolist()
    [False, False, True]
    """

    value: float
    encoder_name: str | None = None
    fingerprint: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict, repr=False)
    frozen: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        # bool is an int, and True would pass for a cutoff of 1.0
        if isinstance(self.value, bool) or not isinstance(self.value, Real) or not -1 <= self.value <= 1:
            raise InputError(
                _(
                    "A cutoff is a number from -1 to 1 (cosine similarity), not {value}; scores in percent "
                    "must be divided by 100."
                ).format(value=repr(self.value))
            )

    def __float__(self) -> float:
        return float(self.value)

    @property
    def is_calibrated(self) -> bool:
        """Whether the cutoff was measured for an encoder."""
        return self.fingerprint is not None

    @property
    def is_of_lines(self) -> bool:
        """Whether it was measured on pairs of which most are single lines, as far as the card tells.

        Scores of whole documents lie elsewhere: a cutoff does not carry over between text lengths.
        """
        pairs = self.evidence.get("pairs")
        pairs = pairs if isinstance(pairs, Mapping) else {}
        n_documents = (pairs.get("reading") or {}).get("documents", 0)
        measured = self.is_calibrated or bool(self.evidence.get("literature"))
        return measured and 2 * n_documents < (pairs.get("n") or 1)

    def is_match(self, scores: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each score lies above the cutoff; any shape."""
        return np.asarray(scores) > self.value

    @property
    def is_demonstration(self) -> bool:
        """Whether the card came with the workbench: measured on its demonstration pairs, not on yours."""
        return bool(self.evidence.get("demonstration"))

    @property
    def measured_prevalence(self) -> float | None:
        """Share of matches that the evidence is for: that among the labelled pairs, unless one was given."""
        found = (self.evidence.get("live") or {}).get("prevalence")
        if found is None:
            found = (self.evidence.get("probability") or {}).get("prevalence")
        return None if found is None else float(found)

    @property
    def prevalence(self) -> float | None:
        """Share of matches that probabilities and precision are told for; None for a bare number."""
        used = self.evidence.get("used_at")
        return self.measured_prevalence if used is None else float(used["prevalence"])

    @property
    def prevalence_is(self) -> Literal["labelled", "given", "estimated"]:
        """Where the prevalence is from: the labelled pairs, somebody's word, or unlabelled live scores."""
        used = self.evidence.get("used_at")
        if used is not None:
            return "given" if used["between"] is None else "estimated"
        return "given" if (self.evidence.get("live") or {}).get("given") else "labelled"

    def at_prevalence(self, prevalence: float, *, between: tuple[float, float] | None = None) -> Cutoff:
        """The same card for pairs of which another share are matches.

        The evidence stays as it was measured; what is read from it (:meth:`carried`) is for this prevalence.
        It is right if matches, and others, score there as among the labelled pairs, only in other numbers.

        Parameters
        ----------
        prevalence : float
            Between 0 and 1.
        between : tuple of float, optional
            Its interval, if it was estimated; see :func:`workbench.estimate_prevalence`.

        Raises
        ------
        InputError
            If it is no share or outside its interval, or the cutoff is a bare number.

        Examples
        --------
        >>> figures = {"precision": {"value": 0.91, "low": 0.88, "high": 0.94}}
        >>> card = Cutoff(0.5, evidence={"figures": figures, "live": {"prevalence": 0.4}})
        >>> print(card.at_prevalence(0.01).figure("precision"))
        13.3 % (10.0–19.2)
        """
        if isinstance(prevalence, bool) or not isinstance(prevalence, Real) or not 0 < prevalence < 1:
            raise InputError(
                _(
                    "prevalence is {value}; it is the share of matches among the pairs that come in, "
                    "between 0 and 1."
                ).format(value=repr(prevalence))
            )
        if between is not None and not 0 <= between[0] <= prevalence <= between[1] <= 1:
            raise InputError(
                _("The prevalence {share} is outside its own interval, {low} to {high}.").format(
                    share=percent(prevalence), low=percent(between[0]), high=percent(between[1])
                )
            )
        if self.measured_prevalence is None:
            raise InputError(
                _(
                    "The cutoff {cutoff} is a bare number: nothing is known of it that prevalence could "
                    "change; take a cutoff card."
                ).format(cutoff=number(self.value))
            )
        used = {"prevalence": float(prevalence), "between": None if between is None else list(between)}
        return replace(self, evidence={**self.evidence, "used_at": used})

    def carried(
        self, value: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Shares of matches and their intervals, from the prevalence they were measured at to the card's.

        The odds of a match change by one factor [1]_. Where the prevalence has an interval of its own, the
        lower ends are for its lower end, the upper ends for its upper.

        References
        ----------
        .. [1] Elkan (2001), The foundations of cost-sensitive learning, IJCAI, 973-978, theorem 2.
        """
        shares = [np.asarray(each, dtype=np.float64) for each in (value, low, high)]
        used, measured = self.evidence.get("used_at"), self.measured_prevalence
        if used is not None and measured is not None:
            at = used["prevalence"]
            ends = np.clip([at, *(used["between"] or (at, at))], NEVER, 1 - NEVER)
            factors = ends / (1 - ends) / (measured / (1 - measured))
            shares = [
                factor * share / (1 - share + factor * share)
                for share, factor in zip(shares, factors, strict=True)
            ]
        return shares[0], shares[1], shares[2]

    def figure(self, name: Literal["precision", "false_omission_rate", "recall"]) -> CardFigure | None:
        """A figure at the cutoff, with its interval, at the card's prevalence; None where it has none."""
        found = (self.evidence.get("figures") or {}).get(name) or {}
        ends = [found[end] for end in ("value", "low", "high") if found.get(end) is not None]
        if len(ends) < 3:
            return None
        if name == "recall":
            return CardFigure(*ends)
        return CardFigure(*(float(end) for end in self.carried(*ends)))

    def origin(self) -> str:
        """The cutoff, and what is behind it, in a sentence."""
        said = (
            _("Cutoff {cutoff}, from the workbench's demonstration pairs, everyday ones; not your data.")
            if self.is_demonstration
            else _("Cutoff {cutoff}, calibrated for this encoder.")
            if self.is_calibrated
            else _("Cutoff {cutoff}, not calibrated.")
        )
        return said.format(cutoff=number(self.value))

    def holds_for(self) -> str | None:
        """What precision to expect above the cutoff, and for which prevalence; None for a bare number."""
        prevalence, precision = self.prevalence, self.figure("precision")
        if prevalence is None or precision is None:
            return None
        said = {
            "labelled": _(
                "Above it {precision} are matches where {share} of all pairs are, as labelled. Live it is "
                "usually far fewer: where {few} are, it is {then}."
            ),
            "given": _("Above it {precision} are matches where {share} of all pairs are, as given."),
            "estimated": _(
                "Above it {precision} are matches where {share} of all pairs are, as estimated from live "
                "scores ({low} to {high})."
            ),
        }[self.prevalence_is]
        low, high = (self.evidence.get("used_at") or {}).get("between") or (prevalence, prevalence)
        told = said.format(
            precision=precision,
            share=percent(prevalence),
            few=percent(FEW, None),
            then=self.at_prevalence(FEW).figure("precision"),
            low=percent(low),
            high=percent(high),
        )
        return with_option(told, "prevalence", FEW) if self.prevalence_is == "labelled" else told

    def check_encoder(self, name: str, fingerprint: str) -> None:
        """Refuse an encoder other than the card's.

        Raises
        ------
        EncoderMismatchError
            If the cutoff was calibrated for another fingerprint.
        """
        if self.fingerprint is not None and self.fingerprint != fingerprint:
            raise EncoderMismatchError(
                _(
                    "This cutoff ({cutoff}) was calibrated for {card_name} [{card_fingerprint}], not for "
                    "{name} [{fingerprint}]. Scores of different encoders, instructions, dimensions or "
                    "precisions lie on different scales: load the card's encoder, or calibrate for this one."
                ).format(
                    cutoff=number(self.value),
                    card_name=self.encoder_name,
                    card_fingerprint=self.fingerprint,
                    name=name,
                    fingerprint=fingerprint,
                )
            )

    def to_dict(self) -> dict[str, Any]:
        """The card: schema, cutoff, encoder, evidence, and a digest of all these."""
        card = {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "cutoff": float(self.value),
            "encoder": {"name": self.encoder_name, "fingerprint": self.fingerprint},
            "evidence": dict(self.evidence),
        }
        if self.frozen:
            card["frozen"] = self.frozen
        return {**card, "digest": _digest(card)}

    def save(self, path: str | Path) -> Path:
        """Write the card as JSON; the file is either whole or not there."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        return write_whole(path, text)

    @classmethod
    def load(cls, path: str | Path) -> Cutoff:
        """Read a card.

        Raises
        ------
        CardError
            If the file is no card, is damaged, was edited, or has an unknown schema version.
        """
        path = Path(path)
        try:
            card = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        except FileNotFoundError:
            raise CardError(
                _("There is no cutoff card at {path}; make one with 'workbench calibrate'.").format(path=path)
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise CardError(
                _("{path} cannot be read as a cutoff card: {error}").format(path=path, error=error)
            ) from error
        if not isinstance(card, dict) or card.get("schema") != SCHEMA:
            raise CardError(
                _("{path} is not a cutoff card (its 'schema' should be {schema}).").format(
                    path=path, schema=repr(SCHEMA)
                )
            )
        if card.get("schema_version") != SCHEMA_VERSION:
            raise CardError(
                _(
                    "{path} has card version {found}, this workbench reads version {version}; calibrate "
                    "again, or install the workbench that wrote it."
                ).format(path=path, found=repr(card.get("schema_version")), version=SCHEMA_VERSION)
            )
        try:
            is_as_written = card.pop("digest", None) == _digest(card)
        except (ValueError, RecursionError):
            is_as_written = False
        if not is_as_written:
            raise CardError(
                _(
                    "{path} was changed after it was written (its digest does not fit). A cutoff is only "
                    "worth its evidence: take the original file, or calibrate again."
                ).format(path=path)
            )
        try:
            scorer = card["encoder"]
            found = cls(
                card["cutoff"],
                scorer["name"],
                scorer["fingerprint"],
                card["evidence"],
                card.get("frozen", ""),
            )
            # What a search reads of it, before one does.
            _said = found.origin(), found.holds_for(), found.is_of_lines, found.figure("recall")
            return found
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise CardError(
                _("{path} lacks a part of a cutoff card: {error}").format(path=path, error=error)
            ) from error

    @classmethod
    def from_literature(cls) -> Cutoff:
        """The 0.4 that was once found with Qwen3-Embedding-4B, and never for the encoder at hand."""
        return cls(LITERATURE_CUTOFF, evidence={"literature": "Qwen3-Embedding-4B"})


def cards_in(folder: str | Path) -> list[tuple[Path, Cutoff]]:
    """All sound cards in a folder, newest file name last.

    Others are named in a :class:`~workbench.errors.CardWarning` and passed over: one bad file must not stop a
    search. Hidden files, such as drafts, are no cards.
    """
    cards = []
    for path in sorted(Path(folder).glob("[!.]*.json")):
        try:
            cards.append((path, Cutoff.load(path)))
        except InputError as error:
            said = _("A cutoff card was passed over. {reason}")
            warnings.warn(said.format(reason=error), CardWarning, stacklevel=2)
    return cards


@cache
def _shipped() -> Mapping[str | None, Cutoff]:
    return {card.fingerprint: card for _path, card in cards_in(SHIPPED)}


def shipped_card(fingerprint: str) -> Cutoff | None:
    """The card that came with the workbench for exactly this encoder; None if there is none."""
    return _shipped().get(fingerprint)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _digest(card: Mapping[str, Any]) -> str:
    canonical = json.dumps(card, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
