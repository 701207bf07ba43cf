"""How whoever reads a sentence can give an option: in Python, on the command line, or not at all.

A message that advises an option asks :func:`option` how it is written here, and leaves the advice out where
it cannot be given, as on a page to which a file is uploaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from workbench.i18n import gettext as _
from workbench.i18n import paragraph
from workbench.texts import LONGEST_WORD

Values = tuple[object, ...]


def _in_python(name: str, values: Values) -> str:
    return f"{name}={values[0]!r}" if len(values) == 1 else f"{name}={list(values)!r}"


_way: ContextVar[Callable[[str, Values], str]] = ContextVar("workbench_asking", default=_in_python)


def option(name: str, *values: object) -> str:
    """An option with its values as they are given here; an empty text where it cannot be.

    Parameters
    ----------
    name : str
        The parameter's name in Python.
    *values
        One or more.

    Examples
    --------
    >>> option("encoding", "gb18030"), option("negative", "No Fit", "Unfit")
    ("encoding='gb18030'", "negative=['No Fit', 'Unfit']")
    """
    # A longer value may be a text, which no message repeats.
    is_word = [not isinstance(value, str) or len(value) <= LONGEST_WORD for value in values]
    return _way.get()(
        name, tuple(value if fits else "…" for value, fits in zip(values, is_word, strict=True))
    )


def options(**given: Sequence[object]) -> str:
    """Several options with their values, in a line; those without a value are left out.

    Examples
    --------
    >>> options(positive=["Good Fit"], negative=["No Fit"])
    "positive='Good Fit', negative='No Fit'"
    """
    between = ", " if _way.get() is _in_python else " "
    return between.join(filter(None, (option(name, *values) for name, values in given.items() if values)))


def with_option(sentence: str, name: str, *values: object) -> str:
    """A sentence that advises something, and behind it the option that does it here, if one does.

    Examples
    --------
    >>> with_option("Have the texts encoded again.", "reencode", True)
    'Have the texts encoded again. The option for it: reencode=True.'
    """
    how = option(name, *values)
    return paragraph([sentence, _("The option for it: {option}.").format(option=how)]) if how else sentence


@contextmanager
def asked_by(way: Callable[[str, Values], str]) -> Iterator[None]:
    """Say options in another way, inside a block."""
    token = _way.set(way)
    try:
        yield
    finally:
        _way.reset(token)


def nowhere(name: str, values: Values) -> str:
    """Where people can give no option: on a page."""
    return ""
