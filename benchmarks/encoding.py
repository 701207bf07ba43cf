"""Bulk encoding beside sentence-transformers: ``python benchmarks/encoding.py [--quick]``.

The same weights, float32, mixed Chinese and English short texts without duplicates, on all cores. Vectors are
compared first; where they differ nothing is timed. ``--profile`` says where the time of one bulk encode goes
instead, ``--budgets`` which token budget is best here; neither writes results. Run it on an idle machine: the
peer's threads wait for each other, so that whatever else wants the cores holds it up more than us.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import torch
from measuring import QUICK, ROOT, Measurement, measure, save, seconds
from sentence_transformers import SentenceTransformer
from transformers.utils import logging

import workbench as wb
from workbench.encoders import EmbeddingStore, StoredEncoder
from workbench.encoders.base import BaseEncoder
from workbench.encoders.fast import last_token
from workbench.encoders.qwen3 import Qwen3Encoder
from workbench.encoders.sentence_transformer import SentenceTransformerEncoder

sys.path.insert(0, str(ROOT / "tests"))
from checkpoints.e5 import build_e5
from checkpoints.qwen3 import PUBLISHED_INSTRUCTION, build_qwen3

N = 48 if QUICK else 160
N_PAIRS = 1_000 if QUICK else 10_000
ROUNDS = 3
# Published models have 28 and more; fewer are done in minutes. The last layer is computed for last tokens
# only, which saves an eighth of the work here and a thirtieth there.
LAYERS = 8
LEAST_COSINE = 0.99999
MOST_DIFFERENCE = 1e-5
BATCHES = (16, 32, 64)
BUDGETS = (256, 512, 1024, 2048, 4096, 8192)
# Texts on which vectors are compared and batch sizes are tried.
SAMPLE = 48
# As in the published 4B model.
STORED_DIMENSION = 2560
WARM_STORE_SECONDS = 0.5

# Operations that torch's profiler sees at the top, by what they are for.
KINDS = {
    "matrix products": re.compile(r"linear|addmm|::mm|::matmul|::bmm"),
    "attention": re.compile(r"attention"),
    "norms": re.compile(r"norm|rsqrt|::pow|::mean"),
    "activations": re.compile(r"gelu|silu"),
    "other torch operations": re.compile(r"$^"),
}

Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One way to encode, and the peer's; `required` is the ratio that has to be reached."""

    task: str
    encoder: BaseEncoder
    ours: Encode
    peer: SentenceTransformer
    peer_prompt: str | None
    required: float

    def theirs(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray:
        return self.peer.encode(
            list(texts),
            prompt=self.peer_prompt,
            batch_size=batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )


def mixed_texts(n: int) -> list[str]:
    """Texts of the demonstration set, and texts composed of their clauses; no two are the same."""
    pairs = wb.read_pairs(ROOT / "labeled_pairs" / "demo")
    texts = dict.fromkeys([*pairs["jd"], *pairs["resume"]])
    split = re.compile(r"(?<=[。；;.!?])\s*")
    clauses = {
        chinese: [part for text in texts if is_chinese(text) is chinese for part in split.split(text) if part]
        for chinese in (True, False)
    }
    draw = random.Random(0)
    while len(texts) < n:
        of_one_language = clauses[draw.random() < 0.6]
        texts.setdefault(" ".join(draw.sample(of_one_language, draw.randint(1, 2))))
    kept = list(texts)
    draw.shuffle(kept)
    return kept[:n]


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def cases(folder: Path) -> Iterator[Case]:
    """A BERT-type checkpoint with real weights, and a random Qwen3 in which computing dominates."""
    e5, qwen3 = folder / "multilingual-e5-small", folder / "qwen3"
    e5.mkdir()
    build_e5(e5)
    encoder: BaseEncoder = SentenceTransformerEncoder(e5, device="cpu", document_prompt="passage: ")
    peer = SentenceTransformer(str(e5), device="cpu")
    yield Case(
        "multilingual-e5-small",
        encoder,
        partial(encoder.encode_documents, progress=False),
        peer,
        "passage: ",
        1.75,
    )
    build_qwen3(
        qwen3,
        hidden_size=512,
        layers=LAYERS,
        heads=8,
        kv_heads=2,
        head_size=64,
        intermediate_size=1536,
        spread=0.04,
    )
    encoder = Qwen3Encoder(qwen3, device="cpu", instruction=PUBLISHED_INSTRUCTION)
    peer = SentenceTransformer(str(qwen3), device="cpu")
    for role, required in (("document", 1.8), ("query", 2.2)):
        method = encoder.encode_queries if role == "query" else encoder.encode_documents
        what = "queries with the instruction" if role == "query" else "documents"
        yield Case(
            f"Qwen3 of {LAYERS} layers × 512, {what}",
            encoder,
            partial(method, progress=False),
            peer,
            peer.prompts[role],
            required,
        )


def compare(case: Case, texts: Sequence[str]) -> str:
    """Refuse to time what gives other vectors; returns the sentence for the table."""
    vectors = case.ours(texts)
    cosine = lowest_cosine(vectors, case.theirs(texts))
    if cosine < LEAST_COSINE:
        raise SystemExit(f"{case.task}: vectors differ (cosine {cosine:.6f}); times say nothing.")
    checked = f"smallest cosine {cosine:.7f}"
    if isinstance(case.encoder, Qwen3Encoder) and "queries" in case.task:
        with no_shared_prefix():
            difference = float(np.abs(vectors - case.ours(texts)).max())
        if difference > MOST_DIFFERENCE:
            raise SystemExit(f"{case.task}: the shared prefix changes vectors by {difference:.1e}.")
        checked += f"; prefix reuse changes no number by more than {difference:.0e}"
    return checked


def lowest_cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.einsum("ij,ij->i", one.astype(np.float64), other.astype(np.float64)).min())


@contextmanager
def no_shared_prefix() -> Iterator[None]:
    with mock.patch.object(last_token, "worthwhile_prefix", return_value=0):
        yield


def best_of(times: int, task: Callable[[], object]) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        task()
        found.append(time.perf_counter() - start)
    return min(found)


def against_peer(case: Case, texts: Sequence[str]) -> Measurement:
    sample = texts[:SAMPLE]
    checked = compare(case, sample)
    best = min(BATCHES, key=lambda size: best_of(1, partial(case.theirs, sample, size)))
    return measure(
        case.task,
        f"{len(texts):,} texts",
        ours=("packed, on oneDNN", partial(case.ours, texts)),
        peer=(f"sentence-transformers, batches of {best} (its best)", partial(case.theirs, texts, best)),
        required=case.required,
        checked=checked,
        rounds=ROUNDS,
        # Both have run when their vectors were compared.
        warm_up=0,
    )


class Remembered(BaseEncoder):
    """Gives random vectors of the 4B model's length, and counts what it is asked for."""

    name = "remembered"
    dimension = STORED_DIMENSION
    recipe = {"encoder": "remembered", "dimension": STORED_DIMENSION}  # noqa: RUF012

    def __init__(self) -> None:
        self.encoded = 0

    def encode_batches(self, texts: Sequence[str], role: str) -> Iterator[Any]:
        self.encoded += len(texts)
        draw = np.random.default_rng(len(texts))
        for positions in np.array_split(np.arange(len(texts)), max(1, len(texts) // 64)):
            yield positions, draw.normal(size=(len(positions), self.dimension)).astype(np.float32)


def warm_store(texts: Sequence[str]) -> tuple[float, str]:
    """Seconds that scoring pairs takes when all their texts are stored, and how many there are."""
    draw = random.Random(1)
    # As many distinct texts as there are pairs: the most that there can be to read.
    resumes = [f"{draw.choice(texts)} {number}" for number in range(N_PAIRS)]
    jds = [f"{number} {draw.choice(texts)}" for number in range(N_PAIRS // 10)]
    pairs = pd.DataFrame({"jd": [draw.choice(jds) for _ in resumes], "resume": resumes})
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddingStore(Path(folder) / "store.sqlite") as store,
    ):
        counted = Remembered()
        encoder = StoredEncoder(counted, store)
        first = wb.score_pairs(pairs, encoder, progress=False)["score"]
        once = counted.encoded
        again = wb.score_pairs(pairs, encoder, progress=False)["score"]
        if counted.encoded != once or not first.equals(again):
            raise SystemExit("A second run encoded again, or gave other scores; times say nothing.")
        taken = best_of(3, partial(wb.score_pairs, pairs, encoder, progress=False))
    return taken, f"{N_PAIRS:,} pairs of {once:,} distinct texts, {STORED_DIMENSION:,} dimensions"


def profile(case: Case, texts: Sequence[str]) -> None:
    """Print where the time of one bulk encode goes on one core, ours beside the peer's."""
    shares = {}
    # The profiler sees the thread that it was started in.
    torch.set_num_threads(1)
    case.ours(texts[:SAMPLE]), case.theirs(texts[:SAMPLE])
    for name, encode in (("ours", case.ours), ("sentence-transformers", case.theirs)):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
            start = time.perf_counter()
            encode(texts)
            whole = time.perf_counter() - start
        spent = dict.fromkeys(KINDS, 0.0)
        for event in profiler.events():
            if event.cpu_parent is None:
                kind = next((kind for kind, names in KINDS.items() if names.search(event.name)), None)
                spent[kind or "other torch operations"] += event.cpu_time_total / 1e6
        spent["Python between them"] = whole - sum(spent.values())
        shares[name] = spent
    tokenise = time_of_tokenising(case, texts)
    print(f"\n{case.task}, {len(texts):,} texts, one core, under the profiler")
    print(f"{'':28}{'ours':>16}{'sentence-transformers':>24}")
    for kind in shares["ours"]:
        cells = [f"{of[kind]:7.2f} s {of[kind] / sum(of.values()):5.0%}" for of in shares.values()]
        print(f"{kind:28}{cells[0]:>16}{cells[1]:>24}")
    print(
        f"{'all':28}"
        + "".join(f"{sum(of.values()):>{w}.2f} s" for of, w in zip(shares.values(), (9, 16), strict=True))
    )
    print(f"Of our time between operations, tokenising takes {seconds(tokenise)}.")


def time_of_tokenising(case: Case, texts: Sequence[str]) -> float:
    encoder: Any = case.encoder
    if isinstance(encoder, Qwen3Encoder):
        return best_of(
            3, partial(encoder._tokenise, texts, "query" if "queries" in case.task else "document")
        )
    from workbench.encoders.fast.batching import tokenise

    backend = encoder._model.tokenizer.backend_tokenizer
    return best_of(3, partial(tokenise, backend, texts, encoder._max_length, prompt=case.peer_prompt or ""))


def budgets(case: Case, texts: Sequence[str]) -> None:
    """Print the time by token budget, in turns, best of three."""
    encoder: Any = case.encoder
    kept, taken = encoder._token_budget, {budget: float("inf") for budget in BUDGETS}
    for _ in range(3):
        for budget in BUDGETS:
            encoder._token_budget = budget
            taken[budget] = min(taken[budget], best_of(1, partial(case.ours, texts)))
    encoder._token_budget = kept
    fastest = min(taken.values())
    print(f"{case.task}: " + ", ".join(f"{b:,} tokens {t / fastest:.2f}" for b, t in taken.items()))


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message=".*were cut at the end")
    texts = mixed_texts(N)
    chinese = sum(map(is_chinese, texts)) / N
    characters = np.median([len(text) for text in texts])
    note = f"{N:,} distinct texts, {chinese:.0%} with Chinese, median {characters:.0f} characters"
    print(f"{note}, {torch.get_num_threads()} threads", flush=True)
    if "--profile" in sys.argv or "--budgets" in sys.argv:
        look = profile if "--profile" in sys.argv else budgets
        with tempfile.TemporaryDirectory() as folder:
            for case in cases(Path(folder)):
                look(case, texts)
        return
    taken, what = warm_store(texts)
    within = "under" if taken < WARM_STORE_SECONDS else "NOT under"
    notes = [
        f"Encoding: {note}; {ROUNDS} rounds.",
        f"Scoring {what}, all stored: {seconds(taken)} at best of 3, {within} {WARM_STORE_SECONDS} s.",
    ]
    print(notes[-1], flush=True)
    measurements: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(Path(folder)):
            measurements.append(against_peer(case, texts))
            # Kept at once: on a busy machine the peer may take longer than there is time for.
            save("encoding", measurements, figures={"notes": notes, "warm_store_seconds": taken})


if __name__ == "__main__":
    main()
