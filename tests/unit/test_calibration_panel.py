"""The calibration panel without a front end; expected numbers from scikit-learn and the definition."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

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


def test_it_speaks_both_languages(panel):
    panel.widgets.language.value = "zh"
    assert "校准阈值" in panel.widgets.title.value
    assert "真匹配" in panel.widgets.counts.value
