"""The map panel without a front end: what is drawn, lassoed, searched, exported, and linked."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import itertools
import re
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from toy_encoders import ToyEncoder

import workbench as wb
from workbench import Cutoff
from workbench.errors import EncoderMismatchError, InputError, MissingDependencyError
from workbench.exploration import Clusters, SkillMap, fit_map, map_quality, terms_of_selection
from workbench.panels import MapPanel, SearchPanel
from workbench.panels.map_points import ALL_COLOURS, MARKS, MapPoints, Name, Pins
from workbench.panels.map_view import (
    ABOVE,
    HEIGHT,
    LATIN,
    LETTERS,
    LINE,
    MARGIN,
    OPACITIES,
    SIZES_FEW,
    SIZES_MANY,
    WIDTH_TO_HEIGHT,
    labels_of,
)
from workbench.plots.skill_map import COLOURS
from workbench.plots.style import GREEN, GREY, INK, VERMILLION, YELLOW

RISKY = "<script>alert(1)</script> =1+1"
TEXTS = ["Java services", "Java on the JVM", "night nurse", "ward nurse", "tax audit", RISKY]
KINDS = ["jd", "resume", "jd", "resume", "resume", "resume"]
LABELS = np.array([0, 0, 1, 1, -1, -1])
SCALES = {"x_scale": (-1, 1), "y_scale": (-1, 1)}
FAMILY = pd.DataFrame({"family": ["it", "it", "care", "care", None, "it"]})


class SameForBoth(ToyEncoder):
    """Gives a text one vector, whether it is a query or a document."""

    def encode_batches(self, texts, role):
        return super().encode_batches(texts, "document")


@pytest.fixture
def encoder():
    return SameForBoth()


@pytest.fixture
def vectors(encoder):
    return encoder.encode_documents(TEXTS)


@pytest.fixture
def skill_map(vectors, encoder):
    return fit_map(vectors, method="pca", fingerprint=encoder.fingerprint)


@pytest.fixture
def clusters(vectors):
    table = pd.DataFrame(
        {"cluster": [0, 1], "name": ["Java", "<b>nurse</b>"], "size": [2, 2], "share": [1 / 3, 1 / 3]}
    )
    settings = {"min_cluster_size": 2}
    return Clusters(LABELS, np.array([1, 1, 1, 1, 0, 0.0]), table, vectors[[0, 2]], settings)


@pytest.fixture
def panel(skill_map, clusters, vectors, encoder):
    return MapPanel(
        TEXTS,
        skill_map,
        kinds=KINDS,
        clusters=clusters,
        groups=FAMILY,
        vectors=vectors,
        encoder=encoder,
        cutoff=0.5,
        k=2,
        language="en",
    )


def lasso(panel, marks):
    """What the front end sends when the user lets go of the mouse."""
    panel._view.widget.selection = np.array(marks, dtype=np.uint32)


def frame_of(panel):
    return panel._view._drawn.frame


def exported(panel):
    address = re.search(r'href="data:[^,]+,([^"]+)"', panel.widgets.export.value)[1]
    content = base64.b64decode(address)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


class TestDrawing:
    @pytest.fixture
    def points(self, skill_map, clusters):
        return MapPoints(TEXTS, skill_map.coordinates, np.array(KINDS), clusters, FAMILY)

    def draw(self, points, colour_by="cluster", **more):
        return points.draw(colour_by, **more)

    def test_a_jd_is_a_dot_on_a_dark_ring_and_a_resume_text_a_dot(self, points):
        drawn = self.draw(points)
        assert drawn.frame["mark"].tolist() == ["resume"] * 4 + ["jd_ring"] * 2 + ["jd"] * 2
        rings = drawn.frame[drawn.frame["mark"] == "jd_ring"]
        assert set(rings["colour"]) == {INK}
        np.testing.assert_array_equal(
            rings[["x", "y"]], drawn.frame.loc[drawn.frame["mark"] == "jd", ["x", "y"]]
        )

    def test_every_mark_stands_where_its_text_does(self, points):
        drawn = self.draw(points)
        np.testing.assert_array_equal(drawn.frame[["x", "y"]], points.places[drawn.rows])
        assert drawn.frame["text"].tolist() == [TEXTS[row] for row in drawn.rows]

    def test_texts_of_a_cluster_share_a_colour_and_noise_is_grey_and_below(self, points):
        drawn = self.draw(points)
        colour = dict(zip(drawn.rows, drawn.frame["colour"], strict=True))
        assert colour[1] == colour[0] != colour[2] == colour[3]
        assert colour[4] == colour[5] == GREY
        assert drawn.frame["colour"].tolist()[:2] == [GREY, GREY]

    def test_the_key_says_what_colours_mean_with_counts(self, points):
        key = [(entry.name, entry.count) for entry in self.draw(points).key]
        assert key == [("Java", 2), ("<b>nurse</b>", 2), ("no cluster", 2)]

    def test_colours_by_kind_and_by_a_column(self, points):
        assert {(e.name, e.count) for e in self.draw(points, "kind").key} == {("JD", 2), ("résumé text", 4)}
        by_family = {(e.name, e.count) for e in self.draw(points, "family").key}
        assert by_family == {("it", 3), ("care", 2), ("", 1)}

    def test_more_groups_than_colours_leave_grey_for_the_rest(self, skill_map):
        names = pd.DataFrame({"group": [f"g{row}" for row in range(40)]})
        places = np.tile(skill_map.coordinates, (7, 1))[:40]
        points = MapPoints(["text"] * 40, places, np.array(["resume"] * 40), None, names)
        key = self.draw(points, "group").key
        assert len(key) == len(COLOURS) + 1
        assert (key[-1].colour, key[-1].name, key[-1].count) == (GREY, "16 others", 16)

    def test_more_clusters_than_colours_drop_the_key_and_say_so(self, skill_map, clusters, vectors):
        n = len(COLOURS) + 1
        table = pd.DataFrame({"cluster": range(n), "name": [f"c{k}" for k in range(n)]})
        many = dataclasses.replace(clusters, labels=np.arange(n), table=table)
        places = np.tile(skill_map.coordinates, (7, 1))[:n]
        drawn = self.draw(MapPoints(["text"] * n, places, np.array(["resume"] * n), many))
        assert (drawn.key, drawn.note) == ([], "25 groups, 24 colours: some repeat")
        assert [name.text for name in drawn.names] == table["name"].tolist()

    def test_names_stand_in_the_middle_of_their_texts(self, points, skill_map):
        for name, rows in zip(self.draw(points).names, ([0, 1], [2, 3]), strict=True):
            np.testing.assert_allclose(name.place, skill_map.coordinates[rows].mean(axis=0), atol=1e-6)
        assert [name.text for name in self.draw(points).names] == ["Java", "<b>nurse</b>"]
        alone = self.draw(points, only="jd").names[0].place
        np.testing.assert_array_equal(alone, skill_map.coordinates[0])

    def test_doubtful_clusters_are_faint_with_a_question_mark(self, points):
        table = points.clusters.table.assign(verdict=["stable", "dissolved"])
        points = dataclasses.replace(points, clusters=dataclasses.replace(points.clusters, table=table))
        drawn = self.draw(points)
        assert [name.text for name in drawn.names] == ["Java", "<b>nurse</b> ?"]
        assert dict(zip(drawn.rows, drawn.frame["mark"], strict=True))[3] == "faint"
        assert OPACITIES["faint"] < OPACITIES["resume"]
        assert "<b>nurse</b> ?" in [entry.name for entry in drawn.key]

    def test_colour_by_match_splits_at_the_cutoff(self, points):
        scores = np.array([0.9, 0.5, 0.4, 0.3, 0.2, 0.6], dtype=np.float32)
        drawn = self.draw(points, "match", scores=scores, cutoff=0.5)
        colour = dict(zip(drawn.rows, drawn.frame["colour"], strict=True))
        assert [colour[row] for row in range(6)] == [GREEN, GREY, GREY, GREY, GREY, GREEN]

    def test_colour_by_score_makes_the_best_brightest(self, points):
        scores = np.linspace(0, 1, 6).astype(np.float32)
        drawn = self.draw(points, "score", scores=scores)
        steps = {entry.colour for entry in drawn.key}
        colour = dict(zip(drawn.rows, drawn.frame["colour"], strict=True))
        assert colour[5] == "#FDE737"
        assert colour[0] == "#00224E"
        assert len(steps) > 2
        same = self.draw(points, "score", scores=np.ones(6, dtype=np.float32))
        assert {entry.count for entry in same.key} == {6}

    def test_scores_that_are_not_there_are_asked_for(self, points):
        with pytest.raises(InputError, match="search first"):
            self.draw(points, "score")
        with pytest.raises(InputError, match="nothing called 'salary'"):
            self.draw(points, "salary")

    def test_a_query_and_its_hits_are_pinned_on_top(self, points):
        pins = Pins("nurse", np.array([7.0, 8.0]), np.array([3, 0]))
        drawn = self.draw(points, pins=pins)
        marks = drawn.frame["mark"].tolist()
        assert marks[-6:] == ["hit_ring", "hit_ring", "hit", "hit", "query_ring", "query"]
        assert drawn.rows[-6:].tolist() == [3, 0, 3, 0, -1, -1]
        assert drawn.frame["colour"].tolist()[-6:-4] == [VERMILLION] * 2
        assert drawn.frame["colour"].iloc[-1] == YELLOW
        assert drawn.frame[["x", "y"]].iloc[-1].tolist() == [7, 8]
        assert drawn.frame["text"].iloc[-1] == "nurse"

    def test_one_kind_can_be_shown_alone(self, points):
        pins = Pins("nurse", np.zeros(2), np.array([3, 0]))
        drawn = self.draw(points, only="jd", pins=pins)
        assert set(drawn.rows.tolist()) == {0, 2, -1}

    def test_marks_lead_to_texts_and_back(self, points):
        drawn = self.draw(points, pins=Pins("q", np.zeros(2), np.array([0])))
        assert drawn.texts_of(range(len(drawn.rows))).tolist() == [0, 1, 2, 3, 4, 5]
        topmost = drawn.marks_of([0, 1])
        assert drawn.frame["mark"].iloc[topmost].tolist() == ["hit", "resume"]

    def test_categories_are_the_same_whatever_is_drawn(self, points):
        for drawn in (self.draw(points), self.draw(points, "kind", only="resume")):
            assert tuple(drawn.frame["mark"].cat.categories) == MARKS
            assert tuple(drawn.frame["colour"].cat.categories) == ALL_COLOURS

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"places": np.zeros((2, 2))}, "6 texts, but 2 places"),
            ({"kinds": np.array(["cv"] * 6)}, "not 'cv'"),
            ({"groups": pd.DataFrame({"a": [1]})}, "1 rows of groups"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, skill_map, change, message):
        given = {"places": skill_map.coordinates, "kinds": np.array(KINDS), "clusters": None, **change}
        with pytest.raises(InputError, match=message):
            MapPoints(TEXTS, **given)


class TestWhatTheFrontEndIsTold:
    """jupyter-scatter sends a number for each mark's colour and kind, and lists that lead from it."""

    def sent(self, panel):
        scatter = panel._view.widget
        points, colours = np.asarray(scatter.points), [to_hex(colour).upper() for colour in scatter.color]
        kinds = points[:, 3].astype(int)
        return (
            [colours[number] for number in points[:, 2].astype(int)],
            [scatter.size[number] for number in kinds],
            [scatter.opacity[number] for number in kinds],
        )

    @pytest.fixture(
        params=[
            "at first",
            "by kind",
            "JDs only",
            "résumé texts only",
            "searched",
            "by score",
            "by match",
            "cleared",
        ]
    )
    def shown(self, request, panel):
        w = panel.widgets
        if request.param in ("searched", "by score", "by match", "cleared"):
            panel.search("night nurse")
        match request.param:
            case "by kind":
                w.colour.value = "kind"
            case "by score" | "by match":
                w.colour.value = request.param[3:]
            case "JDs only":
                w.only.value = "jd"
            case "résumé texts only":
                w.only.value = "resume"
            case "cleared":
                w.clear.click()
        return panel

    def test_every_mark_has_its_own_colour_size_and_opacity(self, shown):
        frame = frame_of(shown)
        colours, sizes, opacities = self.sent(shown)
        assert colours == frame["colour"].str.upper().tolist()
        assert sizes == pytest.approx([SIZES_FEW[mark] for mark in frame["mark"]], abs=0.01)
        assert opacities == pytest.approx([OPACITIES[mark] for mark in frame["mark"]], abs=0.01)

    def test_another_order_is_no_permutation_for_the_front_end_takes_that_for_no_change(self, panel):
        before = [sorted(numbers) for numbers in (panel._view.widget.size, panel._view.widget.opacity)]
        panel.search("nurse")
        after = [sorted(numbers) for numbers in (panel._view.widget.size, panel._view.widget.opacity)]
        assert before[0] != after[0]
        assert before[1] != after[1]

    def test_rings_are_wider_than_what_they_surround(self):
        for sizes in (SIZES_FEW, SIZES_MANY):
            assert all(sizes[f"{mark}_ring"] > sizes[mark] for mark in ("jd", "hit", "query"))

    def test_the_map_does_not_move_when_other_marks_are_drawn(self, panel):
        before = [panel._view.widget.x_scale_domain, panel._view.widget.y_scale_domain]
        panel.search("night nurse")
        panel.widgets.only.value = "jd"
        assert [panel._view.widget.x_scale_domain, panel._view.widget.y_scale_domain] == before

    def test_all_texts_lie_within_the_view_with_a_margin(self, panel):
        points = np.asarray(panel._view.widget.points)
        assert np.abs(points[:, 1]).max() == pytest.approx(1 / (1 + MARGIN), abs=1e-6)
        assert np.abs(points[:, 0]).max() == pytest.approx(WIDTH_TO_HEIGHT / (1 + MARGIN), abs=1e-6)

    def test_texts_all_in_one_place_can_be_drawn(self, skill_map):
        same = dataclasses.replace(skill_map, coordinates=np.ones((6, 2), dtype=np.float32))
        points = np.asarray(MapPanel(TEXTS, same)._view.widget.points)
        assert np.isfinite(points).all()


class TestNamesOnTheMap:
    @pytest.fixture
    def labels(self, panel):
        return panel._view.widget.labels

    def test_the_front_end_has_them_in_a_dark_shade(self, labels, skill_map):
        assert labels["label"].tolist() == ["Java", "<b>nurse</b>"]
        assert all(np.dot(np.array(to_rgb(colour)), (0.2, 0.7, 0.1)) < 0.5 for colour in labels["fontColor"])

    def test_and_keeps_them_when_the_view_moves(self, panel, labels):
        panel._view.widget.set_trait("label_tiles", ["1,0,0"])
        assert panel._view.widget.labels["label"].tolist() == labels["label"].tolist()

    @pytest.mark.parametrize("zoom", [0.5, 1, 2, 7])
    def test_none_covers_another_at_any_zoom(self, zoom):
        random = np.random.default_rng(1)
        names = [Name("算法工程师 · Java services", INK, place) for place in random.normal(0, 0.3, (30, 2))]
        labels = labels_of(names, SCALES, (540, 1.5))
        shown = labels[labels["zoom_in"] <= zoom]
        # Thirteen Latin letters are wider than five Chinese ones.
        width, height = 13 * LATIN * LETTERS, 2 * LINE * LETTERS
        for (_, a), (_, b) in itertools.combinations(shown.iterrows(), 2):
            gap = zoom * 270 * np.abs([a["x"] - b["x"], a["y"] - b["y"]])
            assert gap[0] > width - 1e-6 or gap[1] > height - 1e-6
        assert len(shown) >= 4

    def test_none_is_cut_by_the_edge(self):
        labels = labels_of([Name("十个字宽的一个组名啊", INK, np.array([1.5, 0]))], SCALES, (540, 1.5))
        assert (labels["x"][0] + 1) / 2 * 540 + 5 * LETTERS == pytest.approx(540 * 1.25)
        top = labels_of([Name("组", INK, np.array([0, 1]))], SCALES, (540, 1.5))["y"][0]
        assert (1 - top) / 2 * 540 == pytest.approx(LINE * LETTERS + ABOVE)


class TestRoom:
    def test_a_map_on_a_phone_is_square_and_keeps_what_is_selected(self, panel):
        panel.select([2])
        panel.widgets.room.width = 340
        points = np.asarray(panel._view.widget.points)
        assert panel._view.widget.height == 300
        assert np.abs(points[:, 0]).max() == pytest.approx(1 / (1 + MARGIN), abs=1e-6)
        assert panel._view._drawn.texts_of(panel._view.widget.selection).tolist() == [2]

    def test_a_little_more_or_less_room_leaves_it_as_it_is(self, panel):
        view = panel._view
        panel.widgets.room.width = 1043
        panel.widgets.room.width = 1030
        assert panel._view is view
        assert view.widget.height == HEIGHT


class TestSelecting:
    def test_a_lasso_gives_a_table_of_its_texts(self, panel):
        marks = np.flatnonzero(np.isin(panel._view._drawn.rows, [0, 3]))
        lasso(panel, marks)
        assert panel.selected["text"].tolist() == [TEXTS[0], TEXTS[3]]
        assert panel.selected["kind"].tolist() == ["jd", "resume"]
        assert panel.selected["cluster"].tolist() == ["Java", "<b>nurse</b>"]
        assert panel.selected["family"].tolist() == ["it", "care"]
        assert "2 selected" in panel.widgets.selection.value
        assert "1 JDs, 1 résumé texts" in panel.widgets.selection.value

    def test_rings_that_a_lasso_took_are_let_go_again(self, panel):
        lasso(panel, np.flatnonzero(panel._view._drawn.rows == 0))
        marks = frame_of(panel)["mark"].iloc[panel._view.widget.selection.astype(int)]
        assert marks.tolist() == ["jd"]

    def test_texts_are_escaped(self, panel):
        panel.select([5, 2])
        shown = panel.widgets.selection.value + panel.widgets.key.value + panel.report()
        assert "&lt;script&gt;" in shown
        assert "<script>" not in shown
        assert "<b>nurse" not in shown

    def test_words_tell_the_selection_from_the_rest(self, panel):
        panel.select([2, 3])
        assert "nurse" in panel.session.terms()
        assert ">nurse</span>" in panel.widgets.selection.value

    def test_of_very_many_texts_a_sample_is_counted(self, skill_map, monkeypatch):
        monkeypatch.setattr("workbench.panels.map_session.MOST_COUNTED", 5)
        counted = []
        monkeypatch.setattr(
            "workbench.panels.map_session.terms_of_selection",
            lambda texts, mask, groups, **more: (
                counted.append((list(texts), mask)) or terms_of_selection(texts, mask)
            ),
        )
        many = dataclasses.replace(skill_map, coordinates=np.zeros((60, 2), dtype=np.float32))
        panel = MapPanel(["night nurse"] * 30 + ["Java services"] * 30, many, language="en")
        panel.select(range(30))
        texts, mask = counted[-1]
        assert mask.tolist() == [True] * 5 + [False] * 10
        assert texts == ["night nurse"] * 5 + ["Java services"] * 10
        assert panel.session.terms() == ["night nurse"]

    def test_all_or_nothing_has_no_words_of_its_own(self, panel):
        panel.select(range(6))
        assert panel.session.terms() == []
        panel.select([])
        assert panel.session.terms() == []

    def test_the_exported_file_has_no_formulas(self, panel):
        panel.session.points.texts[5] = "=cmd()"
        panel.select([5, 0])
        rows = exported(panel)
        assert [row["text"] for row in rows] == [TEXTS[0], "'=cmd()"]
        assert [row["kind"] for row in rows] == ["JD", "résumé text"]
        panel.session.points.texts[5] = RISKY

    def test_after_a_search_it_has_scores(self, panel):
        panel.search("nurse")
        panel.select([3])
        assert float(exported(panel)[0]["score"]) == pytest.approx(panel.session.scores[3], abs=1e-4)

    def test_too_many_for_a_link_are_said_to_be(self, panel, monkeypatch):
        monkeypatch.setattr("workbench.panels.map_panel.MOST_IN_LINK", 2)
        panel.select([0, 1, 2])
        assert "href" not in panel.widgets.export.value
        assert "panel.selected.to_csv" in panel.widgets.export.value

    def test_nothing_selected_says_how_to_select(self, panel):
        panel.select([0])
        panel.widgets.unselect.click()
        assert "Nothing is selected" in panel.widgets.selection.value
        assert panel.widgets.use.layout.display == "none"
        assert len(panel.selected) == 0

    def test_a_row_that_is_not_there(self, panel):
        with pytest.raises(InputError, match="from 0 to 5; 6 is not"):
            panel.select([6])

    def test_a_selection_outlives_another_colour(self, panel):
        panel.select([2])
        panel.widgets.colour.value = "kind"
        assert panel.selected["row"].tolist() == [2]
        assert len(panel._view.widget.selection) == 1


class TestSearching:
    def test_hits_are_those_of_the_search_everywhere_else(self, panel, encoder):
        expected = wb.search("night shifts", TEXTS, encoder=encoder, cutoff=0.5, k=2)
        assert [(hit["text"], hit["score"]) for hit in panel.search("night shifts")] == [
            (hit["text"], hit["score"]) for hit in expected
        ]
        assert panel.hits == expected

    def test_the_query_falls_where_the_map_places_it(self, panel, encoder, skill_map):
        panel.search("night shifts")
        place = skill_map.place(encoder.encode_queries(["night shifts"]))[0]
        np.testing.assert_allclose(frame_of(panel)[["x", "y"]].iloc[-1].to_numpy(float), place, atol=1e-5)
        assert frame_of(panel)["mark"].tolist().count("hit") == 2

    def test_a_text_of_the_map_is_its_own_best_hit_and_place(self, panel, skill_map):
        panel.search("ward nurse")
        assert panel.hits[0]["index"] == 3
        np.testing.assert_allclose(panel.session.pins.place, skill_map.coordinates[3], atol=1e-4)

    def test_pressing_the_button_or_enter_searches(self, panel):
        panel.widgets.query.value = "nurse"
        assert panel.session.pins.query == "nurse"
        panel.widgets.most.value = 4
        panel.widgets.search.click()
        assert len(panel.hits) == 4
        assert "ringed in orange" in panel.widgets.message.value

    def test_one_kind_alone_can_be_searched(self, panel):
        panel.widgets.only.value = "jd"
        assert {hit["index"] for hit in panel.search("nurse")} == {0, 2}

    def test_score_and_match_can_then_colour_the_map(self, panel):
        assert "score" not in dict(panel.widgets.colour.options).values()
        panel.search("nurse")
        panel.widgets.colour.value = "match"
        counts = {entry.name: entry.count for entry in panel._view._drawn.key}
        matches = int((panel.session.scores > 0.5).sum())
        assert counts.get("match", 0) == matches
        assert sum(counts.values()) == 6

    def test_clearing_takes_query_and_hits_away(self, panel):
        panel.search("nurse")
        panel.widgets.colour.value = "score"
        panel.widgets.clear.click()
        assert (panel.hits, panel.session.pins, panel.session.scores) == ([], None, None)
        assert "query" not in frame_of(panel)["mark"].tolist()
        assert panel.widgets.colour.value == "cluster"
        assert panel.widgets.query.value == ""

    def test_an_empty_query_is_answered_with_a_sentence(self, panel):
        panel.widgets.search.click()
        assert "The query is empty" in panel.widgets.message.value
        with pytest.raises(InputError, match="query is empty"):
            panel.search("  ")

    def test_an_error_on_the_way_is_a_sentence_not_a_traceback(self, panel, encoder):
        encoder.broken = ("overflow",)
        panel.widgets.query.value = "overflow"
        assert 'role="alert"' in panel.widgets.message.value
        assert "not finite" in panel.widgets.message.value

    def test_markup_in_a_query_is_escaped(self, panel):
        panel.search(RISKY)
        assert "<script>" not in panel.widgets.message.value + panel.widgets.results.value

    def test_without_an_encoder_the_map_is_still_a_map(self, skill_map):
        plain = MapPanel(TEXTS, skill_map, language="zh")
        assert plain.widgets.query.disabled
        assert plain.select([1])["text"].tolist() == [TEXTS[1]]
        plain.widgets.search.click()
        assert "没有连编码器" in plain.widgets.message.value
        with pytest.raises(InputError, match="没有连编码器"):
            plain.search("nurse")
        with pytest.raises(InputError, match="no encoder"):
            MapPanel(TEXTS, skill_map, language="en").search("nurse")


class TestEncodersThatDoNotFit:
    def test_a_map_of_another_encoder(self, skill_map, vectors):
        with pytest.raises(EncoderMismatchError, match="map was made with the encoder"):
            MapPanel(TEXTS, skill_map, vectors=vectors, encoder=ToyEncoder(name="other"))

    def test_a_cutoff_of_another_encoder(self, skill_map, encoder, vectors):
        card = Cutoff(0.6, encoder.name, ToyEncoder(name="other").fingerprint)
        with pytest.raises(EncoderMismatchError, match="was calibrated for"):
            MapPanel(TEXTS, skill_map, encoder=encoder, vectors=vectors, cutoff=card)

    def test_an_encoder_without_vectors(self, skill_map, encoder):
        with pytest.raises(InputError, match="give vectors="):
            MapPanel(TEXTS, skill_map, encoder=encoder)

    def test_vectors_of_other_texts(self, skill_map, encoder, vectors):
        with pytest.raises(InputError, match="5 vectors for 6 texts"):
            MapPanel(TEXTS, skill_map, encoder=encoder, vectors=vectors[:5])

    def test_vectors_of_another_dimension(self, vectors, encoder):
        unknown = fit_map(vectors, method="pca")
        with pytest.raises(EncoderMismatchError, match="7 dimensions"):
            MapPanel(TEXTS, unknown, encoder=encoder, vectors=np.eye(6, 7))


class TestKnowledgeBase:
    def test_the_selection_becomes_one_with_its_metadata(self, panel):
        panel.select([2, 3])
        panel.widgets.use.click()
        assert panel.knowledge_base.texts == TEXTS[2:4]
        assert panel.knowledge_base.metadata["family"].tolist() == ["care", "care"]
        assert "panel.knowledge_base" in panel.widgets.message.value
        assert panel.knowledge_base.search("ward nurse", k=1, cutoff=0.5)[0]["text"] == "ward nurse"

    def test_nothing_selected_makes_none(self, panel):
        panel.widgets.use.click()
        assert panel.knowledge_base is None
        assert "No text is selected" in panel.widgets.message.value

    def test_a_linked_search_panel_gets_the_texts(self, panel, encoder):
        search_panel = SearchPanel("a", "b", encoder=encoder, cutoff=0.5, language="en")
        panel.link(search_panel)
        panel.select([2, 3])
        panel.widgets.use.click()
        assert search_panel.widgets.texts.value.splitlines() == TEXTS[2:4]
        assert "search panel" in panel.widgets.message.value


class TestLink:
    @pytest.fixture
    def search_panel(self, encoder):
        return SearchPanel("\n".join([*TEXTS[:3], "new text"]), "nurse", encoder=encoder, cutoff=0.5)

    def test_what_is_searched_there_is_marked_here(self, panel, search_panel):
        panel.link(search_panel)
        assert panel.session.pins is None
        search_panel.search()
        assert panel.session.pins.query == "nurse"
        on_map = [hit["text"] for hit in search_panel.session.found.hits[:2] if hit["text"] in TEXTS]
        assert [TEXTS[row] for row in panel.session.pins.hits] == on_map

    def test_hits_that_are_not_on_the_map_are_counted(self, panel, search_panel):
        panel.widgets.most.value = 4
        panel.link(search_panel)
        search_panel.search()
        assert "1 more are not on the map" in panel.widgets.message.value
        assert [hit["index"] for hit in panel.hits if hit["text"] == "new text"] == [-1]

    def test_a_result_from_before_the_link_is_shown_too(self, panel, search_panel):
        search_panel.search()
        panel.link(search_panel)
        assert panel.session.pins.query == "nurse"

    def test_moving_the_cutoff_there_does_not_search_again(self, panel, search_panel, encoder):
        panel.link(search_panel)
        search_panel.search()
        asked = len(encoder.asked)
        search_panel.widgets.cutoff.value = 0.3
        assert len(encoder.asked) == asked


class TestLanguages:
    def test_the_panel_changes_its_language_tooltips_too(self, panel):
        panel.search("nurse")
        panel.select([2])
        panel.widgets.language.value = "zh"
        assert "类型" in frame_of(panel).columns
        assert "已选 1 条" in panel.widgets.selection.value
        assert panel.widgets.search.description == "搜索"
        assert panel.selected["row"].tolist() == [2]
        assert "query" in frame_of(panel)["mark"].tolist()

    def test_an_unknown_language(self, skill_map):
        with pytest.raises(InputError, match="language is 'fr'; set it to one of zh, en"):
            MapPanel(TEXTS, skill_map, language="fr")


class TestTheRest:
    def test_the_quality_stands_below_the_map(self, vectors, skill_map):
        quality = map_quality(vectors, skill_map, n_neighbors=2)
        panel = MapPanel(TEXTS, skill_map, quality=quality, language="en")
        assert f"Trustworthiness {quality.trustworthiness:.2f}" in panel.widgets.status.value

    def test_a_map_read_from_a_file_works(self, skill_map, tmp_path):
        back = SkillMap.load(skill_map.save(tmp_path / "map.npz"))
        assert len(frame_of(MapPanel(TEXTS, back))) == len(TEXTS)

    def test_without_jupyter_scatter_the_message_names_the_extra(self, skill_map, monkeypatch):
        monkeypatch.setitem(sys.modules, "jscatter", None)
        with pytest.raises(MissingDependencyError, match=r"\.\[map\].*plot_skill_map"):
            MapPanel(TEXTS, skill_map)

    def test_a_map_without_any_cluster_is_grey_and_says_so(self, skill_map, vectors):
        settings = {"min_cluster_size": 5}
        none = Clusters(
            np.full(6, -1), np.zeros(6), pd.DataFrame({"cluster": [], "name": []}), vectors[:0], settings
        )
        panel = MapPanel(TEXTS, skill_map, kinds=KINDS, clusters=none, language="en")
        assert "No cluster was found" in panel.widgets.status.value
        assert [(entry.colour, entry.count) for entry in panel._view._drawn.key] == [(GREY, 6)]

    def test_it_shows_itself_and_says_what_it_is(self, panel):
        bundle = panel._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert bundle["text/plain"] == "<MapPanel: 6 texts, 0 selected>"

    def test_k_below_one(self, skill_map):
        with pytest.raises(InputError, match="at least 1 hit"):
            MapPanel(TEXTS, skill_map, k=0)
