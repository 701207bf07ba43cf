"""What a résumé tells of years, degrees and languages, by its words in Chinese or English.

Words are matched, not understood: whoever shows what is found here shows the part that it was found in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import regex

from workbench.documents.document import Document
from workbench.documents.splitting import Part

_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_NUMBERS = {word: n for n, word in enumerate(_WORDS.split(), start=1)} | {"twenty": 20, "thirty": 30}
_DIGITS = {character: number for number, character in enumerate("零一二三四五六七八九")} | {"两": 2}
# "5 years", "over ten yrs", 8年, 十二年; but no age, nothing that was so long ago, and no year of a calendar.
_STATED = regex.compile(
    rf"(?:(?<![\d.,])(?P<n>\d{{1,2}})(?:[.,]\d)?\s*\+?|\b(?P<n>{'|'.join(_NUMBERS)}))\s*(?:years?\b|yrs?\b\.?)"
    r"(?!['’]?\s*(?:ago|old|later|of age))"
    r"|(?<![\d.第年月一二三四五六七八九十])(?P<n>\d{1,2}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
    r"(?:\.\d)?\s*[多余]?\s*年(?![级月前后度代\d])",
    regex.IGNORECASE,
)
_YEAR = r"(?<!\d)(?P<{name}>(?:19|20)\d\d)(?:\s*[./年-]\s*(?P<{name}_month>1[0-2]|0?[1-9])(?!\d))?[月年]*"
_SPAN = regex.compile(
    _YEAR.format(name="start")
    + r"\s*(?:[–—~～-]+|至|到|to|until)\s*(?:(?:\d{1,2}/|\p{L}{3,9}\.?\s+)?"
    + _YEAR.format(name="end")
    + r"|(?P<now>至今|现在|今|present|now|today|date|current))",
    regex.IGNORECASE,
)
_STUDIES = regex.compile(
    r"教育|学历|培训|大学|学院|学校|\b(?:education|studies|university|universit\p{L}+|college|school|faculty|institute)\b",
    regex.IGNORECASE,
)
# From the lowest up, each with its words.
DEGREES = {
    "associate": regex.compile(r"大专|专科|\bassociate'?s? degree|\bdiploma in|\bHND\b", regex.IGNORECASE),
    "bachelor": regex.compile(
        r"本科|学士|专升本|\b(?:bachelor|undergraduate degree|licenciatura|laurea|LL\.?B|degree in|"
        r"accounting degree)\b|\bB\.?\s?(?:Sc|A|Eng|Com|Tech)\b",
        regex.IGNORECASE,
    ),
    "master": regex.compile(
        r"硕士|研究生|\bmaster(?:['’]?s\b|\s+(?:(?:of|in)\s+(?-i:\p{Lu})|degree\b))|\bmestrado\b|\bM\.?\s?(?:Sc|Eng)\b|\bMBA\b|\bLL\.?M\b"
        r"|\bM\.?A\.?(?=\s+\p{Lu})|\bDipl(?:om)?[.-]",
        regex.IGNORECASE,
    ),
    "doctor": regex.compile(r"博士|\bPh\.?D\b|\bdoctora(?:te|l)\b|\bDr\.\s", regex.IGNORECASE),
}
_LANGUAGES = [
    *(
        ("english", "英语", "英文"),
        ("german", "德语", "德文"),
        ("french", "法语", "法文"),
        ("japanese", "日语", "日文"),
    ),
    *(
        ("chinese", "mandarin", "中文", "普通话", "汉语"),
        ("cantonese", "粤语"),
        ("korean", "韩语"),
        ("dutch", "荷兰语"),
    ),
    *(
        ("spanish", "西班牙语"),
        ("portuguese", "葡萄牙语"),
        ("italian", "意大利语"),
        ("russian", "俄语"),
        ("arabic", "阿拉伯语"),
    ),
]


def years_told(document: Document) -> tuple[int, str] | None:
    """The most years that a résumé tells, and where: what it states, or what its dates of work add up to.

    Years that it states may be of one thing that was done; those of studies do not count.
    """
    told = [
        (_number(found["n"]), part.text) for part in document.parts for found in _STATED.finditer(part.text)
    ]
    dated = [(list(_spans(part.text)), part.text) for part in document.parts if not _is_of_studies(part)]
    dated = [(spans, text) for spans, text in dated if spans]
    if dated:
        months = {month for spans, _text in dated for span in spans for month in range(*span)}
        told.append((len(months) // 12, " + ".join(text for _spans, text in dated)))
    return max(told, key=lambda each: each[0], default=None)


def degree_of(text: str) -> int | None:
    """How high the highest degree is that a text names, from 0; None if it names none.

    Examples
    --------
    >>> degree_of("bachelor"), degree_of("Master of Science"), degree_of("Scrum master")
    (1, 2, None)
    """
    if text.strip().lower() in DEGREES:
        return list(DEGREES).index(text.strip().lower())
    return max((level for level, words in enumerate(DEGREES.values()) if words.search(text)), default=None)


def degree_told(document: Document) -> tuple[int, str] | None:
    """The highest degree that a résumé names, and where."""
    named = [(degree_of(part.text), part.text) for part in document.parts]
    return max(
        ((level, text) for level, text in named if level is not None), key=lambda each: each[0], default=None
    )


def names_of_language(name: str) -> tuple[str, ...]:
    """What a language is called in English and Chinese; just the name, where it is not known.

    Examples
    --------
    >>> names_of_language("English")[0]
    'english'
    """
    return next((names for names in _LANGUAGES if name.casefold() in names), (name,))


def _is_of_studies(part: Part) -> bool:
    """By its own words, since a heading may be passed over by the reader of a file."""
    return _STUDIES.search(part.text) is not None or degree_of(part.text) is not None


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Months since year 0 from the start of a time up to its end."""
    today = date.today()
    now = today.year * 12 + today.month - 1
    for found in _SPAN.finditer(text):
        start = int(found["start"]) * 12 + int(found["start_month"] or 1) - 1
        end = now if found["now"] else int(found["end"]) * 12 + int(found["end_month"] or 1) - 1
        if start < end:
            yield start, end


def _number(said: str) -> int:
    said = said.lower()
    if said.isascii():
        return int(said) if said.isdecimal() else _NUMBERS[said]
    tens, ten, ones = said.rpartition("十")
    return (10 * _DIGITS.get(tens, 1) if ten else 0) + _DIGITS.get(ones, 0)
