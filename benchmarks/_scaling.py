"""Time and memory against the number of texts or vectors, and the picture of them.

A script keeps its curves as ``figures["scaling"]``, one a line of the picture, as :meth:`Curve.to_dict` gives
them; ``run.py`` draws those of all scripts together.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from measuring import seconds

STATM = Path("/proc/self/statm")
# Memory is looked at this often; a shorter peak is missed.
PERIOD = 0.005
TIME_OF = {"encode": "time of all N texts", "search": "time of one query among N vectors"}
LEAST_RANGE = 10
# Okabe & Ito's colours, which the colour-blind can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


@dataclass
class Curve:
    """One way to do something, at several N.

    Attributes
    ----------
    what : str
        "encode", "search" or the like: curves of one kind share a picture.
    name : str
    n : list of int
    seconds : list of float
        As :data:`TIME_OF` says.
    mebibytes : list of float or None
        Most memory while it ran, above what was taken before the first of them (what one run has taken,
        the next may use again); None where it was not measured.
    """

    what: str
    name: str
    n: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float | None] = field(default_factory=list)
    before: float | None = field(default=None, repr=False, compare=False)

    @property
    def exponent(self) -> float:
        """Slope of log seconds against log N: 1 is linear."""
        return fitted_exponent(self.n, self.seconds)

    def measure(self, n: int, task: Callable[[], object], *, repeats: int = 1) -> None:
        """Add the median of some runs, and print it."""
        taken = []
        if self.before is None and STATM.exists():
            self.before = _resident()
        with peak_memory(self.before) as peak:
            for _ in range(repeats):
                start = time.perf_counter()
                task()
                taken.append(time.perf_counter() - start)
        self.n.append(n)
        self.seconds.append(statistics.median(taken))
        self.mebibytes.append(peak())
        memory = "" if peak() is None else f", {peak():.0f} MiB"
        print(f"{self.what}, {self.name}: {n:,} in {seconds(self.seconds[-1])}{memory}", flush=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for ``figures["scaling"]``."""
        return {
            "what": self.what,
            "name": self.name,
            "n": self.n,
            "seconds": self.seconds,
            "mebibytes": self.mebibytes,
            "exponent": self.exponent if len(self.n) > 1 else None,
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Curve:
        """The reverse of :meth:`to_dict`."""
        return cls(kept["what"], kept["name"], kept["n"], kept["seconds"], kept["mebibytes"])


def fitted_exponent(n: Sequence[float], values: Sequence[float]) -> float:
    """Slope of the straight line through the logarithms, by least squares."""
    return float(np.polyfit(np.log(n), np.log(values), 1)[0])


@contextmanager
def peak_memory(before: float | None = None) -> Iterator[Callable[[], float | None]]:
    """MiB that this process takes at most inside, above `before`, by default what it takes now.

    What is yielded gives it when it is called; None where it cannot be read.
    """
    if not STATM.exists():
        yield lambda: None
        return
    most, done = _resident(), threading.Event()
    start = most if before is None else before

    def watch() -> None:
        nonlocal most
        while not done.wait(PERIOD):
            most = max(most, _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: max(0.0, max(most, _resident()) - start)
    finally:
        done.set()
        watcher.join()


def _resident() -> float:
    import resource

    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 2**20


def draw(curves: Iterable[Curve], path: Path) -> Path:
    """Time and memory against N, a row of two pictures for each kind of curve."""
    import matplotlib
    from matplotlib.figure import Figure

    # Else the same curves would make another file each time.
    matplotlib.rcParams["svg.hashsalt"] = "scaling"

    by_kind: dict[str, list[Curve]] = {}
    for curve in curves:
        by_kind.setdefault(curve.what, []).append(curve)
    figure = Figure(figsize=(10, 3.9 * len(by_kind)), layout="constrained")
    axes = figure.subplots(len(by_kind), 2, squeeze=False)
    for row, (kind, of_kind) in zip(axes, by_kind.items(), strict=True):
        time_of = TIME_OF.get(kind, "time")
        labels = [
            f"{curve.name}   $N^{{{curve.exponent:.2f}}}$" if len(curve.n) > 1 else curve.name
            for curve in of_kind
        ]
        _lines(row[0], of_kind, [curve.seconds for curve in of_kind], labels)
        row[0].set(title=f"{kind.capitalize()}: {time_of}", ylabel="seconds")
        _lines(row[1], of_kind, [curve.mebibytes for curve in of_kind], [curve.name for curve in of_kind])
        row[1].set(title=f"{kind.capitalize()}: memory on top", ylabel="MiB")
        row[1].set_ylim(bottom=max(1, row[1].get_ylim()[0]))
        row[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)
    return path


def _lines(axes: Any, curves: list[Curve], values: list[Any], labels: list[str]) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for at, (curve, of_curve, label) in enumerate(zip(curves, values, labels, strict=True)):
        known = [
            (n, value) for n, value in zip(curve.n, of_curve, strict=True) if value is not None and value > 0
        ]
        if known:
            axes.plot(*zip(*known, strict=True), marker="o", markersize=4, color=COLOURS[at % 8], label=label)
    axes.set(xscale="log", yscale="log", xlabel="N")
    low, high = axes.get_ylim()
    if high < LEAST_RANGE * low:
        # Else what hardly grows would look as if it did.
        middle, half = (low * high) ** 0.5, LEAST_RANGE**0.5
        axes.set_ylim(middle / half, middle * half)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        axis.set_major_formatter(FuncFormatter(_plainly))
        # Within a decade or two the powers of ten are too few to read a value from.
        if high < 5 * low:
            minor: Any = FuncFormatter(_plainly)
        else:
            minor = FuncFormatter(_plainly_if_round) if high < 50 * low else NullFormatter()
        axis.set_minor_formatter(minor)
    axes.grid(which="major", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _plainly(value: float, _: int) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _plainly_if_round(value: float, _: int) -> str:
    """2 and 5 of each decade: all nine would run into each other."""
    return _plainly(value, _) if f"{value:e}"[0] in "25" else ""
