"""Kinds of approximate indexes beside each other: ``python benchmarks/_index_kinds.py [--texts FILE]``.

Behind the choice in ``docs/decisions/0005-short-codes-refined-on-the-vectors.md``; no part of ``make bench``.
All find candidates that are then compared in full, over the vectors and queries of ``search.py``, in one
thread. Printed are the build's seconds, and recall and milliseconds of a query at several efforts.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from search import K, N, mixture, real_vectors, share_found

from workbench.encoders.base import Vectors
from workbench.retrieval.exact import FlatIndex

# What is set before a search, and how many candidates a hit.
Effort = tuple[str, Callable[[], object], int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=os.environ.get("WORKBENCH_BENCH_TEXTS"))
    parser.add_argument("--encoding-seconds", type=float, default=60)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    faiss.omp_set_num_threads(1)
    vectors, queries, _ = real_vectors(chosen.texts, chosen.encoding_seconds)
    compare("real texts", vectors, queries)
    compare("mixture", *mixture(N, 2560))


def compare(name: str, vectors: Vectors, queries: Vectors) -> None:
    expected = FlatIndex(vectors).search(queries, K)[1]
    for kind, build in KINDS.items():
        started = time.perf_counter()
        index, efforts = build(vectors)
        seconds = time.perf_counter() - started
        for effort, prepare, candidates in efforts:
            prepare()
            found, times = [], []
            for query in queries:
                start = time.perf_counter()
                rows = index.search(query[None], K * candidates)[1][0]
                rows = rows[rows >= 0]
                found.append(rows[np.argsort(-np.vecdot(vectors[rows], query))[:K]])
                times.append(time.perf_counter() - start)
            print(
                f"{name}, {len(vectors):,} × {vectors.shape[1]:,}: {kind}, {effort}: recall@5 "
                f"{share_found(expected, found):.4f}, {np.median(times) * 1e3:.2f} ms, "
                f"built in {seconds:.1f} s",
                flush=True,
            )


def short_codes(vectors: Vectors) -> tuple[Any, Iterator[Effort]]:
    """Product quantiser, 4 bits for 8 values, all rows scanned."""
    dimension = vectors.shape[1]
    index = faiss.IndexPQFastScan(dimension, dimension // 8, 4, faiss.METRIC_INNER_PRODUCT)
    index.train(sample(vectors, 4096))
    index.add(vectors)
    return index, ((f"{c} candidates a hit", lambda: None, c) for c in (8, 16, 32, 64))


def lists_of_bits(vectors: Vectors) -> tuple[Any, Iterator[Effort]]:
    """1,024 inverted lists of one bit a value (RaBitQ)."""
    dimension = vectors.shape[1]
    lists = 1024 if len(vectors) > 40_000 else 256
    index = faiss.IndexIVFRaBitQFastScan(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = 8
    index.train(sample(vectors, 40 * lists))
    index.add(vectors)
    return index, (
        (f"{probes} lists, 32 candidates a hit", lambda p=probes: setattr(index, "nprobe", p), 32)
        for probes in (16, 64, 128)
    )


def graph(vectors: Vectors) -> tuple[Any, Iterator[Effort]]:
    """HNSW graph over 128 principal components in 8 bits."""
    inner = faiss.IndexHNSWSQ(128, faiss.ScalarQuantizer.QT_8bit, 32, faiss.METRIC_INNER_PRODUCT)
    inner.hnsw.efConstruction = 80
    index = faiss.IndexPreTransform(faiss.PCAMatrix(vectors.shape[1], 128), inner)
    index.train(sample(vectors, 20_000))
    index.add(vectors)
    return index, (
        (f"{depth} visited, 32 candidates a hit", lambda d=depth: setattr(inner.hnsw, "efSearch", d), 32)
        for depth in (64, 256)
    )


KINDS = {"4-bit codes": short_codes, "IVF-RaBitQ": lists_of_bits, "HNSW on PCA": graph}


def sample(vectors: Vectors, n: int) -> Vectors:
    rng = np.random.default_rng(0)
    return vectors[rng.choice(len(vectors), min(n, len(vectors)), replace=False)]


if __name__ == "__main__":
    main()
