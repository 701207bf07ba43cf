"""The frame of a report: one HTML file with both languages in it, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from workbench.reports.stylesheet import STYLESHEET
from workbench.settings import Language

__all__ = ["HTML_LANG", "page"]

# Nothing from elsewhere, and no script, whatever a text may try.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
HTML_LANG: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}


def page(title: str, bodies: Mapping[Language, str], first: Language) -> str:
    """A page that shows `first`, with two buttons that switch between the languages.

    Parameters
    ----------
    title : str
        Plain text.
    bodies : mapping of {"zh", "en"} to str
        HTML, in which everything that came from outside is escaped already.
    first : {"zh", "en"}
    """
    buttons = "".join(
        f'<input class="language" type="radio" name="language" id="show-{code}"'
        f"{' checked' if code == first else ''}>"
        for code in bodies
    )
    labels = "".join(f'<label for="show-{code}" lang="{code}">{NAMES[code]}</label>' for code in bodies)
    mains = "".join(
        f'<main class="{code}" lang="{HTML_LANG[code]}">{body}</main>' for code, body in bodies.items()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{HTML_LANG[first]}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLESHEET}</style></head>\n"
        f"<body>{buttons}<nav>{labels}</nav>{mains}</body></html>\n"
    )
