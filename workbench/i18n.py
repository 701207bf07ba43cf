"""The language that people are spoken to in: one setting, one catalogue, one way to write numbers.

A sentence stands in English where it is said, with named placeholders, and is looked up in the catalogue
(``workbench/locale/``) when it is said::

    from workbench.i18n import gettext as _, ngettext
    raise InputError(_("{file} has no rows.").format(file=name))
    ngettext("{n} pair is labelled", "{n} pairs are labelled", n).format(n=n)

A sentence in a constant is marked with :func:`N_` and looked up with ``_()`` where it is used. Templates use
``{% trans %}``. ``make words`` gathers all of them. No function takes a language and passes it on.
"""

from __future__ import annotations

import gettext as _gettext
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

from workbench.errors import InputError, WorkbenchError

Language = Literal["zh", "en"]

# An interval wider than this is said by its ends alone.
WIDE = 0.4
# As good as 0: an interval that reaches no further down has an upper end only, and the other way round.
NO_END = 0.01
LOCALE = Path(__file__).parent / "locale"
# What a process without WORKBENCH_LANGUAGE goes by, in the order of gettext and POSIX.
LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")

_chosen: ContextVar[Language | None] = ContextVar("workbench_language", default=None)


def language_of(environ: Mapping[str, str] = os.environ) -> Language:
    """The language that an environment asks for: ``WORKBENCH_LANGUAGE``, its locale, else English.

    Raises
    ------
    InputError
        If ``WORKBENCH_LANGUAGE`` is neither ``zh`` nor ``en``.
    """
    wanted = environ.get("WORKBENCH_LANGUAGE")
    if wanted:
        return _checked(wanted, "WORKBENCH_LANGUAGE")
    locale = next(filter(None, map(environ.get, LOCALE_VARIABLES)), "")
    return "zh" if locale.lower().startswith("zh") else "en"


def current_language() -> Language:
    """The language now: that of the nearest ``with language(...)``, else that of the settings."""
    return _chosen.get() or language_of()


def html_lang() -> str:
    """The language now, as the ``lang`` attribute of HTML has it."""
    return "zh-CN" if current_language() == "zh" else "en"


@contextmanager
def language(code: str) -> Iterator[None]:
    """Speak a language inside a ``with`` block, in this thread and its callbacks only.

    Examples
    --------
    >>> with language("zh"):
    ...     percent(0.893)
    '89.3%'
    """
    token = _chosen.set(_checked(code, "language"))
    try:
        yield
    finally:
        _chosen.reset(token)


def language_names() -> dict[Language, str]:
    """All languages, each with its name in itself, as buttons show it that change the language."""
    names: dict[Language, str] = {}
    for code in get_args(Language):
        with language(code):
            # TRANSLATORS: the name of your language, in your language
            names[code] = pgettext("this language", "English")
    return names


def set_language(code: str) -> None:
    """Speak a language from now on, in this process and those that it starts."""
    os.environ["WORKBENCH_LANGUAGE"] = _checked(code, "language")


def gettext(message: str) -> str:
    """A sentence in the language now."""
    return _catalogue(current_language()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """A sentence in the language now, in the form that `n` asks for."""
    return _catalogue(current_language()).ngettext(singular, plural, n)


def pgettext(context: str, message: str) -> str:
    """A word whose translation depends on where it stands; `context` says where."""
    return _catalogue(current_language()).pgettext(context, message)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Mark a sentence in a constant for the catalogue; it is looked up where it is used."""
    return message


def percent(share: float, digits: int | None = 1) -> str:
    """A share in percent; a dash where it is undefined.

    With None for `digits`, as many as it has (a confidence that somebody chose), four figures at most.

    Examples
    --------
    >>> percent(0.893), percent(0.95, None), percent(float("nan"))
    ('89.3 %', '95 %', '–')
    """
    if math.isnan(share):
        return "–"
    value = f"{100 * share:.4g}" if digits is None else f"{100 * share:.{digits}f}"
    return gettext("{value} %").format(value=value)


def chance(value: float, low: float, high: float) -> str:
    """A probability with its interval, as a hit says it: "about 94 % (90–97)".

    Where the interval is wide, only its ends: "at least 60 %", "between 40 and 97 %: few labels there".

    Examples
    --------
    >>> chance(0.94, 0.9, 0.97), chance(0.8, 0.55, 1.0), chance(0.7, 0.4, 0.97)
    ('about 94 % (90–97)', 'at least 55 %: few labels there', 'between 40 and 97 %: few labels there')
    """
    shown, least, most = (_whole(share) for share in (value, low, high))
    if high - low > WIDE:
        if low > NO_END and high < 1 - NO_END:
            return gettext("between {low} and {high} %: few labels there").format(low=least, high=most)
        if low > NO_END:
            return gettext("at least {low} %: few labels there").format(low=least)
        if high < 1 - NO_END:
            return gettext("at most {high} %: few labels there").format(high=most)
        return gettext("unknown: hardly any labels there")
    if shown[0] in "<>":
        return gettext("{share} % ({low}–{high})").format(share=shown, low=least, high=most)
    return gettext("about {share} % ({low}–{high})").format(share=shown, low=least, high=most)


def _whole(share: float) -> str:
    """Whole percent; one digit more near 0 and 1, where whole percents would say never or always."""
    percents = 100 * share
    if 1 <= percents <= 99:
        return f"{percents:.0f}"
    return "<0.1" if percents < 0.1 else ">99.9" if percents > 99.9 else f"{percents:.1f}"


def number(value: float | None, digits: int = 4) -> str:
    """A cutoff or a score with four digits; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def digits_apart(*values: float, fewest: int = 1, most: int = 4) -> int:
    """How many digits it takes so that values which differ also look different.

    Examples
    --------
    >>> digits_apart(89.28, 89.31), digits_apart(63.5, 89.3), digits_apart(6.0, 6.0)
    (2, 1, 1)
    """
    known = {value for value in values if not math.isnan(value)}
    enough = (
        digits for digits in range(fewest, most) if len({f"{v:.{digits}f}" for v in known}) == len(known)
    )
    return fewest if len(known) < 2 else next(enough, most)


def listed(items: Iterable[object]) -> str:
    """Things one after the other, with the comma of the language."""
    return gettext(", ").join(map(str, items))


def paragraph(sentences: Iterable[str]) -> str:
    """Sentences one after the other, with the space of the language.

    Examples
    --------
    >>> paragraph(["It holds.", "Label more."])
    'It holds. Label more.'
    """
    first, *others = sentences
    for following in others:
        first = gettext("{sentence} {following}").format(sentence=first, following=following)
    return first


@cache
def _catalogue(code: Language) -> _gettext.NullTranslations:
    if code == "en":
        return _gettext.NullTranslations()
    try:
        return _gettext.translation("workbench", LOCALE, [code])
    except FileNotFoundError as error:
        raise WorkbenchError(
            f"The catalogue of language {code!r} is not compiled; install the workbench (pip install -e .), "
            "which does it."
        ) from error


def _checked(code: str, name: str) -> Language:
    if code not in get_args(Language):
        # In English: there is no other language to say it in.
        raise InputError(f"{name} is {code!r}; set it to one of zh, en, or unset it.")
    return cast(Language, code)
