"""Figures of labelled pairs: they show what they were given, in both languages, with Chinese glyphs."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from workbench.errors import InputError
from workbench.pairs import agreement, label_noise, simulate_label_noise
from workbench.plots import plot_active_labelling, plot_agreement, plot_label_noise


@pytest.fixture(scope="module")
def annotations():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2, 80)
    second = np.where(rng.random(80) < 0.1, 1 - first, first)
    ids = [f"p{i}" for i in range(80)]
    return pd.DataFrame(
        {"pair_id": ids * 2, "annotator": ["x"] * 80 + ["y"] * 80, "label": [*first, *second]}
    )


@pytest.fixture(scope="module")
def simulated():
    rows = [
        (method, n, figure, 0.0, error / n, 0)
        for method, error in (("active", 2.0), ("random", 5.0))
        for n in (50, 100)
        for figure in ("precision", "missed")
    ]
    return pd.DataFrame(rows, columns=["method", "n", "figure", "bias", "rmse", "n_undefined"])


def drawn(figure) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that is missing is a warning
        return figure.png()


def test_all_figures_have_their_glyphs(annotations, simulated, each_language):
    pairs = pd.DataFrame({"pair_id": annotations["pair_id"].unique(), "岗位": ["护理", "销售"] * 40})
    for figure in (
        plot_agreement(agreement(annotations, pairs, "岗位")),
        plot_label_noise(label_noise(annotations), simulated=simulate_label_noise(n=50)),
        plot_active_labelling(simulated),
    ):
        assert drawn(figure).startswith(b"\x89PNG")
        assert figure.alt


def test_agreement_has_a_row_for_the_whole_and_one_for_each_group_lowest_first(annotations):
    pairs = pd.DataFrame({"pair_id": annotations["pair_id"].unique(), "family": ["a", "b", "c", "d"] * 20})
    found = agreement(annotations, pairs, "family")
    ax = plot_agreement(found).axes[0]
    names = [label.get_text() for label in ax.get_yticklabels()]
    expected = sorted(found.groups, key=lambda part: part.percent.value)
    assert names == ["all pairs", *(part.group for part in expected)]
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([found.percent.value, *(part.percent.value for part in expected)])


def test_the_noise_figure_names_the_rate_beyond_which_the_target_cannot_be_measured(annotations):
    figure = plot_label_noise(label_noise(annotations), target=0.9)
    assert "more than 10.0 % wrong labels" in figure.axes[0].get_title(loc="left")


def test_the_active_figure_says_what_the_largest_number_of_labels_gives(simulated):
    figure = plot_active_labelling(simulated)
    assert figure.alt == "With 100 labels, precision is off by 2.0 points if active, 5.0 if random"
    curves = [line.get_ydata().tolist() for line in figure.axes[0].lines]
    assert curves == [pytest.approx([10, 5]), pytest.approx([4, 2])]


def test_one_method_alone_is_refused(simulated):
    with pytest.raises(InputError, match="rows of both methods"):
        plot_active_labelling(simulated[simulated["method"] == "active"])
