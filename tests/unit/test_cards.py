"""Search results for people: what a card says, what is escaped, what a spreadsheet gets."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.cutoffs import Cutoff
from workbench.errors import InputError
from workbench.html import render
from workbench.i18n import language
from workbench.panels import hits_csv, hits_frame, hits_html

STYLE = render("style.html")
ENCODER = SimpleNamespace(name="use", fingerprint="0123456789ab")


def hit(score=0.5, text="RAG", rank=1, **metadata):
    return {
        "rank": rank,
        "text": text,
        "score": score,
        "is_match": score > 0.4,
        "index": rank - 1,
        "metadata": metadata,
    }


class Cards(HTMLParser):
    """Read a fragment as a browser would: tags, their classes, and the text that is seen."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.classes, self.seen = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.classes += (dict(attrs).get("class") or "").split()

    def handle_data(self, data):
        self.seen += data


def cards(*hits, cutoff=0.4, speak="zh", **options):
    with language(speak):
        return Cards(hits_html(hits, cutoff, styled=False, **options))


def table(hits, cutoff=0.4, speak="en", *, query="q"):
    with language(speak):
        return hits_csv(hits, cutoff, query=query, encoder=ENCODER)


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_score_is_shown_with_four_decimals():
    assert "0.6942" in cards(hit(0.69423890)).seen


def test_a_score_at_the_cutoff_is_no_match():
    assert cards(hit(0.4)).classes.count("wb-below") == 1
    assert cards(hit(np.nextafter(0.4, 1))).classes.count("wb-match") == 1


def test_the_cutoff_decides_not_what_the_hit_said_before():
    assert "✓" in cards(hit(0.5), cutoff=0.45).seen
    assert "✓" not in cards(hit(0.5), cutoff=Cutoff(0.55)).seen


@pytest.mark.parametrize(("speak", "words"), [("zh", ("✓ 匹配", "— 未达")), ("en", ("✓ match", "— below"))])
def test_colour_is_not_the_only_sign(speak, words):
    seen = cards(hit(0.9), hit(0.1), speak=speak).seen
    assert all(word in seen for word in words)


def test_the_summary_counts_shown_all_and_matches():
    assert "Showing 2 of 8; 1 above the cutoff 0.4000" in cards(hit(0.9), hit(0.1), speak="en", total=8).seen


@pytest.mark.parametrize(("score", "width"), [(-0.3, "0.00%"), (0.25, "25.00%"), (1.0, "100.00%")])
def test_the_bar_goes_from_zero_to_one(score, width):
    assert f'class="wb-fill" style="width:{width}"' in hits_html([hit(score)], 0.4)


def test_no_hits_say_what_to_do():
    assert "没有符合筛选条件的结果。可以调低阈值，或清空筛选。" in cards().seen


@given(st.text(), st.text())
def test_texts_and_metadata_never_become_markup(text, value):
    risky_text = f"<script>alert(1)</script>{text}"
    harmless = cards(hit(text=re.sub(r"\S", "x", risky_text), source="y"))  # of as many lines
    named = {f"<b onclick=x>{value}": f'"><img onerror=x>{value}'}
    risky = cards(hit(text=risky_text, **named))
    assert risky.tags == harmless.tags
    assert "<script>alert(1)</script>" in risky.seen


def test_metadata_is_shown_up_to_six_columns():
    seen = cards(hit(**{f"column{number}": number for number in range(8)})).seen
    assert "column5: 5" in seen
    assert "column6" not in seen


def test_the_style_sheet_needs_nothing_from_elsewhere():
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def luminance(colour):
    """Relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


# Each colour, light and dark.
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--wb-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", STYLE
    )
}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "page"),
    [
        *[
            ("ink", "surface"),
            ("muted", "surface"),
            ("muted", "page"),
            ("on-fill", "fill"),
            ("hint", "surface"),
        ],
        *[("match", "surface"), ("match", "match-page"), ("below", "surface"), ("below", "below-page")],
        *[("ink", "button"), ("ink", "button-over"), ("ink", "info-page"), ("ink", "warn-page")],
        *[("ink", "bad-page"), ("warn", "warn-page"), ("warn", "page"), ("bad", "bad-page")],
        *[("positive", "info-page"), ("other", "surface"), ("accent", "surface")],
    ],
)
def test_text_can_be_told_from_its_background(text, page, theme):
    assert contrast(COLOURS[text][theme], COLOURS[page][theme]) >= 4.5  # WCAG 2.2, 1.4.3


def test_no_colour_has_a_light_value_only():
    # What only stands for another of them is no colour of its own.
    named = re.findall(r"--wb-([a-z-]+): (?!var\()", STYLE)
    assert sorted(named) == sorted(COLOURS)
    assert COLOURS["surface"][0] == "#ffffff"
    assert luminance(COLOURS["page"][1]) < luminance(COLOURS["surface"][1]) < 0.05
    others = set(re.findall(r"--wb-([a-z-]+): var\(", STYLE))
    assert set(re.findall(r"var\(--wb-([a-z-]+)\)", STYLE)) == {*named, *others}


def test_an_unknown_language_lists_the_known_ones():
    with pytest.raises(InputError, match="zh, en"), language("fr"):
        hits_html([], 0.4)


def test_the_frame_keeps_full_precision_and_metadata_columns():
    frame = hits_frame([hit(1 / 3, city="上海"), hit(0.1, rank=2)])
    assert frame["score"].tolist() == [1 / 3, 0.1]
    assert frame["city"].tolist()[0] == "上海"
    assert pd.isna(frame["city"].tolist()[1])


def test_metadata_does_not_overwrite_a_column_of_the_hit():
    frame = hits_frame([{**hit(0.5), "metadata": {"score": "high"}}])
    assert frame["score"].tolist() == [0.5]
    assert frame["metadata_score"].tolist() == ["high"]


def test_no_hits_are_a_frame_with_the_usual_columns():
    assert hits_frame([]).columns.tolist() == [
        *("rank", "score", "is_match", "text"),
        *("phrase", "phrase_start", "phrase_end", "query_phrase", "index"),
    ]


def test_the_csv_starts_with_a_byte_order_mark_so_that_excel_shows_chinese():
    content = table([hit(text="护士")], 0.4, "zh", query="护理")
    assert content.startswith(b"\xef\xbb\xbf")
    assert rows(content)[0]["文本"] == "护士"


def test_each_csv_row_says_how_it_was_judged():
    (row,) = rows(table([hit(0.69423890)], query="agents"))
    assert row["score"] == "0.6942"
    assert row["match"] == "yes"
    assert (row["Semantic query"], row["Cutoff"], row["Encoder"]) == ("agents", "0.4", "use [0123456789ab]")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"])
def test_texts_queries_and_metadata_are_never_formulas_in_the_csv(text):
    content = table([hit(text=text, **{text: text})], query=text)
    (row,) = rows(content)
    cells = [*row, *row.values()]
    assert cells.count("'" + text) == 4  # text, query, metadata, and the name of its column
    assert text not in cells


def test_a_score_at_the_cutoff_is_no_match_in_the_csv_either():
    found = rows(table([hit(np.nextafter(0.4, 1)), hit(0.4)]))
    assert [row["match"] for row in found] == ["yes", "no"]


def test_a_negative_score_stays_a_number_in_the_csv():
    (row,) = rows(table([hit(-0.25)], query="q"))
    assert float(row["score"]) == -0.25


def test_metadata_cannot_pose_as_the_verdict_in_the_csv():
    (row,) = rows(table([hit(0.1, match="yes")], query="q"))
    assert (row["match"], row["metadata_match"]) == ("no", "yes")


def test_no_hits_are_a_csv_with_a_header():
    assert table([], query="q").decode("utf-8-sig").startswith("rank,score,match,text")
