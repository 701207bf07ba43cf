"""What a cutoff card promises, as far as new pairs can be held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workbench.calibration.counts import check_share
from workbench.cutoffs import Cutoff
from workbench.errors import InputError

__all__ = ["Promise", "promises_of"]


@dataclass(frozen=True)
class Promise:
    """One figure that a card stands for.

    Attributes
    ----------
    figure : {"precision", "false_omission_rate"}
    value : float
        Precision at least, or false omission rate at most, this much.
    source : {"guaranteed", "measured", "given"}
        A target that the card guarantees; the worse end of the interval that it measured, where it guarantees
        none; or what the caller gave instead.
    """

    figure: Literal["precision", "false_omission_rate"]
    value: float
    source: Literal["guaranteed", "measured", "given"]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def promises_of(
    card: Cutoff, *, target_precision: float | None = None, target_missed: float | None = None
) -> tuple[Promise, ...]:
    """Precision and false omission rate that a card promises at its cutoff.

    Parameters
    ----------
    card : Cutoff
    target_precision, target_missed : float, optional
        Take these instead of what the card says; where one is given, the other is not looked up.

    Returns
    -------
    tuple of Promise

    Raises
    ------
    InputError
        If the card promises nothing and no target is given, or a target is no share.

    Examples
    --------
    >>> guaranteed = {"figure": "precision", "target": 0.9, "cutoff": 0.5}
    >>> promises_of(Cutoff(0.5, evidence={"guarantees": [guaranteed]}))
    (Promise(figure='precision', value=0.9, source='guaranteed'),)
    """
    if target_precision is not None or target_missed is not None:
        given = []
        if target_precision is not None:
            check_share(
                target_precision, "target_precision", "the share of matches among pairs above the cutoff"
            )
            given.append(Promise("precision", float(target_precision), "given"))
        if target_missed is not None:
            check_share(target_missed, "target_missed", "the share of matches among pairs at or below it")
            given.append(Promise("false_omission_rate", float(target_missed), "given"))
        return tuple(given)
    figures: tuple[Literal["precision", "false_omission_rate"], ...] = ("precision", "false_omission_rate")
    found = [_guaranteed(card, figure) or _measured(card, figure) for figure in figures]
    promises = tuple(promise for promise in found if promise is not None)
    if not promises:
        raise InputError(
            f"The card of cutoff {card.value:.4f} promises no precision and no missed share, so that nothing "
            "can be held against it; give target_precision or target_missed."
        )
    return promises


def _guaranteed(card: Cutoff, figure: Literal["precision", "false_omission_rate"]) -> Promise | None:
    for found in card.evidence.get("guarantees") or []:
        at = found.get("cutoff")
        if found.get("figure") != figure or at is None:
            continue
        # Stricter cutoffs were tested on the way to the one that is guaranteed.
        holds = card.value >= at - 1e-12 if figure == "precision" else card.value <= at + 1e-12
        if holds:
            return Promise(figure, float(found["target"]), "guaranteed")
    return None


def _measured(card: Cutoff, figure: Literal["precision", "false_omission_rate"]) -> Promise | None:
    """The worse end of the card's interval: corrected for the choice where it could be."""
    worse = "low" if figure == "precision" else "high"
    for table in ("honest", "figures"):
        figures: Mapping[str, Any] = card.evidence.get(table) or {}
        end = (figures.get(figure) or {}).get(worse)
        if end is not None and 0 < end < 1:
            return Promise(figure, float(end), "measured")
    return None
