"""How often the interval of a share of matches, estimated without live labels, holds that share."""

from __future__ import annotations

from itertools import product

import numpy as np

from workbench.calibration import Observations, estimate_prevalence
from workbench.calibration.prevalence import class_means
from workbench.cutoffs import Cutoff

__all__ = ["card_of", "drawn", "run"]

SHARES = (0.005, 0.02, 0.1, 0.38, 0.7)
# Distance of matches from others in standard deviations: AUC 0.966 as of `use` on everyday pairs, and 0.80.
DISTANCES = {"0.97": 2.58, "0.80": 1.19}
LABELLED = (200, 576)
LIVE = (500, 5_000)
PER_JD = 8
# Of scores within a JD, among matches and among others.
CORRELATION = 0.15
CONFIDENCE = 0.95


def drawn(
    rng: np.random.Generator, n: int, share: float, distance: float, moved: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, labels and JDs of pairs of which this share are matches; others' scores may have moved."""
    jds = np.arange(n) // PER_JD
    effect = rng.normal(size=jds.max() + 1)[jds]
    labels = rng.random(n) < share
    noise = np.sqrt(CORRELATION) * effect + np.sqrt(1 - CORRELATION) * rng.normal(size=n)
    return 0.3 + 0.1 * (noise + np.where(labels, distance, moved)), labels.astype(int), jds


def card_of(rng: np.random.Generator, n: int, distance: float) -> Cutoff:
    """A card of labelled pairs, 38 % of them matches."""
    observations = Observations(*drawn(rng, n, 0.38, distance)[:2], clusters=np.arange(n) // PER_JD)
    evidence = {"class_means": class_means(observations).to_dict(), "live": {"prevalence": 0.38}}
    return Cutoff(0.4, "toy", "0123456789ab", evidence)


def run(runs: int = 150, seed: int = 0) -> str:
    """A row for each share, encoder, and numbers of labelled and live pairs."""
    rng = np.random.default_rng(seed)
    rows, covered = [], []
    for (auc, distance), labelled, live in product(DISTANCES.items(), LABELLED, LIVE):
        cards = [card_of(rng, labelled, distance) for _ in range(runs)]
        for share in SHARES:
            found = []
            for card in cards:
                scores, _labels, jds = drawn(rng, live, share, distance)
                found.append(estimate_prevalence(card, scores, clusters=jds, confidence=CONFIDENCE))
            held = np.mean([each.low <= share <= each.high for each in found])
            covered.append(held)
            bias = np.mean([each.value for each in found]) - share
            width = np.median([each.high - each.low for each in found])
            doubted = np.mean([not each.plausible for each in found])
            rows.append(
                f"| {auc} | {labelled} | {live:,} | {share:.1%} | {held:.1%} | {100 * bias:+.2f} "
                f"| {100 * width:.1f} | {doubted:.1%} |"
            )
    wrong = []
    for moved in (0.0, 0.2, 0.5, 1.0):
        found = []
        for _ in range(runs):
            card = card_of(rng, LABELLED[-1], DISTANCES["0.97"])
            scores, _labels, jds = drawn(rng, LIVE[-1], 0.05, DISTANCES["0.97"], moved)
            found.append(estimate_prevalence(card, scores, clusters=jds, confidence=CONFIDENCE))
        held = np.mean([each.low <= 0.05 <= each.high for each in found])
        mean = np.mean([each.value for each in found])
        doubted = np.mean([not each.plausible for each in found])
        wrong.append(f"| {moved:.1f} | {mean:.1%} | {held:.1%} | {doubted:.1%} |")
    return f"""# The share of matches among live pairs, estimated without labels

Scores of matches and of others are normal, {PER_JD} pairs a JD, with a correlation of {CORRELATION} within
it; 38 % of the labelled pairs are matches. Live pairs have the share in the row, and the same scores else.
95 % intervals of `wb.estimate_prevalence`; {runs} samples a row, which know a coverage of 95 % to
±{196 * np.sqrt(0.0475 / runs):.1f} points. Coverage from {min(covered):.1%} up, {np.mean(covered):.1%}
over all rows. "Doubted" is how often high and low scores disagree (1 % is allowed where all is well).

| AUC | labelled | live | true share | covers | bias, points | width, points | doubted |
|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

## Where others do not score like the labelled ones

Live, 5 % are matches, but the others score higher by so many of their standard deviations: then the
estimate is wrong, and this is how often it is doubted ({LABELLED[-1]} labelled, {LIVE[-1]:,} live, AUC 0.97).

| moved by | mean estimate | covers | doubted |
|---:|---:|---:|---:|
{chr(10).join(wrong)}
"""
