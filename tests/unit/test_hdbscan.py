"""HDBSCAN of many points: the labels of scikit-learn to the last bit, from a tree that is grown quicker."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import HDBSCAN

from workbench.exploration import hdbscan as quicker
from workbench.exploration.hdbscan import hdbscan, spanning_tree

OPTIONS = {"min_cluster_size": 8, "min_samples": 4, "allow_single_cluster": False}


def groups(n, seed=0):
    random = np.random.default_rng(seed)
    centres = 4 * random.standard_normal((9, 3))
    return (centres[random.integers(0, 9, n)] + random.standard_normal((n, 3))).astype(np.float32)


# On a grid most distances are equal, and some points are too.
POINTS = {"groups": groups(250), "grid": np.random.default_rng(1).integers(0, 6, (250, 3)).astype(np.float32)}


def expected(points):
    model = HDBSCAN(**OPTIONS, copy=True).fit(points.astype(np.float64))
    return model.labels_, model.probabilities_


@pytest.fixture
def without_compiling(monkeypatch):
    monkeypatch.setattr(quicker, "MANY", 0)
    monkeypatch.setattr(quicker, "_compiled", lambda: quicker._grow)


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
class TestManyPoints:
    def test_the_tree_is_as_short_as_scipys(self, points, without_compiling):
        froms, tos, lengths = spanning_tree(points.astype(np.float64), 4)
        apart = squareform(pdist(points.astype(np.float64)))
        core = np.sort(apart, axis=1)[:, 3]
        reach = np.maximum(apart, np.maximum(core[:, None], core))
        np.testing.assert_allclose(reach[froms, tos], lengths)
        shortest = minimum_spanning_tree(reach + 1)  # to scipy, zero is no edge
        np.testing.assert_allclose(np.sort(lengths) + 1, np.sort(shortest.data))
        assert set(tos) == set(range(250)) - {0}

    def test_labels_are_scikit_learns(self, points, without_compiling, monkeypatch):
        labels, probabilities = expected(points)
        monkeypatch.setattr("sklearn.cluster.HDBSCAN", None)  # the quicker way is taken
        found = hdbscan(points, **OPTIONS)
        np.testing.assert_array_equal(found[0], labels)
        np.testing.assert_array_equal(found[1], probabilities)


def test_another_scikit_learn_does_it_its_own_way(without_compiling, monkeypatch):
    monkeypatch.delattr("sklearn.cluster._hdbscan.hdbscan.MST_edge_dtype")
    np.testing.assert_array_equal(hdbscan(POINTS["groups"], **OPTIONS)[0], expected(POINTS["groups"])[0])


@pytest.mark.slow
@pytest.mark.xdist_group("umap")
def test_compiled_it_is_the_same(monkeypatch):
    pytest.importorskip("numba")
    points = groups(3_000)
    labels, probabilities = expected(points)
    assert len(np.unique(labels)) > 3
    monkeypatch.setattr(quicker, "MANY", 3_000)
    monkeypatch.setattr("sklearn.cluster.HDBSCAN", None)
    found = hdbscan(points, **OPTIONS)
    np.testing.assert_array_equal(found[0], labels)
    np.testing.assert_array_equal(found[1], probabilities)
