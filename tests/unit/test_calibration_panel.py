"""The calibration panel without a front end; expected numbers from scikit-learn and the definition."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from statsmodels.stats.proportion import proportion_confint

from workbench.calibration import Costs, calibrate
from workbench.cutoffs import Cutoff
from workbench.panels import CalibrationPanel

RISKY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(3)
    labels = rng.random(300) < 0.4
    scores = np.where(labels, rng.beta(8, 4, 300), rng.beta(3, 8, 300)).round(2)
    texts = [f"jd {row} {RISKY}" for row in range(300)]
    return pd.DataFrame({"jd": texts, "resume": RISKY, "score": scores, "label": labels.astype(int)})


@pytest.fixture(scope="module")
def study(pairs):
    return calibrate(pairs, target_precision=0.8, n_resamples=50)


@pytest.fixture
def panel(study):
    return CalibrationPanel(study, language="en")


@pytest.mark.parametrize("cutoff", [0.2, 0.37, 0.45, 0.4512, 0.8])
def test_counts_and_figures_are_those_of_scikit_learn_also_at_ties(panel, pairs, cutoff):
    panel.widgets.cutoff.value = cutoff
    said = pairs["score"] > cutoff
    moment = panel.moment
    counts = (moment.right_others, moment.false_matches, moment.missed_matches, moment.right_matches)
    assert counts == tuple(confusion_matrix(pairs["label"], said).ravel())
    assert moment.figures["precision"].value == pytest.approx(precision_score(pairs["label"], said))
    assert moment.figures["recall"].value == pytest.approx(recall_score(pairs["label"], said))


class TestTheLine:
    def test_moving_it_moves_the_cutoff_and_the_other_way_round(self, panel):
        w = panel.widgets
        w.line.value = 0.3
        assert w.cutoff.value == 0.3
        assert "above 0.3000" in w.counts.value
        w.cutoff.value = 0.5
        assert w.line.value == 0.5

    def test_its_ends_are_those_of_the_picture(self, panel):
        line = panel.widgets.line
        scores = panel.session.study.observations.scores
        assert line.min <= scores.min()
        assert scores.max() <= line.max
        for share in re.findall(r'wb-plot-axis">(.*?)</div>', panel.widgets.picture.value):
            ticks = re.findall(r"left:([\d.]+)%\">([\d.\u2212]+)<", share)
            assert len(ticks) >= 3
            for left, tick in ticks:
                at = line.min + float(left) / 100 * (line.max - line.min)
                assert at == pytest.approx(float(tick.replace("\u2212", "-")), abs=1e-3)

    def test_a_static_report_has_it_drawn_and_the_live_picture_has_not(self, panel):
        assert panel.report().count('stroke-width="3"') == 1
        assert 'stroke-width="3"' not in panel.widgets.picture.value

    def test_bars_have_the_colours_of_the_figures(self, panel):
        from workbench.plots.style import BLUE, ORANGE

        rects = re.findall(r'height="([\d.]+)" fill="(#\w+)"', panel.widgets.picture.value)
        assert {colour for _, colour in rects} == {BLUE, ORANGE}

    def test_the_tallest_bar_is_full_and_the_others_are_in_proportion(self, panel, pairs):
        counts, _ = np.histogram(pairs["score"][pairs["label"] == 1], bins=panel.session.edges)
        others, _ = np.histogram(pairs["score"][pairs["label"] == 0], bins=panel.session.edges)
        heights = [
            float(h) for h in re.findall(r'height="([\d.]+)" fill="#0072B2"', panel.widgets.picture.value)
        ]
        np.testing.assert_allclose(heights, 105 * counts / max(counts.max(), others.max()), atol=0.06)

    def test_the_advised_cutoff_is_marked_where_it_lies(self, panel, study):
        line = panel.widgets.line
        place = (study.guarantee.cutoff - line.min) / (line.max - line.min) * 1000
        x = re.search(r'<line x1="([\d.]+)"[^>]*stroke-dasharray', panel.widgets.picture.value).group(1)
        assert float(x) == pytest.approx(place, abs=0.06)
        assert f"{study.guarantee.cutoff:.4f}" in panel.widgets.advice.value


class TestIntervals:
    def test_without_jds_they_are_statsmodels_wilson(self, panel, pairs):
        panel.widgets.cutoff.value = 0.45
        above = pairs["score"] > 0.45
        right = int(pairs["label"][above].sum())
        low, high = proportion_confint(right, int(above.sum()), method="wilson")
        found = panel.moment.figures["precision"]
        assert (found.low, found.high) == pytest.approx((low, high))

    @pytest.mark.parametrize(
        "more", [{"jd_id": lambda f: f.index % 30}, {"weight": lambda f: 1 + f.index % 3}]
    )
    def test_where_pairs_share_jds_or_have_weights_they_are_the_studys(self, pairs, more):
        study = calibrate(pairs.drop(columns="jd").assign(**more), target_precision=0.8, n_resamples=50)
        panel = CalibrationPanel(study, language="en")
        for name, found in panel.moment.figures.items():
            expected = study.figures[name]
            assert (found.value, found.low, found.high) == pytest.approx(
                (expected.value, expected.low, expected.high)
            )

    def test_of_very_many_pairs_they_are_the_studys_bands(self, pairs, monkeypatch):
        shared = pairs.drop(columns="jd").assign(jd_id=pairs.index % 30)
        study = calibrate(shared, target_precision=0.8, n_resamples=200)
        session = CalibrationPanel(study).session
        exact = session.at(0.455).figures["precision"]
        monkeypatch.setattr("workbench.panels.calibration_session.MOST_AT_ONCE", 10)
        found = session.at(0.455).figures["precision"]
        assert found.value == exact.value
        band = study.bands.iloc[(study.bands["cutoff"] - 0.455).abs().argmin()]
        assert found.low == pytest.approx(band["precision_low"], abs=0.01)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.06)

    def test_pairs_of_few_jds_have_wider_ones(self, pairs):
        shared = pairs.drop(columns="jd").assign(jd_id=np.argsort(np.argsort(pairs["score"])) // 30)
        alone, by_jd = (
            CalibrationPanel(calibrate(each, target_precision=0.8, n_resamples=20)).session.at(0.45)
            for each in (pairs, shared)
        )
        for name in ("precision", "recall"):
            narrow, wide = alone.figures[name], by_jd.figures[name]
            assert wide.high - wide.low > narrow.high - narrow.low


def test_moving_the_cutoff_changes_the_sentence(panel):
    before = panel.widgets.counts.value
    panel.widgets.cutoff.value = 0.3
    assert "above 0.3000" in panel.widgets.counts.value != before


def test_the_cheapest_cutoff_is_the_cheapest_of_all(panel, pairs):
    costs = Costs(1.0, 5.0)
    here, best, lowest = panel.session.costs(0.45, costs)
    scores, labels = pairs["score"], pairs["label"]

    def cost(cutoff):
        above = scores > cutoff
        return ((above & (labels == 0)).sum() + 5 * (~above & (labels == 1)).sum()) / len(pairs)

    assert here == pytest.approx(cost(0.45))
    assert lowest == pytest.approx(cost(best))
    assert lowest == pytest.approx(min(cost(at) for at in [-1, *scores]))


def test_the_sliders_of_costs_change_what_is_said_at_once(panel, pairs):
    w = panel.widgets
    w.cutoff.value = 0.45
    before = w.cost.value
    w.missed_cost.value = 5.0
    assert w.cost.value != before
    missed = ((pairs["score"] <= 0.45) & (pairs["label"] == 1)).sum()
    false_matches = ((pairs["score"] > 0.45) & (pairs["label"] == 0)).sum()
    assert f"{(false_matches + 5 * missed) / len(pairs):.3f}" in w.cost.value


def test_the_prevalence_is_always_shown(panel, pairs):
    panel.widgets.cutoff.value = 0.2
    assert f"{100 * pairs['label'].mean():.1f} % are matches" in panel.widgets.counts.value
    live = calibrate(pairs, target_precision=0.6, prevalence=0.1, n_resamples=20)
    assert "匹配占 10.0%" in CalibrationPanel(live, language="zh").widgets.counts.value


def test_the_borderline_pairs_are_the_nearest_with_their_texts(panel, pairs):
    panel.widgets.cutoff.value = 0.4512
    nearest = pairs.iloc[np.argsort(np.abs(pairs["score"] - 0.4512), kind="stable")[:10]]
    assert panel.session.borderline(0.4512).index.tolist() == nearest.index.tolist()
    listed = panel.widgets.pairs.value.split("Pairs nearest to the cutoff")[1]
    for row in nearest.itertuples():
        assert f"{row.score:.4f}" in listed
        assert f"jd {row.Index} " in listed


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"score": [0.9, 0.5, 0.1], "label": [1, 0, 0]}),
        pd.DataFrame({"score": [0.5] * 40, "label": [0, 1] * 20}),
        pd.DataFrame({"score": [1.0, -1.0] * 30, "label": [1, 0] * 30}),
    ],
    ids=["three pairs", "equal scores", "extremes"],
)
def test_little_can_be_looked_at_too(frame):
    panel = CalibrationPanel(calibrate(frame, n_resamples=20))
    for cutoff in (panel.widgets.line.min, panel.widgets.line.max, 0.5):
        panel.widgets.line.value = cutoff
        assert "nan" not in panel.report().lower()


def test_the_worst_errors_come_first(panel, pairs):
    false_matches, missed = panel.session.errors(0.4, most=1000)
    assert false_matches["score"].is_monotonic_decreasing
    assert missed["score"].is_monotonic_increasing
    assert len(false_matches) == ((pairs["score"] > 0.4) & (pairs["label"] == 0)).sum()
    assert len(missed) == ((pairs["score"] <= 0.4) & (pairs["label"] == 1)).sum()


def test_texts_of_pairs_are_escaped(panel):
    assert RISKY not in panel.report()
    assert "&lt;script&gt;" in panel.widgets.pairs.value


def test_the_card_of_the_study_is_saved(panel, study, tmp_path):
    path = tmp_path / "card.json"
    panel.widgets.path.value = str(path)
    panel.widgets.save.click()
    assert Cutoff.load(path).value == study.cutoff.value
    assert "Written to" in panel.widgets.message.value


def test_a_cutoff_set_by_hand_does_not_borrow_the_evidence(panel, tmp_path):
    path = tmp_path / "card.json"
    panel.widgets.path.value = str(path)
    panel.widgets.cutoff.value = 0.3
    panel.widgets.save.click()
    assert not path.exists()
    assert "set by hand" in panel.widgets.message.value
    panel.widgets.back.click()
    panel.widgets.save.click()
    assert path.exists()


@pytest.fixture(scope="module")
def fine():
    """A study whose cutoff has more digits than are shown."""
    rng = np.random.default_rng(4)
    labels = rng.random(300) < 0.4
    scores = np.where(labels, rng.beta(8, 4, 300), rng.beta(3, 8, 300))
    return calibrate(pd.DataFrame({"score": scores, "label": labels}), target_precision=0.8, n_resamples=50)


class TestWhatIsShownIsTheCutoff:
    """Evidence is for one cutoff, shown with four decimals: a step of the last one is another cutoff."""

    def saved_at(self, study, cutoff, path):
        panel = CalibrationPanel(study, language="en")
        panel.widgets.path.value = str(path)
        panel.widgets.line.value = cutoff
        panel.widgets.save.click()
        return path.exists()

    @pytest.mark.parametrize("step", [-0.05, -0.01, -0.001, -1e-4, 1e-4, 0.001, 0.01, 0.05])
    def test_a_cutoff_dragged_a_little_borrows_no_evidence(self, fine, step, tmp_path):
        dragged = round(fine.cutoff.value, 4) + step
        assert not CalibrationPanel(fine).session.is_studied(dragged)
        assert not self.saved_at(fine, dragged, tmp_path / "card.json")

    @pytest.mark.parametrize("digits", [4, 6, 17])
    def test_the_cutoff_as_shown_is_the_studys_which_is_what_the_card_holds(self, fine, digits, tmp_path):
        assert round(fine.cutoff.value, 6) != round(fine.cutoff.value, 4)
        assert self.saved_at(fine, round(fine.cutoff.value, digits), tmp_path / "card.json")
        assert Cutoff.load(tmp_path / "card.json").value == fine.cutoff.value


def test_it_speaks_both_languages(panel):
    panel.widgets.language.value = "zh"
    assert "校准阈值" in panel.widgets.title.value
    assert "标注为匹配" in panel.widgets.counts.value


def test_what_goes_wrong_is_said_in_its_language(study, tmp_path):
    panel = CalibrationPanel(study, language="zh")
    panel.widgets.path.value = str(tmp_path / "card.json")
    panel.widgets.cutoff.value = 0.3
    panel.widgets.save.click()
    assert "手动设定的 0.3000" in panel.widgets.message.value
    panel.widgets.path.value = "card.txt"
    panel.widgets.save.click()
    assert "阈值卡是 .json 文件" in panel.widgets.message.value
