"""HTML from templates: everything that is filled in is escaped, and templates speak the language now.

What fills in a template is made visible too (:mod:`workbench.visible`): no text turns the line around it.

Templates lie in ``workbench/templates/``, a folder a room. They may use ``{% trans %}`` (jinja2's i18n
extension), and the filters ``percent``, ``number``, ``listed`` and ``base64``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from workbench.i18n import current_language, gettext, html_lang, listed, ngettext, number, percent, pgettext
from workbench.visible import escaped, visible

if TYPE_CHECKING:
    from jinja2 import Environment


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
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("workbench"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        finalize=_seen,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext
    )
    for name in ("gettext", "ngettext", "pgettext"):
        environment.globals[name] = _of_what_is_seen(environment.globals[name])
    environment.policies["ext.i18n.trimmed"] = True
    environment.filters |= {"percent": percent, "number": number, "listed": listed}
    environment.filters["base64"] = lambda content: Markup(base64.b64encode(content).decode("ascii"))
    environment.globals |= {"html_lang": html_lang, "current_language": current_language}
    return environment


def _seen(value: Any) -> Any:
    if isinstance(value, Markup):
        return Markup(escaped(str(value)))  # filled in by visible texts, and with numbers of its own
    return visible(value) if isinstance(value, str) else value


def _of_what_is_seen(say: Any) -> Callable[..., Any]:
    """A function of the i18n extension, which fills in sentences past `finalize`."""
    from jinja2 import pass_context

    @pass_context
    def said(context: Any, *sentences: Any, **values: Any) -> Any:
        return say(context, *sentences, **{name: _seen(value) for name, value in values.items()})

    return said
