"""Figures: that they can be read (Chinese, all dimensions), and that their titles say what is true."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pytest

import workbench.plots
from workbench.errors import InputError, MissingDependencyError
from workbench.i18n import language
from workbench.plots import plot_histogram, plot_values
from workbench.plots.style import cjk_font_path, font_families

NAME = "主导过智能客服 Agent 项目"


def unit_vector(dimension, seed=0):
    vector = np.random.default_rng(seed).standard_normal(dimension)
    return vector / np.linalg.norm(vector)


def title(figure):
    return figure.axes[0].get_title(loc="left").strip()


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("plot", [plot_values, plot_histogram])
@pytest.mark.parametrize("file_format", ["png", "pdf", "svg"])
def test_chinese_has_glyphs_in_every_file_format(plot, file_format, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with language("zh"):
            figure = plot(unit_vector(64), name=NAME)
        figure.savefig(tmp_path / f"figure.{file_format}")


def test_the_font_is_the_one_that_a_package_ships_not_one_of_the_system():
    assert font_families()[0] == "Noto Sans CJK SC"
    assert "site-packages" in cjk_font_path().parts


def test_finding_the_font_neither_imports_its_package_nor_changes_settings():
    script = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams)\n"
        "import workbench.plots.style as style; style.font_families()\n"
        "assert 'mplfonts' not in sys.modules; assert dict(matplotlib.rcParams) == before"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)


def test_drawing_leaves_the_callers_settings_alone():
    before = dict(mpl.rcParams)
    plot_values(unit_vector(8)).png()
    assert dict(mpl.rcParams) == before


def test_ticks_made_after_the_figure_was_returned_have_the_house_font_too():
    figure = plot_values(unit_vector(512))
    figure.axes[0].set_xticks(range(0, 512, 16))
    figure.png()
    assert figure.axes[0].get_xticklabels()[-1].get_fontfamily() == list(font_families())


@pytest.mark.parametrize(("dimension", "rows"), [(1, 1), (512, 1), (768, 2), (2560, 5), (4096, 8)])
def test_every_dimension_has_a_bar_of_its_own(dimension, rows):
    vector = unit_vector(dimension)
    figure = plot_values(vector)
    steps = [axes.patches[0].get_data() for axes in figure.axes]
    lows = [axes.patches[1].get_data().values for axes in figure.axes]
    assert len(figure.axes) == rows
    bars = np.concatenate([step.values for step in steps]) + np.concatenate(lows)
    np.testing.assert_allclose(bars, vector)
    assert all((np.diff(step.edges) == 1).all() for step in steps)


def test_beyond_4096_dimensions_a_bar_spans_its_neighbours_and_the_axis_says_so():
    vector = unit_vector(10_000)
    figure = plot_values(vector)
    highs = np.concatenate([axes.patches[0].get_data().values for axes in figure.axes])
    assert len(figure.axes) <= 8
    assert highs.max() == vector.max()
    assert "3 to a bar" in figure.axes[-1].get_xlabel()


def test_the_title_gives_the_share_of_the_largest_values_and_labels_name_both_ends():
    vector = np.zeros(100)
    vector[:10], vector[50] = 0.3, -np.sqrt(0.1)
    figure = plot_values(vector)
    # The ten largest squares: 0.1, and nine of the ten 0.09.
    assert title(figure) == "The 10 largest values hold 91.0 % of the squared length"
    assert texts_of(figure)[:2] == ["#0  0.3000", "#50  \u22120.3162"]


def test_the_histogram_title_gives_the_5_and_95_percent_quantiles():
    vector = np.linspace(-1, 1, 201)
    figure = plot_histogram(vector)
    assert title(figure) == "Nine tenths of the values lie between \u22120.9000 and 0.9000"
    assert sum(patch.get_height() for patch in figure.axes[0].patches[1:]) == 201


def test_zeros_of_a_sparse_vector_are_counted_not_drawn():
    vector = np.zeros(1000)
    vector[:30] = 0.1 + np.arange(30) / 100
    with language("zh"):
        figure = plot_histogram(vector)
    assert title(figure) == "1000 个数值里有 970 个是零"
    assert sum(patch.get_height() for patch in figure.axes[0].patches[1:]) == 30


@pytest.mark.parametrize("plot", [plot_values, plot_histogram])
def test_a_vector_of_zeros_can_be_drawn(plot):
    assert plot(np.zeros(5)).png()


@pytest.mark.parametrize("plot", [plot_values, plot_histogram])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros((2, 3)), r"shape \(2, 3\)"),
        ([], "One vector was expected"),
        ([0.1, np.nan, np.inf], "2 value.* dimension 1"),
    ],
)
def test_what_is_no_finite_vector_is_refused(plot, wrong, says):
    with pytest.raises(InputError, match=says):
        plot(wrong)


def test_a_figure_shows_itself_sharp_with_its_finding_as_alternative_text():
    figure = plot_values([0.6, -0.8])
    png, metadata = figure._repr_png_()
    width = int.from_bytes(png[16:20], "big")
    assert width == 2 * metadata["width"]
    assert metadata["alt"] == title(figure)


def test_importing_plots_does_not_import_matplotlib():
    script = "import sys, workbench.plots; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", workbench.plots.__all__)
def test_no_figure_takes_a_language_but_speaks_the_one_that_is_set(name):
    assert "language" not in inspect.signature(getattr(workbench.plots, name)).parameters


class TestFonts:
    @pytest.fixture
    def without_the_package(self, monkeypatch):
        from workbench.plots import style

        def missing():
            raise MissingDependencyError("No font that shows Chinese")

        monkeypatch.setattr(style, "cjk_font_path", missing)
        style.font_families.cache_clear()
        yield style
        style.font_families.cache_clear()

    def test_no_font_that_was_looked_for_is_told_to_a_terminal(self, caplog, capfd, monkeypatch):
        from workbench.plots import style

        monkeypatch.setattr(style, "font_families", lambda: ("No such family", style.PLAIN_FONT))
        with style.house_style():
            figure = style.new_figure()
            figure.subplots().set_title("a title", fontweight="bold")
        figure.png()
        assert "findfont" not in caplog.text + capfd.readouterr().err

    def test_a_font_of_the_system_is_taken_where_the_package_is_missing(
        self, without_the_package, monkeypatch
    ):
        monkeypatch.setattr(without_the_package, "SYSTEM_FONTS", ("No such family", "DejaVu Serif"))
        assert without_the_package.font_families() == ("DejaVu Serif", "DejaVu Sans")

    def test_where_no_font_has_chinese_one_sentence_says_so(self, without_the_package, monkeypatch):
        style = without_the_package
        monkeypatch.setattr(style, "SYSTEM_FONTS", ())
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for _ in range(2):
                with style.house_style():
                    figure = style.new_figure()
                    figure.subplots().set_title("精确率")
                figure.png()
        assert [str(each.message) for each in said] == ["No font that shows Chinese"]
