"""By which words a JD asks for something, Chinese or English; where they stand is of the splitter."""

from __future__ import annotations

from typing import Literal

import regex

PartKind = Literal[
    "requirement", "nice_to_have", "responsibility", "description", "phrase", "heading", "boilerplate"
]

_MUST = regex.compile(
    r"必须|必备|硬性|务必|\b(?:must(?:[- ]have)?|mandatory|required|essential)\b", regex.IGNORECASE
)
_NICE = regex.compile(
    r"优先|加分|更佳|更好|最好|^\W*(?:preferably|ideally)\b|\b(?:nice[- ]to[- ]haves?|good to have|preferred|"
    r"a (?:\w+ )?plus|bonus|an asset|additional assets|desirable|advantageous|an advantage|we like it if)\b",
    regex.IGNORECASE,
)
_NOT_ASKED = regex.compile(
    r"无需|不要求|不需要|\b(?:not|n['’]t) (?:needed|required|necessary)\b", regex.IGNORECASE
)
# What a heading that is not known by its words is about, by some of them; the first that is found counts.
_ABOUT_WHAT: dict[PartKind, regex.Pattern[str]] = {
    "description": regex.compile(r"\b(?:not|don't|don’t|won't)\b|不|无需", regex.IGNORECASE),
    "nice_to_have": regex.compile(
        r"优先|加分|更佳|更好|锦上添花|\b(?:nice|bonus|plus|assets?|desirable|desired|preferred|delight|"
        r"would be great|optional)\b",
        regex.IGNORECASE,
    ),
    "requirement": regex.compile(
        r"要求|资格|条件|希望[你您]|期待[你您]|具备|适合你|\b(?:requirements?|qualifications?|must|needs?|essential|skills|"
        r"you(?:'ll| should| will| can)? bring|looking for|ask for|who you are|you have|your profile|"
        r"like to see|expect from you|(?:some|any)one who|person who)\b",
        regex.IGNORECASE,
    ),
    "responsibility": regex.compile(
        r"职责|你的工作|你要做|你会做|你会参与|你将|负责|任务|\b(?:responsibilit\w+|duties|tasks|accountabilities|"
        r"(?:you|you'll|you will) (?:do|be doing|will)|awaits you|role|mission)\b",
        regex.IGNORECASE,
    ),
}
# A line that asks for something, where no heading says so.
_ASKS = regex.compile(
    r"[\d一二三四五六七八九十两]\s*年(?:及)?以上|学历|本科|硕士|熟悉|精通|掌握|熟练|具备|具有|经验|能力|优先|资格证|执业证|证书|流利|"
    r"\b(?:years|experience|degree|bachelor|master|diploma|knowledge|proficien\w+|familiar\w*|able|ability|"
    r"fluent|skills?|skilled|licen[cs]ed?|certifi\w+|registration|required|preferred|"
    r"you (?:have|are able|bring|know|hold|speak)|(?:if|who) (?:you )?(?:has|have))\b|\b\d+\+",
    regex.IGNORECASE,
)
# "Degree in nursing, a master's preferred"; but "experience with X or, better still, Y preferred".
_ASKED_FIRST = regex.compile(
    rf"\W*(?:\d{{1,2}}\W+)?(?!有|会|如|若|if|any)[^，,；;]*(?:{_ASKS.pattern})[^，,；;]*[，,；;]", _ASKS.flags
)


def says_must(line: str) -> bool:
    """Whether it says itself that it is required."""
    return _MUST.search(line) is not None


def asks(line: str) -> bool:
    """Whether it reads like a requirement, wherever it stands."""
    return _ASKS.search(line) is not None


def is_not_asked(line: str) -> bool:
    """Whether it says that something is not needed."""
    return _NOT_ASKED.search(line) is not None


def would_be_nice(line: str, is_asked: bool) -> bool:
    """Whether all of it would be good to have, and not only more of what is asked for.

    `is_asked` says whether it stands where requirements do.

    Examples
    --------
    >>> would_be_nice("Italian is a plus", True), would_be_nice("Degree in law, LL.M. preferred", True)
    (True, False)
    """
    found = _NICE.search(line)
    if found is None or _ASKED_FIRST.match(line, endpos=found.start()):
        return False
    return is_asked or asks(line) or _NICE.match(line) is not None


def about_what(heading: str) -> PartKind | None:
    """What stands under a heading that is on no list, where its words tell."""
    return next((kind for kind, words in _ABOUT_WHAT.items() if words.search(heading)), None)
