"""Two encoders whose true difference is known: how often its interval covers it, and what is said of them.

JDs of 1 to 9 pairs share an effect; the share of matches differs between JDs; both encoders share most of
their noise. The better one has a larger distance between matches and others.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from workbench.calibration import compare
from workbench.calibration.comparing_figures import ComparedFigure

TARGET = 0.8
# How cutoffs are chosen, and the figure that then says which is better.
ASKED: dict[ComparedFigure, dict[str, float]] = {"f_beta": {}, "recall": {"target_precision": TARGET}}
SAID = {"f_beta": "best F1", "recall": f"recall at {TARGET} precision"}
DISTANCE, OF_JD, SHARED = 1.6, 0.4, 0.7
CELLS = ((60, 0.0), (60, 0.15), (60, 0.3), (150, 0.0), (150, 0.3))


def draw(rng: np.random.Generator, n_jds: int, gap: float) -> tuple[np.ndarray, ...]:
    """JDs, labels, and scores of both encoders."""
    jds = np.repeat(np.arange(n_jds), rng.integers(1, 10, n_jds))
    labels = rng.random(len(jds)) < rng.beta(4, 6, n_jds)[jds]
    common = OF_JD * rng.standard_normal(n_jds)[jds] + SHARED * rng.standard_normal(len(jds))
    own = np.sqrt(1 - SHARED**2) * rng.standard_normal((2, len(jds)))
    one, other = (
        d * labels + common + noise for d, noise in zip((DISTANCE, DISTANCE + gap), own, strict=True)
    )
    return jds, labels.astype(int), one, other


@cache
def truth(gap: float) -> dict[str, float]:
    """The differences that two million pairs show."""
    _jds, labels, *both = draw(np.random.default_rng(99), 400_000, gap)
    found = []
    for scores in both:
        tp = np.cumsum(labels[np.argsort(-scores)])
        above = np.arange(1, len(tp) + 1)
        recall = tp[tp >= TARGET * above][-1] / tp[-1]
        found.append({"f_beta": (2 * tp / (above + tp[-1])).max(), "recall": recall})
    return {key: float(found[1][key] - found[0][key]) for key in ASKED}


def simulate(n_jds: int, gap: float, runs: int, seed: int, n_resamples: int = 200) -> pd.DataFrame:
    """One row a figure: the true difference, the share of intervals that cover it, and what was said."""
    rng = np.random.default_rng([seed, n_jds, round(100 * gap)])
    rows = []
    for run in range(runs):
        jds, labels, one, other = draw(rng, n_jds, gap)
        for key, asked in ASKED.items():
            scores = {"A": one, "B": other}
            found = compare(scores, labels, clusters=jds, n_resamples=n_resamples, seed=run, **asked)
            row, true = found.row("B"), truth(gap)[key]
            rows.append(
                {
                    "figure": SAID[key],
                    "JDs": n_jds,
                    "true difference": true,
                    "covers": row["difference_low"] <= true <= row["difference_high"],
                    "better": found.standing("B") == "better",
                    "worse": found.standing("B") == "worse",
                    "length": row["difference_high"] - row["difference_low"],
                }
            )
    return pd.DataFrame(rows).groupby("figure", as_index=False, sort=False).mean()


def run(runs: int = 300, seed: int = 0) -> str:
    """All cells as a table."""
    found = pd.concat([simulate(n_jds, gap, runs, seed) for n_jds, gap in CELLS])
    found = found.sort_values(["figure", "true difference", "JDs"], kind="stable")
    heads = " | ".join(found.columns)
    lines = []
    for figure, jds, true, *shares in found.itertuples(index=False):
        lines.append(f"| {figure} | {jds:.0f} | {true:+.3f} | {' | '.join(f'{it:.3f}' for it in shares)} |")
    equal = found[found["true difference"].abs() < 0.002]
    false = equal["better"] + equal["worse"]
    return f"""# Is one encoder better than another, at the cutoff each would use?

{__doc__.split(chr(10), 2)[2].strip()}
About 5 pairs a JD, 40 % of them matches. Cutoffs are chosen again in each of 200 resamples of JDs, and 95 %
intervals are those of `wb.compare`; "better" and "worse" are what its sentence says of the second encoder.
{runs} samples a row, which know a share of 0.95 to ±{1.96 * np.sqrt(0.95 * 0.05 / runs):.3f}.

Of encoders that are equally good, it calls one better in {false.min():.3f} to {false.max():.3f} of samples
(0.05 is allowed). Lowest coverage: {found["covers"].min():.3f}.

| {heads} |
| {" | ".join("---" for _ in found.columns)} |
{chr(10).join(lines)}
"""
