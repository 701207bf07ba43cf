"""Rules for choosing a cutoff as words of the command line: ``f2``, ``recall:0.9``, ``cost:1/5``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.calibration import Rule

__all__ = ["FORMS", "rule_from_text"]

FORMS = (
    "f1, f2, f0.5, youden, accuracy, recall:0.9, cost:1/5 (false match/missed), capacity:200/1600 (a week)"
)


def rule_from_text(text: str) -> Rule:
    """The rule that `text` names.

    Raises
    ------
    InputError
        If it names none, or its number makes no sense.

    Examples
    --------
    >>> rule_from_text("recall:0.9")
    TargetRecall(target=0.9)
    >>> rule_from_text("f2")
    MaxFBeta(beta=2.0)
    """
    from workbench.calibration import Capacity, MaxAccuracy, MaxFBeta, MaxYouden, MinCost, TargetRecall

    name, _, numbers = text.strip().lower().partition(":")
    values = _numbers(numbers)
    match name, values:
        case "youden", []:
            return MaxYouden()
        case "accuracy", []:
            return MaxAccuracy()
        case "recall", [target]:
            return TargetRecall(target)
        case "cost", [false_match, missed_match]:
            return MinCost(fp=false_match, fn=missed_match)
        case "capacity", [per_week, volume]:
            return Capacity(per_week=per_week, volume_per_week=volume)
    beta = _numbers(name[1:]) if name.startswith("f") and not numbers else None
    if beta is not None and len(beta) == 1:
        return MaxFBeta(beta[0])
    raise InputError(f"--choose-by is {text!r}, which names no rule; there are: {FORMS}.")


def _numbers(text: str) -> list[float] | None:
    """Numbers between slashes; none for an empty text, None where one cannot be read."""
    try:
        return [float(part) for part in text.split("/")] if text else []
    except ValueError:
        return None
