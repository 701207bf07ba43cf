"""Figures of the map: labels that cover nothing, Chinese that renders, titles that say what is true."""

from __future__ import annotations

import itertools
import sys
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb

from workbench.errors import InputError, MissingDependencyError
from workbench.exploration import (
    Clusters,
    ClusterStability,
    cluster_hierarchy,
    compare_maps,
    find_clusters,
    fit_map,
    map_quality,
    supply_and_demand,
    supply_change,
)
from workbench.i18n import language
from workbench.plots import (
    plot_cluster_tree,
    plot_map_comparison,
    plot_skill_map,
    plot_supply_change,
    plot_supply_demand,
)
from workbench.plots.skill_map import COLOURS, cluster_colours
from workbench.plots.style import GREY

N, K = 300, 12


@pytest.fixture(scope="module")
def vectors():
    random = np.random.default_rng(0)
    return random.standard_normal((K, 16))[np.arange(N) % K] + 0.3 * random.standard_normal((N, 16))


@pytest.fixture(scope="module")
def skill_map(vectors):
    return fit_map(vectors, method="pca")


@pytest.fixture(scope="module")
def clusters(vectors):
    labels = np.where(np.arange(N) < N - 20, np.arange(N) % K, -1)
    sizes = np.bincount(labels[labels >= 0])
    table = pd.DataFrame(
        {
            "cluster": range(K),
            "name": [f"机器学习 · 推荐 · Java {k}" for k in range(K)],
            "size": sizes,
            "share": sizes / N,
            "silhouette": 0.5,
            "central": [[0]] * K,
        }
    )
    centroids = np.array([vectors[labels == k].mean(axis=0) for k in range(K)], dtype=np.float32)
    return Clusters(labels, np.ones(N), table, centroids, {"min_cluster_size": 10})


@pytest.fixture(scope="module")
def found(vectors):
    groups = [f"岗位类 {k}" for k in np.arange(60) % K]
    return supply_and_demand(vectors[:60], vectors[60:], cutoff=0.6, groups=groups)


def title(figure):
    return figure.axes[0].get_title(loc="left").strip()


def assert_renders(figure):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert figure.png().startswith(b"\x89PNG")


def label_boxes(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    return [text.get_window_extent(renderer) for text in figure.axes[0].texts if "Java" in text.get_text()]


class TestTheMap:
    def test_labels_do_not_overlap(self, skill_map, clusters, each_language):
        boxes = label_boxes(plot_skill_map(skill_map, clusters=clusters))
        assert len(boxes) >= K // 2
        assert not [1 for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]

    def test_chinese_labels_have_glyphs(self, skill_map, clusters, vectors):
        quality = map_quality(vectors, skill_map)
        with language("zh"):
            assert_renders(plot_skill_map(skill_map, clusters=clusters, quality=quality))

    def test_jds_are_diamonds_on_top_and_the_legend_counts_both(self, skill_map):
        kinds = ["jd"] * 7 + ["resume"] * (N - 7)
        figure = plot_skill_map(skill_map, kinds=kinds)
        dots, diamonds = figure.axes[0].collections
        assert (len(dots.get_offsets()), len(diamonds.get_offsets())) == (N - 7, 7)
        assert diamonds.get_zorder() > dots.get_zorder()
        names = [text.get_text() for text in figure.legends[0].get_texts()]
        assert names == ["JDs (7)", "résumé texts (293)"]

    def test_the_title_and_quality_are_those_of_the_data(self, skill_map, clusters, vectors):
        quality = map_quality(vectors, skill_map)
        figure = plot_skill_map(skill_map, clusters=clusters, quality=quality)
        assert title(figure) == "300 texts fall into 12 clusters; 20 (7 %) belong to none."
        assert quality.sentence() in [text.get_text() for text in figure.axes[0].texts]
        assert figure.alt.startswith(title(figure))

    def test_noise_is_grey(self, skill_map, clusters):
        figure = plot_skill_map(skill_map, clusters=clusters)
        colours = [to_hex(colour) for colour in figure.axes[0].collections[0].get_facecolors()]
        assert colours.count(GREY.lower()) == 20
        assert colours[:20] == [GREY.lower()] * 20

    def test_doubtful_clusters_are_rings_with_a_question_mark(self, skill_map, clusters):
        verdicts = ["dissolved" if cluster % 2 else "stable" for cluster in range(K)]
        told = ClusterStability(
            pd.DataFrame({"jaccard": 0.5, "verdict": verdicts}, index=range(K)), np.zeros((1, K))
        ).added_to(clusters)
        figure = plot_skill_map(skill_map, clusters=told)
        dots = figure.axes[0].collections[0]
        white = [to_hex(colour) == "#ffffff" for colour in dots.get_facecolors()]
        assert sum(white) == sum((clusters.labels == cluster).sum() for cluster in range(1, K, 2))
        asked = [text.get_text() for text in figure.axes[0].texts if "Java" in text.get_text()]
        assert {name.endswith(" ?") for name in asked} == {True, False}
        legend = [text.get_text() for text in figure.legends[0].get_texts()]
        assert "? hardly found in other samples" in legend

    def test_more_clusters_than_colours_are_said_to_repeat_them(self, skill_map, clusters):
        n = len(COLOURS) + 1
        table = clusters.table.loc[np.arange(n) % K].assign(cluster=range(n), size=N // n)
        many = Clusters(np.arange(N) % n, np.ones(N), table.reset_index(drop=True), clusters.centroids, {})
        legend = [text.get_text() for text in plot_skill_map(skill_map, clusters=many).legends[0].get_texts()]
        assert "25 groups, 24 colours: some repeat" in legend

    def test_colours_can_be_told_apart_and_from_white_and_noise(self):
        # OKLab (Ottosson 2020), where 0.02 is about the least difference that is seen side by side.
        colours = np.array([to_rgb(colour) for colour in (*COLOURS, GREY, "white")])
        linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
        to_lms = [
            [0.4122215, 0.5363325, 0.0514460],
            [0.2119035, 0.6806995, 0.1073970],
            [0.0883025, 0.2817188, 0.6299787],
        ]
        to_lab = [
            [0.2104543, 0.7936178, -0.0040720],
            [1.9779985, -2.4285922, 0.4505937],
            [0.0259040, 0.7827718, -0.8086758],
        ]
        lab = np.cbrt(linear @ np.transpose(to_lms)) @ np.transpose(to_lab)
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)) > 0.06

    def test_a_map_without_any_cluster_says_so(self, skill_map, vectors):
        none = find_clusters(vectors, min_cluster_size=N, space="vectors", min_samples=2)
        figure = plot_skill_map(skill_map, clusters=none)
        assert title(figure).startswith("No cluster was found")
        assert_renders(figure)

    def test_clusters_of_one_colour_lie_apart(self, skill_map, clusters):
        assert cluster_colours(clusters, skill_map.coordinates) == list(COLOURS[:K])
        places = np.column_stack([np.arange(len(COLOURS) + 1), np.zeros(len(COLOURS) + 1)])
        one_each = replace(
            clusters, labels=np.arange(len(places)), table=pd.DataFrame(index=range(len(places)))
        )
        # The first lies farthest from the last.
        assert cluster_colours(one_each, places) == [*COLOURS, COLOURS[0]]

    def test_numbers_get_a_scale_and_names_a_legend_with_the_rest_in_grey(self, skill_map):
        scale = plot_skill_map(skill_map, colour_by=np.linspace(0, 1, N), colour_name="score")
        assert scale.axes[1].get_ylabel() == "score"
        names = plot_skill_map(skill_map, colour_by=[f"g{row % 27}" for row in range(N)])
        texts = [text.get_text() for text in names.legends[0].get_texts()]
        assert len(texts) == len(COLOURS) + 1
        assert texts[-1] == "3 others"

    def test_texts_without_a_value_are_grey_and_said_to_be(self, skill_map):
        values = [None if row % 3 else f"g{row % 2}" for row in range(N)]
        figure = plot_skill_map(skill_map, colour_by=values)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["g0", "g1", "not given"]
        colours = [to_hex(colour) for colour in figure.axes[0].collections[0].get_facecolor()]
        assert colours.count(GREY.lower()) == sum(value is None for value in values)

    def test_without_textalloc_the_message_names_the_extra(self, skill_map, clusters, monkeypatch):
        monkeypatch.setitem(sys.modules, "textalloc", None)
        with pytest.raises(MissingDependencyError, match=r"\.\[map\]"):
            plot_skill_map(skill_map, clusters=clusters)
        plot_skill_map(skill_map)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"kinds": ["jd"]}, "1 kinds for 300"),
            ({"kinds": ["cv"] * N}, "not 'cv'"),
            ({"colour_by": [1.0]}, "1 values of colour_by for 300"),
        ],
    )
    def test_lengths_must_fit(self, skill_map, given, message):
        with pytest.raises(InputError, match=message):
            plot_skill_map(skill_map, **given)

    def test_a_map_without_points(self):
        with pytest.raises(InputError, match="shape"):
            plot_skill_map(np.empty((0, 2)))


class TestComparison:
    @pytest.mark.slow
    def test_the_best_map_is_named_and_framed(self, vectors):
        compared = compare_maps(vectors[:80], n_neighbors=(5, 10), min_dist=(0.0, 0.8), progress=False)
        best = max(compared, key=lambda one: one.quality.knn_overlap).skill_map.settings
        figure = plot_map_comparison(compared, labels=np.arange(80) % K)
        said = figure.get_suptitle()
        assert f"n_neighbors={best['n_neighbors']} and min_dist={best['min_dist']:g}" in said
        framed = [ax.get_title(loc="left") for ax in figure.axes if ax.spines["left"].get_linewidth() > 1]
        assert framed == [f"n_neighbors={best['n_neighbors']}, min_dist={best['min_dist']:g}"]
        assert_renders(figure)


class TestTree:
    def test_it_has_a_leaf_for_each_cluster_and_names_the_nearest(self, clusters):
        tree = cluster_hierarchy(clusters)
        with language("zh"):
            figure = plot_cluster_tree(tree)
        leaves = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert sorted(leaves) == sorted(f"{n}  ({s})" for n, s in zip(tree.names, tree.sizes, strict=True))
        first = {tree.names[int(leaf)] for leaf in tree.linkage[0, :2]}
        assert all(name[:15] in title(figure) for name in first)
        assert_renders(figure)


class TestSupplyDemand:
    def test_groups_stand_scarcest_on_top_with_their_counts(self, found, each_language):
        figure = plot_supply_demand(found)
        ax = figure.axes[0]
        assert [label.get_text() for label in ax.get_yticklabels()] == found.table["group"].tolist()
        assert ax.get_ylim()[0] > ax.get_ylim()[1]
        offsets = ax.collections[-1].get_offsets()
        np.testing.assert_allclose(offsets[:, 0], found.table["candidates_per_jd"])
        texts = {text.get_text() for text in ax.texts}
        row = found.table.iloc[0]
        counts = f"{row['n_jds']} 岗 · {row['n_candidates']} 人"
        assert (counts if each_language == "zh" else f"{row['n_jds']} JDs · {row['n_candidates']}") in texts
        assert_renders(figure)

    def test_many_groups_show_both_ends_and_say_how_many_are_between(self, found):
        figure = plot_supply_demand(found, most=6)
        names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert names == [*found.table["group"][:3], *found.table["group"][-3:]]
        assert any("6 groups between" in text.get_text() for text in figure.axes[0].texts)

    def test_the_title_counts_what_the_table_has(self, found):
        without = len(found.jds_without_candidate)
        assert title(plot_supply_demand(found)).endswith(f"above 0.6000: {without}")

    def test_changes_are_arrows_and_what_has_no_ratio_is_counted(self, vectors, found):
        groups = [f"岗位类 {k}" for k in np.arange(40) % 5] + ["新的一类"] * 20
        after = supply_and_demand(vectors[:60], vectors[100:], cutoff=0.6, groups=groups)
        change = supply_change(found, after)
        figure = plot_supply_change(change)
        assert len(figure.axes[0].get_yticklabels()) == change["candidates_per_jd_change"].notna().sum()
        assert "1 group is new · 7 are gone" in " ".join(t.get_text() for t in figure.axes[0].texts)
        fell = (change["candidates_per_jd_change"] < 0).sum()
        assert title(figure).startswith(f"Candidates for each JD: fewer in {fell} groups")
        assert_renders(figure)

    def test_the_title_counts_changes_that_are_not_shown_too(self, vectors, found):
        after = supply_and_demand(vectors[:60], vectors[100:], cutoff=0.6, groups=found.jds["group"].tolist())
        change = supply_change(found, after)
        fell = (change["candidates_per_jd_change"] < 0).sum()
        figure = plot_supply_change(change, most=2)
        assert fell > 2
        assert title(figure).startswith(f"Candidates for each JD: fewer in {fell} groups")
        assert f"{len(change) - 2} groups that changed less" in " ".join(
            t.get_text() for t in figure.axes[0].texts
        )

    def test_no_group_in_common_is_refused(self, vectors, found):
        other = supply_and_demand(vectors[:2], vectors[60:], cutoff=0.6, groups=["x", "y"])
        with pytest.raises(InputError, match="no change to draw"):
            plot_supply_change(supply_change(found, other))
