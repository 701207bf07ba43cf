"""The frame of a report and its tables: one HTML file in two languages, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from workbench.html import render
from workbench.i18n import html_lang, language, language_names

if TYPE_CHECKING:
    import pandas as pd


def page(title: str, body: Callable[[], Markup]) -> str:
    """A page that shows the language now, with two buttons that switch between the languages.

    Parameters
    ----------
    title : str
        Plain text.
    body : callable
        Makes the body in the language in which it is called.
    """
    bodies = {}
    for code in (names := language_names()):
        with language(code):
            bodies[code] = {"lang": html_lang(), "html": body()}
    return str(render("reports/page.html", title=title, names=names, bodies=bodies))


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> Markup:
    """A table.

    Parameters
    ----------
    columns : sequence of (str, str)
        Title and kind: "name" heads its row, a "number" stands at the right, "short" stays on its line and
        what follows a line break in it is set below as a remark; "text", or nothing.
    rows : sequence of sequence of str
    """
    return render("reports/table.html", columns=columns, rows=rows)


def frame_table(frame: pd.DataFrame) -> Markup:
    """Any frame of texts and counts: names, which may be long, in the first column, then figures."""
    columns = [(str(name), "short" if place else "") for place, name in enumerate(frame.columns)]
    return table(columns, [[str(cell) for cell in row] for row in frame.itertuples(index=False, name=None)])
