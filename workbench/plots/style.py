"""The house style of all figures: colours, type, a font with Chinese, and a figure that shows itself.

Colours are those of Okabe and Ito (2008), which people with colour-vision deficiency can tell apart. The
font comes from a package, so that no system font is needed.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import PercentFormatter

from workbench.atomic import private_file
from workbench.errors import MissingDependencyError
from workbench.i18n import gettext as _
from workbench.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
# Yellow last: on white it is too pale for lines and text.
PALETTE = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, YELLOW)
INK, MUTED, GREY, LIGHT = "#1F2933", "#5F6B7A", "#9AA5B1", "#E4E7EB"
DASHED, DOTTED = (0, (4, 3)), (0, (1, 2))
# What keeps a label readable on lines and bars.
PAPER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}

Style = dict[str, Any]  # options of matplotlib

WIDTH = 9.0  # inches; fits the text column of a notebook
SCREEN_DPI = 100
# Room above the axes' content for the labels of cutoffs, as a share of its height.
HEAD_ROOM = 0.12
FONT_FILE = "NotoSansCJKsc-Regular.otf"
# Fonts with Chinese that systems bring, where the package's is missing.
SYSTEM_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "WenQuanYi Micro Hei",
)
PLAIN_FONT = "DejaVu Sans"  # comes with matplotlib


class ShownFigure(Figure):
    """A figure that shows itself in a notebook, sharp and with an alternative text, without pyplot."""

    aside: str = ""  # what the alternative text says besides

    # Ticks are made while drawing, and saving reads settings too, so both happen in the house style.
    def draw(self, renderer: Any) -> None:
        with house_style():
            super().draw(renderer)

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        if isinstance(fname, str | os.PathLike):
            private_file(Path(fname))
        with house_style():
            super().savefig(fname, **kwargs)

    @property
    def alt(self) -> str:
        """What stands for the figure where it cannot be seen: its titles, which say what it shows."""
        titles = [self.get_suptitle(), *(ax.get_title(loc="left").strip() for ax in self.axes)]
        said = titles[:1] if titles[0] else titles
        return " · ".join(filter(None, [*said, self.aside])).replace("\n", " ").replace(r"\$", "$")

    def png(self) -> bytes:
        """The figure as PNG, at twice the size that it is shown in."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * SCREEN_DPI)
        return buffer.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        width, height = (round(inches * SCREEN_DPI) for inches in self.get_size_inches())
        return self.png(), {"width": width, "height": height, "alt": self.alt}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style; build the whole figure inside."""
    families = list(font_families())
    with (
        _fonts_quiet(),
        rc_context(
            {
                "font.family": families,
                "font.size": 10.5,
                "text.color": INK,
                "axes.edgecolor": GREY,
                "axes.labelcolor": MUTED,
                "axes.titlecolor": INK,
                "axes.titlelocation": "left",
                "axes.titlesize": 13,
                "axes.titlepad": 12,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.linewidth": 0.8,
                "axes.axisbelow": True,
                "axes.prop_cycle": f"cycler('color', {list(PALETTE)})",
                "grid.color": LIGHT,
                "grid.linewidth": 0.8,
                "xtick.color": GREY,
                "ytick.color": GREY,
                "xtick.labelcolor": MUTED,
                "ytick.labelcolor": MUTED,
                "xtick.labelsize": 9.5,
                "ytick.labelsize": 9.5,
                "lines.linewidth": 1.8,
                "legend.frameon": False,
                "legend.fontsize": 9.5,
                "figure.dpi": SCREEN_DPI,
                "figure.facecolor": "white",
                "figure.titlesize": 13,
                "savefig.facecolor": "white",
                # Type 42 keeps text in PDFs selectable and editable.
                "pdf.fonttype": 42,
            }
        ),
    ):
        yield


def new_figure(width: float = WIDTH, height: float = 4.0) -> ShownFigure:
    """An empty figure in the house style, in inches; pyplot never sees it, so nothing needs closing."""
    return ShownFigure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08))


@contextmanager
def on_axes(ax: Axes | None, width: float = WIDTH, height: float = 4.0) -> Iterator[Axes]:
    """Draw in the house style on given axes, else on those of a new figure of that size."""
    with house_style():
        yield new_figure(width, height).subplots() if ax is None else ax


def headline(axes: Axes, title: str, subtitle: str = "") -> None:
    """Put the finding or question above the axes, flush left, with a quieter line below it."""
    axes.set_title(title + ("\n" if subtitle else ""))
    if subtitle:
        beside(axes, subtitle, (0, 1), (0, 8), xycoords="axes fraction", color=MUTED)


def overall_headline(figure: ShownFigure, title: str, subtitle: str = "") -> None:
    """The finding above all axes; a headline of the first ones would make them as wide as itself."""
    figure.suptitle(title, x=0.01, ha="left")
    if subtitle:
        first = figure.axes[0]
        if not first.get_title(loc="left"):
            first.set_title(" ", fontsize=10.5)
        said = beside(
            first, subtitle, (0.01, 1), (0, 8), xycoords=("figure fraction", "axes fraction"), color=MUTED
        )
        said.set_in_layout(False)


def beside(ax: Axes, text: str, at: Any, offset: tuple[float, float] = (0, 0), **style: Any) -> Any:
    """Write beside a point, `offset` points away from it."""
    return ax.annotate(text, at, offset, textcoords="offset points", **style)


def band(
    ax: Axes, x: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, colour: str, alpha: float = 0.18
) -> None:
    """A shaded interval around a curve; gaps where it is undefined."""
    x, low, high = map(np.asarray, (x, low, high))
    ax.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0, zorder=1)


def in_percent(ax: Axes, which: str = "y", *, room: bool = True) -> None:
    """An axis from 0 to 100 percent; with `room`, the vertical one leaves space for labels at the top."""
    for name in which:
        axis = ax.yaxis if name == "y" else ax.xaxis
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_ticks(np.linspace(0, 1, 6))
    if "y" in which:
        ax.set_ylim(0, 1 + HEAD_ROOM if room else 1.02)
    if "x" in which:
        ax.set_xlim(0, 1.02)
    ax.grid(axis="both" if len(which) == 2 else which)  # type: ignore[arg-type]


def rows(ax: Axes, places: npt.ArrayLike, names: Sequence[str], **style: Any) -> None:
    """Names in the place of a vertical axis, one a row."""
    ax.set_yticks(np.asarray(places), names, **style)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def minus(text: str) -> str:
    """With the minus sign that matplotlib's own tick labels have."""
    return text.replace("-", "\u2212")


def shortened(text: object, most: int = 28) -> str:
    """A user's text as a figure can show it: not too long, and a dollar sign begins no formula."""
    text = visible(str(text))
    return (text if len(text) <= most else text[: most - 1] + "…").replace("$", r"\$")


@cache
def cjk_font_path() -> Path:
    """Where the Noto Sans CJK SC font of the package ``mplfonts`` lies.

    The package is found, not imported: importing it would change matplotlib's settings.

    Raises
    ------
    MissingDependencyError
        If ``mplfonts`` is not installed or its font file is missing.
    """
    spec = find_spec("mplfonts")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder) / "fonts" / FONT_FILE
        if path.is_file():
            return path
    raise MissingDependencyError(
        _(
            "No font that shows Chinese in figures was found ({file}), so that boxes stand for it; install "
            "the package that ships it: pip install mplfonts."
        ).format(file=FONT_FILE)
    )


@cache
def font_families() -> tuple[str, ...]:
    """Register the font with matplotlib, once, and return families for ``rcParams["font.family"]``.

    The last family fills in symbols that the first lacks. Without the package's font a system's own is
    taken; where there is none with Chinese, one warning says so, in the place of many by matplotlib.

    Examples
    --------
    >>> font_families()
    ('Noto Sans CJK SC', 'DejaVu Sans')
    """
    from matplotlib import font_manager

    try:
        path = cjk_font_path()
    except MissingDependencyError as error:
        installed = {font.name for font in font_manager.fontManager.ttflist}
        for family in SYSTEM_FONTS:
            if family in installed:
                return family, PLAIN_FONT
        warnings.warn(str(error), stacklevel=3)
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        return (PLAIN_FONT,)
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name(), PLAIN_FONT


@contextmanager
def _fonts_quiet() -> Iterator[None]:
    """Keep matplotlib from telling a terminal which fonts it looked for: what matters was said already."""
    logger = logging.getLogger("matplotlib.font_manager")

    def tells(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("findfont")

    logger.addFilter(tells)
    try:
        yield
    finally:
        logger.removeFilter(tells)
