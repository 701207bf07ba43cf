"""Guaranteed cutoffs against MAPIE, the sweep against scikit-learn: ``python benchmarks/calibration.py``.

MAPIE tests the same cutoffs in the same order by the same exact test. The sweep's peer makes what
scikit-learn and statsmodels have of its columns: precision, recall and specificity at every distinct
score, with Wilson intervals.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from mapie.risk_control import BinaryClassificationController
from measuring import QUICK, Measurement, measure, save
from sklearn.metrics import precision_recall_curve, roc_curve
from statsmodels.stats.proportion import proportion_confint

from workbench.calibration import Guarantee, Observations, guarantee_precision, sweep

TARGET, CONFIDENCE = 0.85, 0.9
GRID_STEP = 0.005
# MAPIE rounds n times risk up before it tests, which makes one error too many now and then.
ROUNDING = 1e-9


def labelled_pairs(n: int) -> Observations:
    rng = np.random.default_rng(0)
    labels = (rng.random(n) < 0.4).astype(int)
    return Observations(np.where(labels, rng.beta(8, 4, n), rng.beta(3, 7, n)), labels)


def by_mapie(pairs: Observations, grid: npt.NDArray[np.float64]) -> Any:
    controller = BinaryClassificationController(
        lambda features: np.c_[1 - features[:, 0], features[:, 0]],
        risk="precision",
        target_level=TARGET,
        confidence_level=CONFIDENCE,
        list_predict_params=grid,
        fwer_method="fixed_sequence",
        best_predict_param_choice="recall",
    )
    return controller.calibrate(pairs.scores[:, None], pairs.labels)


def by_us(pairs: Observations, grid: npt.NDArray[np.float64]) -> Guarantee:
    return guarantee_precision(pairs, TARGET, confidence=CONFIDENCE, cutoffs=grid, start=0)


def guaranteed(n: int) -> Measurement:
    pairs, grid = labelled_pairs(n), np.arange(0.8, 0.1, -GRID_STEP)
    tests, theirs = by_us(pairs, grid).tests, by_mapie(pairs, grid)
    ours = tests["cutoff"][tests["passed"]].to_numpy()
    if not {round(cutoff, 9) for cutoff in theirs.valid_predict_params} <= {round(c, 9) for c in ours}:
        raise SystemExit("MAPIE guarantees cutoffs that we do not; times say nothing.")
    p_values = np.ravel(theirs.p_values)[: len(tests)]
    same = np.isclose(p_values, tests["p_value"], atol=ROUNDING).mean()
    return measure(
        "cutoff with guaranteed precision",
        f"{n:,} pairs, {len(grid)} cutoffs",
        ours=("guarantee_precision", partial(by_us, pairs, grid)),
        peer=("MAPIE's controller", partial(by_mapie, pairs, grid)),
        checked=f"{len(ours)} cutoffs guaranteed here, {len(theirs.valid_predict_params)} by MAPIE; "
        f"{same:.0%} of p-values equal, MAPIE rounds the others up",
    )


def by_sklearn(pairs: Observations) -> list[Any]:
    """The sweep's figures as far as scikit-learn and statsmodels have them, with intervals."""
    labels, scores = pairs.labels, pairs.scores
    precision, recall, _ = precision_recall_curve(labels, scores)
    false_positive_rate, _, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    above = np.searchsorted(np.sort(-scores), -thresholds[1:], side="right")
    n_matches = labels.sum()
    found = recall[:-1][::-1] * n_matches
    kept = (1 - false_positive_rate[1:]) * (len(labels) - n_matches)
    return [
        precision,
        recall,
        false_positive_rate,
        proportion_confint(found, above, method="wilson"),
        proportion_confint(found, n_matches, method="wilson"),
        proportion_confint(kept, len(labels) - n_matches, method="wilson"),
    ]


def swept(n: int) -> Measurement:
    pairs = labelled_pairs(n)
    # The last row is above the highest score, where scikit-learn has its extra point at (1, 0).
    rows, theirs = sweep(pairs.scores, pairs.labels).iloc[:-1], by_sklearn(pairs)
    differences = [
        rows["precision"] - theirs[0][:-1],
        rows["recall"] - theirs[1][:-1],
        rows["specificity"] - (1 - theirs[2][1:])[::-1],
        rows["precision_low"] - theirs[3][0][::-1],
        rows["recall_high"] - theirs[4][1][::-1],
        rows["specificity_low"] - theirs[5][0][::-1],
    ]
    largest = max(float(np.abs(difference).max()) for difference in differences)
    if largest > 1e-9:
        raise SystemExit(f"The sweep and scikit-learn differ by {largest}; times say nothing.")
    return measure(
        "sweep: all figures at every score",
        f"{n:,} pairs",
        ours=("32 columns", partial(sweep, pairs.scores, pairs.labels)),
        peer=("scikit-learn and statsmodels, 9 of them", partial(by_sklearn, pairs)),
        checked=f"those of both, largest difference {largest:.0e}",
    )


def main() -> None:
    with warnings.catch_warnings():
        # MAPIE warns that a fixed sequence is only valid where its order was fixed, which it was.
        warnings.simplefilter("ignore")
        measurements = [guaranteed(500), guaranteed(5_000), swept(500)]
        if not QUICK:
            measurements += [guaranteed(50_000), swept(50_000)]
    save("calibration", measurements, figures={"target": TARGET, "confidence": CONFIDENCE})


if __name__ == "__main__":
    main()
