"""The style sheet of cards and panel, ready to stand in a page; the rules are in ``panel.css``."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["STYLE"]

STYLE = f"<style>{files('workbench.panels').joinpath('panel.css').read_text(encoding='utf-8')}</style>"
