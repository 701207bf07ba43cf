"""UMAP itself: seeded, on exact neighbours, on a GPU where cuml is installed, and warmed up ahead of time.

McInnes, Healy and Melville (2018), UMAP: Uniform Manifold Approximation and Projection,
https://arxiv.org/abs/1802.03426.
"""

from __future__ import annotations

import threading
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError, MissingDependencyError
from workbench.exploration.inputs import Vectors
from workbench.exploration.neighbours import nearest_others
from workbench.exploration.progress import hidden

__all__ = ["Backend", "check_distinct", "check_neighbours", "import_umap", "umap_layout", "warm_up"]

Backend = Literal["auto", "cpu", "gpu"]


def umap_layout(
    vectors: Vectors,
    *,
    n_components: int = 2,
    n_neighbors: int = 15,
    min_dist: float = 0.05,
    seed: int = 0,
    backend: Backend = "auto",
    progress: bool | None = None,
) -> npt.NDArray[np.float32]:
    """Lay out distinct unit vectors; equal input gives equal output on one machine.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        Unit rows, distinct, in canonical order.
    n_components : int
        Dimension of the layout.
    n_neighbors, min_dist
        As of ``umap.UMAP``.
    seed : int
    backend : {"auto", "cpu", "gpu"}
        "auto" takes the GPU where ``cuml`` is installed and finds one.
    progress : bool, optional
        Show a bar over the epochs. The layout can be interrupted between any two of them.

    Returns
    -------
    ndarray of float32, shape (n, n_components)

    Raises
    ------
    InputError
        If there are not more vectors than neighbours, or a parameter is out of range.
    MissingDependencyError
        If umap-learn (or for the GPU, cuml) is not installed.
    """
    check_neighbours(n_neighbors, len(vectors))
    if not 0 <= min_dist <= 1:
        raise InputError(f"min_dist is {min_dist!r}; it must be a number from 0 (tight) to 1 (spread out).")
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
    if backend not in ("auto", "cpu"):
        raise InputError(f"backend is {backend!r}; choose 'auto', 'cpu' or 'gpu'.")
    umap = import_umap()
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


def check_neighbours(n_neighbors: int, n: int) -> None:
    """Refuse more neighbours than there are other distinct vectors.

    Raises
    ------
    InputError
    """
    if isinstance(n_neighbors, bool) or not isinstance(n_neighbors, int) or n_neighbors < 2:
        raise InputError(f"n_neighbors is {n_neighbors!r}; it must be a whole number, at least 2.")
    check_distinct(n)
    if n <= max(n_neighbors, 3):
        raise InputError(
            f"There are {n} distinct vectors, which is too few for n_neighbors={n_neighbors}; "
            + (f"ask for at most {n - 1}, or add texts." if n > 4 else "add texts, or use method='pca'.")
        )


def check_distinct(n: int) -> None:
    """Refuse a single distinct vector.

    Raises
    ------
    InputError
    """
    if n == 1:
        raise InputError(
            "All vectors are identical, so there is nothing to lay out or to group. If the texts differ, "
            "something went wrong when they were encoded."
        )


def warm_up(*, wait: bool = False) -> threading.Thread:
    """Compile UMAP in the background, so that the first map does not have to wait for it.

    Importing and compiling takes from ten seconds to a minute, once in each process. Call this early,
    such as before texts are encoded; a map that is asked for meanwhile waits for what is left only.

    Parameters
    ----------
    wait : bool
        Return when it is done.

    Returns
    -------
    Thread
        Ends when all is compiled; does nothing where umap-learn is not installed.
    """
    thread = threading.Thread(target=_compile, name="warm up UMAP", daemon=True)
    thread.start()
    if wait:
        thread.join()
    return thread


_compiling = threading.Lock()


def _compile() -> None:
    if find_spec("umap") is None:
        return
    vectors = np.random.default_rng(0).standard_normal((64, 8), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    umap_layout(vectors, backend="cpu", progress=False)


def import_umap() -> Any:
    """The module umap, or an error that says how to get it."""
    # Two threads that import numba at once see half a module.
    with _compiling:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                umap = import_module("umap")
        except ImportError as error:
            raise MissingDependencyError(
                "A UMAP layout needs umap-learn, which is not installed: run 'pip install .[map]' in the "
                "project folder; or use method='pca', which needs nothing more."
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
            "A UMAP layout on the GPU needs cuml of the RAPIDS suite, which is not installed here; "
            "use backend='cpu'."
        ) from error
