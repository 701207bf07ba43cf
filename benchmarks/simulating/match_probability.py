"""Do intervals of the probability of a match hold, wherever in the scores, and is its middle off?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from workbench.calibration import Observations
from workbench.calibration.probability_bounds import MIDDLE, critical_value, intervals

__all__ = ["TRUTHS", "Truth", "coverage", "run"]

CONFIDENCE = 0.9
SIZES = (200, 500, 3000)
PAIRS_A_JD = 10
# Places evenly spaced over the range that holds all scores but 3 in 1,000 at each end; four to a tenth of it.
PLACES = 40
TENTHS = 10

Chance = Callable[[np.ndarray], np.ndarray]
Scores = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """The probability of a match at a score, and how scores come about."""

    chance: Chance
    scores: Scores

    def places(self) -> np.ndarray:
        many = self.scores(np.random.default_rng(0), 200_000)
        return np.linspace(*np.quantile(many, [0.003, 0.997]), PLACES)

    def draw(self, rng: np.random.Generator, n: int, *, by_jd: bool) -> Observations:
        """Labelled pairs; those of a JD have similar scores, and similar luck."""
        scores = np.sort(self.scores(rng, n))
        if not by_jd:
            return Observations(scores, rng.random(n) < self.chance(scores))
        jd = np.empty(n, dtype=int)
        jd[np.argsort(scores + scores.std() * rng.standard_normal(n))] = np.arange(n) // PAIRS_A_JD
        luck = np.sqrt(0.3) * rng.standard_normal(n)[jd] + np.sqrt(0.7) * rng.standard_normal(n)
        return Observations(scores, norm.cdf(luck) < self.chance(scores), clusters=jd)


def _hard_and_ordinary(score: np.ndarray) -> np.ndarray:
    match, other = (
        0.3 * norm.pdf(score, apart, 0.1) + 0.2 * norm.pdf(score, 0.55, 0.1) for apart in (0.65, 0.3)
    )
    return match / (match + other)


def _usual(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.clip(0.42 + 0.16 * rng.standard_normal(n), -1, 1)


TRUTHS = {
    "plateau": Truth(lambda s: 0.05 + 0.5 * np.clip((s - 0.3) / 0.25, 0, 1), _usual),
    "step": Truth(lambda s: np.where(s > 0.5, 0.8, 0.1), _usual),
    "logistic": Truth(lambda s: expit(9 * (s - 0.5)), _usual),
    "heavy tail": Truth(
        lambda s: 0.5 + np.arctan(6 * (s - 0.5)) / np.pi,
        lambda rng, n: np.clip(0.42 + 0.09 * rng.standard_t(2.5, n), -1, 1),
    ),
    "hard and ordinary": Truth(
        _hard_and_ordinary,
        lambda rng, n: (
            rng.choice([0.65, 0.55, 0.3, 0.55], n, p=[0.3, 0.2, 0.3, 0.2]) + 0.1 * rng.standard_normal(n)
        ),
    ),
}


def run(runs: int = 150, seed: int = 0) -> str:
    """Coverage, width and bias for each truth and size, and the critical values behind it."""
    rows = [
        {"truth": name, "pairs": n, "independent": "JDs" if by_jd else "pairs"}
        | coverage(truth, n, by_jd=by_jd, runs=runs, seed=seed)
        for name, truth in TRUTHS.items()
        for n in SIZES
        for by_jd in (False, True)
    ]
    peers = [
        {"truth": name, "pairs": 500} | peer_figures(truth, 500, runs=max(runs // 3, 1), seed=seed)
        for name, truth in TRUTHS.items()
    ]
    return f"""# Intervals of the probability of a match

{CONFIDENCE:.0%} intervals at {PLACES} places evenly spaced over the range of the scores, its ends with hardly
any labels among them; "worst tenth" is the worst of {TENTHS} equal parts of that range. Where JDs are
independent, each has {PAIRS_A_JD} pairs, with similar scores and luck that correlates by 0.3. {runs} runs.

{table(rows)}

What was there before, or could be instead: the bias of Platt's sigmoid in its worst tenth (scikit-learn's
logistic regression), and how often the two probabilities of a Venn-Abers predictor (isotonic regression with
the pair in question added as a match and as none; Vovk & Petej 2014) have the true one between them.

{table(peers)}

Twice the log likelihood ratio that luck alone exceeds in a share "tail" of samples, where one probability
holds for all scores and samples are large (normal noise, 400 scores), and the formula that stands for it.

{table(critical_values(10 * runs, seed))}
"""


def coverage(truth: Truth, n: int, *, by_jd: bool, runs: int, seed: int) -> dict[str, float]:
    """How often the truth is within the interval, how wide this is, and by how much the middle is off."""
    places, rng = truth.places(), np.random.default_rng(seed)
    true = truth.chance(places)
    held, width, off = (np.zeros((runs, PLACES)) for _ in range(3))
    for row in range(runs):
        pairs = truth.draw(rng, n, by_jd=by_jd)
        scores, (middle, ends) = intervals(pairs, MIDDLE, CONFIDENCE)
        low = np.interp(places, scores, ends[0], left=0)
        high = np.interp(places, scores, ends[1], right=1)
        held[row] = (low <= true) & (true <= high)
        width[row] = high - low
        off[row] = np.interp(places, scores, middle.mean(axis=0)) - true
    bias = _by_tenth(off)
    return {
        "held": held.mean(),
        "worst tenth": _by_tenth(held).min(),
        "width": width.mean(),
        "in the middle half": width[:, PLACES // 4 : -PLACES // 4].mean(),
        "bias": np.abs(bias).mean(),
        "bias, worst tenth": bias[np.abs(bias).argmax()],
    }


def peer_figures(truth: Truth, n: int, *, runs: int, seed: int) -> dict[str, float]:
    """Platt's sigmoid and Venn-Abers on the same samples."""
    places, rng = truth.places(), np.random.default_rng(seed)
    true = truth.chance(places)
    off, held, width = (np.zeros((runs, PLACES)) for _ in range(3))
    for row in range(runs):
        pairs = truth.draw(rng, n, by_jd=False)
        sigmoid = LogisticRegression(C=1e6).fit(pairs.scores[:, None], pairs.labels)
        off[row] = sigmoid.predict_proba(places[:, None])[:, 1] - true
        for column, place in enumerate(places):
            low, high = (
                IsotonicRegression()
                .fit(np.append(pairs.scores, place), np.append(pairs.labels, label))
                .predict([place])[0]
                for label in (0, 1)
            )
            held[row, column] = low <= true[column] <= high
            width[row, column] = high - low
    bias = _by_tenth(off)
    return {
        "sigmoid's bias, worst tenth": bias[np.abs(bias).argmax()],
        "Venn-Abers held": held.mean(),
        "its width": width.mean(),
    }


def critical_values(runs: int, seed: int, n: int = 400) -> list[dict[str, object]]:
    """As simulated, and as the formula says."""
    rng = np.random.default_rng(seed)
    places = np.array([0.8, 8 / 9, 16 / 17, 64 / 65, 1 - 1 / (2 * n)])
    tails = (0.25, 0.05, 0.025, 0.005)
    lost = np.empty((runs, len(places)))
    for row in range(runs):
        luck = rng.standard_normal(n)
        free = isotonic_regression(luck).x
        for column, place in enumerate(places):
            here = round(place * n - 0.5)
            left = np.minimum(isotonic_regression(luck[:here]).x, 0) if here else free[:0]
            right = np.maximum(isotonic_regression(luck[here + 1 :]).x, 0) if here + 1 < n else free[:0]
            lost[row, column] = np.sign(free[here]) * ((free**2).sum() - (left**2).sum() - (right**2).sum())
    rows = []
    for column, odds in enumerate(places / (1 - places)):
        row: dict[str, object] = {"pairs below for each above": f"{odds:.0f}"}
        for tail in tails:
            row[f"tail {tail}, simulated"] = np.quantile(lost[:, column], 1 - tail)
            row[f"tail {tail}, formula"] = critical_value(odds, tail)
        rows.append(row)
    return rows


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """As Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row.values()] for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _by_tenth(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=0).reshape(TENTHS, -1).mean(axis=1)
