"""What a knowledge base in Milvus finds of what an exact search finds, and how long it takes.

    python benchmarks/milvus.py                                # Milvus Lite
    python benchmarks/milvus.py --address milvus:http://host:19530#measured --sizes 100000 1000000

Texts are those of the demonstration's pairs; beyond them, their vectors with noise as long as half of one.
Queries are texts that are not in the base. Writes docs/measured/milvus.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

import workbench as wb
from workbench.encoders import BaseEncoder

PAGE = Path(__file__).parents[1] / "docs/measured/milvus.md"
QUERIES, K = 200, 5


class Rows(BaseEncoder):
    """Texts are numbers of rows of a matrix, so that encoding does not count."""

    name, dimension, recipe = "rows", 512, {"rows": 512}

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def encode_batches(self, texts: Sequence[str], role: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield np.arange(len(texts)), self.vectors[[int(text) for text in texts]]


def vectors(n: int) -> np.ndarray:
    """Of `n` texts and then of the queries."""
    pairs = wb.read_pairs("labeled_pairs/demo")
    texts = list(dict.fromkeys([*pairs["jd"], *pairs["resume"]]))
    rng = np.random.default_rng(0)
    real = wb.load_encoder("use").encode_documents([texts[row] for row in rng.permutation(len(texts))])
    queries, real = real[:QUERIES], real[QUERIES:]
    noise = rng.normal(size=(max(0, n - len(real)), real.shape[1])) * 0.5 / real.shape[1] ** 0.5
    more = real[rng.integers(len(real), size=len(noise))] + noise
    both = np.concatenate([real[:n], more, queries])
    return (both / np.linalg.norm(both, axis=1, keepdims=True)).astype(np.float32)


def measured(address: str, n: int) -> str:
    """A row of the table."""
    made = vectors(n)
    base = wb.KnowledgeBase.open(address, Rows(made))
    if len(base):
        raise SystemExit(f"{address} holds texts; name an empty place.")
    began = time.perf_counter()
    base.add([str(row) for row in range(n)], progress=False)
    store = base._store
    # Milvus Lite builds its graph when it loads what was flushed; a server, from when it is flushed.
    for act in ("flush", "release_collection", "load_collection"):
        store._milvus(act, store._kept.collection)
    added, began = time.perf_counter() - began, time.perf_counter()
    found = [base.search(str(n + row), k=K, cutoff=0.4, progress=False) for row in range(QUERIES)]
    searched = time.perf_counter() - began
    cosines = made[n:].astype(np.float64) @ made[:n].T
    best = np.argsort(-cosines, axis=1)[:, :K]
    hits = [len({hit["index"] for hit in some} & {*row}) for some, row in zip(found, best, strict=True)]
    off = max(
        abs(hit["score"] - cosines[row, hit["index"]]) for row, some in enumerate(found) for hit in some
    )
    whole = sum(count == K for count in hits)
    low, high = binomtest(whole, QUERIES).proportion_ci(method="exact")
    share = f"{whole} of {QUERIES} ({low:.1%} to {high:.1%})"
    return (
        f"| {n:,} | {made.shape[1]} | {np.mean(hits) / K:.4f} | {share} "
        f"| {off:.0e} | {n / added:,.0f} | {1000 * searched / QUERIES:.1f} |"
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", help="By default Milvus Lite in a folder that goes again.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 8_000])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(asked.address or f"milvus:{folder}/{n}.db", n) for n in asked.sizes]
    where, load = "a server" if asked.address else "Milvus Lite", os.getloadavg()[0]
    head = (
        "texts",
        "dimensions",
        f"recall@{K}",
        f"queries with all {K} found (95 %)",
        "score off by at most",
    )
    said = f"""# Milvus, beside an exact search
`python benchmarks/milvus.py`, {date.today()}, {where}, {os.cpu_count()} cores; load {load:.1f} at the end.

| {" | ".join(head)} | added a second | search, ms |
|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

Exact is the cosine of all rows in float64. Vectors are in the graph (HNSW, M 18, efConstruction 240, ef 256),
not only in memory. What a cluster takes is measured with `--address`; see [Milvus](../milvus.md).
"""
    PAGE.write_text(said, encoding="utf-8")
    print(said)


if __name__ == "__main__":
    main()
