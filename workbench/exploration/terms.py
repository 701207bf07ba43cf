"""Distinguishing terms: which words tell one group of texts from the others, by class-based TF-IDF.

Texts are cut into words here, Chinese and English in one text; what the groups are, the caller knows:
clusters, job families, or a part of the map that was picked by hand.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache, reduce
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import regex

from workbench.atomic import private_folder
from workbench.errors import InputError, MissingDependencyError
from workbench.i18n import gettext as _
from workbench.settings import get_settings

# A term that stands in one text only says something about that text, not about the group.
FEWEST_TEXTS = 2
# From this share of a word's texts on, a pair that the word stands in is what is meant: "Spring Boot".
WHOLE = 0.75
# A name is read at a glance: so many phrases, of so many words and columns (two for a Chinese character).
PHRASES_IN_NAME = 2
WORDS_IN_PHRASE = 4
WIDEST_PHRASE = 26
_SELECTED = ("selected",)

# A run of letters as in "C++", "Node.js", "ISO-9001"; or a run of Chinese characters, for jieba to cut.
_RUN = regex.compile(
    r"(?P<latin>\p{Latin}[\p{Latin}\p{N}]*(?:[.\-/'’][\p{Latin}\p{N}]+)*[+#]{0,2})|(?P<han>\p{Han}+)"
)

# Says something only beside another word: "Phase III", "AI product".
_HARDLY_A_WORD = regex.compile(r"[ivx]+|[a-z]{1,2}")

# What stands in job adverts and résumés of every trade and names no skill, beside the everyday words
# (scikit-learn's list for English). Kept short: c-TF-IDF weighs down by itself what all groups share.
_CHINESE = """
的 了 和 及 与 或 等 在 对 是 有 能 会 也 都 把 被 从 到 以 为 由 于 并 且 而 但 可 就 还 又 很 较 最
更 不 没 做 过 用 年 我 我们 你 他 她 它 自己 公司 部门 团队 项目 工作 经验 以上 以下 以及 相关 优先
负责 参与 具备 具有 熟悉 掌握 精通 了解 熟练 使用 能够 可以 能力 良好 较强 独立 完成 进行 通过 其中
一个 一些 这个 那个 没有 做过 用过 会用 带过 写过 跟过 管过 主要 平时 后来 现在 目前 之前 期间 一直
每年 每月 每天 每周 去年 今年 今后 个人 至少 或者 如果 因为 所以 然后 已经 一年 两年 三年 四年 五年
六年 七年 八年 十年 多年 半年
"""
# Words of the trade that jieba's dictionary lacks, so that 后端 is not cut into 后 and 端.
_TRADE = """
后端 前端 服务端 客户端 移动端 高并发 微服务 大模型 大语言模型 多模态 智能体 提示词 思维链 重排序 向量库 调优
压测 线程池 大促 全家桶 骨架屏 小程序 埋点 数仓 风控 供应链 用例
"""
_ENGLISH = """
experience experienced years year work worked working team using used use strong ability able knowledge skills
skill responsible including plus required preferred proficient familiar good excellent role ran run did does
done one two three four five six seven eight ten also etc
"""


def distinguishing_terms(
    texts: Sequence[str],
    groups: Sequence[Hashable] | npt.NDArray[Any],
    *,
    n_terms: int = 5,
    noise: Hashable = -1,
) -> pd.DataFrame:
    """The terms that tell each group from the others, best first.

    A term is a word or two neighbouring words, whatever its case. Of terms that share a word, one is
    kept: the pair where it is (nearly) all that the word occurs in, else the one that weighs more. Terms
    in one text of a group only are passed over, unless the group has no others.

    Parameters
    ----------
    texts : sequence of str
    groups : sequence
        The group of each text.
    n_terms : int
        For each group.
    noise : hashable
        The group that gets no terms of its own, but counts as the rest of the texts.

    Returns
    -------
    DataFrame
        Columns ``group``, ``term``, ``weight`` (class-based TF-IDF), ``n_texts`` (of the group, with the
        term), ``share`` of the group's texts with the term and ``share_elsewhere``.

    Raises
    ------
    InputError
        If there is not one group for each text.

    Examples
    --------
    >>> texts = ["Java services", "Java on the JVM", "ward nurse", "night nurse"]
    >>> distinguishing_terms(texts, [0, 0, 1, 1], n_terms=1)[["group", "term", "share"]]
       group   term  share
    0      0   Java    1.0
    1      1  nurse    1.0
    """
    if len(texts) != len(groups):
        raise InputError(
            _("There are {texts:,} texts, but {groups:,} groups; give one for each text.").format(
                texts=len(texts), groups=len(groups)
            )
        )
    return _best([terms_of(text) for text in texts], list(groups), n_terms, noise)


def terms_of_selection(
    texts: Sequence[str],
    selected: npt.ArrayLike,
    groups: Sequence[Hashable] | npt.NDArray[Any] | None = None,
    *,
    n_terms: int = 10,
) -> pd.DataFrame:
    """The terms that tell some texts from all others, as :func:`distinguishing_terms`.

    Parameters
    ----------
    texts : sequence of str
    selected : array_like of bool, shape (n,), or of int
        Which texts: a mask, or row numbers.
    groups : sequence, optional
        Groups of all texts, such as clusters. The rest of each is then a class of its own, so that a
        term that one other group has in plenty is not taken for rare.
    """
    chosen = np.asarray(selected)
    mask = np.zeros(len(texts), dtype=bool)
    mask[chosen if chosen.dtype == bool else chosen.astype(np.intp)] = True
    if not mask.any():
        raise InputError(_("No text is selected; select at least one."))
    rest = ["the rest"] * len(texts) if groups is None else [("rest of", group) for group in groups]
    classes: list[Hashable] = [
        _SELECTED if chosen else other for chosen, other in zip(mask, rest, strict=True)
    ]
    table = _best([terms_of(text) for text in texts], classes, n_terms, "the rest", only=_SELECTED)
    return table.drop(columns="group")


def group_names(
    texts: Sequence[str], groups: Sequence[Hashable] | npt.NDArray[Any], *, noise: Hashable = -1
) -> dict[Hashable, str]:
    """A name for each group in words that its own texts use, such as "Phase III trials · Senior CRA".

    Of the phrases of up to four words in a group's texts, the two whose words together tell most of the
    group (class-based TF-IDF, less for words that few of the texts have) and that share none.

    Parameters
    ----------
    texts : sequence of str
    groups : sequence
        The group of each text.
    noise : hashable
        The group that gets no name.

    Returns
    -------
    dict
        Empty names for groups whose texts have no words.

    Examples
    --------
    >>> group_names(["senior ward nurse", "ward nurse, nights", "Java services", "Java services at a bank"],
    ...             ["a", "a", "b", "b"])
    {'a': 'ward nurse · nights', 'b': 'Java services · bank'}
    """
    runs = [list(runs_of(text)) for text in texts]
    members: dict[Hashable, list[list[str]]] = defaultdict(list)
    for of_text, group in zip(runs, groups, strict=True):
        members[group] += of_text
    counted = _Counted([_terms_in(of_text) for of_text in runs], list(groups))
    return {
        group: " · ".join(_naming_phrases(own, counted.weights(group), counted.texts_with[group]))
        for group, own in members.items()
        if group != noise
    }


def _naming_phrases(
    runs: Sequence[list[str]], weights: Mapping[str, float], texts_with: Mapping[str, int]
) -> list[str]:
    told = {term: weight * min(1.0, texts_with[term] / 3) for term, weight in weights.items()}
    found: dict[tuple[str, ...], float] = {}
    for run in runs:
        values = [told[word.casefold()] for word in run]
        for start in range(len(run)):
            for end in range(start + 1, min(start + WORDS_IN_PHRASE, len(run)) + 1):
                found[tuple(run[start:end])] = sum(values[start:end]) / (end - start) ** 0.5
    chosen: list[str] = []
    used: set[str] = set()
    for words in sorted(found, key=lambda words: (-found[words], words)):
        if len(chosen) == PHRASES_IN_NAME:
            break
        phrase, plain = reduce(_joined, words), {word.casefold() for word in words}
        if (
            len(plain) == len(words)
            and sum(1 + (letter >= "\u2e80") for letter in phrase) <= WIDEST_PHRASE
            and not all(map(_HARDLY_A_WORD.fullmatch, plain))
            and not any(_overlap(word, other) for word in plain for other in used)
        ):
            chosen.append(phrase)
            used |= plain
    return chosen


def terms_of(text: str) -> list[str]:
    """The words of a text, and the pairs of words that stand side by side in it.

    Examples
    --------
    >>> terms_of("machine learning")
    ['machine', 'learning', 'machine learning']

    Raises
    ------
    MissingDependencyError
        If `text` has Chinese and jieba is not installed.
    """
    return _terms_in(runs_of(text))


def _terms_in(runs: Iterable[list[str]]) -> list[str]:
    terms = []
    for run in runs:
        terms += run
        terms += [_joined(a, b) for a, b in pairwise(run)]
    return terms


def runs_of(text: str) -> Iterator[list[str]]:
    """The words of a text as written, in runs that no stop word, number or punctuation breaks.

    Chinese is cut as jieba does it; single Chinese characters are left out.

    Examples
    --------
    >>> list(runs_of("熟悉 C++ 和数据结构, worked with Node.js"))
    [['C++'], ['数据结构'], ['Node.js']]
    """
    run: list[str] = []
    end = 0
    for match in _RUN.finditer(text):
        if text[end : match.start()].strip():
            yield run
            run = []
        end = match.end()
        if match["han"]:
            words = segmenter().lcut(match["han"])
            kept = [word if len(word) > 1 and word not in _stop_words() else "" for word in words]
        else:
            word = match["latin"]
            kept = ["" if word.casefold() in _stop_words() or len(word) < 2 else word]
        for word in kept:
            if word:
                run.append(word)
            elif run:
                yield run
                run = []
    yield run


@cache
def segmenter() -> Any:
    """A jieba tokenizer of our own, quiet, with its cache where only the user may write."""
    try:
        with warnings.catch_warnings():
            # Its patterns have escapes that newer Pythons warn of.
            warnings.simplefilter("ignore")
            import jieba
    except ImportError as error:
        raise MissingDependencyError(
            _(
                "Cutting Chinese into words needs jieba, which is not installed: run 'pip install .[map]' in "
                "the project folder."
            )
        ) from error
    jieba.setLogLevel(logging.WARNING)
    segmenter = jieba.Tokenizer()
    # jieba loads a marshal file of its own from the system's temporary folder, where anybody may write.
    folder = get_settings().cache_dir
    private_folder(folder)
    segmenter.tmp_dir = str(folder)
    for word in _TRADE.split():
        segmenter.add_word(word, tag="n")
    return segmenter


def _best(
    terms: list[list[str]],
    classes: list[Hashable],
    n_terms: int,
    noise: Hashable,
    only: Hashable | None = None,
) -> pd.DataFrame:
    found = _Counted(terms, classes)
    rows = []
    for name in sorted(found.sizes, key=lambda name: (str(type(name)), name)):
        if name == noise or (only is not None and name != only):
            continue
        weights, texts_with = found.weights(name), found.texts_with[name]
        for term in _choose(weights, texts_with, n_terms):
            rest = len(terms) - found.sizes[name]
            elsewhere = found.texts_everywhere[term] - texts_with[term]
            rows.append(
                {
                    "group": name,
                    "term": found.written(term),
                    "weight": weights[term],
                    "n_texts": texts_with[term],
                    "share": texts_with[term] / found.sizes[name],
                    "share_elsewhere": elsewhere / rest if rest else 0.0,
                }
            )
    return pd.DataFrame(rows, columns=["group", "term", "weight", "n_texts", "share", "share_elsewhere"])


class _Counted:
    """Terms counted in each class and in all, in lower case."""

    def __init__(self, terms: list[list[str]], classes: list[Hashable]) -> None:
        self.sizes = Counter(classes)
        self.counts: dict[Hashable, Counter[str]] = {name: Counter() for name in self.sizes}
        self.texts_with: dict[Hashable, Counter[str]] = {name: Counter() for name in self.sizes}
        self._as_written: dict[str, Counter[str]] = defaultdict(Counter)
        for found, name in zip(terms, classes, strict=True):
            plain = [term.casefold() for term in found]
            self.counts[name].update(plain)
            self.texts_with[name].update(set(plain))
            for term, written in zip(plain, found, strict=True):
                self._as_written[term][written] += 1
        self.everywhere: Counter[str] = Counter()
        self.texts_everywhere: Counter[str] = Counter()
        for name in self.sizes:
            self.everywhere.update(self.counts[name])
            self.texts_everywhere.update(self.texts_with[name])

    def weights(self, name: Hashable) -> dict[str, float]:
        """``tf / sum(tf of the class) * log(1 + A / f)`` of the terms of a class.

        With ``f`` the count of the term in all classes and ``A`` the average number of terms in a class:
        Grootendorst (2022), BERTopic: Neural topic modeling with a class-based TF-IDF procedure,
        https://arxiv.org/abs/2203.05794, section 3.3; term frequencies divided by the class total as in the
        reference implementation.
        """
        own, average = self.counts[name], self.everywhere.total() / len(self.sizes)
        total = max(own.total(), 1)
        return {term: float(n / total * np.log1p(average / self.everywhere[term])) for term, n in own.items()}

    def written(self, term: str) -> str:
        """A term as it is written most often."""
        return min(self._as_written[term].items(), key=lambda item: (-item[1], item[0]))[0]


def _choose(weights: Mapping[str, float], texts_with: Mapping[str, int], n_terms: int) -> list[str]:
    common = {term for term in weights if texts_with[term] >= FEWEST_TEXTS} or set(weights)
    # Ties in the order of the alphabet, so that names do not depend on the order of texts.
    ranked = sorted(common, key=lambda term: (-weights[term], term))
    chosen: list[str] = []
    for term in ranked:
        if len(chosen) == n_terms:
            break
        longer = (
            pair
            for pair in ranked
            if pair != term and _overlap(term, pair) and len(pair) > len(term)
            if texts_with[pair] >= WHOLE * texts_with[term]
        )
        best = next(longer, term)
        if not any(_overlap(best, other) for other in chosen):
            chosen.append(best)
    return chosen


def _overlap(term: str, other: str) -> bool:
    """Whether two terms share a word; Chinese pairs are written without a space."""
    if set(term.split()) & set(other.split()):
        return True
    return not (term + other).isascii() and (term in other or other in term)


def _joined(first: str, second: str) -> str:
    chinese = regex.match(r"\p{Han}", second) and regex.search(r"\p{Han}$", first)
    return first + second if chinese else f"{first} {second}"


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset({*ENGLISH_STOP_WORDS, *_ENGLISH.split(), *_CHINESE.split()})
