"""Pictures of a comparison: what is drawn lies where the numbers are, and titles say what is true."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.metrics import roc_auc_score

from workbench.calibration import TargetPrecision, compare, matryoshka, sweep
from workbench.errors import InputError
from workbench.i18n import language
from workbench.plots import plot_curves, plot_differences, plot_matryoshka
from workbench.plots.style import BLUE, GREEN, GREY, VERMILLION


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 2
    noise = {"词法 keyword": 1.0, "large $model": 0.4, "小模型": 3.0}
    return {name: labels + by * rng.standard_normal(300) for name, by in noise.items()}, labels


@pytest.fixture(scope="module")
def found(scores):
    return compare(*scores, n_resamples=100)


def title(figure):
    return figure.axes[0].get_title(loc="left").strip()


def segments(ax):
    """Ends of the horizontal lines of a forest plot, by colour."""
    return {
        to_hex(line.get_color()).upper(): tuple(line.get_xdata())
        for line in ax.lines
        if len(line.get_xdata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]
    }


class TestDifferences:
    def test_intervals_are_drawn_and_coloured_by_where_they_lie(self, found):
        ax = plot_differences(found).axes[0]
        rows = {name: found.row(name) for name in ("large $model", "小模型")}
        for name, colour in (("large $model", GREEN), ("小模型", VERMILLION)):
            expected = (rows[name]["difference_low"], rows[name]["difference_high"])
            assert segments(ax)[colour.upper()] == pytest.approx(expected)

    def test_an_interval_with_nothing_in_it_is_grey(self, scores):
        values, labels = scores
        other = labels + 3.0 * np.random.default_rng(9).standard_normal(300)
        alike = compare({"a": values["小模型"], "b": other}, labels, n_resamples=50)
        assert GREY.upper() in segments(plot_differences(alike).axes[0])

    def test_the_title_counts(self, found):
        with language("zh"):
            assert plot_differences(found).alt == "按F1与 词法 keyword 相比：1 个更好、1 个更差"
        assert plot_differences(found).alt == "Against 词法 keyword, by F1: 1 better, 1 worse"

    def test_of_two_the_title_is_the_finding(self, scores):
        values, labels = scores
        two = compare({name: values[name] for name in ("词法 keyword", "小模型")}, labels, n_resamples=50)
        gap = f"{two.row('小模型')['difference']:+.3f}".replace("-", "\u2212")
        assert plot_differences(two).alt == f"小模型 is worse than 词法 keyword: {gap} F1"

    def test_an_undefined_difference_is_a_dash(self):
        values = {"good": [0.9, 0.8, 0.2, 0.1], "bad": [0.1, 0.2, 0.8, 0.9]}
        none = compare(values, [1, 1, 0, 0], rule=TargetPrecision(0.9), cutoffs={"bad": 1.0}, n_resamples=20)
        ax = plot_differences(none, ["precision"]).axes[0]
        assert "–" in [text.get_text() for text in ax.texts]

    def test_an_unknown_figure_is_refused(self, found):
        with pytest.raises(InputError, match="'gain' was not compared"):
            plot_differences(found, ["gain"])


class TestCurves:
    @pytest.fixture(scope="class")
    @staticmethod
    def sweeps(scores):
        values, labels = scores
        return {name: sweep(each, labels) for name, each in values.items()}

    def test_the_legend_gives_the_areas_of_scikit_learn(self, scores, sweeps):
        values, labels = scores
        named = [text.get_text() for text in plot_curves(sweeps).axes[0].get_legend().get_texts()]
        assert named == [
            f"{name.replace('$', chr(92) + '$')}  {roc_auc_score(labels, each):.3f}"
            for name, each in values.items()
        ]

    def test_the_title_names_the_best(self, sweeps):
        assert "large" in title(plot_curves(sweeps))

    def test_cutoffs_lie_on_their_curves(self, scores, sweeps, found):
        values, labels = scores
        ax = plot_curves(sweeps, found.cutoffs).axes[0]
        dots = [line for line in ax.lines if line.get_marker() == "o"]
        for dot, (name, each) in zip(dots, values.items(), strict=True):
            called = each > found.cutoffs[name]
            assert dot.get_ydata()[0] == pytest.approx(called[labels == 1].mean())
            assert dot.get_xdata()[0] == pytest.approx(called[labels == 0].mean())

    def test_too_many_to_tell_apart_are_refused(self, sweeps):
        one = next(iter(sweeps.values()))
        with pytest.raises(InputError, match="There are 7 curves"):
            plot_curves({str(each): one for each in range(7)})


class TestMatryoshka:
    @pytest.fixture
    def table(self):
        rng = np.random.default_rng(1)
        jds, resumes = rng.standard_normal((2, 400, 128))
        labels = np.arange(400) % 2
        resumes[labels == 1, 32:64] += 0.5 * jds[labels == 1, 32:64]
        return matryoshka(jds, resumes, labels, n_resamples=50, margin=0.04)

    def test_dimensions_are_on_a_logarithmic_axis(self, table):
        below = plot_matryoshka(table).axes[1]
        assert below.get_xscale() == "log"
        assert [label.get_text() for label in below.get_xticklabels()] == ["32", "64", "128"]

    def test_the_title_names_the_smallest_that_suffices(self, table):
        assert table["suffices"].tolist() == [False, True, True]
        with language("zh"):
            assert title(plot_matryoshka(table, name="实验")) == "实验：128 维中 64 维就够"
        assert title(plot_matryoshka(table)) == "64 of 128 dimensions suffice"

    def test_where_only_all_suffice_it_says_so(self, table):
        attrs, table = table.attrs, table.assign(suffices=[False, False, True])
        table.attrs = attrs
        assert title(plot_matryoshka(table)).startswith("fewer than 128")

    def test_bars_are_the_intervals_of_the_differences(self, table):
        above = plot_matryoshka(table).axes[0]
        bars = next(each for each in above.collections if len(each.get_paths()) == 3)
        ends = [path.vertices[:, 1] for path in bars.get_paths()]
        whole = table["auc"].iloc[-1]
        for (low, high), row in zip(ends, table.itertuples(), strict=True):
            assert (low, high) == pytest.approx((whole + row.difference_low, whole + row.difference_high))
        assert to_hex(bars.get_color()[0]).upper() == BLUE

    def test_another_table_is_refused(self):
        with pytest.raises(InputError, match="no column 'dimension'"):
            plot_matryoshka(pd.DataFrame({"auc": [0.5]}))


def test_names_and_chinese_have_glyphs_and_no_name_is_a_formula(found, scores, each_language, tmp_path):
    values, labels = scores
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_differences(found).savefig(tmp_path / "differences.png")
        plot_curves({name: sweep(each, labels) for name, each in values.items()}, found.cutoffs).savefig(
            tmp_path / "curves.svg"
        )
