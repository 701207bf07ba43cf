"""How far what is said about vectors can be trusted: ``python benchmarks/inside_vectors.py [--quick]``.

On the demonstration pairs: phrases that explanations name are deleted, and random ones for comparison;
and pairs that really are random are asked for dimensions above chance. Nothing is timed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from measuring import QUICK, save

import workbench as wb
from workbench.exploration import against_chance, measure_faithfulness

SET = Path(__file__).parents[1] / "labeled_pairs" / "demo"
ENCODERS = ("use", "keyword")
N_PAIRS = 60 if QUICK else None
N_RANDOM = 40 if QUICK else 500
FDR = 0.05


def faithfulness(encoder: str) -> list[dict[str, Any]]:
    pairs, loaded = wb.read_pairs(SET), wb.load_encoder(encoder)
    rows = []
    for side in ("resume", "jd"):
        found = measure_faithfulness(pairs, loaded, side=side, n_pairs=N_PAIRS, progress=False)
        print(f"{encoder}, {side}: {found.sentence()}\n", flush=True)
        by_source = found.table.groupby(found.table["pair"].map(pairs["source"]))
        means = by_source[["drop_top", "drop_random", "drop_longest"]].mean()
        rows.append(
            {
                "encoder": encoder,
                **found.to_dict(),
                "by_source": means.to_dict("index"),
                "sentence": found.sentence(),
            }
        )
    return rows


def random_pairs_with_findings(encoder: str) -> dict[str, Any]:
    """How many random pairs have any dimension above chance, with correction and without."""
    pairs, loaded = wb.read_pairs(SET), wb.load_encoder(encoder)
    jds = loaded.encode_documents(list(pairs["jd"].unique()), progress=False)
    resumes = loaded.encode_queries(list(pairs["resume"].unique()), progress=False)
    rng = np.random.default_rng(0)
    corrected, uncorrected = [], []
    for _ in range(N_RANDOM):
        jd, resume = rng.integers(len(jds)), rng.integers(len(resumes))
        found = against_chance(
            jds[jd], resumes[resume], np.delete(jds, jd, 0), np.delete(resumes, resume, 0), fdr=FDR
        )
        corrected.append(len(found.findings))
        uncorrected.append(int((found.p_values <= FDR).sum()))
    figures = {
        "encoder": encoder,
        "n_pairs": N_RANDOM,
        "fdr": FDR,
        "share_with_findings": float(np.mean(np.array(corrected) > 0)),
        "mean_uncorrected": float(np.mean(uncorrected)),
    }
    print(figures, "\n", flush=True)
    return figures


def main() -> None:
    rows = [row for encoder in ENCODERS for row in faithfulness(encoder)]
    random = random_pairs_with_findings("use")
    notes = [
        f"Explanations by leaving out phrases, `{row['encoder']}`: {row.pop('sentence')}" for row in rows
    ]
    notes.append(
        f"Of {random['n_pairs']} random pairs, `{random['encoder']}`: {random['share_with_findings']:.1%} "
        f"have any dimension above chance at a false discovery rate of {FDR:.0%}; uncorrected they have "
        f"{random['mean_uncorrected']:.1f} each."
    )
    save("inside_vectors", [], figures={"faithfulness": rows, "random_pairs": random, "notes": notes})


if __name__ == "__main__":
    main()
