"""Active against random labelling: ``python benchmarks/active_labelling.py [OUT.json]``.

Pools are made of the demonstration set's scores, one pair in ten a match, the others pairs that were drawn
at random; they are large, so that no batch can take in all pairs above the cutoff. Both ways get as many
labels; what is compared is how far precision and the share of missed matches are from the truth. The number
says how many labels an even draw would need for the same error of precision.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import workbench as wb
from workbench.pairs import live_like_pool, simulate_labelling

SET = Path(__file__).parents[1] / "labeled_pairs" / "demo"
ENCODERS = ("use", "keyword")
N_POOL, PREVALENCE = 20_000, 0.1
SIZES = (60, 120, 240, 480)
N_REPEATS = 100
# Of the matches, this share lies above the cutoff that is looked at.
RECALL = 0.5


def pool_of(scored: pd.DataFrame) -> pd.DataFrame:
    """A pool such as comes in live: few matches, and non-matches that nobody chose to be hard."""
    is_match = scored["label"] == 1
    others = scored.loc[~is_match & (scored["source"] == "drawn"), "score"]
    return live_like_pool(scored.loc[is_match, "score"], others, n=N_POOL, prevalence=PREVALENCE)


def even_draws_worth(found: pd.DataFrame) -> dict[int, float]:
    """For each size, how many times as many evenly drawn labels have the same error of precision.

    The error of an even draw falls with the square root of the number of labels.
    """
    rows = found[found["figure"] == "precision"].pivot_table(index="n", columns="method", values="rmse")
    return {int(n): float((row["random"] / row["active"]) ** 2) for n, row in rows.iterrows()}


def run(encoder: str) -> dict[str, object]:
    scored = wb.score_pairs(wb.read_pairs(SET), wb.load_encoder(encoder), progress=False)
    pool = pool_of(scored)
    cutoff = float(np.quantile(pool.loc[pool["label"] == 1, "score"], 1 - RECALL))
    found = simulate_labelling(pool, cutoff, SIZES, n_repeats=N_REPEATS)
    above = pool["score"] > cutoff
    worth = even_draws_worth(found)
    print(f"{encoder}: cutoff {cutoff:.4f}, precision {pool.loc[above, 'label'].mean():.1%}")
    print(
        found.pivot_table(index=["figure", "n"], columns="method", values=["rmse", "bias"])
        .round(4)
        .to_string()
    )
    print(
        "an even draw needs so many times the labels:",
        {n: round(times, 1) for n, times in worth.items()},
        "\n",
    )
    return {
        "encoder": encoder,
        "cutoff": cutoff,
        "precision": float(pool.loc[above, "label"].mean()),
        "share_above": float(above.mean()),
        "times_as_many_even_labels": worth,
        "rows": found.to_dict("records"),
    }


def main(out: str | None = None) -> None:
    results = {
        "n_pool": N_POOL,
        "prevalence": PREVALENCE,
        "n_repeats": N_REPEATS,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "encoders": [run(encoder) for encoder in ENCODERS],
    }
    if out is not None:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
