"""Clusters: the same in any order, named and judged, with noise and failure said plainly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import spectral_embedding
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from sklearn.neighbors import NearestNeighbors

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import cluster_hierarchy, cluster_stability, find_clusters, name_clusters
from workbench.exploration.clusters import NOISE, Clusters, default_min_cluster_size
from workbench.exploration.inputs import unit_rows
from workbench.exploration.layouts import STEPS, spectral_layout
from workbench.exploration.stability import STABLE, ClusterStability, _recovered
from workbench.i18n import language

# UMAP compiles once in each process.
# umap-learn compiles for most of a minute when it is first used.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("umap")]

SIZES = (50, 40, 30)
TRADES = ("Java services on the JVM", "night nurse on a ward", "tax audit and returns")


def trades(seed=0, sizes=SIZES, spread=0.25, dimension=20):
    """Vectors in groups of these sizes, with a text and the group of each."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(5).standard_normal((len(sizes), dimension))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    vectors = centres[groups] + spread * random.standard_normal((len(groups), dimension))
    return vectors.astype(np.float32), [TRADES[group % 3] for group in groups], groups


@pytest.fixture(scope="module")
def known():
    return trades()


@pytest.fixture(scope="module")
def clusters(known):
    return find_clusters(known[0], known[1], ids=range(120), min_cluster_size=10)


class TestFinding:
    def test_groups_that_are_there_are_found(self, known, clusters):
        there = clusters.labels != NOISE
        assert there.mean() > 0.9
        assert adjusted_rand_score(known[2][there], clusters.labels[there]) > 0.99

    def test_they_are_numbered_by_falling_size(self, clusters):
        sizes = np.bincount(clusters.labels[clusters.labels != NOISE])
        assert sizes.tolist() == sorted(sizes, reverse=True)
        assert clusters.table["size"].tolist() == sizes.tolist()

    @pytest.mark.parametrize("space", ["umap", "spectral", "vectors"])
    @pytest.mark.parametrize("with_ids", [True, False])
    def test_labels_do_not_depend_on_the_order_of_rows(self, known, space, with_ids):
        vectors, order = known[0], np.random.default_rng(3).permutation(120)
        before = find_clusters(
            vectors, ids=range(120) if with_ids else None, space=space, min_cluster_size=10
        )
        after = find_clusters(
            vectors[order], ids=order.tolist() if with_ids else None, space=space, min_cluster_size=10
        )
        # Not only up to renaming: numbers are the same, too.
        np.testing.assert_array_equal(after.labels, before.labels[order])
        np.testing.assert_allclose(after.membership, before.membership[order])

    def test_spectral_clusters_are_those_that_are_there_and_outlive_rounding(self):
        vectors, _, groups = trades(sizes=(120, 90, 80, 70, 60), spread=0.8)
        found = find_clusters(vectors, ids=range(420), space="spectral", min_cluster_size=15)
        there = found.labels != NOISE
        assert there.mean() > 0.7
        assert adjusted_rand_score(groups[there], found.labels[there]) > 0.95
        moved = vectors + 1e-5 * np.random.default_rng(0).standard_normal(vectors.shape)
        again = find_clusters(moved, ids=range(420), space="spectral", min_cluster_size=15)
        assert adjusted_rand_score(found.labels, again.labels) > 0.95

    def test_the_spectral_layout_is_that_of_scikit_learns_embedding(self, known):
        """Up to signs, weights by eigenvalue, and length, the graph being UMAP's."""
        from umap.umap_ import fuzzy_simplicial_set

        rows = unit_rows(np.random.default_rng(0).standard_normal((80, 6)))
        layout = spectral_layout(rows, n_components=3, n_neighbors=20)
        near = NearestNeighbors(n_neighbors=20, metric="cosine").fit(rows).kneighbors(rows)
        graph = fuzzy_simplicial_set(
            rows,
            20,
            np.random.RandomState(0),
            "cosine",
            knn_indices=near[1].astype(np.int32),
            knn_dists=near[0].astype(np.float32),
        )[0]
        expected = spectral_embedding(graph.toarray(), n_components=3, drop_first=True, eigen_solver="arpack")
        degrees = graph.toarray().sum(axis=1)
        scaled = graph.toarray() / np.sqrt(np.outer(degrees, degrees))
        expected = expected * np.linalg.eigvalsh(scaled)[-2:-5:-1] ** STEPS
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(layout @ layout.T, expected @ expected.T, atol=0.02)

    def test_a_second_run_finds_the_same(self, known, clusters):
        again = find_clusters(known[0], known[1], ids=range(120), min_cluster_size=10)
        np.testing.assert_array_equal(again.labels, clusters.labels)
        assert again.names == clusters.names

    def test_copies_share_a_cluster_and_do_not_make_one(self, known, clusters):
        vectors = np.vstack([known[0], np.repeat(known[0][:1], 40, axis=0)])
        doubled = find_clusters(vectors, ids=range(160), min_cluster_size=10)
        assert set(doubled.labels[120:]) == {doubled.labels[0]}
        assert len(doubled) == len(clusters)

    def test_noise_has_no_membership_and_the_rest_some(self):
        random = np.random.default_rng(1)
        vectors = np.vstack([trades()[0], 3 * random.standard_normal((30, 20))])
        found = find_clusters(vectors, space="vectors", min_samples=3, min_cluster_size=10)
        assert found.n_noise > 0
        assert (found.membership[found.labels == NOISE] == 0).all()
        assert (found.membership[found.labels != NOISE] > 0).all()
        with language("zh"):
            assert found.of_texts().count("未归类") == found.n_noise

    def test_the_smallest_cluster_grows_with_the_square_root(self):
        assert default_min_cluster_size(90_000) == 2 * default_min_cluster_size(22_500) == 100
        assert default_min_cluster_size(10) == 5


class TestDescribing:
    def test_a_cluster_is_named_by_what_its_texts_say(self, known, clusters):
        for cluster, name in enumerate(clusters.names):
            own = {known[1][row] for row in np.flatnonzero(clusters.labels == cluster)}
            assert len(own) == 1
            assert set(name.split(" · ")) & set(own.pop().split())

    def test_central_texts_are_those_nearest_to_the_mean_direction(self, known, clusters):
        unit = known[0] / np.linalg.norm(known[0], axis=1, keepdims=True)
        for cluster, central in enumerate(clusters.table["central"]):
            own = np.flatnonzero(clusters.labels == cluster)
            centre = unit[own].mean(axis=0)
            expected = own[np.argsort(-(unit[own] @ centre))][:3]
            assert central == expected.tolist()

    def test_silhouettes_are_those_of_scikit_learn_without_noise(self, known, clusters):
        there = clusters.labels != NOISE
        values = silhouette_samples(known[0][there], clusters.labels[there], metric="cosine")
        for cluster, silhouette in enumerate(clusters.table["silhouette"]):
            expected = values[clusters.labels[there] == cluster].mean()
            assert silhouette == pytest.approx(expected, abs=1e-5)

    def test_two_clusters_of_the_same_words_have_different_names(self, clusters):
        named = name_clusters(clusters, ["Java"] * 120)
        assert len(set(named.names)) == len(named)

    def test_without_texts_clusters_have_numbers(self, known):
        assert find_clusters(known[0], min_cluster_size=10).names == ["#0", "#1", "#2"]

    def test_markup_in_texts_is_escaped(self, known):
        texts = ["<script>alert(1)</script> Java"] * 120
        assert "<script>" not in find_clusters(known[0], texts, min_cluster_size=10)._repr_html_()

    def test_the_dictionary_is_plain(self, clusters):
        plain = clusters.to_dict()
        assert plain["n_clusters"] == 3
        assert sum(one["size"] for one in plain["clusters"]) + plain["n_noise"] == 120


class TestFewOrNone:
    @pytest.fixture
    def cloud(self):
        return np.random.default_rng(0).standard_normal((60, 20))

    def test_no_cluster_is_an_answer_with_advice(self, cloud):
        found = find_clusters(cloud, min_cluster_size=55, space="vectors")
        assert (len(found), found.n_noise) == (0, 60)
        assert "No cluster was found" in found.sentence()
        assert "Lower min_cluster_size" in repr(found)
        with language("zh"):
            assert "没有找到任何聚类" in found.sentence()
        assert found.of_texts() == ["no cluster"] * 60

    def test_so_are_texts_fewer_than_the_smallest_cluster(self, cloud):
        found = find_clusters(cloud[:20], ["Java"] * 20, min_cluster_size=21)
        assert len(found) == 0

    def test_one_cluster_only_is_said_and_has_no_silhouette(self, cloud):
        one = cloud * 0.05 + 1
        found = find_clusters(one, ["Java"] * 60, allow_single_cluster=True, min_cluster_size=50)
        assert len(found) == 1
        assert np.isnan(found.table["silhouette"]).all()
        assert "one cluster only" in found.sentence()
        with language("zh"):
            assert "只有一个聚类" in found.sentence()
        assert found.to_dict()["clusters"][0]["silhouette"] is None

    def test_a_hierarchy_of_one_is_refused(self, cloud):
        one = find_clusters(cloud * 0.05 + 1, allow_single_cluster=True, min_cluster_size=50)
        with pytest.raises(InputError, match=r"at least two clusters.*There is one cluster only"):
            cluster_hierarchy(one)

    def test_stability_of_none_is_empty(self, cloud):
        none = find_clusters(cloud, min_cluster_size=55, space="vectors")
        assert len(cluster_stability(cloud, none, n_resamples=2, progress=False).table) == 0


class TestBadInput:
    def test_all_vectors_identical(self):
        with pytest.raises(InputError, match="All vectors are identical"):
            find_clusters(np.ones((40, 8)))

    def test_fewer_texts_than_neighbours(self, known):
        with pytest.raises(InputError, match="10 distinct vectors"):
            find_clusters(known[0][:10])

    def test_vectors_of_two_encoders(self, known):
        with pytest.raises(EncoderMismatchError, match="2 encoders"):
            find_clusters(known[0], fingerprint=["a"] * 60 + ["b"] * 60)

    def test_a_vector_that_is_not_finite(self, known):
        broken = known[0].copy()
        broken[9] = np.nan
        with pytest.raises(InputError, match="Vector 9"):
            find_clusters(broken)

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ({"min_cluster_size": 1}, "min_cluster_size is 1"),
            ({"min_samples": 0}, "min_samples is 0"),
            ({"space": "spectral", "n_components": 0}, "n_components is 0"),
            ({"space": "picture"}, "choose one of 'umap', 'spectral', 'vectors'"),
            ({"texts": ["a"]}, "1 texts for 120 vectors"),
        ],
    )
    def test_an_option_out_of_range(self, known, option, message):
        with pytest.raises(InputError, match=message):
            find_clusters(known[0], **option)


class TestStability:
    def test_groups_that_are_there_are_found_again(self, known, clusters):
        found = cluster_stability(known[0], clusters, n_resamples=3, progress=False)
        assert (found.table["jaccard"] >= STABLE).all()
        assert found.n_stable == 3
        assert set(found.table["verdict"]) == {"stable"}

    def test_groups_made_up_at_random_are_not(self, known, clusters):
        labels = np.random.default_rng(0).integers(0, 3, 120)
        made_up = Clusters(labels, clusters.membership, clusters.table, clusters.centroids, clusters.settings)
        found = cluster_stability(known[0], made_up, n_resamples=3, progress=False)
        assert found.n_stable == 0

    def test_jaccard_is_shared_over_either(self, known, clusters, monkeypatch):
        # Cluster 0 comes back as rows 0-2 of its rows 0-3, with row 4 beside: 3 / 5. Cluster 1 not at all.
        monkeypatch.setattr(
            "workbench.exploration.stability.cluster_labels",
            lambda rows, **_: (np.array([0, 0, 0, -1, 0, -1] + [-1] * 14), None),
        )
        labels = np.array([0, 0, 0, 0, 1, 1] + [-1] * 14)
        two = Clusters(labels, labels * 0.0, clusters.table[:2], clusters.centroids[:2], clusters.settings)
        np.testing.assert_allclose(_recovered(known[0][:20], labels, two, 1.0), [3 / 5, 1 / 5])

    def test_the_same_seed_gives_the_same(self, known, clusters):
        once, again = (
            cluster_stability(known[0], clusters, n_resamples=2, seed=4, progress=False) for _ in range(2)
        )
        np.testing.assert_array_equal(once.jaccards, again.jaccards)

    def test_other_vectors_are_refused(self, known, clusters):
        with pytest.raises(InputError, match="119 vectors, but labels for 120"):
            cluster_stability(known[0][:-1], clusters)

    def test_resamples_of_few_texts_use_the_neighbours_that_they_have(self):
        vectors = trades(sizes=(10, 10), spread=0.1)[0]
        found = find_clusters(vectors, ids=range(20), min_cluster_size=5, min_samples=2)
        stability = cluster_stability(vectors, found, ids=range(20), n_resamples=2, progress=False)
        assert len(stability.table) == len(found) == 2

    def test_no_resample_is_refused(self, known, clusters):
        with pytest.raises(InputError, match="at least 1"):
            cluster_stability(known[0], clusters, n_resamples=0)

    def test_the_sentence_counts_the_stable(self, clusters):
        table = clusters.table.assign(jaccard=0.9, verdict=["stable", "stable", "pattern"])
        assert "2 of 3" in ClusterStability(table, np.ones((5, 3))).sentence()


class TestHierarchy:
    def test_it_joins_the_nearest_first_by_average_cosine_distance(self):
        vectors, _, _ = trades(sizes=(30, 30, 30, 30, 30), spread=0.2)
        found = find_clusters(vectors, min_cluster_size=10)
        tree = cluster_hierarchy(found)
        distances = squareform(pdist(found.centroids, "cosine"))
        np.fill_diagonal(distances, np.inf)
        nearest = np.unravel_index(distances.argmin(), distances.shape)
        assert {int(leaf) for leaf in tree.linkage[0, :2]} == set(nearest)
        assert tree.linkage[0, 2] == pytest.approx(distances.min(), abs=1e-5)
        assert (cophenet(tree.linkage) > 0).all()
