"""Must-haves beside the score: conditions on a candidate's columns or words, shown and never filtering.

``years >= 5``, ``city = Bern | Basel``, ``has: RN licence | 护士执业证``.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import regex

from workbench.documents.document import Document
from workbench.errors import InputError
from workbench.files.rows import folded
from workbench.i18n import gettext as _
from workbench.results import Result

__all__ = ["Condition", "Met"]

_HAS = regex.compile(r"\s*(?i:has)\s*[:：]\s*(?P<words>.+)")
_COMPARED = regex.compile(r"\s*(?P<column>[^<>=!]+?)\s*(?P<sign>>=|<=|!=|=|>|<)\s*(?P<value>[^<>=]+?)\s*")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
# "5 years", "over 10 yrs", and years in Chinese, as résumés tell the length of what was done.
_YEARS = regex.compile(
    r"(?<![\d.])(\d{1,2})(?:\.\d)?\s*\+?\s*(?:years?|yrs?\.?|年)(?![\d月])", regex.IGNORECASE
)


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
                    "{text} is no condition; write such as 'years >= 5', 'city = Bern | Basel' or "
                    "'has: RN licence | ventilation'."
                ).format(text=repr(text))
            )
        values = _split(found["value"])
        if found["sign"] in _SIGNS and (len(values) != 1 or _number(values[0]) is None):
            raise InputError(
                _("{text} compares with {value}, which is no number.").format(
                    text=repr(text), value=repr(found["value"])
                )
            )
        return cls(text.strip(), found["column"], found["sign"], values)

    def of(self, resume: Document) -> Met:
        """Whether a résumé meets it: its columns tell, else its words."""
        if self.column is None:
            return self._said(resume)
        columns = {folded(name): value for name, value in resume.source.items()}
        value = columns.get(folded(self.column))
        if value is not None and str(value).strip():
            return Met(self._compared(str(value)), str(value))
        if folded(self.column) in ("years", "年限", "工作年限") and self.sign in _SIGNS:
            return self._years(resume)
        return Met(None)

    def _compared(self, value: str) -> bool | None:
        if self.sign in _SIGNS:
            number = _number(value)
            return None if number is None else _SIGNS[self.sign](number, _number(self.values[0]))
        among = _folded(value) in map(_folded, self.values)
        return among if self.sign == "=" else not among

    def _said(self, resume: Document) -> Met:
        wanted = [_folded(words) for words in self.values]
        for part in resume.parts:
            if any(words in _folded(part.text) for words in wanted):
                return Met(True, part.text)
        return Met(None)

    def _years(self, resume: Document) -> Met:
        """By the largest number of years that a part names, which may be of one thing that was done."""
        said = [(int(found[1]), part.text) for part in resume.phrases for found in _YEARS.finditer(part.text)]
        if not said:
            return Met(None)
        years, text = max(said)
        return Met(_SIGNS[self.sign](years, _number(self.values[0])), text)


def _split(words: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in words.split("|") if each.strip())


def _number(text: str) -> float | None:
    found = regex.search(r"-?\d+(?:\.\d+)?", text.replace(",", ""))
    return float(found[0]) if found else None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
