"""Search beside numpy, faiss, sentence-transformers and scikit-learn: ``python benchmarks/search.py``.

Two parts: one query and many over 100,000 vectors of 2,560 dimensions, drawn from a mixture, and over real
vectors of up to 100,000 texts, encoded here by the embedded encoder; ``scaling.py`` has time and memory
against the number of vectors. That answers are the same, or what share of them, is checked before anything
is timed. Queries are never among the vectors.

``--texts FILE`` (or ``WORKBENCH_BENCH_TEXTS``) names a file of short texts, one a line, in the place of
those of the demonstration set. Where there are fewer than 100,000, two of them are joined to one more, and
encoded like any text. Encoding stops after ``--encoding-seconds``; what was encoded is kept in the embedding
store, so that the next run goes on. ``--quick`` does it all with a tenth of the vectors.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measuring import QUICK, ROOT, Measurement, measure, save, table

import workbench as wb
from workbench.encoders.base import Vectors
from workbench.retrieval.approximate import FEWEST_ROWS, build_quantised
from workbench.retrieval.exact import FlatIndex

K = 5
N = 10_000 if QUICK else 100_000
DIMENSION = 2560
N_QUERIES = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=os.environ.get("WORKBENCH_BENCH_TEXTS"))
    parser.add_argument("--encoding-seconds", type=float, default=10 if QUICK else 30)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    rows: list[Measurement] = []
    figures: dict[str, Any] = {}
    vectors, queries = mixture(N, DIMENSION)
    rows += one_query(vectors, queries, "mixture", figures)
    rows += against_libraries(vectors, queries)
    del vectors
    real, real_queries, how = real_vectors(chosen.texts, chosen.encoding_seconds)
    figures["real texts"] = how
    rows += one_query(real, real_queries, "real texts", figures)
    print(table(rows))
    print("written:", save("search", rows, figures=figures).name)


def one_query(
    vectors: Vectors, queries: Vectors, name: str, figures: dict[str, Any]
) -> Iterator[Measurement]:
    """Exact and approximate search of one query, beside a product and a partial sort in numpy."""
    size = f"{len(vectors):,} × {vectors.shape[1]:,}, {name}"
    flat = FlatIndex(vectors)
    exact = flat.search(queries, K)[1]
    for query in queries:  # an index in use
        flat.search(query[None], K)
    turns = [itertools.cycle(queries) for _ in range(4)]
    yield measure(
        "exact, one query, top 5",
        size,
        ("workbench", lambda: flat.search(next(turns[0])[None], K)),
        ("numpy product + argpartition", lambda: by_numpy(vectors, next(turns[1]))),
        # The requirement is for vectors that are far larger than the caches.
        required=1.0 if vectors.shape[1] == DIMENSION else None,
        checked=agreement(exact[:100], [by_numpy(vectors, query) for query in queries[:100]]),
        rounds=15,
    )
    if len(vectors) < FEWEST_ROWS:
        print(f"approximate, {size}: left out, an index needs {FEWEST_ROWS:,} vectors")
        return
    started = time.perf_counter()
    built = build_quantised(vectors, progress=False)
    seconds = time.perf_counter() - started
    if built.index is None:
        figures[f"approximate, {name}"] = built.record.to_dict()
        print(f"approximate, {size}: {built.record}")
        return
    index = built.index
    recall = share_found(exact, index.search(queries, K)[1])
    figures[f"approximate, {name}"] = {
        **built.record.to_dict(),
        "build seconds": seconds,
        "bytes of codes": len(index.to_bytes()),
        "recall@5 of other queries": recall,
        "other queries": len(queries),
    }
    yield measure(
        "approximate, one query, top 5",
        size,
        ("workbench", lambda: index.search(next(turns[2])[None], K)),
        ("numpy product + argpartition", lambda: by_numpy(vectors, next(turns[3]))),
        required=20.0,
        checked=f"recall@5 {recall:.4f} on {len(queries)} queries that are not among the vectors "
        f"({built.record.recall:.4f} measured when built, in {seconds:.1f} s)",
        rounds=15,
        # Until codes are in the cache again, and a block is as many queries as it takes to be timed well.
        warm_up=20,
    )


def against_libraries(vectors: Vectors, queries: Vectors) -> Iterator[Measurement]:
    """Exact search of one query, and of many at once, beside libraries that know of the unit length."""
    import faiss
    import torch
    from sentence_transformers.util import dot_score, semantic_search
    from sklearn.neighbors import NearestNeighbors

    flat, size = FlatIndex(vectors), f"{len(vectors):,} × {vectors.shape[1]:,}"
    expected = flat.search(queries, K)[1]
    tensor = torch.from_numpy(vectors)
    # Of unit vectors the nearest are those of the largest product, and this way is the quicker one there.
    neighbours = NearestNeighbors(n_neighbors=K, algorithm="brute", metric="euclidean").fit(vectors)
    copied = faiss.IndexFlatIP(vectors.shape[1])
    copied.add(vectors)
    peers: dict[str, Callable[[Vectors], Any]] = {
        "faiss IndexFlatIP": lambda asked: copied.search(asked, K)[1],
        "sentence-transformers semantic_search": lambda asked: [
            [hit["corpus_id"] for hit in hits]
            for hits in semantic_search(torch.from_numpy(asked), tensor, top_k=K, score_function=dot_score)
        ],
        "scikit-learn NearestNeighbors": lambda asked: neighbours.kneighbors(asked, return_distance=False),
    }
    for name, peer in peers.items():
        turns = itertools.cycle(queries), itertools.cycle(queries)
        yield measure(
            "exact, one query, top 5",
            size,
            ("workbench", lambda turn=turns[0]: flat.search(next(turn)[None], K)),
            (name, lambda turn=turns[1], peer=peer: peer(next(turn)[None])),
            checked=agreement(expected[:20], [peer(query[None])[0] for query in queries[:20]]),
            rounds=5,
        )
    together = queries[:100]
    for name, peer in peers.items():
        yield measure(
            "exact, 100 queries at once, top 5",
            size,
            ("workbench", lambda: flat.search(together, K)),
            (name, lambda peer=peer: peer(together)),
            checked=agreement(expected[:100], peer(together)),
            rounds=3,
        )


def by_numpy(vectors: Vectors, query: Vectors) -> Any:
    """What a person would write."""
    scores = vectors @ query
    best = np.argpartition(scores, -K)[-K:]
    return best[np.argsort(-scores[best])]


def share_found(expected: Any, found: Any) -> float:
    shares = [len(set(map(int, a)) & set(map(int, b))) / K for a, b in zip(expected, found, strict=True)]
    return float(np.mean(shares))


def agreement(expected: Any, found: Any) -> str:
    same = [set(map(int, a)) == set(map(int, b)) for a, b in zip(expected, found, strict=True)]
    return f"same five rows for {sum(same)} of {len(same)} queries"


def mixture(n: int, dimension: int, seed: int = 0, n_queries: int = N_QUERIES) -> tuple[Vectors, Vectors]:
    """Unit vectors like those of texts: subjects of very different size, and a spectrum that falls off.

    2,000 normal clusters with weights like 1/rank in a subspace of 192 dimensions with falling variance,
    a direction common to all, and noise in all dimensions.
    """
    rng = np.random.default_rng(seed)
    n_clusters, rank = 2000, min(192, dimension)
    spectrum = (1 / np.sqrt(1 + np.arange(rank) / 8)).astype(np.float32)
    axes = np.linalg.qr(rng.standard_normal((dimension, rank)))[0].T.astype(np.float32)
    centres = rng.standard_normal((n_clusters, rank)).astype(np.float32) * spectrum
    weights = 1 / (np.arange(n_clusters) + 20)

    def drawn(count: int) -> Vectors:
        vectors = np.empty((count, dimension), dtype=np.float32)
        for start in range(0, count, 20_000):
            block = vectors[start : start + 20_000]
            clusters = rng.choice(n_clusters, len(block), p=weights / weights.sum())
            inside = centres[clusters] + 0.55 * spectrum * rng.standard_normal(
                (len(block), rank), dtype=np.float32
            )
            block[:] = rng.standard_normal(block.shape, dtype=np.float32)
            block *= 1.2 / np.sqrt(dimension)
            block += inside @ axes + 0.3 * axes[0]
            block /= np.linalg.norm(block, axis=1, keepdims=True)
        return vectors

    return drawn(n), drawn(n_queries)


def real_vectors(path: Path | None, seconds: float) -> tuple[Vectors, Vectors, dict[str, Any]]:
    """Vectors of texts, of others to search with, and how they were made."""
    texts = list(
        dict.fromkeys(Path(path).read_text(encoding="utf-8").splitlines() if path else demonstration_texts())
    )
    texts = wb.clean(texts).texts
    rng = np.random.default_rng(0)
    order = rng.permutation(len(texts))
    n_held_out = min(N_QUERIES, len(texts) // 5)
    held_out, kept = [[texts[i] for i in part] for part in np.split(order, [n_held_out])]
    base = dict.fromkeys(kept[:N])
    while len(base) < min(N, len(kept) * (len(kept) - 1) // 2):
        first, second = rng.choice(len(kept), 2, replace=False)
        base[f"{kept[first]}; {kept[second]}"] = None
    encoder = wb.load_encoder("use")
    wanted, parts, started = list(base), [], time.perf_counter()
    for start in range(0, len(wanted), 500):
        parts.append(encoder.encode_documents(wanted[start : start + 500], progress=False))
        if time.perf_counter() - started > seconds:
            break
    vectors = np.concatenate(parts)
    taken = time.perf_counter() - started
    how = {
        "source": "--texts" if path else "labelled pairs of the demonstration",
        "distinct texts": len(texts),
        "vectors of single texts": min(len(kept), len(vectors)),
        "vectors of two texts joined": max(0, len(vectors) - len(kept)),
        "wanted": len(wanted),
        "seconds of encoding or reading from the store": taken,
        "encoder": encoder.name,
    }
    print(
        f"real texts: {how['vectors of single texts']:,} single and {how['vectors of two texts joined']:,} "
        f"joined ones of {len(wanted):,} wanted, in {taken:.0f} s"
    )
    return vectors, encoder.encode_queries(held_out, progress=False), how


def demonstration_texts() -> list[str]:
    pairs = wb.read_pairs(ROOT / "labeled_pairs" / "demo")
    return [*pairs["jd"], *pairs["resume"]]


if __name__ == "__main__":
    main()
