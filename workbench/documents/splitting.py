"""From a whole JD or résumé to its parts, by headings, bullets, numbers and sentences, Chinese or English.

Conservative: what cannot be told stays in as something that is scored. Only what stands under a heading that
names boilerplate, or is nothing but an address, is set aside. What a JD tells without asking for anything,
such as why the post is open, is a description: scored, but no requirement.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from itertools import accumulate, pairwise, zip_longest
from typing import Literal

import regex

from workbench.documents.wording import PartKind, about_what, asks, is_not_asked, says_must, would_be_nice
from workbench.results import Result

Side = Literal["jd", "resume"]
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
_MARKED = regex.compile(r"#{1,6}\s+\S.*|【[^】]+】|\*\*[^*]+\*\*:?|={2,}.*={2,}")
_LISTED = regex.compile(r"[•●\-*]|\d")
_COLON = regex.compile(r"[:：]")
_NO_HEADING = regex.compile(r"[\p{P}\d]$|^[\p{P}\d]|[:：@]")

_BULLET = regex.compile(
    r"\s*(?:[•●■◆▪·*✓★→+–—-]\s*(?=\S)|[（(]?(?:\d{1,2}|[a-z])[)）、.．]\s*(?=\D)|[①-⑳])", regex.IGNORECASE
)
_LABELLED = regex.compile(r"\W*[\p{L}/ ]{2,20}[:：]\s*\S")
_ENDS = regex.compile(r"[.!?;。！？；]\W*$")
_CAPITALS = regex.compile(r"(?=(?:\P{L}*\p{Lu}){4})[^\p{Ll}\p{Han}]{4,40}[.:](?=\s)")
# So few lines without a heading are all that is asked for.
_FEW_LINES = 3
# Nothing but a way to reach somebody.
_ADDRESS = regex.compile(
    r"[\W_]*(?:(?:e-?mail|mail|tel|phone|mobile|电话|手机|邮箱|微信|wechat|linkedin|github|web|website|网址|地址|address)?"
    r"[\s:：]*(?:[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?[\d\s()/.-]{7,20}|(?:https?://|www\.)\S+)[\s|,;/·]*)+",
    regex.IGNORECASE,
)
# What an address has in it, which is looked for in less time.
_REACHED = regex.compile(r"@|[\d\s()/.-]{7}|://|[wW]{3}\.")

# Where a line goes on with another point: after a full stop, or before a number in a run-on list.
_ABBREVIATION = (
    r"\b(?i:e\.g|i\.e|etc|vs|incl|approx|resp|no|inc|ltd|co|dr|mr|ms|mrs|st|dept|univ|b\.sc|m\.sc|ph\.d"
    r"|yrs?)\."
)
_POINT = regex.compile(
    rf"""[。！？!?；;]\s*(?=\S)
      | [。；;，,.]\s{{0,3}}(?=(?:[（(]?\d{{1,2}}[)）、.．]|[①-⑳]|[•●■◆])\s*\D)
      | \.["”’)]?(?<!{_ABBREVIATION})(?<!\b\p{{Lu}}\.)\s+(?=[\p{{Lu}}"“(•])""",
    regex.VERBOSE,
)
# Texts whose parts are at hand: a scorer and its evidence both need them. About 30 kB each.
MOST_KEPT = 2**11
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
    kind : str
        Of a JD ``requirement``, what it asks for; ``nice_to_have``; ``responsibility``, what is to be done;
        and ``description``, what it tells besides. Of a résumé ``phrase``. Of both ``heading`` and
        ``boilerplate`` (about the company, benefits, addresses), which are kept, but never scored.
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
    def said(self) -> str:
        """The text without the bullet or number before it."""
        return str(_BULLET.sub("", self.text, count=1)) if _BULLET.match(self.text) else self.text

    @property
    def is_scored(self) -> bool:
        """Whether it says something about the job or the person."""
        return self.kind not in ("heading", "boilerplate")

    @property
    def is_asked(self) -> bool:
        """Whether a JD asks for it, or would be glad of it."""
        return self.kind in ("requirement", "nice_to_have")


@dataclass(frozen=True)
class _Section:
    heading: str = ""
    kind: PartKind | None = None
    is_list: bool = False
    is_fact: bool = False


@lru_cache(MOST_KEPT)
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
    if side == "jd":
        found = _asked(found)
    if not found:
        return (Part(0, len(text), text.strip(), "boilerplate"),) if text else ()
    # Blank lines belong to the part before them, those at the start to the first.
    starts = [0, *(part.start for part in found[1:]), len(text)]
    return tuple(
        part if (part.start, part.end) == place else replace(part, start=place[0], end=place[1])
        for part, place in zip(found, pairwise(starts), strict=True)
    )


def side_of(text: str) -> Side | None:
    """Whether a text has more headings of JDs or of résumés; None where neither."""
    lines = text.splitlines()
    jd, resume = (sum(section_of(line, side) is not None for line in lines) for side in ("jd", "resume"))
    return None if jd == resume else "jd" if jd > resume else "resume"


def section_of(line: str, side: Side | Literal["title"]) -> PartKind | None:
    """What stands under a line, if it is a known heading; or whether it is a title that names nothing.

    Examples
    --------
    >>> section_of("二、任职要求：", "jd"), section_of("## Work Experience", "resume")
    ('requirement', 'phrase')
    >>> section_of("Responsible for a ward", "jd") is None
    True
    """
    words = _words_of(line)
    if not words:
        return None
    known = _HEADINGS[side].get(words)
    if known is None and side == "jd" and _ABOUT.match(words):
        return "boilerplate"
    if known is None:
        # A bilingual heading says it twice.
        chinese, latin = _LATIN.sub("", words).strip(), " ".join(_LATIN.findall(words)).strip()
        if latin in _HEADINGS[side]:
            return _HEADINGS[side].get(chinese)
        # So does "Requirements and skills".
        both = [_HEADINGS[side].get(each) for each in words.split(" and ")]
        return both[0] if None not in both else None
    return known


def _parts(text: str, side: Side) -> Iterator[Part]:
    section = _Section()
    for line in _lines(text):
        heading, rest = _heading(line.text, side)
        if heading:
            kind = section_of(heading, side) or (about_what(heading) if side == "jd" else None)
            section = _Section(heading.strip(), kind, is_fact=side == "jd" and bool(rest.strip()))
            yield Part(line.start, line.start + len(heading), section.heading, "heading", section.heading)
        elif _is_unknown_heading(line.text) or (
            _could_be_heading(line.text, line.after)
            and (section.kind == "boilerplate" or (side == "jd" and (line.is_new or line.follows_list)))
        ):
            # What stands under it is scored, even if it is not known what it is.
            section = _Section(line.text.strip(), about_what(line.text) if side == "jd" else None)
            yield Part(line.start, line.start + len(line.text), section.heading, "heading", section.heading)
            continue
        elif (
            section.is_list
            and side == "jd"
            and not line.is_bulleted
            and (line.is_new or (line.follows_list and _LABELLED.match(line.text)))
        ):
            # A list that asks for something ends where a paragraph follows, or a fact: "Place: Bern".
            named = _LABELLED.match(line.text)
            section = _Section(section.heading, about_what(named[0]) if named else None)
        elif section.is_fact and _LABELLED.match(line.text):
            # "Company: …" says nothing about "Location: …" below it.
            section = _Section()
        start = line.start + len(heading)
        if line.is_bulleted and not section.is_list:
            section = replace(section, is_list=True)
        for first, last in _points(rest):
            said = rest[first:last].strip()
            if side == "jd" and last == len(rest) and not line.is_bulleted and _leads_in(said, line.after):
                section = _Section(said, section_of(said, side) or about_what(said))
                yield Part(start + first, start + last, said, "heading", said)
            else:
                yield Part(start + first, start + last, said, *_kind(said, section, side))


@dataclass(frozen=True)
class _Line:
    """A line, the one that follows it, and whether it begins something rather than going on."""

    start: int
    text: str
    after: str
    is_bulleted: bool
    is_new: bool
    follows_list: bool


def _lines(text: str) -> Iterator[_Line]:
    """Those that are not blank; the first begins nothing, for it names the job or the person."""
    lines = text.splitlines(keepends=True)
    starts = accumulate(map(len, lines), initial=0)
    said = [(start, line) for start, line in zip(starts, lines, strict=False) if line.strip()]
    end, before, follows_list = 0, "", False
    for (start, line), (_start, after) in zip_longest(said, said[1:], fillvalue=(0, "")):
        is_new = bool(before) and (start > end or _ENDS.search(before) is not None)
        is_bulleted = _BULLET.match(line) is not None
        yield _Line(start, line, after.strip(), is_bulleted, is_new, follows_list)
        end, before, follows_list = start + len(line), line, is_bulleted


def _leads_in(said: str, after: str) -> bool:
    """Whether it only begins the list that follows: "We are looking for someone who has"."""
    return len(said) <= _LONGEST_HEADING and bool(
        _BULLET.match(after) and not _BULLET.match(said) and regex.search(r"[\p{L}:：]$", said)
    )


def _asked(parts: list[Part]) -> list[Part]:
    """The parts of a JD; where no heading says what is asked for, its lines do."""
    if any(part.kind == "requirement" for part in parts):
        return parts
    told = [part for part in parts if part.kind in ("description", "responsibility")]
    asking = [part for part in told if asks(part.text)]
    if not asking and len(told) <= _FEW_LINES and not any(part.kind == "heading" for part in parts):
        asking = told
    kept = {part.start for part in asking}
    return [
        replace(part, kind="requirement", must=says_must(part.text)) if part.start in kept else part
        for part in parts
    ]


def _heading(line: str, side: Side) -> tuple[str, str]:
    """A known heading at the start of a line, up to its colon, and the rest; no heading is empty."""
    if section_of(line, side):
        return line, ""
    if side == "jd" and (capitals := _CAPITALS.match(line)):
        return capitals[0], line[capitals.end() :]
    head, colon, rest = _partition(line)
    if colon and rest.strip() and section_of(head, side):
        return head + colon, rest
    return "", line


def _partition(line: str) -> tuple[str, str, str]:
    found = _COLON.search(line)
    return (line, "", "") if found is None else (line[: found.start()], found[0], line[found.end() :])


def _is_unknown_heading(line: str) -> bool:
    """A short line that ends with a colon, or stands in brackets or behind mark-up as headings do."""
    said = line.strip()
    if len(said) > _LONGEST_HEADING:
        return False
    marked = _MARKED.fullmatch(said)
    return bool(marked) or (said.endswith((":", "：")) and not _LISTED.match(said))


def _could_be_heading(line: str, after: str) -> bool:
    """A few words without a full stop before a longer line."""
    said = line.strip()
    few = len(said) <= _LONGEST_HEADING and len(said.split()) <= 6 and len(after) > 2 * len(said)
    return few and _NO_HEADING.search(said) is None


def _points(line: str) -> Iterator[tuple[int, int]]:
    """Where a line's points start and end; together they are the line."""
    start = 0
    for found in _POINT.finditer(line):
        cut = found.end()
        if _is_point(line[start:cut]) and _is_point(line[cut:]):
            yield start, cut
            start = cut
    if line[start:]:
        yield start, len(line)


def _is_point(text: str) -> bool:
    """Whether it has letters and digits enough; a Chinese character says as much as two of them."""
    weight = 0
    for character in text:
        if character.isalnum():
            weight += 2 if character >= "\u2e80" else 1
            if weight >= _SHORTEST_POINT:
                return True
    return False


def _kind(said: str, section: _Section, side: Side) -> tuple[PartKind, str, bool]:
    if section.kind == "boilerplate" or (_REACHED.search(said) and _ADDRESS.fullmatch(said)):
        return "boilerplate", section.heading, False
    if side == "resume":
        return "phrase", section.heading, False
    must = says_must(said)
    if is_not_asked(said):
        return "description", section.heading, False
    is_asked = section.kind == "requirement" or (section.kind is None and section.is_list and asks(said))
    if section.kind == "nice_to_have" or (not must and would_be_nice(said, is_asked)):
        return "nice_to_have", section.heading, False
    if is_asked:
        return "requirement", section.heading, must
    return section.kind or "description", section.heading, False


def _words_of(line: str) -> str:
    """The words of what could be a heading, in single spaces; empty if it is too long for one."""
    said = line.strip()
    if not said or len(said) > _LONGEST_HEADING:
        return ""
    said = _AROUND.sub("", _NUMBERED.sub("", _AROUND.sub("", said)))
    return str(_BETWEEN.sub(" ", said)).strip().lower()
