"""Layouts of vectors: a reduction by PCA, and then UMAP or the eigenvectors of its neighbour graph.

UMAP is seeded, on exact neighbours, on a GPU where cuml is installed, and warmed up ahead of time. It is that
of McInnes, Healy and Melville (2018), UMAP: Uniform Manifold Approximation and Projection,
https://arxiv.org/abs/1802.03426.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from workbench.errors import InputError, MissingDependencyError
from workbench.exploration.inputs import (
    FloatArray,
    Vectors,
    check_choice,
    check_count,
)
from workbench.exploration.neighbours import nearest_others
from workbench.i18n import gettext as _
from workbench.progress import hidden

Backend = Literal["auto", "cpu", "gpu"]

# Measured (benchmarks/map_choices.py, "reduction"): from 100 components on, neither trustworthiness
# nor kNN overlap of the map is lower than without PCA, while finding neighbours is several times faster.
PCA_DIMENSION = 100
# Up to this many vectors all eigenvectors are computed, which takes no time and never fails.
DENSE = 400
# Steps of the diffusion. With one, eigenvectors that say little drown those that matter where there are few
# clusters; with sixteen, many small clusters run together (tried on 5 clusters of 420 and 72 of 923 texts).
STEPS = 4


def umap_layout(
    vectors: Vectors,
    *,
    n_components: int = 2,
    n_neighbors: int = 15,
    min_dist: float = 0.05,
    seed: int = 0,
    backend: Backend = "auto",
    progress: bool | None = None,
) -> Vectors:
    """Lay out distinct unit vectors in canonical order, shape (n, n_components).

    Equal input gives equal output on one machine. `n_neighbors` and `min_dist` are those of ``umap.UMAP``;
    "auto" takes the GPU where ``cuml`` is installed and finds one. Can be interrupted between two epochs.
    """
    check_neighbours(n_neighbors, len(vectors))
    if not 0 <= min_dist <= 1:
        raise InputError(
            _("min_dist is {value!r}; it must be a number from 0 (tight) to 1 (spread out).").format(
                value=min_dist
            )
        )
    options = {
        "n_components": n_components,
        "n_neighbors": n_neighbors,
        "min_dist": min_dist,
        "metric": "cosine",
        "random_state": seed,
    }
    if backend == "gpu" or (backend == "auto" and _gpu_is_there()):
        layout = _import_cuml().UMAP(**options, output_type="numpy").fit_transform(vectors)
        return np.asarray(layout, dtype=np.float32)
    check_choice("backend", backend, ("auto", "cpu", "gpu"))
    umap = _import_umap()
    similarities, rows = nearest_others(vectors, n_neighbors)
    disabled = hidden(progress)
    with warnings.catch_warnings():
        # That a seed means one thread, and that new points cannot be transformed, is meant so.
        warnings.simplefilter("ignore")
        model = umap.UMAP(
            **options,
            # Exact neighbours do not depend on a seed; and the start from PCA is as good as the spectral
            # one (measured), never fails, and takes no time.
            precomputed_knn=(rows.astype(np.int32), np.clip(1 - similarities, 0, 2), None),
            init="pca",
            n_jobs=1,
            tqdm_kwds={"desc": "UMAP", "unit": "epoch", "leave": False, "disable": disabled},
        )
        layout = model.fit_transform(vectors)
    return np.asarray(layout, dtype=np.float32)


def spectral_layout(
    vectors: Vectors, *, n_components: int = 40, n_neighbors: int = 15, seed: int = 0
) -> Vectors:
    """Leading eigenvectors of UMAP's neighbour graph (a diffusion map), which rounding does not move.

    For finding clusters; a picture is better drawn by :func:`umap_layout`. Of distinct unit vectors in
    canonical order; shape (n, k), with fewer eigenvectors where there are fewer vectors, rows of unit length
    or zero. Results hardly depend on the seed, which the iteration starts from.

    References
    ----------
    Coifman and Lafon (2006), Diffusion maps, Applied and Computational Harmonic Analysis 21, 5-30; rows
    of unit length as in Ng, Jordan and Weiss (2001), On spectral clustering, NIPS.
    """
    check_neighbours(n_neighbors, len(vectors))
    check_count("n_components", n_components, 1)
    import scipy.sparse as sparse

    _import_umap()
    similarities, rows = nearest_others(vectors, n_neighbors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = import_module("umap.umap_").fuzzy_simplicial_set(
            vectors,
            n_neighbors,
            np.random.RandomState(seed),
            "cosine",
            knn_indices=rows.astype(np.int32),
            knn_dists=np.clip(1 - similarities, 0, 2),
        )[0]
    root = np.sqrt(np.asarray(graph.sum(axis=1), dtype=np.float64).ravel())
    scale = sparse.diags(1 / root)
    values, eigenvectors = _leading(scale @ graph.astype(np.float64) @ scale, n_components + 1, seed)
    # The first eigenvector, known beforehand, is the same for all. Where the graph falls apart it is mixed
    # with others of the same eigenvalue; taken out this way, distances do not depend on how.
    trivial = root / np.linalg.norm(root)
    eigenvectors = eigenvectors - np.outer(trivial, trivial @ eigenvectors)
    layout = eigenvectors * values**STEPS / root[:, None]
    lengths = np.linalg.norm(layout, axis=1, keepdims=True)
    unit = layout / np.where(lengths > 1e-9, lengths, np.inf)
    return unit.astype(np.float32)


def warm_up(*, wait: bool = False) -> threading.Thread:
    """Compile UMAP in the background, so that the first map does not have to wait for it.

    Importing and compiling takes from ten seconds to a minute, once in each process. Call this early,
    such as before texts are encoded; a map that is asked for meanwhile waits for what is left only. With
    `wait`, return when it is done. Does nothing where umap-learn is not installed.
    """
    thread = threading.Thread(target=_compile, name="warm up UMAP", daemon=True)
    thread.start()
    if wait:
        thread.join()
    return thread


@dataclass(frozen=True, eq=False)
class Reduction:
    """The step before a layout: a centring and, perhaps, a PCA that were fitted.

    What all vectors of an encoder share says nothing about which texts are near (Mu and Viswanath 2018,
    All-but-the-top, ICLR), so the mean is taken off first.
    """

    mean: Vectors  # shape (d,)
    components: Vectors | None  # shape (k, d); None where vectors are only centred
    explained: float  # share of the variance that is kept

    def apply(self, vectors: Vectors) -> Vectors:
        """Reduced vectors with rows of unit length; a vector equal to the mean becomes zero."""
        lengths = np.linalg.norm(reduced := self.project(vectors), axis=1, keepdims=True)
        unit = reduced / np.where(lengths > 1e-6, lengths, np.inf)
        return unit.astype(np.float32, copy=False)

    def project(self, vectors: Vectors) -> Vectors:
        """Reduced vectors as they are."""
        centred: Vectors = (vectors - self.mean).astype(np.float32, copy=False)
        return centred if self.components is None else np.asarray(centred @ self.components.T)


def reduce(vectors: Vectors, pca: int | Literal["auto"] | None, seed: int) -> Reduction:
    """Fit a reduction on distinct unit rows.

    "auto" keeps 100 components where there are more dimensions and more texts than that; None only centres.
    The seed is that of PCA's randomised solver.
    """
    n, dimension = vectors.shape
    most = min(n, dimension)
    if pca == "auto":
        pca = PCA_DIMENSION if most > PCA_DIMENSION else None
    if pca is None:
        return Reduction(vectors.mean(axis=0), None, 1.0)
    if isinstance(pca, bool) or not isinstance(pca, int) or not 1 <= pca <= most:
        raise InputError(
            _(
                "pca is {value!r}; it must be 'auto', None, or a number of components from 1 to {most} "
                "({n:,} distinct vectors of {dimension} dimensions)."
            ).format(value=pca, most=most, n=n, dimension=dimension)
        )
    from sklearn.decomposition import PCA

    fitted = PCA(pca, random_state=seed).fit(vectors)
    return Reduction(
        fitted.mean_.astype(np.float32),
        fitted.components_.astype(np.float32),
        float(fitted.explained_variance_ratio_.sum()),
    )


def check_neighbours(n_neighbors: int, n: int) -> None:
    """Refuse more neighbours than there are other distinct vectors, with an InputError."""
    check_count("n_neighbors", n_neighbors, 2)
    check_distinct(n)
    if n <= max(n_neighbors, 3):
        few = _(
            "There are {n} distinct vectors, which is too few for n_neighbors={neighbours}; ask for at most "
            "{most}, or add texts."
        )
        if n <= 4:
            few = _(
                "There are {n} distinct vectors, which is too few for n_neighbors={neighbours}; add texts, "
                "or use method='pca'."
            )
        raise InputError(few.format(n=n, neighbours=n_neighbors, most=n - 1))


def check_distinct(n: int) -> None:
    """Refuse a single distinct vector, with an InputError."""
    if n == 1:
        raise InputError(
            _(
                "All vectors are identical, so there is nothing to lay out or to group. If the texts differ, "
                "something went wrong when they were encoded."
            )
        )


def _leading(matrix: Any, k: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """The `k` largest eigenvalues of a symmetric sparse matrix, and their eigenvectors."""
    from scipy.sparse.linalg import eigsh

    n = matrix.shape[0]
    if n <= DENSE or k >= n - 1:
        values, vectors = np.linalg.eigh(matrix.toarray())
        return values[-k:], vectors[:, -k:]
    start = np.random.default_rng(seed).standard_normal(n)
    values, vectors = eigsh(matrix, k=k, which="LA", v0=start)
    return values, vectors


_compiling = threading.Lock()


def _compile() -> None:
    if find_spec("umap") is None:
        return
    vectors = np.random.default_rng(0).standard_normal((64, 8), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    umap_layout(vectors, backend="cpu", progress=False)


def _import_umap() -> Any:
    """The module umap, or an error that says how to get it."""
    # Two threads that import numba at once see half a module.
    with _compiling:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                umap = import_module("umap")
        except ImportError as error:
            raise MissingDependencyError(
                _(
                    "A UMAP layout needs umap-learn, which is not installed: run 'pip install .[map]' in the "
                    "project folder; or use method='pca', which needs nothing more."
                )
            ) from error
    return umap


def _gpu_is_there() -> bool:
    if find_spec("cuml") is None:
        return False
    try:
        return bool(import_module("cupy").cuda.runtime.getDeviceCount())
    except Exception:  # no driver, no device, or a broken installation: all mean no GPU
        return False


def _import_cuml() -> Any:
    try:
        return import_module("cuml.manifold")
    except ImportError as error:
        raise MissingDependencyError(
            _(
                "A UMAP layout on the GPU needs cuml of the RAPIDS suite, which is not installed here; use "
                "backend='cpu'."
            )
        ) from error
