"""The probability of a match that a cutoff card has for a score, for hits to carry it.

Only read here, from the table that the card keeps; how it was found, and what it is worth, is of
:mod:`workbench.calibration.probability`, which no search needs to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from workbench.cutoffs import Cutoff
from workbench.errors import CardError

__all__ = ["HitProbability", "hit_probabilities"]


class HitProbability(TypedDict):
    """How probable it is that a pair with this score is a match.

    Attributes
    ----------
    value, low, high : float
        The probability, and its interval.
    confidence : float
        Of the interval, at this one score.
    prevalence : float
        Share of matches among the pairs that it is for; where fewer are, it is less probable.
    is_guess : bool
        Whether the score lies beyond all labelled scores.
    """

    value: float
    low: float
    high: float
    confidence: float
    prevalence: float
    is_guess: bool


def hit_probabilities(cutoff: Cutoff, scores: Sequence[float]) -> list[HitProbability] | None:
    """What a card says of each score; None if it says nothing, as a bare number does not.

    Raises
    ------
    CardError
        If its table of probabilities lacks a part.

    Examples
    --------
    >>> table = {"scores": [0.0, 1.0], "probability": [0.1, 0.9], "low": [0.0, 0.8], "high": [0.2, 1.0]}
    >>> card = Cutoff(0.5, evidence={"probability": {**table, "confidence": 0.95, "prevalence": 0.4}})
    >>> [round(found["value"], 2) for found in hit_probabilities(card, [0.5, 0.75])]
    [0.5, 0.7]
    """
    table = cutoff.evidence.get("probability")
    if table is None:
        return None
    try:
        knots = np.asarray(table["scores"], dtype=np.float64)
        at = np.asarray(scores, dtype=np.float64)
        value, low, high = (
            np.interp(at, knots, np.asarray(table[name], dtype=np.float64)).tolist()
            for name in ("probability", "low", "high")
        )
        beyond = ((at < knots[0]) | (at > knots[-1])).tolist()
        shared = {name: float(table[name]) for name in ("confidence", "prevalence")}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CardError(
            f"The card's table of probabilities lacks a part, or it is not a number ({error}); "
            "calibrate again."
        ) from None
    return [
        HitProbability(
            value=value[row],
            low=low[row],
            high=high[row],
            confidence=shared["confidence"],
            prevalence=shared["prevalence"],
            is_guess=beyond[row],
        )
        for row in range(len(value))
    ]
