"""All bootstrap curves against a loop over scikit-learn: ``python benchmarks/bootstrap.py [OUT.json]``.

Both compute precision and recall at every cutoff in every resample; that results are equal on the same
resamples is checked here first. Times depend on the machine; the ratio is of runs that took turns.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import precision_recall_curve

from workbench.calibration import MaxFBeta, Observations, bands, resample
from workbench.calibration.bootstrap import resample_with

N_PAIRS, N_JDS, N_RESAMPLES = 500, 70, 10_000
ROUNDS = 5


def labelled_pairs() -> Observations:
    rng = np.random.default_rng(0)
    labels = (rng.random(N_PAIRS) < 0.4).astype(int)
    scores = np.where(labels, rng.beta(6, 4, N_PAIRS), rng.beta(3, 6, N_PAIRS))
    return Observations(scores, labels)


def loop(pairs: Observations, n_resamples: int, *, best: bool = False) -> None:
    rng = np.random.default_rng(0)
    for _ in range(n_resamples):
        drawn = rng.integers(0, len(pairs), len(pairs))
        precision, recall, cutoffs = precision_recall_curve(pairs.labels[drawn], pairs.scores[drawn])
        if best:
            f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
            cutoffs[np.argmax(f1[:-1])]


def curves(pairs: Observations, n_resamples: int = N_RESAMPLES) -> None:
    for part in resample(pairs, n_resamples=n_resamples).in_chunks():
        part.figure("precision")
        part.figure("recall")


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def largest_difference(pairs: Observations, n_resamples: int = 200) -> float:
    """Between both ways, over all curves of some resamples."""
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, len(pairs), (n_resamples, len(pairs)))
    times = np.stack([np.bincount(row, minlength=len(pairs)) for row in drawn])
    resamples = resample_with(pairs, times)
    precision, recall = resamples.figure("precision"), resamples.figure("recall")
    largest = 0.0
    for b, row in enumerate(drawn):
        theirs = precision_recall_curve(pairs.labels[row], pairs.scores[row])
        at = np.searchsorted(resamples.cutoffs, theirs[2]) - 1
        for ours, expected in ((precision, theirs[0]), (recall, theirs[1])):
            largest = max(largest, float(np.abs(ours[at, b] - expected[:-1]).max()))
    return largest


def main(out: Path | None) -> None:
    pairs = labelled_pairs()
    shared = Observations(
        pairs.scores, pairs.labels, clusters=np.random.default_rng(1).integers(0, N_JDS, N_PAIRS)
    )
    difference = largest_difference(pairs)
    if difference > 1e-6:
        raise SystemExit(f"Curves differ by {difference}; their times say nothing.")
    part = N_RESAMPLES // 10
    tasks: dict[str, Callable[[], object]] = {
        "loop": lambda: loop(pairs, part),
        "loop with best F1": lambda: loop(pairs, part, best=True),
        "curves": lambda: curves(pairs),
        "curves by JD": lambda: curves(shared),
        "curves with best F1": lambda: MaxFBeta().pick_in(resample(pairs, n_resamples=N_RESAMPLES)),
        "curves with bands of five figures": lambda: bands(resample(pairs, n_resamples=N_RESAMPLES)),
    }
    for task in tasks.values():
        task()
    # In turns, so that what else the machine does falls on all alike.
    rounds = [[seconds(task) for task in tasks.values()] for _ in range(ROUNDS)]
    taken = dict(zip(tasks, np.median(rounds, axis=0).tolist(), strict=True))
    for name in ("loop", "loop with best F1"):
        taken[name] *= N_RESAMPLES / part
    ratios = {
        "curves": taken["loop"] / taken["curves"],
        "curves by JD": taken["loop"] / taken["curves by JD"],
        "curves with best F1": taken["loop with best F1"] / taken["curves with best F1"],
    }
    print(f"{N_RESAMPLES:,} resamples of {N_PAIRS} pairs")
    for name, value in taken.items():
        faster = f", {ratios[name]:.1f} times faster than the loop" if name in ratios else ""
        print(f"{name:<36}{value:7.3f} s{faster}")
    print(f"largest difference on the same resamples: {difference:.1g}")
    if out is not None:
        result = {
            "pairs": N_PAIRS,
            "resamples": N_RESAMPLES,
            "largest_difference": difference,
            "seconds": {name: round(value, 4) for name, value in taken.items()},
            "times_faster": {name: round(value, 1) for name, value in ratios.items()},
            "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
            "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        }
        out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
