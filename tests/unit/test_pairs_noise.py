"""What wrong labels do to a measured precision: the model against simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.i18n import language
from workbench.pairs import label_noise, measurable_precision, resolve, simulate_label_noise
from workbench.pairs.noise import wrong_labels

SOURCES = ["single", "adjudicated", "unanimous"]


def labelled(n: int, precision: float, flip_rate: float, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """Pairs above a cutoff, of which a share are true matches, labelled by two people and a third."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < precision
    said = [(truth ^ (rng.random(n) < flip_rate)).astype(int) for _ in range(3)]
    ids = np.arange(n).astype(str)
    differ = said[0] != said[1]
    frames = [
        pd.DataFrame({"pair_id": ids[at], "annotator": name, "label": labels[at]})
        for name, labels, at in zip(
            ("x", "y", "adjudicator"), said, (np.ones(n, bool), np.ones(n, bool), differ), strict=True
        )
    ]
    return truth, pd.concat(frames)


@pytest.mark.parametrize("flip_rate", [0.02, 0.1])
@pytest.mark.parametrize("precision", [0.7, 1.0])
def test_the_model_says_what_simulated_labels_measure(precision, flip_rate):
    n = 40_000
    _, annotations = labelled(n, precision, flip_rate)
    one_person = annotations[annotations["annotator"] == "x"]
    measured = {
        "single": one_person["label"].mean(),
        "adjudicated": resolve(annotations, "adjudicated").labels.mean(),
        "unanimous": resolve(
            annotations[annotations["annotator"] != "adjudicator"], "unanimous"
        ).labels.mean(),
    }
    for source, found in measured.items():
        expected = measurable_precision(precision, flip_rate, source)
        assert found == pytest.approx(float(expected), abs=4 * np.sqrt(0.25 / n))


def test_the_flip_rate_is_found_from_the_disagreement():
    _, annotations = labelled(40_000, 0.4, 0.06)
    found = label_noise(annotations)
    assert found.flip_rate.value == pytest.approx(0.06, abs=0.004)
    assert found.flip_rate.low < 0.06 < found.flip_rate.high


@pytest.mark.slow
def test_the_interval_covers_the_true_rate():
    covered = 0
    for seed in range(200):
        _, annotations = labelled(300, 0.4, 0.05, seed)
        rate = label_noise(annotations).flip_rate
        covered += rate.low <= 0.05 <= rate.high
    assert covered >= 180


@given(st.floats(0, 0.5), st.floats(0, 1))
def test_noise_draws_every_precision_towards_one_half(flip_rate, precision):
    for source in SOURCES:
        measured = float(measurable_precision(precision, flip_rate, source))
        assert abs(measured - 0.5) <= abs(precision - 0.5) + 1e-12


@given(st.floats(0, 0.5))
def test_more_work_leaves_fewer_wrong_labels(flip_rate):
    single, adjudicated, unanimous = (wrong_labels(flip_rate, source) for source in SOURCES)
    assert unanimous <= adjudicated + 1e-12
    assert adjudicated <= single + 1e-12


def test_the_ceiling_falls_as_the_rate_rises():
    _, annotations = labelled(500, 0.4, 0.05)
    found = label_noise(annotations)
    ceiling = found.ceiling("single")
    assert ceiling.value == 1 - found.flip_rate.value
    assert (ceiling.low, ceiling.high) == (1 - found.flip_rate.high, 1 - found.flip_rate.low)


def test_no_better_than_tossing_coins_is_refused():
    labels = [1, 0, 0, 1, 1, 1, 0, 0]
    annotations = pd.DataFrame({"pair_id": list("aabbccdd"), "annotator": ["x", "y"] * 4, "label": labels})
    with pytest.raises(InputError, match=r"differ in 50 % .* no better than tossing a coin"):
        label_noise(annotations)


def test_grades_are_refused():
    grades = pd.DataFrame({"pair_id": ["a", "a"], "annotator": ["x", "y"], "label": [2, 3]})
    with pytest.raises(InputError, match="turn them into 0 and 1"):
        label_noise(grades)


def test_simulated_label_noise_is_what_the_model_says():
    found = simulate_label_noise((0.05, 0.15), n=20_000)
    expected = [float(measurable_precision(1.0, row.flip_rate, row.source)) for row in found.itertuples()]
    assert found["measured"].tolist() == pytest.approx(expected, abs=0.012)


def test_the_rate_is_said_in_both_languages_and_written_with_the_ceilings():
    _, annotations = labelled(500, 0.4, 0.05)
    found = label_noise(annotations)
    assert found.summary().startswith("Two blind labels differ in 11.2 %")
    with language("zh"):
        assert found.summary().startswith("两人独立标注有 11.2% 不同")
    assert list(found.to_dict()) == ["n_twos", "disagreement", "flip_rate", "ceiling", "confidence"]
    assert found.to_dict()["ceiling"]["single"]["value"] == 1 - found.flip_rate.value
