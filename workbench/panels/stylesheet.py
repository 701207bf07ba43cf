"""The style sheet of cards and panel, ready to stand in a page; the rules are in ``panel.css``."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["EXPLANATION_STYLE", "LABELLING_STYLE", "STYLE"]


def _rules(name: str) -> str:
    return f"<style>{files('workbench.panels').joinpath(name).read_text(encoding='utf-8')}</style>"


STYLE = _rules("panel.css")
EXPLANATION_STYLE = _rules("explanation.css")
LABELLING_STYLE = STYLE + _rules("labelling.css")
