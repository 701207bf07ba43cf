"""How time and memory grow: calibrating on scores from Parquet, adding to a knowledge base, ranking.

    python benchmarks/growth.py            # writes docs/measured/growth.md and its picture

Each row is a process of its own that has done the same with little before, so that imports do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs/measured/growth.md", ROOT / "docs/images/growth.png"
PAIRS_A_JD = 50


class Kind(NamedTuple):
    """What is done with more and more."""

    name: str
    of: str
    sizes: tuple[int, ...]
    little: int


KINDS = {
    "independent": Kind(
        "calibrate, independent pairs", "pairs", (100_000, 300_000, 1_000_000, 10_000_000), 6_000
    ),
    "jds": Kind(
        f"calibrate, {PAIRS_A_JD} pairs a JD", "pairs", (100_000, 300_000, 1_000_000, 10_000_000), 6_000
    ),
    "kb": Kind("kb add, `use`", "texts of six words", (10_000, 30_000, 100_000), 300),
    "rank": Kind("rank, `use`", "JDs × résumés of six words", (1_000, 10_000, 100_000, 1_000_000), 100),
}
WORDS = [
    "nurse",
    "ward",
    "python",
    "java",
    "sales",
    "tax",
    "design",
    "weld",
    "teach",
    "drive",
    "cloud",
    "audit",
    "护士",
    "开发",
    "销售",
    "会计",
]


def write_pairs(file: str, n: int, kind: str) -> None:
    """Scored pairs of which 30 % are matches; all scores differ."""
    import pandas as pd

    rng = np.random.default_rng(0)
    labels = rng.random(n) < 0.3
    pairs = pd.DataFrame(
        {"score": np.clip(rng.normal(0.3 + 0.25 * labels, 0.12), -1, 1), "label": labels.astype(int)}
    )
    if kind == "jds":
        pairs["jd_id"] = rng.integers(0, n // PAIRS_A_JD, n)
    pairs.to_parquet(file)


def made_up(n: int, seed: int) -> list[str]:
    """Different short texts."""
    some = np.random.default_rng(seed).choice(WORDS, (n, 5))
    return [f"{' '.join(row)} {number}" for number, row in enumerate(some.tolist())]


def act(kind: str, n: int, folder: str) -> Any:
    """What is to be measured, ready to be called."""
    import workbench as wb

    if kind in ("independent", "jds"):
        file = f"{folder}/{n}.parquet"
        # In a process of its own, so that its memory is not taken for that of calibrating.
        subprocess.run([sys.executable, __file__, "--write", file, str(n), kind], check=True)
        return lambda: wb.calibrate(file, target_precision=0.8)
    if kind == "kb":
        texts = made_up(n, 1)
        return lambda: wb.KnowledgeBase.open(f"{folder}/kb-{n}", wb.load_encoder("use")).add(texts)
    n_jds = round(n ** (1 / 3))  # 10 × 100 to 100 × 10,000
    jds, resumes = made_up(n_jds, 2), made_up(n // n_jds, 3)
    return lambda: wb.rank(jds, resumes, scorer="use", progress=False)


def measured(n: int, kind: str) -> dict[str, float]:
    """Processor seconds, and megabytes beyond those at the start."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = folder
        act(kind, KINDS[kind].little, folder)()
        large = act(kind, n, folder)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        large()
        seconds = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"n": n, "seconds": seconds, "megabytes": (peak - before) / 1024}


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("N", "KIND"), help=argparse.SUPPRESS)
    parser.add_argument("--write", nargs=3, metavar=("FILE", "N", "KIND"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write_pairs(asked.write[0], int(asked.write[1]), asked.write[2])
        return
    if asked.child:
        print(json.dumps(measured(int(asked.child[0]), asked.child[1])))
        return

    def row(kind: str, n: int) -> dict[str, float]:
        command = [sys.executable, __file__, "--child", str(n), kind]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        print(kind, found, flush=True)
        return found

    with ThreadPoolExecutor(2) as two:
        waiting = {name: [two.submit(row, name, n) for n in kind.sizes] for name, kind in KINDS.items()}
    write({name: [each.result() for each in rows] for name, rows in waiting.items()})


def write(found: dict[str, list[dict[str, float]]]) -> None:
    """The page and its picture."""
    lines = [
        "# How time and memory grow",
        f"`python benchmarks/growth.py`, {date.today()}, one thread each on {os.cpu_count()} cores; load "
        f"{os.getloadavg()[0]:.1f} at the end. Processor seconds, and memory beyond that before.",
        "",
    ]
    for name, rows in found.items():
        power, least, most = exponent(rows)
        lines += [
            f"## {KINDS[name].name}",
            f"| {KINDS[name].of} | s | MB more | bytes for each |",
            "|---:|---:|---:|---:|",
            *(
                f"| {int(row['n']):,} | {row['seconds']:.1f} | {row['megabytes']:.0f} "
                f"| {row['megabytes'] * 2**20 / row['n']:.0f} |"
                for row in rows
            ),
            "",
            f"Time grows with the number to the power {power:.2f} (95 %: {least:.2f} to {most:.2f}).",
            "",
        ]
    lines += [
        "A power is the slope of a line through the logarithms of all rows; what takes the same time for few "
        "and for many makes it smaller. Calibrating reads Parquet. No score is rounded or binned, counts are "
        "exact, and a study is that of the same rows in a frame (`tests/unit/test_scored_files.py`). Of more "
        "than 100,000 distinct scores, cutoffs are looked for at 100,000 of them, evenly spaced in rank: the "
        "best one is at most a 100,000th of the pairs away.",
        "",
        "![Time and memory against the number](../images/growth.png)",
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    draw(found)


def exponent(rows: list[dict[str, float]]) -> tuple[float, float, float]:
    """Of the power by which time grows, with its interval."""
    from scipy import stats

    fit = stats.linregress(*(np.log([row[name] for row in rows]) for name in ("n", "seconds")))
    reach = stats.t.ppf(0.975, len(rows) - 2) * fit.stderr
    return fit.slope, fit.slope - reach, fit.slope + reach


def draw(found: dict[str, list[dict[str, float]]]) -> None:
    """Time and memory, all axes in logarithms."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, column, label in zip(
        figure.subplots(1, 2), ("seconds", "megabytes"), ("processor seconds", "MB more"), strict=True
    ):
        for (name, every), mark in zip(found.items(), "os^v", strict=True):
            # What fits into what little took before is not seen.
            rows = [row for row in every if row[column] > 1]
            numbers = ([row["n"] for row in rows], [row[column] for row in rows])
            axes.loglog(*numbers, mark + "-", label=KINDS[name].name.replace("`", ""))
        axes.set(xlabel="pairs, texts, or JDs × résumés", ylabel=label)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(PICTURE, dpi=150)


if __name__ == "__main__":
    main()
