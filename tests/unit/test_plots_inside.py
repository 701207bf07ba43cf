"""Figures of what is inside vectors and explanations: titles are true, glyphs are there."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from character_encoder import CharacterEncoder

from workbench.errors import EncoderMismatchError, InputError
from workbench.exploration import (
    against_chance,
    explain,
    profile_dimensions,
    removal_curve,
    split_score,
)
from workbench.exploration.explanation import ExplainedText, Explanation, PhraseEffect
from workbench.exploration.faithfulness import Difference, Faithfulness
from workbench.i18n import language
from workbench.plots import (
    plot_chance,
    plot_contributions,
    plot_dimensions,
    plot_explanation,
    plot_faithfulness,
    plot_removal,
    plot_side_by_side,
)

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
PAIR = RNG.standard_normal((2, 64)) + 0.7 * RNG.standard_normal(64)
TEXTS = RNG.standard_normal((40, 64))
NAMES = ("开发 AI 智能体", "智能客服机器人 <b>$x$</b>")


def title_of(figure):
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left").strip()


def faithfulness(low=0.05):
    import pandas as pd

    table = pd.DataFrame(
        {"drop_top": [0.2, 0.1, 0.3, 0.02], "drop_random": [0.1, 0.05, 0.1, 0.03], "drop_longest": 0.1}
    )
    one = Difference(0.1, low, 0.15)
    return Faithfulness(table, one, one, one, k=2, side="resume", n_jds=3, n_short=0, confidence=0.95)


def removals(labels=True):
    first, second = RNG.standard_normal((2, 50, 64))
    return removal_curve(
        first, second, np.arange(64), labels=np.arange(50) % 2 if labels else None, counts=(1, 5, 20)
    )


FIGURES = {
    "side by side": lambda: plot_side_by_side(*PAIR, NAMES),
    "contributions": lambda: plot_contributions(split_score(*PAIR), NAMES),
    "chance": lambda: plot_chance(against_chance(*PAIR, TEXTS)),
    "dimensions": lambda: plot_dimensions(profile_dimensions(TEXTS + 1)),
    "removal": lambda: plot_removal(removals(), name="方差大的"),
    "explanation": lambda: plot_explanation(
        explain("熟悉 RAG，会 Python", "用 RAG 做过 $5 客服，会 Java", CharacterEncoder())
    ),
    "faithfulness": lambda: plot_faithfulness(faithfulness()),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_has_its_glyphs_a_title_and_an_alternative_text(figure, each_language):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = FIGURES[figure]()
        assert made.png().startswith(b"\x89PNG")
    assert title_of(made)
    assert made.alt == title_of(made)


@pytest.mark.parametrize(("dimension", "rows"), [(512, 1), (2560, 5), (4096, 8)])
def test_side_by_side_and_contributions_have_a_bar_for_every_dimension(dimension, rows):
    pair = np.random.default_rng(1).standard_normal((2, dimension))
    parts = split_score(*pair)
    figure = plot_side_by_side(*pair)
    assert len(figure.axes) == 2 * (1 + rows)
    steps = [[patch.get_data() for patch in ax.patches] for ax in plot_contributions(parts).axes]
    drawn = np.concatenate([high.values + low.values for high, low in steps])  # noqa: PD011
    np.testing.assert_allclose(drawn, parts.products)


def test_both_vectors_are_drawn_on_one_scale():
    figure = plot_side_by_side([1.0, 0.0, 0.1], [0.5, 0.5, 0.5])
    histograms, bars = [*figure.axes[:2]], [*figure.axes[2:]]
    for axes in (histograms, bars):
        assert axes[0].get_xlim() == axes[1].get_xlim()
        assert axes[0].get_ylim() == axes[1].get_ylim()


def test_vectors_of_two_encoders_are_not_drawn_side_by_side():
    with pytest.raises(EncoderMismatchError, match="different encoders"):
        plot_side_by_side(np.ones(512), np.ones(1024))


def test_the_title_of_contributions_adds_up():
    title = title_of(plot_contributions(split_score([0.6, 0.8], [0.8, -0.6])))
    assert title.startswith("Score 0.0000 = +0.4800 \u2212 0.4800; 1 of 2 dimensions")


def test_the_chance_figure_fills_the_dots_of_findings_only():
    rows = np.random.default_rng(2).standard_normal((60, 64))
    rows[0, 5] = rows[1, 5] = 15.0
    found = against_chance(rows[0], rows[1], rows[2:])
    assert found.findings.tolist() == [5]
    figure = plot_chance(found)
    assert title_of(figure) == "After correction, 1 dimension above chance"
    parts = found.contributions
    filled, hollow = figure.axes[0].collections[1:3]
    assert len(filled.get_offsets()) == 1
    assert filled.get_offsets()[0][0] == pytest.approx(parts.products[5])
    assert len(hollow.get_offsets()) == 14
    assert sum(bar.get_height() for bar in figure.axes[1].patches) == pytest.approx(1, abs=1e-3)


def test_where_nothing_is_above_chance_the_title_says_so():
    found = against_chance(TEXTS[0], TEXTS[1], TEXTS[2:])
    with language("zh"):
        assert title_of(plot_chance(found)) == "校正后，没有一维的贡献高于随机配对"


def test_the_removal_figure_has_areas_only_where_there_are_labels():
    assert [len(plot_removal(removals(labels)).axes) for labels in (True, False)] == [3, 2]


def test_a_curve_without_removals_or_columns_is_refused():
    curve = removals()
    with pytest.raises(InputError, match="no row in which dimensions were left out"):
        plot_removal(curve[curve["n_removed"] == 0])
    with pytest.raises(InputError, match=r"no column 'auc'; pass what removal_curve\(\) returns"):
        plot_removal(curve.drop(columns="auc"))


def test_the_explanation_figure_has_a_bar_for_each_phrase_with_its_effect():
    phrases = (PhraseEffect(0, 3, "RAG", 0.1), PhraseEffect(4, 8, "Java", -0.02))
    side, whole = ExplainedText("RAG，Java", phrases), ExplainedText("RAG", ())
    figure = plot_explanation(Explanation(whole, side, 0.5, "use", "0"))
    assert len(figure.axes) == 1
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.1, -0.02]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["RAG", "Java"]
    assert title_of(figure) == "Score 0.5000: “RAG” lifts it most"
    with pytest.raises(InputError, match="single phrase"):
        plot_explanation(Explanation(whole, whole, 0.5, "use", "0"))


def test_of_very_many_phrases_the_largest_are_shown_and_the_others_counted():
    text = "，".join(f"词{number:02d}" for number in range(30))
    phrases = tuple(PhraseEffect(4 * n, 4 * n + 3, text[4 * n : 4 * n + 3], n / 100) for n in range(30))
    side = ExplainedText(text, phrases)
    with language("zh"):
        figure = plot_explanation(Explanation(side, ExplainedText("a", ()), 0.5, "use", "0"))
    assert len(figure.axes[0].patches) == 24
    assert "另有 6 个短语" in figure.axes[0].get_title(loc="left")


def test_an_interval_that_holds_zero_is_drawn_in_another_colour():
    def colours(low):
        dots = plot_faithfulness(faithfulness(low)).axes[1].collections[1::2]
        return {tuple(dot.get_facecolor()[0]) for dot in dots}

    assert colours(0.05) != colours(-0.05)
    assert title_of(plot_faithfulness(faithfulness())).startswith("Faithful: ")
    with language("zh"):
        assert title_of(plot_faithfulness(faithfulness(-0.05))).startswith("解释不可信：75.0%")
