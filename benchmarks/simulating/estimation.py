"""How often the interval of an estimate without labels holds the truth, where live scores lie elsewhere.

What a score means stays the same; pairs of one JD have scores that are alike, and labels too.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import beta, norm

from workbench.calibration import Observations, fit_probability
from workbench.calibration.drawn_curves import draw_curves
from workbench.calibration.estimation import EstimatedPerformance, estimate_performance
from workbench.cutoffs import Cutoff

Array = npt.NDArray[np.float64]

CUTOFF, LABELLED, LIVE = 0.55, 500, 1000
PER_JD = 5
# Part of what is by chance that pairs of one JD share.
ALIKE = 0.2
CURVES: dict[str, Callable[[Array], Array]] = {
    "logistic": lambda score: expit(12 * (score - 0.5)),
    "plateau": lambda score: 0.05 + 0.8 * (score > 0.5) * np.minimum(1, 8 * (score - 0.5)),
}
# Of the live scores: shape of a beta distribution; labelled ones are as in the first.
SHIFTS = {"none": (3, 3), "higher scores": (5, 3), "lower scores": (2, 4), "all in the middle": (12, 12)}
FIGURES = ("precision", "recall", "false_omission_rate", "matches")


def alike(rng: np.random.Generator, n: int, jds: npt.NDArray[np.intp]) -> Array:
    """Uniform numbers that are alike within a JD."""
    of_jd = rng.standard_normal(jds.max() + 1)[jds]
    return np.asarray(norm.cdf(np.sqrt(ALIKE) * of_jd + np.sqrt(1 - ALIKE) * rng.standard_normal(n)))


def drawn(rng: np.random.Generator, n: int, shift: str) -> tuple[Array, npt.NDArray[np.intp]]:
    """Scores, and the JD of each."""
    jds = np.arange(n) // PER_JD
    return np.asarray(beta.ppf(alike(rng, n, jds), *SHIFTS[shift])), jds


def truth(curve: str, shift: str) -> dict[str, float]:
    """The figures of the live population, by a fine grid of its quantiles."""
    scores = beta.ppf((np.arange(200_000) + 0.5) / 200_000, *SHIFTS[shift])
    chances, above = CURVES[curve](scores), scores > CUTOFF
    return {
        "precision": chances[above].mean(),
        "recall": chances[above].sum() / chances.sum(),
        "false_omission_rate": chances[~above].mean(),
        "matches": chances.mean(),
    }


def estimated(rng: np.random.Generator, curve: str) -> dict[str, EstimatedPerformance]:
    """From one set of labelled pairs, the estimate for each kind of live scores."""
    scores, jds = drawn(rng, LABELLED, "none")
    labels = alike(rng, LABELLED, jds) < CURVES[curve](scores)
    pairs = Observations(scores, labels, clusters=jds)
    model = fit_probability(pairs)
    card = Cutoff(CUTOFF, evidence={"probability": model.to_dict(), "curves": draw_curves(pairs).to_dict()})
    found = {}
    for shift in SHIFTS:
        live, live_jds = drawn(rng, LIVE, shift)
        found[shift] = estimate_performance(card, live, clusters=live_jds, n_resamples=400)
    return found


def coverage(runs: int, seed: int) -> dict[tuple[str, str, str], tuple[float, float]]:
    """By curve, shift and figure: how often the interval holds the truth, and its mean width."""
    seen: dict[tuple[str, str, str], list[tuple[bool, float]]] = {}
    for number, curve in enumerate(CURVES):
        true = {shift: truth(curve, shift) for shift in SHIFTS}
        rng = np.random.default_rng([seed, number])
        for _run in range(runs):
            for (shift, found), figure in product(estimated(rng, curve).items(), FIGURES):
                each = getattr(found, figure)
                holds = each.low <= true[shift][figure] <= each.high
                seen.setdefault((curve, shift, figure), []).append((holds, each.high - each.low))
    return {
        key: (float(np.mean([h for h, _w in each])), float(np.mean([w for _h, w in each])))
        for key, each in seen.items()
    }


def run(runs: int = 120, seed: int = 0) -> str:
    """The table."""
    found = coverage(runs, seed)
    lines = [
        "# What is estimated without labels",
        f"{LABELLED} labelled pairs and {LIVE:,} live scores, {PER_JD} of each JD, alike within it "
        f"(correlation {ALIKE}); cutoff {CUTOFF}. Scores are from beta distributions, the live ones "
        f"shifted; what a score means stays the same. {runs} runs; intervals of 95%: how often they hold the "
        "figure of the live population, and their mean width in points.",
        "| P(match given score) | Live scores | " + " | ".join(FIGURES).replace("_", " ") + " |",
        "|---|---|" + "---:|" * len(FIGURES),
    ]
    for curve, shift in product(CURVES, SHIFTS):
        cells = [found[curve, shift, figure] for figure in FIGURES]
        said = " | ".join(f"{holds:.1%} ({100 * width:.0f})" for holds, width in cells)
        lines.append(f"| {curve} | {shift} | {said} |")
    return "\n".join(line if line.startswith("|") else f"\n{line}\n" for line in lines)
