"""One run of gpu.py: what it is measured on and has found, and what the device reaches at best."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import Measurement, measure


@dataclass
class Run:
    """What is measured on, and what was found so far."""

    device: str
    shape: Any
    folder: Path
    n_texts: int
    n_vectors: int
    dtype: str
    measurements: list[Measurement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    matrix_rate: float = float("nan")
    bandwidth: float = float("nan")
    encoder: Any = None
    peer: Any = None

    def say(self, note: str) -> None:
        print(note, flush=True)
        self.notes.append(note)

    def add(self, *arguments: Any, **options: Any) -> Measurement:
        row = measure(*arguments, **options)
        self.measurements.append(row)
        return row

    def wait(self) -> None:
        import torch

        if self.device != "cpu":
            torch.cuda.synchronize()

    def time(self, task: Callable[[], object], repeats: int = 10) -> float:
        """Median seconds of a task, with the device waited for."""
        task()
        self.wait()
        taken = []
        for _ in range(repeats):
            start = time.perf_counter()
            task()
            self.wait()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)


def limits(run: Run) -> None:
    """The rate of a large matrix product, and the bandwidth of a copy (bytes read and written)."""
    import torch

    size, n_bytes = (512, 2**24) if run.device == "cpu" else (8192, 2**32)
    dtype = getattr(torch, run.dtype)
    # Zeros would be faster: they take less power, so the clock stays higher.
    left, right = (torch.randn(size, size, device=run.device, dtype=dtype) for _ in range(2))
    run.matrix_rate = 2 * size**3 / run.time(lambda: left @ right, 20)
    source = torch.empty(n_bytes, dtype=torch.uint8, device=run.device)
    target = torch.empty_like(source)
    run.bandwidth = 2 * n_bytes / run.time(lambda: target.copy_(source), 20)
    run.figures |= {"matrix_flops_a_second": run.matrix_rate, "bytes_a_second": run.bandwidth}
    run.say(
        f"A {run.dtype} product of {size} × {size} matrices: {run.matrix_rate / 1e12:.1f} TFLOP/s; "
        f"a copy: {run.bandwidth / 1e9:.0f} GB/s read and written."
    )


def shape_of(run: Run) -> str:
    return f"{run.shape.layers} layers × {run.shape.hidden}, {run.dtype}"


def forget() -> None:
    """Give back the memory of what is no longer used."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()
