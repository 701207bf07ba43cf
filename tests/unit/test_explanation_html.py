"""Highlighted texts: equal to the original, escaped, and readable without colour."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from character_encoder import CharacterEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.exploration import explain
from workbench.exploration.explanation import ExplainedText, Explanation, PhraseEffect
from workbench.html import render
from workbench.i18n import language

RULES = render("style.html")

NASTY = 'RAG <script>alert("1")</script>, "Java" & C++'


def texts_in(html):
    # Left to itself it makes one space of several that stand alone, which the page does not.
    page = BeautifulSoup(html, "html.parser", preserve_whitespace_tags={"p", "mark"})
    for effect in page.select(".wb-effect"):
        effect.decompose()
    return [side.get_text() for side in page.select(".wb-text")]


@pytest.mark.parametrize("speak", ["zh", "en"])
@pytest.mark.parametrize("resume", [NASTY, "搭建过 RAG，\n  会 Python 和 <b>Go</b>", "a &amp; b, c"])
def test_the_highlighted_texts_equal_the_originals_and_nothing_in_them_is_markup(resume, speak):
    with language(speak):
        html = explain("RAG, Java, C++", resume, CharacterEncoder()).to_html()
    assert texts_in(html) == ["RAG, Java, C++", resume]
    page = BeautifulSoup(html, "html.parser")
    assert {tag.name for tag in page.select(".wb-text *")} <= {"mark", "span"}
    assert page.find("script") is None


def test_the_name_of_an_encoder_is_no_markup():
    html = explain("RAG, Java", "Java, C++", CharacterEncoder(NASTY)).to_html()
    assert BeautifulSoup(html, "html.parser").find("script") is None
    assert NASTY in BeautifulSoup(html, "html.parser").get_text()


@settings(max_examples=30)
@given(st.text("ab<>&\"'，\n 熟悉", min_size=1, max_size=20))
def test_whatever_the_text_is_the_page_shows_it(text):
    half = len(text) // 2 or 1
    side = ExplainedText(text, (PhraseEffect(0, half, text[:half], 0.1),))
    found = Explanation(side, side, 0.5, text, "0")
    assert texts_in(found.to_html(styled=False)) == [text, text]


def test_signs_and_lines_tell_what_colours_tell():
    phrases = (PhraseEffect(0, 1, "a", 0.1), PhraseEffect(2, 3, "b", -0.1), PhraseEffect(4, 5, "c", 0.001))
    side = ExplainedText("a b c", phrases)
    page = BeautifulSoup(Explanation(side, side, 0.5, "use", "0").to_html(), "html.parser")
    marks = page.select(".wb-side-jd mark")
    assert [mark.get_text() for mark in marks] == ["a+0.100", "b\u22120.100"]
    assert [mark["class"] for mark in marks] == [["wb-up", "wb-4"], ["wb-down", "wb-4"]]
    assert "wb-up { border-bottom: 2px solid" in RULES
    assert "wb-down { border-bottom: 2px dashed" in RULES


def test_weak_effects_are_weak_even_where_they_are_the_strongest():
    side = ExplainedText("a b", (PhraseEffect(0, 1, "a", 0.011), PhraseEffect(2, 3, "b", 0.0)))
    html = Explanation(side, side, 0.5, "use", "0").to_html()
    assert 'wb-up wb-1"' in html
    assert 'wb-up wb-4"' not in html.split("</style>")[1]


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_keeps_a_contrast_of_seven_to_one_on_every_highlight(theme):
    backgrounds = re.findall(
        r"mark\.wb-(?:up|down)\.wb-\d \{ background: light-dark\((#\w{6}), (#\w{6})\)", RULES
    )
    assert len(backgrounds) == 8
    ink = luminance(re.search(r"--wb-ink: light-dark\((#\w{6}), (#\w{6})\)", RULES).group(theme + 1))
    for colours in backgrounds:
        darker, lighter = sorted([luminance(colours[theme]), ink])
        assert (lighter + 0.05) / (darker + 0.05) >= 7


def test_the_style_sheet_comes_along_only_once_where_asked():
    side = ExplainedText("a b", ())
    found = Explanation(side, side, 0.5, "use", "0")
    assert "<style>" in found._repr_html_()
    assert "<style>" not in found.to_html(styled=False)
