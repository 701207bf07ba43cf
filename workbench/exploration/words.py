"""Cutting texts into words, Chinese and English in one text, for terms that name a group of texts."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import regex

from workbench.errors import MissingDependencyError
from workbench.settings import get_settings

__all__ = ["segmenter", "terms_of", "words_of"]

# A run of letters as in "C++", "Node.js", "ISO-9001"; or a run of Chinese characters, for jieba to cut.
_RUN = regex.compile(
    r"(?P<latin>\p{Latin}[\p{Latin}\p{N}]*(?:[.\-/'’][\p{Latin}\p{N}]+)*[+#]{0,2})|(?P<han>\p{Han}+)"
)

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


def words_of(text: str) -> list[str]:
    """The words of a text, in order and as written; Chinese as jieba cuts it.

    Stop words, numbers, punctuation and single Chinese characters are left out.

    Examples
    --------
    >>> words_of("熟悉 C++ 和数据结构, worked with Node.js")
    ['C++', '数据结构', 'Node.js']

    Raises
    ------
    MissingDependencyError
        If `text` has Chinese and jieba is not installed.
    """
    return [word for run in _runs(text) for word in run]


def terms_of(text: str) -> list[str]:
    """The words of a text, and the pairs of words that stand side by side in it.

    Examples
    --------
    >>> terms_of("machine learning")
    ['machine', 'learning', 'machine learning']
    """
    terms = []
    for run in _runs(text):
        terms += run
        terms += [_joined(a, b) for a, b in pairwise(run)]
    return terms


def _joined(first: str, second: str) -> str:
    chinese = regex.match(r"\p{Han}", second) and regex.search(r"\p{Han}$", first)
    return first + second if chinese else f"{first} {second}"


def _runs(text: str) -> Iterator[list[str]]:
    """Words in runs that no stop word, number or punctuation breaks."""
    run: list[str] = []
    end = 0
    for match in _RUN.finditer(text):
        if text[end : match.start()].strip():
            yield run
            run = []
        end = match.end()
        if match["han"]:
            words = _cut(match["han"])
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
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset({*ENGLISH_STOP_WORDS, *_ENGLISH.split(), *_CHINESE.split()})


def _cut(text: str) -> list[str]:
    return list(segmenter().lcut(text))


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
            "Cutting Chinese into words needs jieba, which is not installed: run 'pip install .[map]' in the "
            "project folder."
        ) from error
    jieba.setLogLevel(logging.WARNING)
    segmenter = jieba.Tokenizer()
    # jieba loads a marshal file of its own from the system's temporary folder, where anybody may write.
    folder = get_settings().cache_dir
    folder.mkdir(parents=True, exist_ok=True)
    segmenter.tmp_dir = str(folder)
    for word in _TRADE.split():
        segmenter.add_word(word, tag="n")
    return segmenter
