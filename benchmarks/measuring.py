"""Times beside a peer's, taken in turns, and the file that they are kept in.

Scripts in this folder import it as a neighbour (``from measuring import measure, save``). It needs nothing
but Python. What is measured is in the scripts; comparing with earlier results is in ``run.py``.
"""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = [
    "QUICK",
    "RESULTS",
    "Measurement",
    "Timing",
    "installed",
    "interleaved",
    "measure",
    "save",
    "table",
]

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
# Scripts make their task smaller where this is set; such results are kept apart from those that are quoted.
QUICK = "--quick" in sys.argv

# A clock and a call cost about a microsecond: shorter tasks are repeated until this long has passed.
SHORTEST_BLOCK = 0.02
# The fewest of which 95% intervals leave out the fastest and the slowest.
ROUNDS = 9
PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "mapie", "faiss-cpu", "turbovec", "torch", "transformers"),
    *("sentence-transformers", "tokenizers", "onnxruntime", "umap-learn", "numba", "hdbscan"),
    *("fast-hdbscan", "pacmap"),
)


@dataclass(frozen=True)
class Timing:
    """What :func:`interleaved` found.

    Attributes
    ----------
    ours, peer : float
        Median seconds of one call.
    ratio : float
        Median over the rounds of peer/ours: how many times faster ours is.
    ratios : tuple of float
        The ratio of each round.
    """

    ours: float
    peer: float
    ratio: float
    ratios: tuple[float, ...]


@dataclass(frozen=True)
class Measurement:
    """One row of the results: a task, how long it took here, and how long a peer took over the same.

    Attributes
    ----------
    task, size : str
        What was done, and to how much ("encode mixed texts", "2,000 texts").
    ours, peer : str
        What did it.
    ours_seconds, peer_seconds : float
        Median of one run.
    ratio : float
        Median over the rounds of peer/ours: how many times faster ours is.
    required : float, optional
        The ratio that has to be reached.
    checked : str
        How it was checked that both give the same result, and what came of it.
    ratios : tuple of float
        The ratio of each round.
    """

    task: str
    size: str
    ours: str
    peer: str
    ours_seconds: float
    peer_seconds: float
    ratio: float
    required: float | None = None
    checked: str = ""
    ratios: tuple[float, ...] = ()

    @property
    def interval(self) -> tuple[float, float]:
        """Between which two of the ratios their true median lies with 95% probability.

        Of n independent ratios as many lie below the true median as of n tosses fall heads, whatever their
        distribution (David & Nagaraja, *Order Statistics*, 2003, 7.1). Fewer than six are too few for 95%:
        then it is all of them.
        """
        n, left_out, below = len(self.ratios), 0, 1 + len(self.ratios)
        while below <= 0.025 * 2**n:
            left_out += 1
            below += math.comb(n, left_out + 1)
        ordered = sorted(self.ratios) or [self.ratio]
        return ordered[left_out], ordered[-1 - left_out]

    @property
    def faster(self) -> str:
        """How many times faster, with the interval where more than one round was run."""
        if len(self.ratios) < 2:
            return f"**{times(self.ratio)}**"
        return f"**{times(self.ratio)}** ({'–'.join(map(times, self.interval))})"

    @property
    def reached(self) -> bool | None:
        """Whether the ratio is the required one or better; None where none is required."""
        return None if self.required is None else self.ratio >= self.required

    def __str__(self) -> str:
        against = "" if self.required is None else f" (required: {self.required:g})"
        return (
            f"{self.task}, {self.size}: {self.ours} {seconds(self.ours_seconds)}, "
            f"{self.peer} {seconds(self.peer_seconds)}, {times(self.ratio)} times faster{against}"
        )


def interleaved(
    ours: Callable[[], object], peer: Callable[[], object], *, rounds: int = ROUNDS, warm_up: int = 1
) -> Timing:
    """Time two callables in turns, so that what else the machine does falls on both alike.

    Each round runs both, the order swapped from round to round, without garbage collection. A callable
    that takes less than some milliseconds is called as often as a block of 20 ms needs.

    Parameters
    ----------
    ours, peer : callable
        Called without arguments; what they return is thrown away.
    rounds : int
        At least 1; their ratios are paired.
    warm_up : int
        Calls of both beforehand that are not counted; they also say how many calls a block needs. With 0,
        for tasks that cannot be warmed up, a block is one call.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}; at least one is needed.")
    tasks, calls = (ours, peer), [1, 1]
    for at, task in enumerate(tasks):
        taken = [_block(task, 1) for _ in range(warm_up)]
        if taken:
            calls[at] = max(1, round(SHORTEST_BLOCK / max(taken[-1], 1e-7)))
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for at in (0, 1) if number % 2 == 0 else (1, 0):
            times[at].append(_block(tasks[at], calls[at]))
    ratios = tuple(theirs / mine for mine, theirs in zip(*times, strict=True))
    ours_median, peer_median = (statistics.median(of_one) for of_one in times)
    return Timing(ours_median, peer_median, statistics.median(ratios), ratios)


def measure(
    task: str,
    size: str,
    ours: tuple[str, Callable[[], object]],
    peer: tuple[str, Callable[[], object]],
    *,
    required: float | None = None,
    checked: str = "",
    rounds: int = ROUNDS,
    warm_up: int = 1,
    peer_share: float = 1.0,
) -> Measurement:
    """Time a task beside a peer, and print the row.

    Parameters
    ----------
    task, size, required, checked
        As in :class:`Measurement`.
    ours, peer : (str, callable)
        The name for the table, and the task.
    rounds, warm_up : int
        As in :func:`interleaved`.
    peer_share : float
        Where a slow peer does only this share of the task (0.1: a tenth of the resamples), its time is
        divided by it.
    """
    timing = interleaved(ours[1], peer[1], rounds=rounds, warm_up=warm_up)
    ratios = tuple(ratio / peer_share for ratio in timing.ratios)
    measurement = Measurement(
        task=task,
        size=size,
        ours=ours[0],
        peer=peer[0],
        ours_seconds=timing.ours,
        peer_seconds=timing.peer / peer_share,
        ratio=timing.ratio / peer_share,
        required=required,
        checked=checked,
        ratios=ratios,
    )
    print(measurement, flush=True)
    return measurement


def save(
    name: str,
    measurements: Sequence[Measurement],
    *,
    figures: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Path:
    """Write ``benchmarks/results/<name>.json``, with the machine, the versions and the date.

    Parameters
    ----------
    name : str
        Of the script.
    measurements : sequence of Measurement
        Rows of the table.
    figures : mapping, optional
        Other numbers worth keeping that JSON can hold (recall, memory, times against N).
    folder : Path, optional
        Elsewhere than ``benchmarks/results``; runs with ``--quick`` go to ``results/quick``.

    Returns
    -------
    Path
        The file, complete or not there at all.
    """
    kept = {
        "name": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "machine": machine(),
        "versions": versions(),
        "load_at_start": LOAD_AT_START,
        "seconds_in_all": round(time.time() - STARTED, 1),
        "measurements": [_rounded(asdict(measurement)) for measurement in measurements],
        "figures": _rounded(figures or {}),
    }
    path = (folder or (RESULTS / "quick" if QUICK else RESULTS)) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


def table(measurements: Sequence[Measurement]) -> str:
    """Markdown, a row a measurement."""
    lines = [
        "| Task | Size | Ours | Peer | Times faster | Required | Same result |",
        "|---|---|---|---|---:|---:|---|",
    ]
    for row in measurements:
        required = "" if row.required is None else f"{row.required:g} {'✓' if row.reached else '✗ missed'}"
        cells = (
            row.task,
            row.size,
            f"{row.ours}: {seconds(row.ours_seconds)}",
            f"{row.peer}: {seconds(row.peer_seconds)}",
            row.faster,
            required,
            row.checked,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def times(ratio: float) -> str:
    """A ratio with two decimals, or with none where nobody would read them."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2f}"


def seconds(value: float) -> str:
    """Three digits and a unit that a person reads easily."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if value * factor >= 1 or unit == "µs":
            shown = value * factor
            return f"{shown:.{max(0, 2 - max(0, len(str(int(shown))) - 1))}f} {unit}"
    raise AssertionError


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system; no host name, no paths."""
    flags = _cpuinfo("flags").split()
    known = [name for name in ("avx2", "avx512f", "avx512_vnni", "amx_tile") if name in flags]
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "instructions": known,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": _gpu(),
        "threads_asked_for": os.environ.get("OMP_NUM_THREADS"),
    }


def installed(package: str) -> bool:
    """Whether a peer is there; where it is not, that its rows are left out is said."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        print(f"{package} is not installed, so its rows are left out; 'make bench' installs it.", flush=True)
        return False
    return True


def versions() -> dict[str, str]:
    """Of Python, and of the packages that are installed of those that times depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _block(task: Callable[[], object], calls: int) -> float:
    """Seconds of one call, over so many."""
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(calls):
            task()
        return (time.perf_counter() - start) / calls
    finally:
        if was_on:
            gc.enable()


def _rounded(value: Any) -> Any:
    """Five significant digits: more are noise, and make every run a change of every line."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.partition(":")[0].strip() == key:
            return line.partition(":")[2].strip()
    return ""


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _gpu() -> str | None:
    """Name of the GPU, where the script has loaded torch and there is one."""
    torch = sys.modules.get("torch")
    return torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None


def _commit() -> str | None:
    """The commit that was measured, and whether the package or the benchmarks were changed since."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "workbench", "benchmarks/*.py")
        return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _load() -> float | None:
    """Processes that wanted a core in the last minute: on a busy machine seconds mean little."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


# run.py says when it started the process, which has imported much until now.
STARTED = float(os.environ.get("WORKBENCH_BENCH_STARTED") or time.time())
LOAD_AT_START = _load()
