"""A figure with its interval, and Wilson's interval of a share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Interval", "wilson"]


@dataclass(frozen=True)
class Interval:
    """A figure with its interval; NaN for what is undefined."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "–"
        if np.isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"

    def to_dict(self) -> dict[str, float | None]:
        """For JSON: None for NaN."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(number) else float(number) for name, number in numbers.items()}


def wilson(count: int, n: int, confidence: float = 0.95) -> Interval:
    """A share with Wilson's score interval; undefined where `n` is 0.

    Examples
    --------
    >>> print(wilson(9, 10))
    0.900 (0.596–0.982)
    """
    from scipy.stats import binomtest

    if n == 0:
        return Interval(float("nan"))
    found = binomtest(count, n).proportion_ci(confidence, method="wilson")
    return Interval(count / n, float(found.low), float(found.high))
