"""HTML from templates: everything that is filled in is escaped, and templates speak the language now.

Templates lie in ``workbench/templates/``, a folder a room. They may use ``{% trans %}`` (jinja2's i18n
extension), and the filters ``percent``, ``number``, ``listed`` and ``base64``.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbench.i18n import current_language, gettext, html_lang, listed, ngettext, number, percent, pgettext

__all__ = ["render"]


def render(template: str, **values: Any) -> Markup:
    """Fill in a template.

    Parameters
    ----------
    template : str
        Path below ``workbench/templates/``, such as ``"search/hits.html"``.
    **values
        What the template names; strings are escaped unless they are :class:`markupsafe.Markup`, which
        only :func:`render` makes.

    Returns
    -------
    Markup
        A string that another template may contain without escaping it again.
    """
    return Markup(_environment().get_template(template).render(**values))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("workbench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters |= {"percent": percent, "number": number, "listed": listed}
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    environment.globals |= {"html_lang": html_lang, "current_language": current_language}
    return environment
