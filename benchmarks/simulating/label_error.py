"""What wrong labels do to a guaranteed cutoff, with and without an allowance for them."""

from __future__ import annotations

import numpy as np
from simulating._worlds import World, share_with_error

from workbench.calibration import LabelError, Observations, guarantee_precision

WORLD, TARGET, CONFIDENCE = World(1000), 0.89, 0.9
# Of non-matches labelled a match, of matches labelled no match.
FLIPS = [(0.0, 0.0), (0.02, 0.02), (0.05, 0.05), (0.1, 0.1), (0.15, 0.0)]
# Pairs labelled twice, from which the rate is estimated.
TWICE = 1000


def run(runs: int = 300, seed: int = 7) -> str:
    """Flips at random, and flips of pairs that are hard to tell."""
    rows = []
    for a, b in FLIPS:
        rows += _rows(f"{100 * a:.0f} %, {100 * b:.0f} %", (a, b), False, runs, seed)
    rows += _rows("10 % where it is hard to tell, fewer elsewhere", (0.1, 0.1), True, runs, seed)
    head = [
        "## Guaranteed precision with wrong labels",
        "",
        f"{WORLD.n:,} independent pairs, precision of {100 * TARGET:.0f} % with {100 * CONFIDENCE:.0f} % "
        "confidence. Flips: of non-matches labelled a match, of matches labelled no match. *Broken*: a "
        "cutoff was found, and the true precision above it is below the target. *Up to*: `label_error` is "
        "the rates, nothing known at least. *Double labels*: the rates are estimated from two independent "
        f"labels of {TWICE:,} pairs; *alike*: taking the two kinds of error to be equally frequent, which "
        "gives recall back where they are, and breaks the guarantee where they are not.",
        "",
        f"| flips | allowed for | found, % | broken, % (at most {100 * (1 - CONFIDENCE):.0f}) "
        "| true recall at the cutoff |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(head + rows)


def _rows(name: str, rates: tuple[float, float], harder: bool, runs: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    cutoffs: dict[str, list[float | None]] = {
        "nothing": [],
        "up to": [],
        "double labels": [],
        "double labels, alike": [],
    }
    for _ in range(runs):
        pairs = WORLD.draw(rng)
        pairs_twice = WORLD.draw(rng, TWICE)
        first, second = (_flipped(pairs_twice, rates, harder, rng) for _ in range(2))
        both, differ, neither = (
            int(said.sum()) for said in (first & second, first != second, ~first & ~second)
        )
        labelled = Observations(pairs.scores, _flipped(pairs, rates, harder, rng))
        allowed = {
            "nothing": None,
            "up to": rates,
            "double labels": LabelError.from_double_labels(both, differ, neither),
            "double labels, alike": LabelError.from_double_labels(both, differ, neither, alike=True),
        }
        for how, error in allowed.items():
            found = guarantee_precision(labelled, TARGET, confidence=CONFIDENCE, label_error=error)
            cutoffs[how].append(found.cutoff)
    rows = []
    for how, found in cutoffs.items():
        some = [cutoff for cutoff in found if cutoff is not None]
        broken = sum(WORLD.precision(cutoff) < TARGET for cutoff in some)
        recalls = [WORLD.recall(cutoff) for cutoff in found]
        error = 1.96 * np.std(recalls) / np.sqrt(runs)
        rows.append(
            f"| {name} | {how} | {share_with_error(len(some), runs)} | {share_with_error(broken, runs)} "
            f"| {np.mean(recalls):.3f} ± {error:.3f} |"
        )
    return rows


def _flipped(
    pairs: Observations, rates: tuple[float, float], harder: bool, rng: np.random.Generator
) -> np.ndarray:
    """Labels; with `harder`, rates are those where a match is as likely as not, and lower elsewhere."""
    truth, chance = pairs.labels == 1, WORLD.chance(pairs.scores)
    rate = np.where(truth, rates[1], rates[0]) * (4 * chance * (1 - chance) if harder else 1.0)
    return np.where(rng.random(len(truth)) < rate, ~truth, truth)
