"""From an executed notebook to one HTML file that needs nothing else: no server, no other site.

Widgets are left out: without a kernel they are dead, and the notebooks show the same results without them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from workbench.atomic import write_whole
from workbench.notebooks.parameters import read_notebook
from workbench.settings import get_settings

__all__ = ["write_report"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_FORMULA = re.compile(r"\$[^$\n]+\$|\$\$|\\begin\{")

# A report holds personal texts: it must not load scripts from elsewhere when it is opened.
_TEMPLATE = """\
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock html_head_js -%}
{%- block jupyter_widgets -%}{%- endblock jupyter_widgets -%}
{%- block html_head_js_mermaidjs -%}{%- endblock html_head_js_mermaidjs -%}
{%- block html_head_js_mathjax -%}MATHJAX{%- endblock html_head_js_mathjax -%}
{%- block data_png scoped -%}
{{- super() | replace("<img ", '<img alt="' ~ (cell.metadata.get("alt", "") | escape_html) ~ '" ', 1) -}}
{%- endblock data_png -%}
{%- block extra_css -%}
<style type="text/css">
  body.jp-Notebook { max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
  .jp-OutputArea-output { overflow-x: auto; }
  .jp-RenderedImage img { max-width: 100%; height: auto; }
</style>
{%- endblock extra_css -%}
"""


def write_report(notebook: str | Path, target: str | Path, *, show_code: bool = False) -> Path:
    """Write the HTML report of an executed notebook.

    Formulas, where there are any, are the one thing that needs another site: MathJax.

    Raises
    ------
    InputError
        If `notebook` is no notebook.
    StoreError
        If `target` cannot be written.
    """
    from nbconvert import HTMLExporter

    document = _with_alternative_texts(_without_widgets(read_notebook(notebook)))
    document.metadata["title"] = _title(document) or Path(notebook).stem
    exporter = HTMLExporter(
        raw_template=_TEMPLATE.replace("MATHJAX", "{{ super() }}" if _has_formulas(document) else ""),
        language_code=get_settings().language,
        exclude_input=not show_code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
    )
    html, _ = exporter.from_notebook_node(
        document, resources={"metadata": {"path": str(Path(notebook).parent)}}
    )
    return write_whole(target, html)


def _without_widgets(document: Any) -> Any:
    document.metadata.pop("widgets", None)
    for cell in document.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _only_a_widget(output)]
            for output in cell.outputs:
                output.get("data", {}).pop(_WIDGET, None)
    return document


def _with_alternative_texts(document: Any) -> Any:
    """Give figures the words above them, for those who cannot see them."""
    words = ""
    for cell in document.cells:
        if cell.cell_type == "markdown":
            lines = [line.strip("#*_ ") for line in cell.source.splitlines() if line.strip()]
            words = " ".join(lines) or words
        elif words:
            cell.metadata.setdefault("alt", words)
    return document


def _only_a_widget(output: Any) -> bool:
    shown = set(output.get("data", {}))
    return _WIDGET in shown and shown <= {_WIDGET, "text/plain"}


def _title(document: Any) -> str | None:
    headings = (
        line.lstrip("# ").strip()
        for cell in document.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("# ")
    )
    return next(headings, None)


def _has_formulas(document: Any) -> bool:
    return any(_FORMULA.search(cell.source) for cell in document.cells if cell.cell_type == "markdown")
