"""`workbench serve`: questions a second and how long they take, for 1 to 64 clients at once.

    python benchmarks/service.py        # writes docs/measured/service.md

The service is a process of its own; the clients are another one on the same cores. A question is a JD line
and a résumé line that nobody has asked before, so that both are encoded. Beside it, in the same round: the
encoder in a process alone, asked for the same two texts one question after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from datetime import date
from itertools import count
from pathlib import Path

import httpx
import numpy as np

import workbench as wb

PAGE = Path(__file__).parents[1] / "docs/measured/service.md"
CLIENTS = (1, 4, 16, 64)
NUMBER = count()


def question() -> tuple[str, str]:
    """A JD and a résumé of about 25 words each, as no other."""
    n = next(NUMBER)
    return (
        f"Ward nurse number {n} for nights on a surgical ward of {n + 20} beds, with RN licence, "
        "intensive care and ventilation, who teaches students and plans the shifts",
        f"Nurse number {n}, {n % 30} years on wards of {n + 7} beds, licence and certificate in "
        "intensive care, ventilators, palliative care, planning of shifts and training of new colleagues",
    )


async def client(http: httpx.AsyncClient, seconds: float, took: list[float]) -> None:
    """Ask one question after the other."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        jd, resume = question()
        began = time.perf_counter()
        answer = await http.post("/score", json={"pairs": [{"jd": jd, "resume": resume}]})
        answer.raise_for_status()
        took.append(time.perf_counter() - began)


async def at_once(address: str, clients: int, seconds: float) -> tuple[float, np.ndarray]:
    """Questions a second, and what each took, without the first second."""
    # One connection each: a pool for many costs more than the service.
    several = [httpx.AsyncClient(base_url=address, timeout=60) for _ in range(clients)]
    try:
        await asyncio.gather(*(client(http, 1, []) for http in several))
        took: list[float] = []
        began = time.perf_counter()
        await asyncio.gather(*(client(http, seconds, took) for http in several))
        return len(took) / (time.perf_counter() - began), np.array(took)
    finally:
        await asyncio.gather(*(http.aclose() for http in several))


def alone(encoder: wb.Encoder, seconds: float) -> float:
    """Questions a second of the encoder by itself."""
    began, n = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        jd, resume = question()
        encoder.encode_documents([jd], progress=False) @ encoder.encode_queries([resume], progress=False).T
        n += 1
    return n / (time.perf_counter() - began)


def interval(values: np.ndarray, share: float) -> str:
    """A quantile in milliseconds, with its 95 % interval by the bootstrap."""
    drawn = np.quantile(np.random.default_rng(0).choice(values, (500, len(values))), share, axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{1000 * np.quantile(values, share):.0f} ({1000 * low:.0f}–{1000 * high:.0f})"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--no-page", action="store_true")
    asked = parser.parse_args()
    encoder = wb.load_encoder("use", store=False)
    alone(encoder, 1)
    command = [sys.executable, "-m", "workbench", "serve", "--port=0", "--scorer=use"]
    rows, load = [], os.getloadavg()[0]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = server.stderr.readline().rsplit(" ", 1)[1].strip()
        try:
            for clients in CLIENTS:
                beside = alone(encoder, asked.seconds / 4)
                rate, took = asyncio.run(at_once(address, clients, asked.seconds))
                beside = (beside + alone(encoder, asked.seconds / 4)) / 2
                rows.append(
                    f"| {clients} | {rate:.0f} | {interval(took, 0.5)} | {interval(took, 0.95)} "
                    f"| {beside:.0f} | {rate / beside:.2f} |"
                )
                print(rows[-1])
            counted = httpx.get(f"{address}/metrics").text
        finally:
            server.terminate()
    values = dict(
        line.rsplit(" ", 1) for line in counted.splitlines() if line.startswith("workbench_batch_texts_")
    )
    together = float(values["workbench_batch_texts_sum"]) / float(values["workbench_batch_texts_count"])
    page = "\n".join(
        [
            "# A service under load",
            f"`python benchmarks/service.py`, {date.today()}, {os.cpu_count()} cores, on which the "
            f"clients ran too; load {load:.1f} at the start. Encoder `use`; two new texts of some 25 words a "
            "question; intervals are 95 %, by the bootstrap.",
            "",
            "| clients at once | questions a second | median, ms | 95th percentile, ms | encoder alone, "
            "questions a second | ratio |",
            "|---:|---:|---:|---:|---:|---:|",
            *rows,
            "",
            f"Texts that were encoded together, on average: {together:.1f}.",
            "",
        ]
    )
    if not asked.no_page:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
