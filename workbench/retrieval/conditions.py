"""Must-haves beside the score: conditions on a candidate's columns or words, shown and never filtering.

``years >= 5``, ``degree >= bachelor``, ``language = German``, ``certificate = RN | 护士执业证``,
``city = Bern | Basel``, ``has: ventilation``. A column of that name tells, else the words of the résumé.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import regex

from workbench.documents.document import Document
from workbench.documents.facts import degree_of, degree_told, names_of_language, years_told
from workbench.errors import InputError
from workbench.files.rows import folded
from workbench.i18n import gettext as _
from workbench.results import Result

_HAS = regex.compile(r"\s*(?i:has)\s*[:：]\s*(?P<words>.+)")
_COMPARED = regex.compile(r"\s*(?P<column>[^<>=!]+?)\s*(?P<sign>>=|<=|!=|=|>|<)\s*(?P<value>[^<>=]+?)\s*")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_OF_DEGREES = {**_SIGNS, "=": operator.eq, "!=": operator.ne}
# What the words of a résumé tell where no column does.
YEARS = ("years", "years of experience", "年限", "工作年限", "经验年限")
DEGREE = ("degree", "education", "学历", "学位")
LANGUAGE = ("language", "languages", "语言", "外语")
WORDS: tuple[str, ...] = (
    "certificate",
    "certification",
    "licence",
    "license",
    "证书",
    "执照",
    "资格证",
    "place",
    "city",
    "location",
)
WORDS += ("地点", "城市", "现居地")


@dataclass(frozen=True)
class Met(Result):
    """Whether a condition is met; `met` is None where the candidate's texts and columns do not tell.

    `found` is the value or the part of the résumé that says so.
    """

    met: bool | None
    found: str = ""


@dataclass(frozen=True)
class Condition:
    """A must-have.

    Attributes
    ----------
    text : str
        As it was written.
    """

    text: str
    column: str | None
    sign: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition.

        Raises
        ------
        InputError
            If it is none, or compares sizes with what is no number.

        Examples
        --------
        >>> Condition.parse("years >= 5").of(Document("a", "7 years on a ward"))
        Met(met=True, found='7 years on a ward')
        """
        if found := _HAS.fullmatch(text):
            return cls(text.strip(), None, "has", _split(found["words"]))
        found = _COMPARED.fullmatch(text)
        if found is None:
            raise InputError(
                _(
                    "{text} is no condition; write such as 'years >= 5', 'degree >= bachelor', "
                    "'city = Bern | Basel' or 'has: RN licence | ventilation'."
                ).format(text=repr(text))
            )
        values = _split(found["value"])
        is_degree = folded(found["column"]) in DEGREE and degree_of(found["value"]) is not None
        if found["sign"] in _SIGNS and not is_degree and (len(values) != 1 or _number(values[0]) is None):
            raise InputError(
                _("{text} compares with {value}, which is no number.").format(
                    text=repr(text), value=repr(found["value"])
                )
            )
        return cls(text.strip(), found["column"], found["sign"], values)

    def of(self, resume: Document) -> Met:
        """Whether a résumé meets it: its columns tell, else its words."""
        if self.column is None:
            return _said(resume, self.values)
        columns = {folded(name): value for name, value in resume.source.items()}
        name = folded(self.column)
        value = columns.get(name)
        if value is not None and str(value).strip():
            return Met(self._compared(str(value)), str(value))
        if name in YEARS and self.sign in _SIGNS:
            return self._told(years_told(resume), _number(self.values[0]))
        if name in DEGREE and self.sign != "!=":
            return self._told(degree_told(resume), degree_of(self.values[0]))
        if name in (*LANGUAGE, *WORDS) and self.sign == "=":
            names = map(names_of_language, self.values) if name in LANGUAGE else [self.values]
            return _said(resume, tuple(chain.from_iterable(names)))
        return Met(None)

    def _compared(self, value: str) -> bool | None:
        if folded(self.column or "") in DEGREE and (wanted := degree_of(self.values[0])) is not None:
            has = degree_of(value)
            return None if has is None else _OF_DEGREES[self.sign](has, wanted)
        if self.sign in _SIGNS:
            number = _number(value)
            return None if number is None else _SIGNS[self.sign](number, _number(self.values[0]))
        among = _folded(value) in map(_folded, self.values)
        return among if self.sign == "=" else not among

    def _told(self, told: tuple[int, str] | None, wanted: float | None) -> Met:
        if told is None or wanted is None:
            return Met(None)
        return Met(_OF_DEGREES[self.sign](told[0], wanted), told[1])


def _said(resume: Document, words: Iterable[str]) -> Met:
    """Whether any of the words stands in the résumé: as a word, so that Go is not found in Google."""
    letter = r"[\p{Latin}\d]"
    wanted = "|".join(
        (rf"(?<!{letter})" if regex.match(letter, each) else "")
        + regex.escape(each)
        + (rf"(?!{letter})" if regex.search(rf"{letter}$", each) else "")
        for each in map(_folded, words)
    )
    pattern = regex.compile(wanted)
    found = next((part.text for part in resume.parts if pattern.search(_folded(part.text))), None)
    return Met(None) if found is None else Met(True, found)


def _split(words: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in words.split("|") if each.strip())


def _number(text: str) -> float | None:
    found = regex.search(r"-?\d+(?:\.\d+)?", text.replace(",", ""))
    return float(found[0]) if found else None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
