"""How far two labellings of the demonstration's documents agree: ``python benchmarks/document_labels.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

FOLDER = Path(__file__).parents[1] / "labeled_pairs/documents"
N_RESAMPLES, SEED = 500, 0
STEPS = {"no": 0, "partly": 1, "yes": 2}


def both(name: str, keys: list[str]) -> pd.DataFrame:
    """Rows of the first and second labelling side by side."""
    first, second = (pd.read_csv(FOLDER / f"{name}_{which}.csv") for which in ("first", "second"))
    return first.merge(second, on=keys, suffixes=("_first", "_second"))


def with_interval(
    table: pd.DataFrame, figure: Callable[[pd.DataFrame], float], n_resamples: int = N_RESAMPLES
) -> str:
    """A figure with its 95 % interval, from JDs drawn with replacement."""
    rng = np.random.default_rng(SEED)
    by_jd = [some for _jd, some in table.groupby("jd_id")]
    drawn = [
        figure(pd.concat([by_jd[place] for place in rng.integers(len(by_jd), size=len(by_jd))]))
        for _ in range(n_resamples)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return f"{figure(table):.3f} ({low:.3f}–{high:.3f})"


def main() -> None:
    """Print how far they agree."""
    pairs = both("pairs", ["jd_id", "resume_id"])
    one, other = pairs["rating_first"], pairs["rating_second"]
    print(f"{len(pairs)} pairs, the same rating in {(one == other).mean():.1%}")
    print("weighted kappa", with_interval(pairs, lambda t: kappa(t, weights="quadratic")))
    print("kappa of 2 or 3", with_interval(pairs, lambda t: kappa(t, at_least=2)))
    rows = both("coverage", ["jd_id", "requirement_id", "resume_id"])
    rows = rows.assign(
        rating_first=rows["covered_first"].map(STEPS), rating_second=rows["covered_second"].map(STEPS)
    )
    print(
        f"{len(rows)} requirements, the same in {(rows['rating_first'] == rows['rating_second']).mean():.1%}"
    )
    print("kappa", with_interval(rows, kappa))


def kappa(table: pd.DataFrame, *, weights: str | None = None, at_least: int | None = None) -> float:
    """Cohen's, of the ratings or of whether they reach a grade."""
    sides = [table["rating_first"], table["rating_second"]]
    if at_least is not None:
        sides = [side >= at_least for side in sides]
    return float(cohen_kappa_score(*sides, weights=weights))


if __name__ == "__main__":
    main()
