"""One size of one part of the skill map, in a process of its own, so that its peak memory is its own.

``skill_map.py`` starts it: ``python benchmarks/_skill_map_sizes.py PART N`` prints one JSON object.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from workbench.exploration import (
    Clusters,
    SkillMap,
    find_clusters,
    find_near_duplicates,
    fit_map,
    map_quality,
    warm_up,
)

ROOT = Path(__file__).parents[1]
# Of this many texts one is a near copy of another.
COPIES = 50
SCORE = 0.95
# Queries of the peer's near duplicates, which would take too long over all.
PEER_QUERIES = 2_000


def demonstration() -> tuple[pd.DataFrame, list[str], Any]:
    """Pairs, their distinct texts (JDs first), and vectors by the embedded encoder."""
    pairs = pd.read_csv(ROOT / "labeled_pairs" / "demo" / "pairs.csv")
    texts = list(dict.fromkeys([*pairs["jd"], *pairs["resume"]]))
    return pairs, texts, wb.load_encoder("use").encode_documents(texts, progress=False)


def mixtures(n: int, seed: int = 0) -> Any:
    """Vectors like those of texts that name two or three skills each, with some near copies at the end.

    Each is a sum of real vectors of the demonstration set with random weights, and a little noise.
    """
    random = np.random.default_rng(seed)
    _, _, real = demonstration()
    vectors = np.empty((n, real.shape[1]), dtype=np.float32)
    for start in range(0, n, 10_000):
        some = min(10_000, n - start)
        weights = random.dirichlet((1.0, 0.4, 0.2), some).astype(np.float32)
        chosen = random.integers(0, len(real), (some, 3))
        rows = np.einsum("nk,nkd->nd", weights, real[chosen])
        vectors[start : start + some] = rows + 0.01 * random.standard_normal(rows.shape, dtype=np.float32)
    copies = n // COPIES
    vectors[-copies:] = vectors[:copies] + 0.002 * random.standard_normal(
        (copies, vectors.shape[1]), dtype=np.float32
    )
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def projection(n: int) -> dict[str, Any]:
    """The map, placing, and clusters; beside them umap-learn as it comes."""
    vectors, new = mixtures(n), mixtures(200, seed=1)
    warm_up(wait=True)
    with measured() as fitting:
        skill_map = fit_map(vectors, progress=False)
    one, hundred = placing(skill_map, new)
    with measured() as clustering:
        clusters = find_clusters(vectors, progress=False)
    return {
        "fit_map": fitting,
        "quality": map_quality(vectors, skill_map).to_dict(),
        "place_1_seconds": one,
        "place_100_seconds": hundred,
        "find_clusters": clustering,
        "n_clusters": len(clusters),
        "n_noise": clusters.n_noise,
    }


def peer_projection(n: int) -> dict[str, Any]:
    """umap-learn with its defaults and a seed, and its transform."""
    import umap

    vectors, new = mixtures(n), mixtures(200, seed=1)
    # Compile all that is used below.
    umap.UMAP(metric="cosine", random_state=0, n_jobs=1).fit(vectors[:500]).transform(new[:1])
    with measured() as fitting:
        model = umap.UMAP(metric="cosine", random_state=0, n_jobs=1).fit(vectors)
    model.transform(new[:1])
    return {
        "fit": fitting,
        "quality": map_quality(vectors, model.embedding_).to_dict(),
        "transform_1_seconds": median_of(lambda: model.transform(new[1:2])),
        "transform_100_seconds": median_of(lambda: model.transform(new[100:])),
    }


def place(n: int) -> dict[str, Any]:
    """Placing alone, which takes as long wherever the fitted texts lie: on a map drawn at random."""
    vectors, new = mixtures(n), mixtures(200, seed=1)
    by_pca = fit_map(vectors, method="pca")
    from workbench.exploration.layouts import reduce

    reduction = reduce(vectors, "auto", 0)
    places = np.random.default_rng(0).random((n, 2)).astype(np.float32)
    skill_map = dataclasses.replace(
        by_pca,
        method="umap",
        settings={"n_neighbors": 15, "seed": 0},
        coordinates=places,
        reduction=reduction,
        anchors=reduction.apply(vectors),
        anchor_coordinates=places,
    )
    one, hundred = placing(skill_map, new)
    return {"place_1_seconds": one, "place_100_seconds": hundred}


def placing(skill_map: SkillMap, new: Any) -> tuple[float, float]:
    skill_map.place(new[:1])
    return median_of(lambda: skill_map.place(new[1:2])), median_of(lambda: skill_map.place(new[100:]))


def near_duplicates(n: int) -> dict[str, Any]:
    """All pairs above a score, beside scikit-learn's radius search for a share of the texts."""
    from sklearn.neighbors import NearestNeighbors

    vectors = mixtures(n)
    with measured() as finding:
        found = find_near_duplicates(vectors, score=SCORE, progress=False)
    queries = min(n, PEER_QUERIES)
    radius = float(np.sqrt(2 - 2 * SCORE))
    started = time.perf_counter()
    search = NearestNeighbors(radius=radius, algorithm="brute").fit(vectors)
    graph = search.radius_neighbors_graph(vectors[:queries], mode="connectivity").tocoo()
    peer = (time.perf_counter() - started) * n / queries
    theirs = {(i, j) for i, j in zip(graph.row.tolist(), graph.col.tolist(), strict=True) if i < j}
    ours = set(zip(found.pairs["first"], found.pairs["second"], strict=True))
    ours = {(int(i), int(j)) for i, j in ours if i < queries}
    return {
        "find_near_duplicates": finding,
        "n_pairs": len(found.pairs),
        "n_groups": len(found),
        "peer_seconds": peer,
        "peer_share": queries / n,
        "differing_pairs": sum(
            # A score on the threshold is on either side of it by rounding.
            abs(float(vectors[i].astype(float) @ vectors[j].astype(float)) - SCORE) > 1e-5
            for i, j in theirs ^ ours
        ),
    }


def opening(n: int) -> dict[str, Any]:
    """Making the panel of the interactive map, up to what is sent to the browser."""
    from workbench.panels import MapPanel

    _, texts, _ = demonstration()
    many = [f"{texts[row % len(texts)]} {row}" for row in range(n)]
    places = np.random.default_rng(0).standard_normal((n, 2)).astype(np.float32)
    vectors = np.eye(3, dtype=np.float32)
    skill_map = dataclasses.replace(fit_map(vectors, method="pca"), coordinates=places)
    labels = np.random.default_rng(0).integers(-1, 40, n)
    table = pd.DataFrame({"cluster": range(40), "name": [f"聚类 {k}" for k in range(40)]})
    clusters = Clusters(labels, np.ones(n), table, np.eye(40, dtype=np.float32), {"min_cluster_size": 5})
    kinds = ["jd" if row % 10 == 0 else "resume" for row in range(n)]
    MapPanel(many[:10], dataclasses.replace(skill_map, coordinates=places[:10]))
    with measured() as making:
        panel = MapPanel(many, skill_map, kinds=kinds, clusters=clusters)
    started = time.perf_counter()
    panel.select(np.arange(n // 2))
    return {"make_panel": making, "lasso_half_seconds": time.perf_counter() - started}


@contextlib.contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds, and by how much the peak memory of the process rose, in MiB."""
    taken: dict[str, float] = {}
    before, start = resident(), time.perf_counter()
    yield taken
    taken["seconds"] = time.perf_counter() - start
    taken["memory_mib"] = max(0.0, resident("VmHWM") - before)


def resident(what: str = "VmRSS") -> float:
    """Memory of this process now, or at its highest, in MiB."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(what):
                return int(line.split()[1]) / 1024
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / 1024 / (1024 if sys.platform == "darwin" else 1)


def median_of(task: Callable[[], object], times: int = 7) -> float:
    """The median of some runs, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        task()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


PARTS = {
    "projection": projection,
    "peer_projection": peer_projection,
    "place": place,
    "near_duplicates": near_duplicates,
    "opening": opening,
}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](int(sys.argv[2]))))
