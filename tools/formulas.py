"""Formulas of the documentation as MathML, which browsers draw by themselves: a hook of mkdocs.

They are written in LaTeX between ``` ```math ``` and ``` ``` ```, as GitHub draws them too.
"""

from __future__ import annotations

import re

from latex2mathml.converter import convert

FENCED = re.compile(r"^```math\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def on_page_markdown(markdown: str, **_page: object) -> str:
    return FENCED.sub(
        lambda found: f'<div class="formula">{convert(found[1], display="block")}</div>', markdown
    )
