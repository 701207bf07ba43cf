"""Cutting a text into phrases, with their places in it, so that each can be left out and highlighted.

Chinese is cut by jieba's words and parts of speech, other writing by chunks between function words.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import regex

from workbench.exploration.terms import segmenter

# Words that carry meaning in one phrase, at most: longer ones would hide which part counts.
MOST_WORDS = 3

# A run of Chinese; or a word of any other writing, as in "C++", "Node.js", "ISO-9001", "10k"; or a number.
_TOKEN = regex.compile(
    r"(?P<han>\p{Han}+)|(?P<word>[\p{L}\p{N}][\p{L}\p{M}\p{N}--\p{Han}]*"
    r"(?:[.\-/'’_&,][\p{L}\p{N}--\p{Han}][\p{L}\p{M}\p{N}--\p{Han}]*)*[+#%]{0,2})",
    regex.V1,
)
# Jieba's tags: particles and directions close a phrase, prepositions, conjunctions and the like open one.
_CLOSING = ("u", "f", "y", "z")
_OPENING = ("p", "c", "d", "r")
_VERBS = ("v", "vd", "vi", "vq")
# In scikit-learn's list of function words, but not in a résumé.
_SAY_SOMETHING = """
amount bill bottom call computer describe detail fill fire front full interest move name part show side system
top
"""

_SEPARATORS = r"[，、；：。！？,;:.!?]"
_DOUBLED = regex.compile(rf"{_SEPARATORS}(?=\s*{_SEPARATORS})\s*")
_LEADING = regex.compile(rf"^\s*(?:{_SEPARATORS}\s*)+")
_EMPTY_BRACKETS = regex.compile(r"[（(\[【「『《“\"]\s*[）)\]】」』》”\"]")

Kind = Literal["content", "verb", "opening", "closing"]


@dataclass(frozen=True)
class Phrase:
    """A piece of a text: ``text == whole[start:end]``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    kind: Kind


def phrases_of(text: str, *, most_words: int = MOST_WORDS) -> list[Phrase]:
    """Cut a text into phrases, in order and without overlap; only punctuation lies between them.

    Words that stand together as a name do (``智能客服 Agent``), verbs stand with their particles
    (``实现了``), and function words with what they belong to (``of the team``, ``和多轮对话``).

    Parameters
    ----------
    text : str
    most_words : int
        Words that carry meaning in one phrase, at most.

    Raises
    ------
    MissingDependencyError
        If `text` has Chinese and jieba is not installed.

    Examples
    --------
    >>> [phrase.text for phrase in phrases_of("实现了工具调用和多轮对话")]
    ['实现了', '工具调用', '和多轮对话']
    >>> [phrase.text for phrase in phrases_of("Led a team of six, on the RAG pipeline.")]
    ['Led', 'a team of six', 'on the RAG pipeline']
    """
    groups = _joined(text, list(_grouped(text, most_words)))
    spans = [(tokens[0].start, tokens[-1].end) for tokens in groups]
    return [Phrase(start, end, text[start:end]) for start, end in spans]


def without(text: str, left_out: list[Phrase]) -> str:
    """The text without some of its phrases, and without the punctuation that is then left over.

    Examples
    --------
    >>> text = "熟悉 RAG，会 Python，做过客服机器人。"
    >>> without(text, [phrase for phrase in phrases_of(text) if "Python" in phrase.text])
    '熟悉 RAG，做过客服机器人。'
    """
    kept, end = [], 0
    for phrase in sorted(left_out, key=lambda phrase: phrase.start):
        kept.append(text[end : phrase.start])
        end = phrase.end
    # A gap between words of one line, so that "the X engine" does not become "theengine".
    joined = "".join([*kept, text[end:]])
    tidied = _EMPTY_BRACKETS.sub("", joined)
    return str(_LEADING.sub("", _DOUBLED.sub("", tidied))).strip()


def _grouped(text: str, most_words: int) -> Iterator[list[_Token]]:
    """Tokens of one phrase at a time."""
    group: list[_Token] = []
    words = 0
    for token in _tokens(text):
        if group and _begins(text, group, token, words, most_words):
            yield group
            group, words = [], 0
        group.append(token)
        words += token.kind in ("content", "verb")
    if group:
        yield group


def _joined(text: str, groups: list[list[_Token]]) -> list[list[_Token]]:
    """Join what says nothing by itself, such as 做, 高 or "of", with what follows it, or else precedes it."""
    joined: list[list[_Token]] = []
    open_end = False
    for group in groups:
        follows = bool(joined) and not text[joined[-1][-1].end : group[0].start].strip()
        alone = _is_slight(text, group)
        if follows and (open_end or (alone and not _next_follows(text, groups, group))):
            joined[-1] = joined[-1] + group
        else:
            joined.append(group)
        open_end = alone and _is_slight(text, joined[-1])
    return joined


def _next_follows(text: str, groups: list[list[_Token]], group: list[_Token]) -> bool:
    place = next(place for place, one in enumerate(groups) if one is group)
    return place + 1 < len(groups) and not text[group[-1].end : groups[place + 1][0].start].strip()


def _is_slight(text: str, group: list[_Token]) -> bool:
    """Whether a phrase is a single Chinese character, or function words only."""
    words = [text[token.start : token.end] for token in group if token.kind in ("content", "verb")]
    return not words or (len(words) == 1 and len(words[0]) == 1 and bool(regex.match(r"\p{Han}", words[0])))


def _begins(text: str, group: list[_Token], token: _Token, words: int, most_words: int) -> bool:
    """Whether a token begins a phrase after those of `group`."""
    last = group[-1]
    if text[last.end : token.start].strip():
        return True  # punctuation
    if token.kind == "closing":
        return False
    if token.kind == "opening":
        return words > 0
    if words == 0:
        return False
    # "实现了|工具调用": what a verb acts on is a phrase of its own, as is what follows a particle.
    return words >= most_words or last.kind == "closing" or last.kind != token.kind


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        if match["han"]:
            start = match.start()
            for word, tag in _tagged(match["han"]):
                yield _Token(start, start + len(word), _kind(tag))
                start += len(word)
        else:
            is_function = match["word"].casefold() in _function_words()
            yield _Token(match.start(), match.end(), "opening" if is_function else "content")


def _kind(tag: str) -> Kind:
    if tag.startswith(_CLOSING):
        return "closing"
    if tag in _OPENING:
        return "opening"
    return "verb" if tag in _VERBS else "content"


@cache
def _function_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS.difference(_SAY_SOMETHING.split()))


def _tagged(han: str) -> list[tuple[str, str]]:
    return [(pair.word, pair.flag) for pair in _tagger().lcut(han)]


@cache
def _tagger() -> Any:
    tokenizer = segmenter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba.posseg
    return jieba.posseg.POSTokenizer(tokenizer)
