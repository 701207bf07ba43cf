"""How `calibrate` grows with the number of labelled pairs: time, memory, and the fitted exponent.

    python benchmarks/growth.py            # writes docs/measured/growth.md and its picture

Each row is a process of its own, that has calibrated 6,000 pairs before, so that imports do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs/measured/growth.md", ROOT / "docs/images/growth.png"
SIZES = (5_000, 50_000, 500_000, 1_000_000, 5_000_000)
PAIRS_A_JD = 50
KINDS = {"independent": "independent pairs", "jds": f"{PAIRS_A_JD} pairs a JD"}


def frame(n: int, kind: str) -> Any:
    """Scored pairs of which 30 % are matches."""
    import pandas as pd

    rng = np.random.default_rng(0)
    labels = rng.random(n) < 0.3
    pairs = pd.DataFrame(
        {"score": np.clip(rng.normal(0.3 + 0.25 * labels, 0.12), -1, 1), "label": labels.astype(int)}
    )
    if kind == "jds":
        pairs["jd_id"] = rng.integers(0, n // PAIRS_A_JD, n)
    pairs.attrs["encoder"] = {"name": "made up", "fingerprint": "0" * 12}
    return pairs


def measured(n: int, kind: str) -> dict[str, float]:
    """Processor seconds, and megabytes beyond those at the start."""
    import resource

    from workbench.calibration import calibrate

    calibrate(frame(6_000, kind), target_precision=0.8)
    pairs = frame(n, kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, wall = time.process_time(), time.perf_counter()
    calibrate(pairs, target_precision=0.8)
    seconds, wall = time.process_time() - began, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"n": n, "seconds": seconds, "wall": wall, "megabytes": (peak - before) / 1024}


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("N", "KIND"), help=argparse.SUPPRESS)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measured(int(asked.child[0]), asked.child[1])))
        return
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for kind, rows in found.items():
        for n in SIZES:
            if n <= asked.most:
                command = [sys.executable, __file__, "--child", str(n), kind]
                rows.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
                print(kind, rows[-1], flush=True)
    lines = [
        "# How calibrating grows",
        f"`python benchmarks/growth.py`, {date.today()}, one of {os.cpu_count()} cores; load "
        f"{os.getloadavg()[0]:.1f} at the end.",
        "",
        "| pairs | " + " | ".join(f"{name}, s | MB more" for name in KINDS.values()) + " |",
        "|---:|" + "---:|" * (2 * len(KINDS)),
    ]
    for some in zip(*found.values(), strict=True):
        cells = " | ".join(f"{row['seconds']:.1f} | {row['megabytes']:.0f}" for row in some)
        lines.append(f"| {int(some[0]['n']):,} | {cells} |")
    powers = [exponent(rows) for rows in found.values()]
    lines += [
        "",
        "Processor seconds, and memory beyond that before the pairs were calibrated. From 50,000 on time "
        f"grows with the number to the power {powers[0]:.2f} ({KINDS['independent']}) and {powers[1]:.2f} "
        f"({KINDS['jds']}); a line through the logarithms.",
        "",
        "![Time and memory against the number of pairs](../images/growth.png)",
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    draw(found)


def exponent(rows: list[dict[str, float]]) -> float:
    """Of the power by which time grows."""
    large = [row for row in rows if row["n"] >= 50_000]
    return float(
        np.polyfit(np.log([row["n"] for row in large]), np.log([row["seconds"] for row in large]), 1)[0]
    )


def draw(found: dict[str, list[dict[str, float]]]) -> None:
    """Time and memory, all axes in logarithms."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, column, label in zip(
        figure.subplots(1, 2), ("seconds", "megabytes"), ("processor seconds", "MB more"), strict=True
    ):
        for (kind, every), mark in zip(found.items(), "os", strict=True):
            # What fits into what 6,000 pairs took before is not seen.
            rows = [row for row in every if row[column] > 1]
            axes.loglog(
                [row["n"] for row in rows], [row[column] for row in rows], mark + "-", label=KINDS[kind]
            )
        axes.set(xlabel="labelled pairs", ylabel=label)
        axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(PICTURE, dpi=150)


if __name__ == "__main__":
    main()
