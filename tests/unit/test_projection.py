"""The map: the same picture each time, new texts in their places, a quality that scikit-learn confirms."""

from __future__ import annotations

import _thread
import json
import signal
import sys
import threading
import time
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from workbench.errors import EncoderMismatchError, InputError, MissingDependencyError, StoreError
from workbench.exploration import SkillMap, compare_maps, fit_map, map_quality, warm_up
from workbench.exploration.inputs import distinct, unit_rows
from workbench.exploration.layouts import reduce
from workbench.exploration.neighbours import nearest, nearest_others
from workbench.i18n import language

# UMAP compiles once in each process.
# umap-learn compiles for most of a minute when it is first used.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("umap")]

N_GROUPS, EACH, DIMENSION = 6, 30, 24


def grouped_vectors(seed=0, each=EACH, spread=0.35):
    """Directions in well-separated groups, with the group of each."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((N_GROUPS, DIMENSION))
    groups = np.repeat(np.arange(N_GROUPS), each)
    vectors = centres[groups] + spread * random.standard_normal((len(groups), DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), groups


@pytest.fixture(scope="module")
def vectors():
    return grouped_vectors()[0]


@pytest.fixture(scope="module")
def skill_map(vectors):
    return fit_map(vectors, ids=[f"text-{row:03}" for row in range(len(vectors))], fingerprint="abc")


class TestTheSamePictureEachTime:
    def test_a_second_fit_gives_the_same_coordinates(self, vectors, skill_map):
        again = fit_map(vectors, ids=skill_map.ids)
        np.testing.assert_array_equal(again.coordinates, skill_map.coordinates)

    def test_the_order_of_rows_does_not_matter(self, vectors, skill_map):
        order = np.random.default_rng(1).permutation(len(vectors))
        again = fit_map(vectors[order], ids=[skill_map.ids[row] for row in order])
        np.testing.assert_array_equal(again.coordinates, skill_map.coordinates[order])

    def test_nor_does_it_without_ids(self, vectors):
        order = np.random.default_rng(1).permutation(len(vectors))
        np.testing.assert_array_equal(
            fit_map(vectors[order]).coordinates, fit_map(vectors).coordinates[order]
        )

    def test_another_seed_gives_another_picture(self, vectors, skill_map):
        assert not np.allclose(fit_map(vectors, seed=1).coordinates, skill_map.coordinates)

    def test_equal_vectors_share_a_place(self, vectors):
        doubled = fit_map(np.vstack([vectors, vectors[:5]]))
        np.testing.assert_array_equal(doubled.coordinates[-5:], doubled.coordinates[:5])

    def test_equal_vectors_do_not_change_the_picture_of_the_others(self, vectors):
        doubled = fit_map(np.vstack([vectors, vectors[:5]]))
        np.testing.assert_array_equal(doubled.coordinates[:-5], fit_map(vectors).coordinates)

    def test_the_length_of_vectors_does_not_matter(self, vectors):
        np.testing.assert_allclose(fit_map(4 * vectors).coordinates, fit_map(vectors).coordinates, atol=1e-4)

    def test_neighbours_on_the_map_are_of_the_same_group(self, skill_map):
        groups = grouped_vectors()[1]
        search = NearestNeighbors(n_neighbors=6).fit(skill_map.coordinates)
        near = search.kneighbors(return_distance=False)
        assert (groups[near] == groups[:, None]).mean() > 0.95


class TestNewTexts:
    def test_a_fitted_text_stands_where_it_stood(self, vectors, skill_map):
        np.testing.assert_array_equal(skill_map.place(vectors), skill_map.coordinates)

    def test_rounding_noise_of_an_encoder_does_not_move_a_text(self, vectors, skill_map):
        noise = np.random.default_rng(0).uniform(-1e-5, 1e-5, vectors.shape)
        np.testing.assert_array_equal(skill_map.place(vectors + noise), skill_map.coordinates)

    def test_a_text_is_placed_alike_alone_and_among_others(self, skill_map):
        new, _ = grouped_vectors(seed=7)
        together = skill_map.place(new)
        alone = np.vstack([skill_map.place(new[row : row + 1]) for row in range(0, len(new), 9)])
        np.testing.assert_allclose(alone, together[::9], atol=1e-3)
        np.testing.assert_allclose(skill_map.place(new[::-1]), together[::-1], atol=1e-3)

    def test_new_texts_fall_into_their_group(self, skill_map):
        new, groups = grouped_vectors(seed=7)
        search = NearestNeighbors(n_neighbors=1).fit(skill_map.coordinates)
        nearest_text = search.kneighbors(skill_map.place(new), return_distance=False)[:, 0]
        assert (groups[nearest_text] == groups).mean() > 0.95

    @given(st.integers(0, 10_000))
    def test_a_text_never_falls_outside_of_the_fitted_ones(self, skill_map, seed):
        new = np.random.default_rng(seed).standard_normal((3, DIMENSION))
        placed = skill_map.place(new)
        low, high = skill_map.coordinates.min(axis=0), skill_map.coordinates.max(axis=0)
        assert (placed >= low - 1e-4).all()
        assert (placed <= high + 1e-4).all()

    def test_a_text_between_two_groups_joins_one_and_does_not_fall_between(self):
        # Two of a text's neighbours are near each other, one lies far off: a mean falls between them.
        anchors = unit_rows([[1, 0.1, 0], [1, 0, 0.1], [0, 1, 0], [0, 0, -1]])
        places = np.array([[0, 0], [0, 1], [100, 0], [500, 500]], dtype=np.float32)
        reduction = reduce(anchors, None, 0)
        settings = {"n_neighbors": 3, "min_dist": 0.0, "seed": 0, "pca": None}
        known = SkillMap(places, None, "umap", settings, None, reduction, reduction.apply(anchors), places)
        placed = known.place([[1, 0.05, 0.05]])
        assert np.linalg.norm(placed - [0, 0.5], axis=1)[0] < 1

    def test_on_a_pca_map_new_texts_are_projected(self, vectors):
        flat = fit_map(vectors, method="pca")
        np.testing.assert_allclose(flat.place(vectors), flat.coordinates, atol=1e-5)

    def test_vectors_of_another_encoder_are_refused_by_fingerprint(self, vectors, skill_map):
        with pytest.raises(EncoderMismatchError, match=r"made with the encoder \[abc\].*with \[xyz\]"):
            skill_map.place(vectors, fingerprint="xyz")

    def test_and_where_that_is_not_known_by_dimension(self, skill_map):
        with pytest.raises(EncoderMismatchError, match="24 dimensions, these have 10"):
            skill_map.place(np.ones((1, 10)))


class TestBadInput:
    def test_fewer_texts_than_neighbours(self, vectors):
        with pytest.raises(InputError, match=r"10 distinct vectors.*n_neighbors=15; ask for at most 9"):
            fit_map(vectors[:10])

    def test_so_few_texts_that_only_pca_is_left(self, vectors):
        with pytest.raises(InputError, match="method='pca'"):
            fit_map(vectors[:3], n_neighbors=2)
        assert len(fit_map(vectors[:2], method="pca")) == 2

    def test_all_vectors_identical(self):
        with pytest.raises(InputError, match="All vectors are identical"):
            fit_map(np.ones((40, 8)))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_a_vector_that_is_not_finite_is_named(self, vectors, value):
        broken = vectors.copy()
        broken[7, 3] = value
        with pytest.raises(InputError, match="Vector 7 has values that are not finite"):
            fit_map(broken)

    def test_a_vector_of_zeros_is_named(self, vectors):
        broken = vectors.copy()
        broken[3] = 0
        with pytest.raises(InputError, match="Vector 3 is all zeros"):
            fit_map(broken)

    def test_vectors_of_two_encoders_mixed(self, vectors):
        mixed = ["use"] * 100 + ["e5"] * 80
        with pytest.raises(EncoderMismatchError, match=r"2 encoders \(100 of \[use\], 80 of \[e5\]\)"):
            fit_map(vectors, fingerprint=mixed)

    def test_vectors_of_two_dimensions_mixed(self):
        with pytest.raises(EncoderMismatchError, match=r"different dimensions \(3, 4\)"):
            fit_map([[1, 2, 3], [1, 2, 3, 4]])

    def test_an_id_that_is_given_twice(self, vectors):
        with pytest.raises(InputError, match="id 'a' is given 180 times"):
            fit_map(vectors, ids=["a"] * len(vectors))

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ({"method": "tsne"}, "choose one of 'umap', 'pca'"),
            ({"min_dist": 2}, "from 0 .tight. to 1"),
            ({"n_neighbors": 1}, "at least 2"),
            ({"n_neighbors": 7.5}, "whole number"),
            ({"pca": 1000}, "from 1 to 24"),
            ({"backend": "tpu"}, "'auto', 'cpu', 'gpu'"),
            ({"ids": ["a"]}, "1 ids for 180 vectors"),
            ({"fingerprint": ["a"]}, "1 fingerprints for 180 vectors"),
        ],
    )
    def test_an_option_out_of_range(self, vectors, option, message):
        with pytest.raises(InputError, match=message):
            fit_map(vectors, **option)

    def test_a_matrix_without_rows(self):
        with pytest.raises(InputError, match="at least one row"):
            fit_map(np.empty((0, 8)))


class TestFiles:
    def test_a_map_that_is_read_back_is_the_same(self, skill_map, tmp_path):
        back = SkillMap.load(skill_map.save(tmp_path / "map.npz"))
        np.testing.assert_array_equal(back.coordinates, skill_map.coordinates)
        new, _ = grouped_vectors(seed=7)
        np.testing.assert_array_equal(back.place(new), skill_map.place(new))
        assert (back.ids, back.fingerprint, back.settings) == (
            skill_map.ids,
            skill_map.fingerprint,
            skill_map.settings,
        )

    def test_so_is_one_by_pca(self, vectors, tmp_path):
        flat = fit_map(vectors, method="pca", ids=range(len(vectors)))
        back = SkillMap.load(flat.save(tmp_path / "map.npz"))
        np.testing.assert_array_equal(back.place(vectors), flat.place(vectors))
        assert back.ids == tuple(range(len(vectors)))

    def test_nothing_in_it_needs_pickle(self, skill_map, tmp_path):
        path = skill_map.save(tmp_path / "map.npz")
        with np.load(path, allow_pickle=False) as file:
            assert {file[name].dtype.kind for name in file.files} <= {"f", "u"}
            assert json.loads(file["notes"].tobytes())["schema"] == "jd-resume-workbench/skill-map"

    def test_a_file_with_an_object_inside_is_refused_unread(self, tmp_path):
        path = tmp_path / "map.npz"
        np.savez(path, notes=np.array([{"a": 1}], dtype=object))
        with pytest.raises(InputError, match="no skill map, or is damaged"):
            SkillMap.load(path)

    def test_half_a_file_is_refused(self, skill_map, tmp_path):
        path = skill_map.save(tmp_path / "map.npz")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match="damaged"):
            SkillMap.load(path)

    def test_another_npz_is_refused(self, tmp_path):
        np.savez(tmp_path / "other.npz", a=np.ones(3))
        with pytest.raises(InputError, match="damaged"):
            SkillMap.load(tmp_path / "other.npz")

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(InputError, match="There is no map"):
            SkillMap.load(tmp_path / "none.npz")

    def test_a_name_that_numpy_would_change_is_refused(self, skill_map, tmp_path):
        with pytest.raises(InputError, match=r"must end in \.npz"):
            skill_map.save(tmp_path / "map.json")

    def test_a_folder_that_cannot_be_made(self, skill_map, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError):
            skill_map.save(tmp_path / "file" / "map.npz")


class TestQuality:
    @pytest.mark.parametrize("k", [5, 15])
    def test_trustworthiness_is_that_of_scikit_learn(self, vectors, skill_map, k):
        expected = trustworthiness(vectors, skill_map.coordinates, n_neighbors=k, metric="cosine")
        assert map_quality(vectors, skill_map, n_neighbors=k).trustworthiness == pytest.approx(
            expected, abs=1e-6
        )

    @given(st.integers(0, 10_000), st.integers(8, 60), st.integers(1, 3))
    def test_also_on_maps_at_random(self, seed, n, k):
        random = np.random.default_rng(seed)
        vectors, places = random.standard_normal((n, 5)), random.standard_normal((n, 2))
        expected = trustworthiness(vectors, places, n_neighbors=k, metric="cosine")
        assert map_quality(vectors, places, n_neighbors=k).trustworthiness == pytest.approx(
            expected, abs=1e-6
        )

    def test_overlap_is_the_share_of_neighbours_kept(self, vectors, skill_map):
        k = 10
        true = NearestNeighbors(n_neighbors=k, metric="cosine").fit(vectors).kneighbors()[1]
        shown = NearestNeighbors(n_neighbors=k).fit(skill_map.coordinates).kneighbors()[1]
        expected = np.mean([len({*a} & {*b}) / k for a, b in zip(true, shown, strict=True)])
        assert map_quality(vectors, skill_map, n_neighbors=k).knn_overlap == pytest.approx(expected)

    def test_a_sample_estimates_what_all_points_say(self, vectors, skill_map):
        whole = map_quality(vectors, skill_map)
        part = map_quality(vectors, skill_map, sample=90)
        assert (part.n, part.n_looked_at) == (180, 90)
        assert part.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.02)
        assert part.knn_overlap == pytest.approx(whole.knn_overlap, abs=0.05)

    def test_a_map_at_random_has_the_overlap_of_chance(self):
        random = np.random.default_rng(0)
        found = map_quality(random.standard_normal((600, 20)), random.standard_normal((600, 2)))
        assert found.chance_overlap == pytest.approx(15 / 599)
        assert found.knn_overlap == pytest.approx(found.chance_overlap, abs=0.01)
        assert found.trustworthiness == pytest.approx(0.5, abs=0.02)

    def test_umap_keeps_more_neighbours_than_pca(self, vectors, skill_map):
        flat = fit_map(vectors, method="pca")
        assert map_quality(vectors, skill_map).knn_overlap > map_quality(vectors, flat).knn_overlap

    def test_the_sentence_has_the_figures(self, vectors, skill_map):
        found = map_quality(vectors, skill_map)
        assert f"{found.trustworthiness:.2f}" in found.sentence()
        with language("zh"):
            assert f"{found.trustworthiness:.2f}" in found.sentence()

    def test_too_many_neighbours_are_refused(self, vectors, skill_map):
        with pytest.raises(InputError, match="from 1 to 89"):
            map_quality(vectors, skill_map, n_neighbors=90)

    @pytest.mark.parametrize(("n", "k"), [(180, 15), (31, 15), (30, 14), (20, 9), (3, 1)])
    def test_few_texts_are_judged_by_as_many_neighbours_as_there_may_be(self, vectors, n, k):
        assert map_quality(vectors[:n], vectors[:n, :2]).n_neighbors == k

    def test_few_texts_are_compared_with_the_neighbours_that_they_have(self, vectors):
        found = compare_maps(np.vstack([vectors[:20], vectors[:20]]), min_dist=(0.1,), progress=False)
        assert [one.skill_map.settings["n_neighbors"] for one in found] == [5, 15]
        with pytest.raises(InputError, match="too few for n_neighbors=50"):
            compare_maps(vectors[:20], n_neighbors=(50,), progress=False)

    def test_coordinates_of_other_points_are_refused(self, vectors):
        with pytest.raises(InputError, match=r"180 vectors, but coordinates of shape \(3, 2\)"):
            map_quality(vectors, np.zeros((3, 2)))

    def test_parameters_are_compared_each_with_each(self, vectors):
        found = compare_maps(vectors, n_neighbors=(5, 15), min_dist=(0.0, 0.5), progress=False)
        settings = [
            (one.skill_map.settings["n_neighbors"], one.skill_map.settings["min_dist"]) for one in found
        ]
        assert settings == [(5, 0.0), (5, 0.5), (15, 0.0), (15, 0.5)]
        assert found[2].quality.trustworthiness == pytest.approx(
            trustworthiness(vectors, found[2].skill_map.coordinates, n_neighbors=15, metric="cosine"),
            abs=1e-6,
        )

    def test_large_sets_are_compared_on_a_sample(self, vectors):
        (found,) = compare_maps(vectors, n_neighbors=(5,), min_dist=(0.1,), most=60, progress=False)
        assert len(found.skill_map) == 60


class TestThePartsOfTheFit:
    @given(st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=1, max_size=20))
    def test_distinct_rows_stand_for_all(self, rows):
        matrix = np.array(rows, dtype=np.float32)
        found = distinct(matrix)
        np.testing.assert_array_equal(matrix[found.rows][found.inverse], matrix)
        assert len(found.rows) == len({tuple(row) for row in matrix.tolist()})

    def test_neighbours_are_those_of_scikit_learn_also_when_there_are_many(self, monkeypatch):
        random = np.random.default_rng(0)
        rows = unit_rows(random.standard_normal((200, 16)))
        expected = NearestNeighbors(n_neighbors=5, metric="cosine").fit(rows).kneighbors(rows[:7])
        for at_once in (0, 10**9):
            monkeypatch.setattr("workbench.exploration.neighbours.AT_ONCE", at_once)
            similarities, found = nearest(rows, rows[:7], 5)
            np.testing.assert_array_equal(found, expected[1])
            np.testing.assert_allclose(similarities, 1 - expected[0], atol=1e-6)

    def test_a_row_is_its_own_first_neighbour(self, vectors):
        similarities, found = nearest_others(vectors, 4)
        np.testing.assert_array_equal(found[:, 0], np.arange(len(vectors)))
        assert (similarities[:, 0] == 1).all()

    @pytest.mark.parametrize("n", [2_050, 3_100])  # an odd and an even number of blocks
    def test_neighbours_of_many_are_the_exact_ones(self, n):
        random = np.random.default_rng(0)
        centres = random.standard_normal((40, 24))
        rows = unit_rows(centres[random.integers(0, 40, n)] + 0.3 * random.standard_normal((n, 24)))
        rows[7] = 0  # as of a text that is at the mean of all
        similarities, found = nearest_others(rows, 15)
        exact = rows.astype(np.float64)
        squares = (exact**2).sum(axis=1)
        distances = squares[:, None] + squares - 2 * exact @ exact.T
        np.fill_diagonal(distances, -1)
        expected = np.argsort(distances, axis=1, kind="stable")[:, :15]
        np.testing.assert_array_equal(np.delete(found, 7, axis=0), np.delete(expected, 7, axis=0))
        np.testing.assert_allclose(
            similarities[:, 1:], 1 - np.take_along_axis(distances, expected, axis=1)[:, 1:] / 2, atol=1e-7
        )

    def test_very_many_rows_that_are_equally_near_are_left_to_scikit_learn(self):
        rows = unit_rows(np.repeat(np.eye(2, 8), 1_010, axis=0))
        similarities, found = nearest_others(rows, 5)
        assert (similarities == 1).all()
        assert ((found < 1_010) == (np.arange(2_020) < 1_010)[:, None]).all()

    def test_the_reduction_is_scikit_learns_pca(self, vectors):
        from sklearn.decomposition import PCA

        found = reduce(vectors, 5, 0)
        expected = PCA(5, random_state=0).fit(vectors)
        np.testing.assert_allclose(found.project(vectors), expected.transform(vectors), atol=1e-5)
        assert found.explained == pytest.approx(expected.explained_variance_ratio_.sum(), rel=1e-5)

    def test_pca_comes_first_where_there_are_more_than_100_dimensions(self):
        random = np.random.default_rng(0)
        assert reduce(unit_rows(random.standard_normal((150, 128))), "auto", 0).components.shape == (100, 128)
        assert reduce(unit_rows(random.standard_normal((150, 64))), "auto", 0).components is None
        assert reduce(unit_rows(random.standard_normal((80, 128))), "auto", 0).components is None


class TestMachines:
    def test_without_umap_the_message_names_the_extra(self, vectors, monkeypatch):
        monkeypatch.setitem(sys.modules, "umap", None)
        with pytest.raises(MissingDependencyError, match=r"\.\[map\]"):
            fit_map(vectors)

    def test_without_cuml_the_gpu_is_refused(self, vectors):
        pytest.importorskip("umap")
        with pytest.raises(MissingDependencyError, match="cuml"):
            fit_map(vectors, backend="gpu")

    def test_cuml_is_taken_where_it_is_there(self, vectors, monkeypatch):
        asked = {}

        class FakeUMAP:
            def __init__(self, **options):
                asked.update(options)

            def fit_transform(self, rows):
                return np.asarray(rows)[:, :2]

        manifold = types.ModuleType("cuml.manifold")
        manifold.UMAP = FakeUMAP
        monkeypatch.setitem(sys.modules, "cuml", types.ModuleType("cuml"))
        monkeypatch.setitem(sys.modules, "cuml.manifold", manifold)
        monkeypatch.setattr("workbench.exploration.layouts._gpu_is_there", lambda: True)
        found = fit_map(vectors, n_neighbors=10, min_dist=0.2, seed=3)
        assert len(found) == len(vectors)
        assert asked["metric"] == "cosine"
        assert (asked["n_neighbors"], asked["min_dist"], asked["random_state"]) == (10, 0.2, 3)

    def test_a_broken_gpu_is_no_gpu(self, vectors, skill_map, monkeypatch):
        broken = types.ModuleType("cupy")  # has no cuda
        cuml = types.ModuleType("cuml")
        cuml.__spec__ = types.SimpleNamespace(name="cuml")
        monkeypatch.setitem(sys.modules, "cupy", broken)
        monkeypatch.setitem(sys.modules, "cuml", cuml)
        np.testing.assert_array_equal(fit_map(vectors, ids=skill_map.ids).coordinates, skill_map.coordinates)

    def test_warming_up_works_beside_and_ends(self):
        thread = warm_up()
        thread.join(300)
        assert not thread.is_alive()

    def test_warming_up_without_umap_does_nothing(self, monkeypatch):
        monkeypatch.setattr("workbench.exploration.layouts.find_spec", lambda name: None)
        warm_up(wait=True)

    @pytest.mark.parametrize("shown", [True, False])
    def test_progress_is_shown_to_those_who_ask(self, vectors, shown, capfd):
        fit_map(vectors, progress=shown)
        assert ("UMAP" in capfd.readouterr().err) == shown

    @pytest.mark.slow
    def test_a_fit_can_be_interrupted_and_done_again(self):
        # A shell starts what runs in the background deaf to Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        warm_up(wait=True)
        random = np.random.default_rng(0)
        rows = random.standard_normal((3000, 16)).astype(np.float32)
        started = time.monotonic()
        timer = threading.Timer(0.3, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            fit_map(np.vstack([rows] + [rows + 0.01 * k for k in range(1, 8)]), progress=False)
        assert time.monotonic() - started < 60
        assert len(fit_map(rows[:50], progress=False)) == 50
