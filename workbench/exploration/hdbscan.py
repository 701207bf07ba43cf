"""HDBSCAN as scikit-learn has it, with a quicker minimum spanning tree where there are many points.

Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density estimates, PAKDD.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.exploration.inputs import FloatArray, Rows, Vectors

# Below this scikit-learn, whose tree takes time by the square of the points, takes half a second at most.
MANY = 10_000
# In more dimensions no box is ever far enough to be passed over.
MOST_DIMENSIONS = 64
# Points of a box.
LEAF = 32


def hdbscan(
    points: Vectors, *, min_cluster_size: int, min_samples: int, allow_single_cluster: bool
) -> tuple[Rows, FloatArray]:
    """Labels (-1 for noise) and probabilities, those of scikit-learn to the last bit; shape (n,) each.

    Many points need numba, which umap-learn brings; it compiles for some seconds, and keeps what it compiled.
    """
    exact = np.ascontiguousarray(points, dtype=np.float64)
    few = len(points) < MANY or points.shape[1] > MOST_DIMENSIONS
    if not few and find_spec("numba") is not None:
        try:
            inside = import_module("sklearn.cluster._hdbscan.hdbscan")
            edges = np.rec.fromarrays(spanning_tree(exact, min_samples), dtype=inside.MST_edge_dtype)
            tree = inside._process_mst(edges)
            found: tuple[Rows, FloatArray] = inside.tree_to_labels(
                tree, min_cluster_size, "eom", allow_single_cluster, 0.0, None
            )
            return found
        except (ImportError, AttributeError, TypeError):
            pass  # the insides of another version of scikit-learn
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        allow_single_cluster=allow_single_cluster,
        copy=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model.fit(exact)
    return model.labels_, model.probabilities_


def spanning_tree(points: FloatArray, min_samples: int) -> tuple[Rows, Rows, FloatArray]:
    """The minimum spanning tree by mutual reachability, edges in the order of Prim's algorithm.

    Of each edge the point that was in the tree, the point that it brings, and its length; of edges as long,
    the one that scikit-learn takes.
    """
    from sklearn.neighbors import KDTree

    tree = KDTree(points, leaf_size=LEAF)
    core = tree.query(points, k=min_samples)[0][:, -1]
    _points, number, nodes, (low, high) = map(np.asarray, tree.get_arrays())
    starts, ends = (np.ascontiguousarray(nodes[name]) for name in ("idx_start", "idx_end"))
    found: tuple[Rows, Rows, FloatArray] = _compiled()(
        points[number], core[number], number, starts, ends, nodes["is_leaf"] == 1, low, high
    )
    return found


@cache
def _compiled() -> Any:
    return import_module("numba").njit(cache=True, nogil=True)(_grow)


def _grow(
    points: FloatArray,
    core: FloatArray,
    number: Rows,
    starts: Rows,
    ends: Rows,
    is_leaf: npt.NDArray[np.bool_],
    low: FloatArray,
    high: FloatArray,
) -> tuple[Rows, Rows, FloatArray]:
    """Grow the tree from the point with the number 0, by the nearest point that is not in it.

    Points lie in the boxes of a k-d tree, whose box i holds the boxes 2i + 1 and 2i + 2. A box is opened only
    where the new point may be nearer to some point in it than the tree was; roundings of that bound and of a
    distance are in step, so that none is missed.
    """
    n, dimension = points.shape
    reach, source, outside = np.full(n, np.inf), np.zeros(n, np.int64), np.ones(n, np.bool_)
    # Of the points in each box that are outside: how far the farthest is from the tree, and the nearest.
    farthest, nearest = np.full(len(starts), np.inf), np.full(len(starts), -1)
    least_core = np.array([core[starts[box] : ends[box]].min() for box in range(len(starts))])
    by_axis, square = np.ascontiguousarray(points.T), np.empty((ends - starts)[is_leaf].max())
    waiting, opened = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
    froms, tos, lengths = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    new = np.argmin(number)
    for edge in range(n - 1):
        outside[new] = False
        n_waiting, n_opened = 1, 0
        waiting[0] = 0
        while n_waiting:
            n_waiting -= 1
            box = waiting[n_waiting]
            if not starts[box] <= new < ends[box]:
                if max(core[new], least_core[box]) >= farthest[box]:
                    continue
                bound = 0.0
                for axis in range(dimension):
                    x = points[new, axis]
                    bound += max(low[box, axis] - x, x - high[box, axis], 0.0) ** 2
                if np.sqrt(bound) >= farthest[box]:
                    continue
            if not is_leaf[box]:
                opened[n_opened], n_opened = box, n_opened + 1
                waiting[n_waiting], waiting[n_waiting + 1] = 2 * box + 1, 2 * box + 2
                n_waiting += 2
                continue
            start, size = starts[box], ends[box] - starts[box]
            square[:size] = 0.0
            for axis in range(dimension):
                x, across = points[new, axis], by_axis[axis, start : start + size]
                for at in range(size):
                    square[at] += (x - across[at]) ** 2
            most, best = -np.inf, -1
            for at in range(size):
                other = start + at
                if outside[other]:
                    length = max(core[new], core[other], np.sqrt(square[at]))
                    if length < reach[other]:
                        reach[other], source[other] = length, number[new]
                    most = max(most, reach[other])
                    if (
                        best < 0
                        or reach[other] < reach[best]
                        or (reach[other] == reach[best] and number[other] < number[best])
                    ):
                        best = other
            farthest[box], nearest[box] = most, best
        for at in range(n_opened - 1, -1, -1):  # a box after those in it
            box = opened[at]
            one, two = nearest[2 * box + 1], nearest[2 * box + 2]
            farthest[box] = max(farthest[2 * box + 1], farthest[2 * box + 2])
            first = two < 0 or (one >= 0 and (reach[one], number[one]) < (reach[two], number[two]))
            nearest[box] = one if first else two
        new = nearest[0]
        froms[edge], tos[edge], lengths[edge] = source[new], number[new], reach[new]
    return froms, tos, lengths
