"""Encoding and search on a GPU: ``python benchmarks/gpu.py [--shape 0.6b]``; without a GPU it says so.

Random weights in the shape of Qwen3-Embedding-4B, bfloat16, beside sentence-transformers on the same folder;
speed as a share of what the same GPU reaches with a plain matrix product and a plain copy. Needs torch,
transformers, sentence-transformers and lazy_loader (one small file) alone. ``--device cpu --shape tiny`` runs
all of it where no GPU is, to see that it is right.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _gpu_run import Run, forget, limits, shape_of
from measuring import QUICK, ROOT, save, seconds

sys.path.insert(0, str(ROOT))

BATCHES_OF_PEER = (32, 128, 512)
TOP = 5
# Goals: share of the matrix rate, times the bound of one query, seconds of an exact search.
BULK_SHARE, LATENCY_TIMES, SEARCH_SECONDS = 0.5, 2.0, 1e-3
# bfloat16 has eight bits: sums in another order move vectors.
LEAST_COSINE = {"bfloat16": 0.99, "float32": 0.9999}
KINDS_OF_KERNELS = {
    "attention": ("flash", "fmha", "attention"),
    "matrix products": ("gemm", "cutlass", "nvjet", "aten::mm", "aten::addmm", "cublas"),
    "copies": ("memcpy", "aten::copy_", "memset"),
}


def load(run: Run) -> None:
    """The checkpoint, here and in sentence-transformers."""
    import torch
    from _gpu_checkpoint import INSTRUCTION, make_checkpoint
    from sentence_transformers import SentenceTransformer

    from workbench.encoders.fast.packed_decoder import CudaDecoder
    from workbench.encoders.qwen3 import Qwen3Encoder

    make_checkpoint(run.folder, run.shape, run.device, getattr(torch, run.dtype))
    forget()
    if run.device == "cpu":
        # What a GPU would run is what is tried out here.
        CudaDecoder.can_run = staticmethod(CudaDecoder.knows)  # type: ignore[method-assign]
    run.encoder = Qwen3Encoder(
        run.folder, dtype=run.dtype, device=run.device, instruction=INSTRUCTION, name="gpu"
    )
    # A GPU on which the faster way gives other vectors gets the plain one, and the numbers should say so.
    run.say(f"Run by {type(run.encoder._decoder).__name__}.")
    options = {"dtype": getattr(torch, run.dtype)}
    run.peer = SentenceTransformer(str(run.folder), device=run.device, model_kwargs=options)


def theirs(run: Run, texts: Sequence[str], role: str, batch_size: int) -> Any:
    return run.peer.encode(
        list(texts),
        prompt_name=role,
        batch_size=batch_size,
        normalize_embeddings=True,
        show_progress_bar=False,
    )


def ours(run: Run, texts: Sequence[str], role: str) -> Any:
    encode = run.encoder.encode_queries if role == "query" else run.encoder.encode_documents
    return encode(texts, progress=False)


def lowest_cosine(run: Run, texts: Sequence[str], role: str) -> float:
    one, other = ours(run, texts, role), theirs(run, texts, role, BATCHES_OF_PEER[0])
    return float((one * other).sum(axis=1).min())


def bulk(run: Run) -> None:
    """Many texts, beside sentence-transformers at its best batch size, and as a share of the matrix rate."""
    from _gpu_checkpoint import texts_of

    texts = texts_of(run.n_texts)
    for role in ("document", "query"):
        cosine = lowest_cosine(run, texts[:200], role)
        if cosine < LEAST_COSINE[run.dtype]:
            raise ValueError(f"{role}s: vectors differ (cosine {cosine:.5f}), so times say nothing")
        sample = texts[: max(64, run.n_texts // 4)]
        taken = {size: run.time(partial(theirs, run, sample, role, size), 1) for size in BATCHES_OF_PEER}
        best = min(taken, key=taken.__getitem__)
        row = run.add(
            f"encode {'queries with the instruction' if role == 'query' else 'documents'} on the device",
            f"{run.n_texts:,} texts, {shape_of(run)}",
            ours=("without padding, overlapped", partial(ours, run, texts, role)),
            peer=(f"sentence-transformers, batches of {best}", partial(theirs, run, texts, role, best)),
            checked=f"smallest cosine {cosine:.5f}",
            rounds=3,
        )
        if role == "document":
            lengths = run.encoder._tokenise(texts, role).lengths
            share = run.shape.flops(lengths) / row.ours_seconds / run.matrix_rate
            run.figures["bulk_share_of_matrix_rate"] = share
            run.say(
                f"Bulk encoding of {int(lengths.sum()):,} tokens reaches {share:.0%} of the matrix rate "
                f"(required: {BULK_SHARE:.0%}), sentence-transformers {share / row.ratio:.0%}."
            )


def single_query(run: Run) -> None:
    """One query, beside sentence-transformers and beside reading all weights once."""
    import torch
    from _gpu_checkpoint import texts_of

    (text,) = texts_of(1, seed=5)
    cosine = lowest_cosine(run, [text], "query")
    captured = any(run.encoder._overlapped._graphed._fixed.values()) and run.device != "cpu"
    row = run.add(
        "encode one query with the instruction on the device",
        f"1 text, {shape_of(run)}",
        ours=("CUDA graph" if captured else "no graph captured", partial(ours, run, [text], "query")),
        peer=("sentence-transformers", partial(theirs, run, [text], "query", 1)),
        checked=f"cosine {cosine:.5f}",
        rounds=9,
    )
    bound = run.shape.weights_of_layers * getattr(torch, run.dtype).itemsize / run.bandwidth
    run.figures |= {"query_bound_seconds": bound, "query_times_bound": row.ours_seconds / bound}
    run.say(
        f"A single query takes {seconds(row.ours_seconds)}, {row.ours_seconds / bound:.1f} times what "
        f"reading the weights once takes at the copy's bandwidth ({seconds(bound)}; required: "
        f"{LATENCY_TIMES:g})."
    )


def tokenising(run: Run) -> None:
    """How long tokenising takes, and what doing it during the forward pass saves."""
    from _gpu_checkpoint import texts_of

    from workbench.encoders.fast.cuda import OverlappedEncoding

    texts = texts_of(run.n_texts, seed=2)
    tokenise = partial(run.encoder._tokenise, role="document")
    alone = run.time(lambda: tokenise(texts), 3)
    decoder, budget = run.encoder._decoder, run.encoder._token_budget
    windows = {
        name: OverlappedEncoding(decoder, budget, window=size)
        for name, size in (("ahead", max(1, len(texts) // 4)), ("first", len(texts)))
    }

    def encode(name: str) -> None:
        for _ in windows[name].batches(texts, tokenise):
            pass

    row = run.add(
        "tokenise during the forward pass",
        f"{len(texts):,} texts in 4 windows, {shape_of(run)}",
        ours=("a window ahead", partial(encode, "ahead")),
        peer=("all texts first", partial(encode, "first")),
        rounds=3,
    )
    run.figures["tokenising_seconds"] = alone
    run.say(
        f"Tokenising {len(texts):,} texts takes {seconds(alone)}, {alone / row.peer_seconds:.0%} of encoding."
    )


def search(run: Run) -> None:
    """Exact search on the device, beside sentence-transformers' semantic_search on the same vectors."""
    import torch
    from sentence_transformers.util import semantic_search

    from workbench.retrieval.exact import TorchIndex

    draw = torch.Generator(device=run.device).manual_seed(0)
    vectors = torch.randn(run.n_vectors, run.shape.hidden, device=run.device, generator=draw)
    vectors /= vectors.norm(dim=1, keepdim=True)
    queries = vectors[:20] + 0.5 * vectors[20:40]
    queries /= queries.norm(dim=1, keepdim=True)
    exact = (queries.double() @ vectors.double().T).topk(TOP).indices.cpu().numpy()
    kept, asked = vectors.cpu().numpy(), queries.cpu().numpy()
    for dtype in ("float32", "float16"):
        index = TorchIndex(kept, device=run.device, dtype=dtype, checked=True)
        rows = index.search(asked, TOP)[1]
        recall = float((rows[:, :, None] == exact[:, None, :]).any(2).mean())
        base, one = vectors.to(getattr(torch, dtype)), queries[:1].to(getattr(torch, dtype))
        row = run.add(
            f"exact search on the device, {dtype}",
            f"{run.n_vectors:,} vectors of {run.shape.hidden}, top {TOP}, 1 query",
            ours=("TorchIndex", partial(index.search, asked[:1], TOP)),
            peer=("sentence-transformers' semantic_search", partial(semantic_search, one, base, top_k=TOP)),
            checked=f"recall@{TOP} against float64: {recall:.3f}",
        )
        run.figures[f"search_seconds_{dtype}"] = row.ours_seconds
        run.say(
            f"Exact search in {dtype}: {seconds(row.ours_seconds)} a query "
            f"(required: {seconds(SEARCH_SECONDS)})."
        )


def profile(run: Run) -> None:
    """Where the device spends the time of a bulk encode."""
    import torch
    from _gpu_checkpoint import texts_of
    from torch.profiler import ProfilerActivity

    texts = texts_of(min(run.n_texts, 1000), seed=3)
    on_gpu = run.device != "cpu"
    kinds = [ProfilerActivity.CUDA] if on_gpu else [ProfilerActivity.CPU]
    with torch.profiler.profile(activities=kinds) as seen:
        ours(run, texts, "document")
    spent: Counter[str] = Counter()
    for event in seen.key_averages():
        taken = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        spent[_kind(event.key)] += taken
    total = sum(spent.values()) or 1
    run.figures["profile"] = {kind: taken / total for kind, taken in spent.most_common()}
    shares = ", ".join(f"{kind} {taken / total:.0%}" for kind, taken in spent.most_common())
    run.say(f"Time on the device during a bulk encode: {shares}.")


def precisions(run: Run) -> None:
    """Memory of the weights, and the most during a bulk encode, in each number format."""
    import torch
    from _gpu_checkpoint import INSTRUCTION, texts_of

    from workbench.encoders.qwen3 import Qwen3Encoder

    if run.device == "cpu":
        run.say("Memory in bfloat16, int8 and nf4 is measured on a GPU only.")
        return
    texts = texts_of(500, seed=4)
    expected = ours(run, texts, "document")
    run.encoder = run.peer = None
    for dtype in ("bfloat16", "int8", "nf4"):
        if dtype != "bfloat16" and find_spec("bitsandbytes") is None:
            run.say(f"{dtype} needs bitsandbytes, which is not installed here.")
            continue
        forget()
        before = torch.cuda.memory_allocated()
        encoder = Qwen3Encoder(
            run.folder, dtype=dtype, device=run.device, instruction=INSTRUCTION, name=dtype
        )
        encoder.encode_documents(texts[:2], progress=False)
        weights = torch.cuda.memory_allocated() - before
        torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        vectors = encoder.encode_documents(texts, progress=False)
        taken, most = time.perf_counter() - start, torch.cuda.max_memory_allocated() - before
        cosine = float((vectors * expected).sum(axis=1).min())
        run.figures[f"memory_{dtype}"] = {"weights": weights, "most": most, "cosine": cosine}
        run.say(
            f"{dtype}: weights {weights / 1e9:.1f} GB, at most {most / 1e9:.1f} GB during encoding, "
            f"{len(texts) / taken:,.0f} texts/s, smallest cosine to bfloat16 {cosine:.4f}."
        )
        del encoder


STEPS = (limits, load, bulk, single_query, tokenising, search, profile, precisions)


def _kind(kernel: str) -> str:
    name = kernel.lower()
    for kind, parts in KINDS_OF_KERNELS.items():
        if any(part in name for part in parts):
            return kind
    return "norms, rotations, activations and the rest"


def perform(run: Run, out: Path | None, *, keep: bool) -> list[str]:
    """All steps; what one of them finds is kept whatever happens to the others."""
    failed = []
    for step in STEPS:
        start = time.perf_counter()
        try:
            step(run)
        except Exception:
            traceback.print_exc()
            failed.append(step.__name__)
            run.say(f"The step '{step.__name__}' failed.")
            if step is load:
                break
        print(f"  ({step.__name__}: {time.perf_counter() - start:.1f} s)", flush=True)
        if keep:
            save("gpu", run.measurements, figures=run.figures | {"notes": run.notes}, folder=out)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", help="'cuda' by default; 'cpu' to try the script out")
    parser.add_argument("--shape", default="4b", choices=("4b", "0.6b", "tiny"))
    parser.add_argument("--quick", action="store_true", help="fewer texts and vectors")
    parser.add_argument("--out", type=Path, help="folder for gpu.json, instead of benchmarks/results")
    options = parser.parse_args()
    missing = [name for name in ("torch", "transformers", "sentence_transformers") if find_spec(name) is None]
    if missing:
        print(f"Nothing was measured: {', '.join(missing)} not installed here.")
        return 0
    import torch

    device = options.device or ("cuda:0" if torch.cuda.is_available() else None)
    if device is None:
        print(f"Nothing was measured: torch {torch.__version__} sees no GPU. Try --device cpu --shape tiny.")
        return 0
    from _gpu_checkpoint import SHAPES

    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = folder
        small = device == "cpu" or QUICK
        run = Run(
            device="cuda:0" if device == "cuda" else device,
            shape=SHAPES[options.shape],
            folder=Path(folder) / "checkpoint",
            n_texts=200 if small else 3_000,
            n_vectors=2_000 if small else 100_000,
            dtype="float32" if device == "cpu" else "bfloat16",
        )
        failed = perform(run, options.out, keep=device != "cpu" or options.out is not None)
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
