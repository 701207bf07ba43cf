"""Masking: phone numbers, e-mail addresses and ID numbers in a text, each replaced by what it is.

Asked for with ``WORKBENCH_MASK=1`` (``workbench --mask``), for what is shown, exported or sent to a server.
Numbers are told by their own rules (``phonenumbers``: which numbers are given out; ``python-stdnum``: check
digits), so that a year, a wage or an order number stays. Names, addresses and birthdays are not found, nor
numbers in words; how much is, on examples with known truth: ``docs/measured/masking.md``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from typing import Any, TypeVar, cast

# Part of the fingerprint of what a server is sent: masked texts have other vectors.
MASKING_RECIPE = 1
PHONE, MAIL, ID = "[phone]", "[e-mail]", "[ID]"
# Countries whose numbers are found without their international prefix.
REGIONS = ("CN", "US")

T = TypeVar("T")
Span = tuple[int, int]

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_MAIL = re.compile(
    r"[a-z0-9][\w.+%-]{0,63}\s?@\s?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE | re.ASCII
)
# Lines without so many digits hold no phone number; the library that knows them is slow.
_DIGITS = re.compile(r"\d(?:[^\w\n]{0,9}\d){6}")
_LINE = re.compile(r"[^\n]+")
# "25000-30000" is a wage, and of "03/2018 - 06/2021" two dates.
_RANGE = re.compile(r"(\d+)\W+(\d+)")
# A passport's number has no check digit: the word before it tells.
_PASSPORT = re.compile(
    r"(?:passport|\u62a4\u7167)\s*(?:numbers?|no\.?|nr\.?|\u53f7\u7801?|\u7f16\u53f7)?\s*[:#]?\s*([a-z]{1,2}\d{6,8}|\d{9})(?![a-z0-9])",
    re.IGNORECASE | re.ASCII,
)
# How ID numbers are written, by the module of stdnum that knows their check digits.
_IDS = {
    # GB 11643: a region, a birthday, a number, and the check digit of ISO 7064.
    "iso7064.mod_11_2": r"[1-9]\d{5}[ -]?(?:1[89]|20)\d\d[ -]?(?:0[1-9]|1[0-2])[0-3]\d[ -]?\d{3}[\dX]",
    "us.ssn": r"\d{3}[- ]\d{2}[- ]\d{4}",
    "kr.rrn": r"\d{6}-\d{7}",
    "in_.aadhaar": r"\d{4} \d{4} \d{4}",
    "br.cpf": r"\d{3}\.\d{3}\.\d{3}-\d{2}",
    "fr.nir": r"[12] ?\d{2} ?\d{2} ?[\dAB]{2} ?\d{3} ?\d{3} ?\d{2}",
    "it.codicefiscale": r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]",
    "es.dni": r"\d{8}-?[A-Z]",
    "es.nie": r"[XYZ]-?\d{7}-?[A-Z]",
    "ch.ssn": r"756\.?\d{4}\.?\d{4}\.?\d{2}",
    "se.personnummer": r"(?:19|20)?\d{6}[-+]\d{4}",
}


def is_asked() -> bool:
    """Whether what is shown, exported or sent is to be masked (see :class:`~workbench.settings.Settings`)."""
    return os.environ.get("WORKBENCH_MASK") == "1"


def mask(value: T) -> T:
    """A text with its phone numbers, e-mail addresses and ID numbers masked, or a frame, list, dict of texts.

    Examples
    --------
    >>> mask("张三，13800138000，zhang@example.cn，2015-2019 年，月薪 25000 元")
    '张三，[phone]，[e-mail]，2015-2019 年，月薪 25000 元'
    >>> mask({"resume": ["身份证 11010519491231002X；身份证 110105194912310021"]})
    {'resume': ['身份证 [ID]；身份证 110105194912310021']}
    """
    found: Any = value
    match value:
        case str():
            plain = value.translate(_WIDE)
            for start, end, what in sorted(_found(plain), reverse=True):
                found = found[:start] + what + found[end:]
        case list() | tuple():
            found = [mask(one) for one in value]
        case dict():
            found = {mask(name): mask(one) for name, one in value.items()}
        case _ if type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "map"):
            found = value.map(mask)
    return cast(T, found)


def masked(value: Any) -> Any:
    """A value with all texts in it masked, if that is asked for."""
    return mask(value) if is_asked() else value


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Where something begins and ends, and what it is; what was found is hidden from what looks later."""
    for what, find in _finders():
        for start, end in find(text):
            yield start, end, what
            text = text[:start] + "\n" * (end - start) + text[end:]


@cache
def _finders() -> list[tuple[str, Callable[[str], list[Span]]]]:
    """One after another: what is told by most of its signs comes first."""
    return [
        (MAIL, lambda text: [found.span() for found in _MAIL.finditer(text)]),
        (ID, lambda text: [found.span(1) for found in _PASSPORT.finditer(text)]),
        *((ID, partial(_ids, name, written)) for name, written in _IDS.items()),
        *((PHONE, partial(_phones, region)) for region in REGIONS),
    ]


def _ids(name: str, written: str, text: str) -> list[Span]:
    is_valid = import_module(f"stdnum.{name}").is_valid
    pattern = re.compile(rf"(?<![a-z0-9.]){written}(?![a-z0-9])", re.IGNORECASE | re.ASCII)
    return [
        found.span() for found in pattern.finditer(text) if is_valid(re.sub("[ -]", "", found[0]).upper())
    ]


def _phones(region: str, text: str) -> list[Span]:
    import phonenumbers

    most = len(text) + 1  # without end
    valid = phonenumbers.Leniency.VALID
    return [
        (line.start() + number.start, line.start() + number.end)
        for line in _LINE.finditer(text)
        if _DIGITS.search(line[0])
        for number in phonenumbers.PhoneNumberMatcher(line[0], region, leniency=valid, max_tries=most)
        if number.raw_string.startswith("+") or not _is_range(number.raw_string)
    ]


def _is_range(text: str) -> bool:
    """Whether it is two numbers of as many digits, or has a stroke, as dates do."""
    found = _RANGE.fullmatch(text)
    return "/" in text or (found is not None and len(found[1]) == len(found[2]))
