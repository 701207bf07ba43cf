"""Active against random labelling: ``python benchmarks/active_labelling.py [--quick]``.

Pools are made of the demonstration set's scores, one pair in ten a match, the others pairs that were drawn
at random; they are large, so that no batch can take in all pairs above the cutoff. Both ways get as many
labels; what is compared is how far precision and the share of missed matches are from the truth. The number
says how many labels an even draw would need for the same error of precision.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import QUICK, save

import workbench as wb
from workbench.pairs import live_like_pool, simulate_labelling

SET = Path(__file__).parents[1] / "labeled_pairs" / "demo"
ENCODERS = ("use", "keyword")
N_POOL, PREVALENCE = 20_000, 0.1
SIZES = (60, 120, 240, 480)
N_REPEATS = 5 if QUICK else 100
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


def run(encoder: str) -> dict[str, Any]:
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


def main() -> None:
    found = [run(encoder) for encoder in ENCODERS]
    figures = {"n_pool": N_POOL, "prevalence": PREVALENCE, "n_repeats": N_REPEATS, "encoders": found}
    worth = {one["encoder"]: one["times_as_many_even_labels"] for one in found}
    notes = [
        f"Active labelling, scores of `{encoder}`: an even draw needs "
        f"{min(times.values()):.1f} to {max(times.values()):.1f} times as many labels for the same error "
        f"of precision at a cutoff with {RECALL:.0%} recall ({SIZES[0]} to {SIZES[-1]} labels, {N_POOL:,} "
        f"pairs, {N_REPEATS} repeats)."
        for encoder, times in worth.items()
    ]
    save("active_labelling", [], figures=figures | {"notes": notes})


if __name__ == "__main__":
    main()
