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

from workbench.exploration.inputs import FloatArray, Rows, Vectors

# Below this scikit-learn, whose tree takes time by the square of the points, takes half a second at most.
MANY = 10_000
# In more dimensions no box is ever far enough to be passed over.
MOST_DIMENSIONS = 64
# Points of a box.
LEAF = 16


def hdbscan(
    points: Vectors, *, min_cluster_size: int, min_samples: int, allow_single_cluster: bool
) -> tuple[Rows, FloatArray]:
    """Labels (-1 for noise) and probabilities, those of scikit-learn to the last bit; shape (n,) each.

    Many points need numba, which umap-learn brings, and which compiles for two seconds the first time.
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
    _data, number, nodes, _bounds = map(np.asarray, tree.get_arrays())
    starts = np.sort(nodes["idx_start"][nodes["is_leaf"] == 1])
    points, core = points[number], core[number]
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    ends = np.append(starts, len(points))
    found: tuple[Rows, Rows, FloatArray] = _compiled()(
        points, core, number, ends, low, high, np.minimum.reduceat(core, starts)
    )
    return found


@cache
def _compiled() -> Any:
    return import_module("numba").njit(cache=True, nogil=True)(_grow)


def _grow(
    points: FloatArray,
    core: FloatArray,
    number: Rows,
    ends: Rows,
    low: FloatArray,
    high: FloatArray,
    least_core: FloatArray,
) -> tuple[Rows, Rows, FloatArray]:
    """Grow the tree from the point with the number 0, by the nearest point that is not in it.

    Points lie in boxes, one after another. A box is looked through only where the new point may be nearer to
    some point in it than the tree was; roundings of the bound and of a distance are in step, so that none
    is missed.
    """
    n, dimension = points.shape
    n_boxes = len(low)
    reach, source, outside = np.full(n, np.inf), np.zeros(n, np.int64), np.ones(n, np.bool_)
    # Of the points in each box that are outside: the farthest from the tree, the nearest, and which that is.
    farthest, nearest, which = np.full(n_boxes, np.inf), np.full(n_boxes, np.inf), np.zeros(n_boxes, np.int64)
    box_of = np.searchsorted(ends, np.arange(n), side="right") - 1
    froms, tos, lengths = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    new = np.argmin(number)
    for edge in range(n - 1):
        outside[new] = False
        best = -1
        for box in range(n_boxes):
            most = farthest[box]
            look = box == box_of[new]
            if not look and max(core[new], least_core[box]) < most:
                square = 0.0
                for axis in range(dimension):
                    x = points[new, axis]
                    square += max(low[box, axis] - x, x - high[box, axis], 0.0) ** 2
                look = np.sqrt(square) < most
            if look:
                farthest[box], nearest[box] = -np.inf, np.inf
                for other in range(ends[box], ends[box + 1]):
                    if not outside[other]:
                        continue
                    if max(core[new], core[other]) < reach[other]:
                        square = 0.0
                        for axis in range(dimension):
                            square += (points[new, axis] - points[other, axis]) ** 2
                        length = max(core[new], core[other], np.sqrt(square))
                        if length < reach[other]:
                            reach[other], source[other] = length, number[new]
                    farthest[box] = max(farthest[box], reach[other])
                    if reach[other] < nearest[box] or (
                        reach[other] == nearest[box] and number[other] < number[which[box]]
                    ):
                        nearest[box], which[box] = reach[other], other
            if nearest[box] < np.inf and (
                best < 0
                or nearest[box] < nearest[best]
                or (nearest[box] == nearest[best] and number[which[box]] < number[which[best]])
            ):
                best = box
        new = which[best]
        froms[edge], tos[edge], lengths[edge] = source[new], number[new], reach[new]
    return froms, tos, lengths
