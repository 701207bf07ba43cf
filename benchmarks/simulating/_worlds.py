"""Worlds whose true precision is known: normal scores, logistic chances of a match, effects of the JD."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import norm

from workbench.calibration import Observations

__all__ = ["World", "share_with_error"]


@dataclass(frozen=True)
class World:
    """How labelled sets of one kind come about.

    `spread` is the standard deviation of the JD's effect on the chance of a match, `shift` that of its own
    shift of all its scores; `n_jds` 0 for independent pairs. With `unequal`, some JDs have most pairs.
    `top` is the chance of a match at the highest scores.
    """

    n: int
    n_jds: int = 0
    spread: float = 0.0
    shift: float = 0.0
    unequal: bool = False
    steepness: float = 3.0
    top: float = 1.0

    def draw(self, rng: np.random.Generator, n: int | None = None) -> Observations:
        """A labelled set, of another size if `n` is given, with as many more or fewer JDs."""
        n = n or self.n
        n_jds = round(self.n_jds * n / self.n) or n
        chances = rng.pareto(1.2, n_jds) + 0.2 if self.unequal else np.ones(n_jds)
        jds = rng.choice(n_jds, n, p=chances / chances.sum()) if self.n_jds else np.arange(n)
        effect, shift = rng.normal(size=(2, n_jds))[:, jds]
        scores = rng.normal(size=n) + self.shift * shift
        labels = rng.random(n) < self.chance(scores, self.spread * effect)
        return Observations(scores, labels, clusters=jds if self.n_jds else None)

    def chance(self, scores: np.ndarray, effect: np.ndarray | float = 0.0) -> np.ndarray:
        """Of a match."""
        return self.top / (1 + np.exp(-(self.steepness * scores - 0.6 + effect)))

    @cached_property
    def truth(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A grid of cutoffs, with true precision and true recall above."""
        grid = np.linspace(-9, 9, 18_001)
        density = norm.pdf(grid, scale=np.hypot(1, self.shift))
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        chance = np.average(
            [self.chance(grid, self.spread * node) for node in nodes], axis=0, weights=weights
        )
        matches = np.cumsum((density * chance)[::-1])[::-1]
        return grid, matches / np.cumsum(density[::-1])[::-1], matches / matches[0]

    def precision(self, cutoff: float) -> float:
        """True precision above a cutoff."""
        return float(np.interp(cutoff, *self.truth[:2]))

    def recall(self, cutoff: float | None) -> float:
        """True recall above a cutoff; 0 where there is none."""
        return 0.0 if cutoff is None else float(np.interp(cutoff, self.truth[0], self.truth[2]))


def share_with_error(count: int, runs: int) -> str:
    """A share of runs in percent, with its 95 % Monte Carlo interval (Wilson)."""
    from workbench.calibration.shares import wilson

    if not runs:
        return "–"
    low, high = wilson(count / runs, runs)
    return f"{100 * count / runs:.1f} ({100 * low:.1f}–{100 * high:.1f})"
