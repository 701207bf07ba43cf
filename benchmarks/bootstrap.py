"""All bootstrap curves against a loop over scikit-learn: ``python benchmarks/bootstrap.py [--quick]``.

Both compute precision and recall at every cutoff in every resample; that results are equal on the same
resamples is checked first. The loop does a tenth of the resamples, and its time is taken ten times.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from measuring import QUICK, interleaved, measure, save
from sklearn.metrics import precision_recall_curve

from workbench.calibration import MaxFBeta, Observations, bands, resample
from workbench.calibration.bootstrap import resample_with

N_PAIRS, N_JDS = 500, 70
N_RESAMPLES = 1_000 if QUICK else 10_000
SHARE_OF_LOOP = 0.1


def labelled_pairs() -> Observations:
    rng = np.random.default_rng(0)
    labels = (rng.random(N_PAIRS) < 0.4).astype(int)
    scores = np.where(labels, rng.beta(6, 4, N_PAIRS), rng.beta(3, 6, N_PAIRS))
    return Observations(scores, labels)


def loop(pairs: Observations, *, best: bool = False) -> None:
    rng = np.random.default_rng(0)
    for _ in range(round(SHARE_OF_LOOP * N_RESAMPLES)):
        drawn = rng.integers(0, len(pairs), len(pairs))
        precision, recall, cutoffs = precision_recall_curve(pairs.labels[drawn], pairs.scores[drawn])
        if best:
            f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
            cutoffs[np.argmax(f1[:-1])]


def curves(pairs: Observations) -> None:
    for part in resample(pairs, n_resamples=N_RESAMPLES).in_chunks():
        part.figure("precision")
        part.figure("recall")


def best_cutoffs(pairs: Observations) -> None:
    MaxFBeta().pick_in(resample(pairs, n_resamples=N_RESAMPLES))


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


def main() -> None:
    pairs = labelled_pairs()
    jds = np.random.default_rng(1).integers(0, N_JDS, N_PAIRS)
    shared = Observations(pairs.scores, pairs.labels, clusters=jds)
    difference = largest_difference(pairs)
    if difference > 1e-6:
        raise SystemExit(f"Curves differ by {difference}; their times say nothing.")
    size = f"{N_PAIRS} pairs, {N_RESAMPLES:,} resamples"
    checked = f"200 resamples, largest difference {difference:.0e}"
    looped = ("loop over precision_recall_curve", partial(loop, pairs))
    measurements = [
        measure(
            "bootstrap of precision and recall at every cutoff",
            size,
            ours=("curves", partial(curves, pairs)),
            peer=looped,
            required=None if QUICK else 40,
            checked=checked,
            peer_share=SHARE_OF_LOOP,
        ),
        measure(
            "the same, resampled by JD",
            f"{size}, {N_JDS} JDs",
            ours=("curves", partial(curves, shared)),
            peer=looped,
            peer_share=SHARE_OF_LOOP,
        ),
        measure(
            "bootstrap of the cutoff with the best F1",
            size,
            ours=("curves and best cutoffs", partial(best_cutoffs, pairs)),
            peer=("the same loop with argmax", partial(loop, pairs, best=True)),
            peer_share=SHARE_OF_LOOP,
        ),
    ]

    def five_bands() -> None:
        bands(resample(pairs, n_resamples=N_RESAMPLES))

    with_bands = interleaved(five_bands, partial(curves, pairs), rounds=3).ours
    print(f"bands of five figures, {size}: {with_bands:.2f} s")
    save("bootstrap", measurements, figures={"largest_difference": difference, "bands_seconds": with_bands})


if __name__ == "__main__":
    main()
