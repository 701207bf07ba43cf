"""The evidence over time: the figure says the answer, and shows when it fell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.calibration import Observations
from workbench.calibration.evidence import Promise
from workbench.calibration.sequential import sequential_test
from workbench.i18n import language
from workbench.plots import plot_evidence


def bets_on(labels, figure="precision", target=0.8):
    score = 0.9 if figure == "precision" else 0.1
    days = pd.Series(pd.date_range("2026-01-01", periods=len(labels)))
    pairs = Observations([score] * len(labels), labels)
    return sequential_test(pairs, 0.5, Promise(figure, target, "given"), times=days)


def title(figure):
    return figure.axes[0].get_title(loc="left").strip()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 1] * 30, "The promise is broken: evidence against it has reached "),
        ([1] * 60, "The promise is kept: evidence for it has reached "),
        ([1] * 5, "Not known yet whether the promise is kept"),
    ],
)
def test_the_title_is_the_answer(labels, said):
    assert title(plot_evidence(bets_on(labels))).startswith(said)


def test_both_lines_are_the_evidence_of_each_time():
    test = bets_on([0, 1] * 30)
    against, on_the_level, in_favour, *_rest = plot_evidence(test).axes[0].lines
    np.testing.assert_allclose(against.get_ydata(), test.path["e_failed"])
    np.testing.assert_allclose(in_favour.get_ydata(), test.path["e_met"])
    assert set(on_the_level.get_ydata()) == {test.e_failed_needed}


def test_evidence_beyond_a_million_flattens_nothing():
    figure = plot_evidence(bets_on([0] * 200))
    assert "over a million" in title(figure)
    assert max(figure.axes[0].lines[0].get_ydata()) == 1e6


@pytest.mark.parametrize("code", ["en", "zh"])
def test_it_can_be_drawn_before_a_pair_has_come_and_in_each_language(code, tmp_path):
    with language(code):
        empty = sequential_test(
            Observations([0.1], [0]), 0.5, Promise("precision", 0.8, "given"), times=pd.Series([1])
        )
        for test in (empty, bets_on([1, 0, 1], "false_omission_rate", 0.1)):
            plot_evidence(test).savefig(tmp_path / "evidence.png", dpi=40)
