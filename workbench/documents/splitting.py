"""From a whole JD or résumé to its parts, by headings, bullets, numbers and sentences, Chinese or English.

Conservative: what cannot be told stays in as something that is scored. Only what stands under a heading that
names boilerplate, or is nothing but an address, is set aside.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise, zip_longest
from typing import Literal

import regex

from workbench.results import Result

__all__ = ["Part", "PartKind", "Side", "section_of", "side_of", "split"]

Side = Literal["jd", "resume"]
PartKind = Literal["requirement", "nice_to_have", "responsibility", "phrase", "heading", "boilerplate"]

_HEADINGS: dict[str, dict[str, PartKind]] = {
    side: {heading: kind for kind, headings in kinds.items() for heading in headings}
    for side, kinds in tomllib.loads(
        resources.files("workbench.documents").joinpath("headings.toml").read_text(encoding="utf-8")
    ).items()
}
_LONGEST_HEADING = 40
# A number, bullet, bracket or mark-up around the words of a heading.
_AROUND = regex.compile(r"^[\W\d_]+|[\W_]+$")
_NUMBERED = regex.compile(
    r"^(?:第?[一二三四五六七八九十]{1,3}[、.．章节]|[ivx]{1,4}[.)]\s)", regex.IGNORECASE
)
_LATIN = regex.compile(r"[\p{Latin}\d'&][\p{Latin}\d'& ]*")
# Whoever is named there; the job and the person have headings of their own.
_ABOUT = regex.compile(r"about \w+(?: \w+){0,3}$")
_BETWEEN = regex.compile(r"[\W_]+")

_MUST = regex.compile(
    r"必须|必备|硬性|务必|\b(?:must(?:[- ]have)?|mandatory|required|essential)\b", regex.IGNORECASE
)
_NICE = regex.compile(
    r"优先|加分|更佳|最好|\b(?:nice to have|good to have|preferred|preferably|a plus|is a bonus|ideally|"
    r"desirable|advantageous|an advantage)\b",
    regex.IGNORECASE,
)
# Nothing but a way to reach somebody.
_ADDRESS = regex.compile(
    r"[\W_]*(?:(?:e-?mail|mail|tel|phone|mobile|电话|手机|邮箱|微信|wechat|linkedin|github|web|website|网址|地址|address)?"
    r"[\s:：]*(?:[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?[\d\s()/.-]{7,20}|(?:https?://|www\.)\S+)[\s|,;/·]*)+",
    regex.IGNORECASE,
)

# Where a line goes on with another point: after a full stop, or before a number in a run-on list.
_ABBREVIATION = (
    r"\b(?i:e\.g|i\.e|etc|vs|incl|approx|resp|no|inc|ltd|co|dr|mr|ms|mrs|st|dept|univ|b\.sc|m\.sc|ph\.d"
    r"|yrs?)\."
)
_POINT = regex.compile(
    rf"""(?<=[。！？!?；;])\s*(?=\S)
      | (?<=[。；;，,.]\s{{0,3}})(?=(?:[（(]?\d{{1,2}}[)）、.．]|[①-⑳]|[•●■◆])\s*\D)
      | (?<=\.["”’)]?)(?<!{_ABBREVIATION})(?<!\b\p{{Lu}}\.)\s+(?=[\p{{Lu}}"“(•])""",
    regex.VERBOSE,
)
# A shorter piece is no point of its own, but belongs to the one before.
_SHORTEST_POINT = 6


@dataclass(frozen=True)
class Part(Result):
    """A piece of a document that says one thing.

    Attributes
    ----------
    start, end : int
        Its place in the document's text; parts follow one another without a gap, white space included.
    text : str
        What stands there, without the white space around it.
    kind : {"requirement", "nice_to_have", "responsibility", "phrase", "heading", "boilerplate"}
        Of a JD what it asks for, what would be good to have, and what is to be done; of a résumé a phrase.
        Headings and boilerplate (about the company, benefits, addresses) are kept, but never scored.
    section : str
        The heading that it stands under, as the document has it; empty before the first.
    must : bool
        Whether it says itself that it is required.
    """

    start: int
    end: int
    text: str
    kind: PartKind
    section: str = ""
    must: bool = False

    @property
    def is_scored(self) -> bool:
        """Whether it says something about the job or the person."""
        return self.kind not in ("heading", "boilerplate")


@dataclass(frozen=True)
class _Section:
    heading: str = ""
    kind: PartKind | None = None


def split(text: str, side: Side | None = None) -> tuple[Part, ...]:
    """The parts of a document.

    Parameters
    ----------
    text : str
    side : {"jd", "resume"}, optional
        By default told by its headings; a text that does not tell is read as a résumé, whose parts are all
        phrases.

    Returns
    -------
    tuple of Part
        In order; ``parts[0].start == 0``, each starts where the one before ends, the last ends with the text.
    """
    side = side or side_of(text) or "resume"
    found = list(_parts(text, side))
    if not found:
        return (Part(0, len(text), text.strip(), "boilerplate"),) if text else ()
    # Blank lines belong to the part before them, those at the start to the first.
    starts = [0, *(part.start for part in found[1:]), len(text)]
    return tuple(
        replace(part, start=start, end=end)
        for part, (start, end) in zip(found, pairwise(starts), strict=True)
    )


def side_of(text: str) -> Side | None:
    """Whether a text has more headings of JDs or of résumés; None where neither."""
    lines = text.splitlines()
    jd, resume = (sum(section_of(line, side) is not None for line in lines) for side in ("jd", "resume"))
    return None if jd == resume else "jd" if jd > resume else "resume"


def section_of(line: str, side: Side) -> PartKind | None:
    """What stands under a line, if it is a known heading.

    Examples
    --------
    >>> section_of("二、任职要求：", "jd"), section_of("## Work Experience", "resume")
    ('requirement', 'phrase')
    >>> section_of("Responsible for a ward", "jd") is None
    True
    """
    words = _words_of(line)
    known = _HEADINGS[side].get(words)
    if known is None and side == "jd" and _ABOUT.match(words):
        return "boilerplate"
    if known is None:
        # A bilingual heading says it twice.
        chinese, latin = _LATIN.sub("", words).strip(), " ".join(_LATIN.findall(words)).strip()
        return _HEADINGS[side].get(chinese) if latin in _HEADINGS[side] else None
    return known


def _parts(text: str, side: Side) -> Iterator[Part]:
    section = _Section()
    place = 0
    lines = text.splitlines(keepends=True)
    for line, after in zip_longest(lines, lines[1:], fillvalue=""):
        start, place = place, place + len(line)
        if not line.strip():
            continue
        heading, rest = _heading(line, side)
        if heading:
            section = _Section(heading.strip(), section_of(heading, side))
            yield Part(start, start + len(heading), heading.strip(), "heading", section.heading)
            start += len(heading)
        elif _is_unknown_heading(line) or (
            section.kind == "boilerplate" and _could_be_heading(line, after.strip())
        ):
            # Not known what stands under it, so all of that is scored.
            section = _Section(line.strip())
            yield Part(start, place, line.strip(), "heading", section.heading)
            continue
        for first, last in _points(rest):
            said = rest[first:last].strip()
            yield Part(start + first, start + last, said, *_kind(said, section, side))


def _heading(line: str, side: Side) -> tuple[str, str]:
    """A known heading at the start of a line, up to its colon, and the rest; no heading is empty."""
    if section_of(line, side):
        return line, ""
    head, colon, rest = _partition(line)
    if colon and rest.strip() and section_of(head, side):
        return head + colon, rest
    return "", line


def _partition(line: str) -> tuple[str, str, str]:
    found = regex.search(r"[:：]", line)
    return (line, "", "") if found is None else (line[: found.start()], found[0], line[found.end() :])


def _is_unknown_heading(line: str) -> bool:
    """A short line that ends with a colon, or stands in brackets or behind mark-up as headings do."""
    said = line.strip()
    if len(said) > _LONGEST_HEADING:
        return False
    marked = regex.fullmatch(r"#{1,6}\s+\S.*|【[^】]+】|\*\*[^*]+\*\*:?|={2,}.*={2,}", said)
    return bool(marked) or (said.endswith((":", "：")) and not regex.match(r"[•●\-*]|\d", said))


def _could_be_heading(line: str, after: str) -> bool:
    """A few words without a full stop before a longer line, which may end what is set aside."""
    said = line.strip()
    few = len(said) <= _LONGEST_HEADING and len(said.split()) <= 6 and len(after) > 2 * len(said)
    return few and regex.search(r"[\p{P}\d]$|^[\p{P}\d]|[:：@]", said) is None


def _points(line: str) -> Iterator[tuple[int, int]]:
    """Where a line's points start and end; together they are the line."""
    start = 0
    for found in _POINT.finditer(line):
        cut = found.end()
        if min(_weight(line[start:cut]), _weight(line[cut:])) >= _SHORTEST_POINT:
            yield start, cut
            start = cut
    if line[start:]:
        yield start, len(line)


def _weight(text: str) -> int:
    """Letters and digits; a Chinese character says as much as two of them."""
    return sum(2 if character >= "\u2e80" else 1 for character in text if character.isalnum())


def _kind(said: str, section: _Section, side: Side) -> tuple[PartKind, str, bool]:
    must = bool(_MUST.search(said))
    if _ADDRESS.fullmatch(said) or section.kind == "boilerplate":
        return "boilerplate", section.heading, False
    if side == "resume":
        return "phrase", section.heading, False
    if section.kind == "nice_to_have" or (_NICE.search(said) and not must):
        return "nice_to_have", section.heading, False
    if section.kind == "responsibility":
        return "responsibility", section.heading, False
    return "requirement", section.heading, must


def _words_of(line: str) -> str:
    """The words of what could be a heading, in single spaces; empty if it is too long for one."""
    said = line.strip()
    if not said or len(said) > _LONGEST_HEADING:
        return ""
    said = _AROUND.sub("", _NUMBERED.sub("", _AROUND.sub("", said)))
    return str(_BETWEEN.sub(" ", said)).strip().lower()
