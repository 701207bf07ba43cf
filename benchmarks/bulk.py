"""Bulk encoding on a local Ray of two workers: time and memory against N, and what killed processes cost.

    python benchmarks/bulk.py              # writes docs/measured/bulk.md; takes some minutes
    python benchmarks/bulk.py --most 10000

Texts are short, and the encoder is `keyword` with 256 dimensions, since the machinery is what is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.encoders.bulk import encode_parquet
from workbench.encoders.keyword import KeywordEncoder
from workbench.examples import EXAMPLE_JDS

PAGE = Path(__file__).parents[1] / "docs/measured/bulk.md"
SIZES = (10_000, 100_000, 1_000_000)
WORKERS = 2


def write_texts(path: Path, n: int) -> None:
    """Lines of some twenty characters, in one row group, which is the hardest to part."""
    texts = [f"{EXAMPLE_JDS[row % len(EXAMPLE_JDS)][:20]} {row}" for row in range(n)]
    pq.write_table(pa.table({"id": range(n), "text": texts}), path, row_group_size=n)


def begin(source: Path, folder: Path) -> psutil.Process:
    """A driver in a process of its own."""
    command = [sys.executable, __file__, "--child", str(source), str(folder)]
    return psutil.Process(subprocess.Popen(command).pid)


def workers_of(driver: psutil.Process) -> list[psutil.Process]:
    """Those of its processes that encode."""
    return [each for each in driver.children(recursive=True) if "MapWorker" in name_of(each)]


def name_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def megabytes(processes: list[psutil.Process]) -> list[float]:
    """Memory that each has to itself."""
    found = []
    for each in processes:
        try:
            found.append(each.memory_full_info().uss / 2**20)
        except psutil.Error:
            continue
    return found


def measured(n: int, folder: Path) -> dict[str, float]:
    """One run: seconds, and the most memory of the driver, of a worker, and of all processes together."""
    source, out = folder / f"{n}.parquet", folder / f"vectors-{n}"
    write_texts(source, n)
    began, peak = time.perf_counter(), {"driver": 0.0, "worker": 0.0, "all": 0.0}
    driver = begin(source, out)
    while driver.status() != psutil.STATUS_ZOMBIE:
        try:
            now = {
                "driver": sum(megabytes([driver])),
                "worker": max(megabytes(workers_of(driver)), default=0.0),
                "all": sum(megabytes([driver, *driver.children(recursive=True)])),
            }
        except psutil.Error:
            break
        peak = {name: max(value, now[name]) for name, value in peak.items()}
        time.sleep(0.5)
    seconds = time.perf_counter() - began
    # What is there is whole: none is encoded again, and every row is counted.
    report = encode_parquet(source, out, KeywordEncoder(dimension=256), progress=False)
    assert (report.n_rows, report.n_encoded, report.n_without_vector) == (n, 0, 0), report
    shutil.rmtree(out)
    return {"n": n, "seconds": seconds, **peak}


def killed(n: int, folder: Path) -> list[str]:
    """A run whose worker, and then whose driver is killed; what happened when."""
    source, out, began = folder / f"{n}.parquet", folder / "killed", time.perf_counter()
    n_files, log = -(-n // 4096), []

    def note(said: str) -> None:
        log.append(f"{time.perf_counter() - began:6.1f} s  {len(list(out.glob('part-*'))):3} files  {said}")
        print(log[-1], flush=True)

    def until(share: float) -> None:
        while len(list(out.glob("part-*"))) < share * n_files:
            time.sleep(0.05)

    driver = begin(source, out)
    until(0.3)
    first = workers_of(driver)
    first[0].send_signal(signal.SIGKILL)
    note("one of two workers killed with SIGKILL")
    while not {each.pid for each in workers_of(driver)} - {each.pid for each in first}:
        time.sleep(0.05)
    note("Ray has started another")
    until(0.6)
    last = workers_of(driver)
    driver.send_signal(signal.SIGKILL)
    note("driver killed with SIGKILL")
    while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in last):
        time.sleep(0.05)
    there = sum(pq.read_metadata(path).num_rows for path in out.glob("part-*"))
    note("its workers have ended")
    report = encode_parquet(source, out, KeywordEncoder(dimension=256), workers=WORKERS, progress=False)
    note(f"the same command again: {report.n_encoded:,} rows encoded, {n - report.n_encoded:,} were there")
    assert report.n_encoded == n - there
    ids = pq.read_table(out, columns=["id"])["id"].to_numpy()
    assert (ids == range(n)).all()
    note(f"{len(ids):,} rows, each once and in order")
    return log


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    asked = parser.parse_args()
    if asked.child:
        encode_parquet(*asked.child, KeywordEncoder(dimension=256), workers=WORKERS, progress=False)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sizes = [n for n in SIZES if n <= asked.most]
    with tempfile.TemporaryDirectory() as name:
        rows = [measured(n, Path(name)) for n in sizes]
        log = killed(sizes[-1], Path(name))
    lines = [
        "# Bulk encoding",
        f"`python benchmarks/bulk.py`, {date.today()}, {WORKERS} workers of a local Ray on "
        f"{os.cpu_count()} cores; load {os.getloadavg()[2]:.1f} in the last 15 minutes. Lines of some twenty "
        "characters in one row group, encoder `keyword` with 256 dimensions, 4,096 rows a file.",
        "",
        "| rows | seconds | MB of the driver | MB of the larger worker | MB of all processes |",
        "|---:|---:|---:|---:|---:|",
        *(
            f"| {row['n']:,} | {row['seconds']:.0f} | {row['driver']:.0f} | {row['worker']:.0f} "
            f"| {row['all']:.0f} |"
            for row in rows
        ),
        "",
        "Seconds are of the whole command, Ray's start in them. Megabytes are the most that was seen, twice "
        "a second, of memory that a process has to itself (USS); Ray's own processes are in the last column.",
        "",
        f"Killed in the middle of {sizes[-1]:,} rows:",
        "```text",
        *log,
        "```",
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
