"""Phrases: they are pieces of the text in order, and what is left out leaves a tidy text."""

from __future__ import annotations

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench import EXAMPLE_JDS
from workbench.errors import MissingDependencyError
from workbench.exploration import phrases_of
from workbench.exploration.phrases import without

ALPHABET = "熟悉搭建过向量检索的和在大模型𠮷 RAGjavaC++0129éß，。、；：（）“”.,-/'!? \n\t\u200b한국かな"
texts = st.text(st.sampled_from(ALPHABET), max_size=40) | st.text(max_size=30)


def shown(text):
    return [phrase.text for phrase in phrases_of(text)]


@settings(max_examples=60)
@given(texts)
@example("持护士执业证，三年以上三甲医院病房护理经验。")
def test_phrases_are_pieces_of_the_text_in_order_with_no_letter_or_digit_between(text):
    end = 0
    for phrase in phrases_of(text):
        assert phrase.start >= end
        assert text[phrase.start : phrase.end] == phrase.text != ""
        assert not regex.search(r"[\p{L}\p{Nd}]", text[end : phrase.start])
        end = phrase.end
    assert not regex.search(r"[\p{L}\p{Nd}]", text[end:])


@settings(max_examples=40)
@given(texts)
def test_leaving_out_nothing_changes_no_word_and_leaving_out_all_leaves_none(text):
    words = regex.findall(r"[\p{L}\p{Nd}]", text)
    assert regex.findall(r"[\p{L}\p{Nd}]", without(text, [])) == words
    assert not regex.search(r"[\p{L}\p{Nd}]", without(text, phrases_of(text)))


@pytest.mark.parametrize("text", EXAMPLE_JDS)
def test_no_chinese_phrase_crosses_punctuation_or_is_a_single_character(text):
    phrases = phrases_of(text)
    assert len(phrases) > 5
    assert not [phrase for phrase in phrases if regex.search(r"[，。、：；]", phrase.text)]
    assert not [phrase for phrase in phrases if len(phrase.text) == 1]


def test_chinese_is_cut_into_names_and_verbs():
    assert shown("主导过智能客服 Agent 项目，实现了工具调用和多轮对话") == [
        "主导过",
        "智能客服 Agent",
        "项目",
        "实现了",
        "工具调用",
        "和多轮对话",
    ]


def test_english_is_cut_into_chunks_that_begin_with_their_function_words():
    assert shown("Moved the seat-lock endpoint off row locks, p99 down to 120 ms at 10k requests.") == [
        "Moved",
        "the seat-lock endpoint",
        "off row locks",
        "p99",
        "down to 120 ms",
        "at 10k requests",
    ]


def test_words_of_programmers_stay_whole():
    assert shown("C++, C#, Node.js, CI/CD, 3.5 years") == ["C++", "C#", "Node.js", "CI/CD", "3.5 years"]


def test_no_phrase_has_more_words_than_asked():
    assert shown(
        "distributed stream processing engine",
    ) == ["distributed stream processing", "engine"]
    assert [p.text for p in phrases_of("distributed stream processing", most_words=1)] == [
        "distributed",
        "stream",
        "processing",
    ]


@pytest.mark.parametrize("text", ["", "  \n", "，。！", "…"])
def test_a_text_without_words_has_no_phrases(text):
    assert phrases_of(text) == []


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("熟悉 RAG，会 Python，做过客服。", "会 Python", "熟悉 RAG，做过客服。"),
        ("熟悉 RAG，会 Python。", "熟悉 RAG", "会 Python。"),
        ("微服务拆分（Spring Cloud），支付", "Spring Cloud", "微服务拆分，支付"),
        ("Java, Scala, Go.", "Scala", "Java, Go."),
        ("Java, Scala, Go.", "Go", "Java, Scala."),
    ],
)
def test_punctuation_that_has_nothing_left_to_divide_goes_too(text, gone, left):
    phrases = [phrase for phrase in phrases_of(text) if phrase.text in gone]
    assert phrases
    assert without(text, phrases) == left


def test_english_is_cut_without_jieba_which_chinese_asks_for(monkeypatch):
    def missing():
        raise MissingDependencyError("jieba is not installed")

    monkeypatch.setattr("workbench.exploration.phrases._tagger", missing)
    assert shown("RAG, Java") == ["RAG", "Java"]
    with pytest.raises(MissingDependencyError, match="jieba"):
        phrases_of("向量检索")
