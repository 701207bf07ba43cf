"""The house style of all figures: colours, type, spines, and a figure that shows itself in notebooks.

Colours are those of Okabe and Ito (2008), which people with colour-vision deficiency can tell apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from workbench.plots.fonts import font_families

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "LIGHT",
    "MUTED",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "YELLOW",
    "ShownFigure",
    "headline",
    "house_style",
    "new_figure",
]

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
# Yellow last: on white it is too pale for lines and text.
PALETTE = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, YELLOW)
INK, MUTED, GREY, LIGHT = "#1F2933", "#5F6B7A", "#9AA5B1", "#E4E7EB"

WIDTH = 9.0  # inches; fits the text column of a notebook
SCREEN_DPI = 100


class ShownFigure(Figure):
    """A figure that shows itself in a notebook, sharp and with an alternative text, without pyplot."""

    alt: str = ""

    # Ticks are made while drawing, and saving reads settings too, so both happen in the house style.
    def draw(self, renderer: Any) -> None:
        with house_style():
            super().draw(renderer)

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        with house_style():
            super().savefig(*args, **kwargs)

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
    with rc_context(
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
            "figure.dpi": SCREEN_DPI,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            # Type 42 keeps text in PDFs selectable and editable.
            "pdf.fonttype": 42,
        }
    ):
        yield


def new_figure(width: float = WIDTH, height: float = 4.0) -> ShownFigure:
    """An empty figure in the house style, in inches; pyplot never sees it, so nothing needs closing."""
    return ShownFigure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.08))


def headline(axes: Axes, title: str, subtitle: str = "") -> None:
    """Put the finding or question above the axes, flush left, with a quieter line below it."""
    axes.set_title(title + ("\n" if subtitle else ""))
    if subtitle:
        axes.annotate(
            subtitle, (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points", color=MUTED
        )
