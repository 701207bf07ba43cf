"""Search beside numpy, faiss, sentence-transformers and scikit-learn: ``python benchmarks/search.py``.

Three parts: one query and many over 100,000 vectors of 2,560 dimensions, drawn from a mixture; over real
vectors of up to 100,000 texts, encoded here by the embedded encoder; and time and memory against the number
of vectors, with a picture. That answers are the same, or what share of them, is checked before anything is
timed. Queries are never among the vectors.

``--texts FILE`` (or ``WORKBENCH_BENCH_TEXTS``) names a file of short texts, one a line, in the place of
those of the demonstration set. Where there are fewer than 100,000, two of them are joined to one more, and
encoded like any text. Encoding stops after ``--encoding-seconds``; what was encoded is kept in the embedding
store, so that the next run goes on. ``--quick`` does it all with a tenth of the vectors.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _scaling import Curve
from measuring import QUICK, RESULTS, ROOT, Measurement, measure, save, table

import workbench as wb
from workbench.encoders.base import BaseEncoder, Batch, Role, Vectors
from workbench.retrieval import KnowledgeBase
from workbench.retrieval.adding import encoder_entry
from workbench.retrieval.approximate import FEWEST_ROWS, build_quantised
from workbench.retrieval.choosing import QUICK as QUICK_ENOUGH
from workbench.retrieval.exact import FlatIndex
from workbench.retrieval.folder_store import FolderStore
from workbench.retrieval.records import Records
from workbench.retrieval.storage import Contents

K = 5
N = 10_000 if QUICK else 100_000
DIMENSION = 2560
N_QUERIES = 300
SIZES = (1_000, 3_000, 10_000, 30_000) + (() if QUICK else (100_000, 300_000, 1_000_000))
SCALING_DIMENSION = 512
# Below this many vectors what a search costs besides the vectors shows.
FITTED_FROM = 10_000
# Of the memory that is free; a size that would take more is left out, and the result says so.
SHARE_OF_MEMORY = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=os.environ.get("WORKBENCH_BENCH_TEXTS"))
    parser.add_argument("--encoding-seconds", type=float, default=10 if QUICK else 60)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(CHILDREN[chosen.child[0]](chosen.child[1])))
        return
    rows: list[Measurement] = []
    figures: dict[str, Any] = {}
    vectors, queries = mixture(N, DIMENSION)
    rows += one_query(vectors, queries, "mixture", figures)
    rows += against_libraries(vectors, queries)
    figures["knowledge base"] = kept_in_a_folder(vectors)
    del vectors
    real, real_queries, how = real_vectors(chosen.texts, chosen.encoding_seconds)
    figures["real texts"] = how
    rows += one_query(real, real_queries, "real texts", figures)
    del real
    scaled = scaling()
    figures["sizes"] = scaled
    figures["scaling"] = curves(scaled["points"])
    print(table(rows))
    print("written:", save("search", rows, figures=figures).name, draw(scaled).name)


def one_query(
    vectors: Vectors, queries: Vectors, name: str, figures: dict[str, Any]
) -> Iterator[Measurement]:
    """Exact and approximate search of one query, beside a product and a partial sort in numpy."""
    size = f"{len(vectors):,} × {vectors.shape[1]:,}, {name}"
    flat = FlatIndex(vectors)
    exact = flat.search(queries, K)[1]
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


class Drawn(BaseEncoder):
    """Stands for an encoder of 2,560 dimensions; what it returns does not matter here."""

    name, dimension = "drawn", DIMENSION
    recipe: Mapping[str, Any] = {"encoder": "drawn"}

    def encode_batches(self, texts: Sequence[str], role: Role) -> Iterator[Batch]:
        rng = np.random.default_rng(1)
        yield np.arange(len(texts)), rng.standard_normal((len(texts), DIMENSION), dtype=np.float32)


def kept_in_a_folder(vectors: Vectors) -> dict[str, Any]:
    """Opening a knowledge base of this size in a process of its own, and searching it."""
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore.create(Path(folder) / "kb", encoder_entry(Drawn()))
        texts = [f"text {n}" for n in range(len(vectors))]
        with store.changing():
            store.append(Contents(texts, Records.of([{}] * len(texts)), vectors))
        first, again = (in_a_child("open", str(store.folder)) for _ in range(2))
    result = {"n": len(vectors), "dimension": DIMENSION, "index not there yet": first, "index kept": again}
    print(
        f"knowledge base of {len(vectors):,} texts: opened in {again['open seconds']:.2f} s, first search "
        f"{again['first search seconds']:.2f} s ({first['first search seconds']:.1f} s where the index is "
        f"built), peak memory {first['peak over vectors']:.2f} times the vectors"
    )
    return result


def open_and_search(folder: str) -> dict[str, Any]:
    """In a child: how long opening and the first searches take, and the most memory."""
    before = resident_bytes()
    started = time.perf_counter()
    base = KnowledgeBase.open(folder, Drawn())
    opened = time.perf_counter()
    base.search("anything", cutoff=0.4, progress=False)
    searched = time.perf_counter()
    base.search("anything", cutoff=0.4, exact=True)
    return {
        "open seconds": opened - started,
        "first search seconds": searched - opened,
        "exact search seconds, vectors checked and read from disk": time.perf_counter() - searched,
        "index": base.info().index,
        "peak over vectors": (resident_bytes(peak=True) - before) / base.vectors.nbytes,
    }


def scaling() -> dict[str, Any]:
    """Time and memory against the number of vectors, each size in a process of its own."""
    points, left_out = [], []
    for n in SIZES:
        if 3 * n * SCALING_DIMENSION * 4 > SHARE_OF_MEMORY * free_bytes():
            left_out.append(n)
            continue
        points.append(in_a_child("size", str(n)))
        print(points[-1], flush=True)
    result: dict[str, Any] = {"dimension": SCALING_DIMENSION, "points": points, "left out": left_out}
    for name in ("exact", "approximate", "build", "peak"):
        fitted = [(p["n"], p[name]) for p in points if p["n"] >= FITTED_FROM and p[name] is not None]
        if len(fitted) > 1:
            slope, intercept = np.polyfit(*np.log10(np.array(fitted, dtype=float)).T, 1)
            result[f"exponent of {name}"] = float(slope)
            result[f"factor of {name}"] = float(10**intercept)
    return result


def one_size(n_text: str) -> dict[str, Any]:
    """In a child: seconds of a query, exact and not, seconds of building, bytes at most."""
    n = int(n_text)
    # Loading libraries is no cost of the vectors.
    import faiss  # noqa: F401

    before = resident_bytes()
    vectors, queries = mixture(n, SCALING_DIMENSION)
    flat = FlatIndex(vectors)
    expected = flat.search(queries, K)[1]
    point: dict[str, Any] = {
        "n": n,
        "exact": median_seconds(lambda query: flat.search(query[None], K), queries[:100]),
        "approximate": None,
        "build": None,
        "recall": None,
        "chosen": "approximate" if vectors.size > QUICK_ENOUGH else "exact",
    }
    if n >= FEWEST_ROWS:
        built = build_quantised(vectors, progress=False)
        point["build"] = built.record.seconds
        if (index := built.index) is not None:
            point["approximate"] = median_seconds(lambda query: index.search(query[None], K), queries[:100])
            point["recall"] = share_found(expected, index.search(queries, K)[1])
    point["vectors"] = vectors.nbytes
    point["peak"] = resident_bytes(peak=True) - before
    return point


def median_seconds(task: Callable[[Vectors], object], queries: Vectors) -> float:
    times = []
    for query in [*queries[:3], *queries]:
        started = time.perf_counter()
        task(query)
        times.append(time.perf_counter() - started)
    return float(np.median(times[3:]))


def curves(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """In the form that ``run.py`` draws together with those of other scripts."""
    kept = []
    for name, what in (("exact", "search"), ("approximate", "search"), ("build", "build an index")):
        at = [point for point in points if point[name] is not None]
        curve = Curve(
            what,
            "4-bit codes" if name == "build" else name,
            [point["n"] for point in at],
            [point[name] for point in at],
            [point["peak"] / 2**20 for point in at],
        )
        kept += [curve.to_dict()] if at else []
    return kept


CHILDREN = {"open": open_and_search, "size": one_size}


def in_a_child(name: str, argument: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, argument]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} {argument} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def resident_bytes(*, peak: bool = False) -> int:
    status = Path("/proc/self/status")
    if peak and status.exists():
        # Not getrusage: a child starts with the peak of its parent there.
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    import psutil

    memory = psutil.Process().memory_info()
    # Windows knows the peak; macOS has what is there now.
    return int(getattr(memory, "peak_wset", memory.rss) if peak else memory.rss)


def free_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().available)


def draw(scaled: Mapping[str, Any]) -> Path:
    """The picture: time and memory against the number of vectors, with the fitted exponents."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    from workbench.plots.style import BLUE, GREEN, GREY, INK, MUTED, ORANGE, headline, house_style, new_figure

    points = scaled["points"]
    path = (RESULTS / "quick" if QUICK else RESULTS) / "search_scaling.png"
    with house_style():
        figure = new_figure(width=10.5, height=4.8)
        left, right = figure.subplots(1, 2)
        for name, colour, label in (
            ("exact", BLUE, "exact"),
            ("approximate", GREEN, "approximate"),
            ("build", ORANGE, "building the index"),
        ):
            at = [(p["n"], p[name]) for p in points if p[name] is not None]
            if not at:
                continue
            x, y = np.array(at).T
            left.loglog(x, y, "o", color=colour, ms=5)
            exponent, factor = scaled.get(f"exponent of {name}"), scaled.get(f"factor of {name}")
            said = label
            if exponent is not None:
                line = np.array([FITTED_FROM, x[-1]])
                left.loglog(line, factor * line**exponent, color=colour)
                said += f"\n∝ N$^{{{exponent:.2f}}}$"
            left.annotate(said, (x[-1], y[-1]), (8, 0), textcoords="offset points", color=colour, va="center")
        right.loglog(*zip(*((p["n"], p["vectors"]) for p in points), strict=True), "--", color=GREY)
        right.loglog(*zip(*((p["n"], p["peak"]) for p in points), strict=True), "o-", color=BLUE, ms=5)
        last = points[-1]
        share = last["peak"] / last["vectors"]
        for said, name, colour, at in (
            (f"of the process,\n{share:.2f} × the vectors", "peak", BLUE, "bottom"),
            ("vectors alone", "vectors", MUTED, "top"),
        ):
            right.annotate(
                said, (last["n"], last[name]), (8, 0), textcoords="offset points", color=colour, va=at
            )
        sizes = [p["n"] for p in points]
        for axes, units in ((left, TIMES), (right, BYTES)):
            axes.set_xlabel(f"vectors of {scaled['dimension']} dimensions")
            axes.xaxis.set_major_locator(FixedLocator(sizes[::2]))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _, units=units: with_unit(y, units)))
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.grid(axis="y")
            axes.set_xlim(sizes[0] * 0.7, sizes[-1] * 8)
            axes.set_ylim(top=axes.get_ylim()[1] * 3)
            axes.tick_params(colors=INK)
        headline(left, "Time of one query, and of building", "top 5; median of 100 queries")
        headline(right, "Memory at most", "both searches, and building the index")
        figure.savefig(path, dpi=160)
    return path


TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def with_unit(value: float, units: tuple[tuple[float, str], ...]) -> str:
    # Ticks are powers of ten, give or take a rounding error.
    size, unit = next((u for u in units if value >= 0.999 * u[0]), units[-1])
    return f"{value / size:,.4g} {unit}"


if __name__ == "__main__":
    main()
