"""The cutoff and its card: a number that is never parted from the encoder and evidence behind it.

Only the value object and its file live here; how a cutoff is found is in :mod:`workbench.calibration`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.atomic import write_whole
from workbench.errors import CardError, EncoderMismatchError, InputError
from workbench.i18n import gettext as _
from workbench.i18n import number
from workbench.settings import LITERATURE_CUTOFF

__all__ = ["SCHEMA", "SCHEMA_VERSION", "Cutoff", "cards_in"]

SCHEMA = "jd-resume-workbench/cutoff-card"
SCHEMA_VERSION = 1


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

    def is_match(self, scores: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each score lies above the cutoff; any shape."""
        return np.asarray(scores) > self.value

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
            card = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CardError(
                _("There is no cutoff card at {path}; make one with 'workbench calibrate'.").format(path=path)
            ) from None
        except (OSError, ValueError) as error:
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
        digest = card.pop("digest", None)
        if digest != _digest(card):
            raise CardError(
                _(
                    "{path} was changed after it was written (its digest does not fit). A cutoff is only "
                    "worth its evidence: take the original file, or calibrate again."
                ).format(path=path)
            )
        try:
            return cls(
                card["cutoff"], card["encoder"]["name"], card["encoder"]["fingerprint"], card["evidence"]
            )
        except (KeyError, TypeError) as error:
            raise CardError(
                _("{path} lacks a part of a cutoff card: {error}").format(path=path, error=error)
            ) from error

    @classmethod
    def from_literature(cls) -> Cutoff:
        """The 0.4 that was once found with Qwen3-Embedding-4B, and never for the encoder at hand."""
        return cls(LITERATURE_CUTOFF)


def cards_in(folder: str | Path) -> list[tuple[Path, Cutoff]]:
    """All readable cards in a folder, newest file name last; files that are no cards are passed over."""
    cards = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            cards.append((path, Cutoff.load(path)))
        except CardError:
            continue
    return cards


def _digest(card: Mapping[str, Any]) -> str:
    canonical = json.dumps(card, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
