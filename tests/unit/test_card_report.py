"""HTML reports: they say what a study or a comparison says, in two languages, and let nothing in or out."""

from __future__ import annotations

import base64
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score

from workbench.calibration import calibrate, compare
from workbench.i18n import language
from workbench.reports import comparison_html, study_html, write_study_report

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script><img src=http://elsewhere.example/x onerror=alert(2)> & \"quotes'"


def pairs(n=160, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    scores = np.clip(np.where(labels, rng.beta(9, 4, n), rng.beta(4, 9, n)) + shift, 0, 1)
    return pd.DataFrame(
        {
            "jd": [f"{HOSTILE} 需求 {i % 20}" for i in range(n)],
            "resume": [f"{HOSTILE} 经历 {i}" for i in range(n)],
            "jd_id": [f"j{i % 20}" for i in range(n)],
            "score": scores,
            "label": labels,
        }
    )


@pytest.fixture(scope="module")
def study():
    scored = pairs()
    scored.attrs["encoder"] = {
        "name": "an <b>encoder</b>",
        "fingerprint": "f00d",
        "instruction": "<i>ask</i>",
    }
    return calibrate(scored, target_precision=0.8, n_resamples=100)


@pytest.fixture(scope="module")
def html(study):
    return study_html(study)


def body(html, code):
    return re.search(rf'<main class="{code}".*?</main>', html, re.DOTALL).group()


def words(html):
    return unescape(re.sub(r"<[^>]*>", " ", html))


class TestNothingComesInOrGoesOut:
    def test_texts_are_shown_as_they_are_and_never_as_markup(self, html):
        assert HOSTILE in words(html)
        assert "<script" not in html
        assert "<img src=http" not in html
        assert "<b>encoder</b>" not in html
        assert "<i>ask</i>" not in html

    def test_it_names_no_other_site_outside_the_escaped_texts(self, html):
        addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^"\s>)]+)', html.replace("src=http:", ""))
        assert addresses
        assert all(address.startswith("data:image/png;base64,") for address in addresses)

    def test_the_browser_is_told_to_load_nothing(self, html):
        assert "default-src 'none'" in re.search(r'Content-Security-Policy" content="([^"]*)"', html).group(1)

    def test_the_figures_are_pictures_with_words_for_those_who_cannot_see_them(self, html):
        images = re.findall(r'<img src="data:image/png;base64,([^"]+)"[^>]*alt="([^"]+)"', html)
        assert len(images) == 2 * 7
        assert all(base64.b64decode(png).startswith(b"\x89PNG") for png, _ in images)

    def test_without_texts_no_pair_is_in_it(self, study):
        html = study_html(study, texts=False)
        assert "经历" not in html
        assert "需求" not in html


class TestWhatItSays:
    @pytest.mark.parametrize("code", ["zh", "en"])
    def test_every_sentence_of_the_summary_is_there(self, study, html, code):
        said = words(body(html, code))
        with language(code):
            missing = [line for line in study.summary().split("\n") if line not in said]
        # The sentence on figures is the table; what to do is two lines, one above the other.
        assert len(missing) <= 2

    def test_figures_at_todays_cutoff_and_at_the_one_found_stand_side_by_side(self, study, html):
        row = words(re.search(r"<tr><th>precision</th>.*?</tr>", body(html, "en")).group())
        for cutoff in (0.4, study.cutoff.value):
            called = study.observations.scores > cutoff
            assert f"{100 * precision_score(study.observations.labels, called):.1f} %" in row

    def test_the_worst_errors_come_first(self, study, html):
        wrong = study.pairs[(study.pairs["score"] > study.cutoff.value) & (study.pairs["label"] == 0)]
        section = body(html, "en").split("No matches, yet above the cutoff")[1]
        first = re.search(r'<td class="number">([\d.]+)</td>', section).group(1)
        assert first == f"{wrong['score'].max():.4f}"

    def test_the_fingerprint_and_the_hash_of_the_pairs_are_there(self, study, html):
        assert "f00d" in html
        assert study.cutoff.evidence["pairs"]["content_hash"] in html

    def test_both_languages_are_in_it_and_the_one_asked_for_is_shown(self, study, html):
        assert re.search(r'id="show-en" checked', html)
        assert 'lang="en"' in html
        assert "阈值报告" in body(html, "zh")
        with language("zh"):
            html = study_html(study, texts=False)
        assert not re.search(r"[\u4e00-\u9fff]", words(body(html, "en")))
        assert re.search(r'id="show-zh" checked', html)
        assert '<html lang="zh-CN">' in html

    def test_a_study_that_found_nothing_says_so(self):
        none = calibrate(pairs(60), target_precision=0.999, n_resamples=50)
        html = study_html(none, texts=False)
        assert "There is no cutoff to adopt" in html
        assert words(none.verdict.sentence()) in words(html)

    def test_pairs_without_texts_can_be_reported(self):
        bare = pairs(80).drop(columns=["jd", "resume"])
        assert "Cutoff report" in study_html(calibrate(bare, n_resamples=50))


class TestGroups:
    def test_every_group_is_there_under_its_escaped_name(self):
        scored = pairs().assign(**{"a <b>column</b>": [HOSTILE if i % 2 else "$x$" for i in range(160)]})
        found = calibrate(scored, target_precision=0.8, n_resamples=50)
        groups = found.by_group(["a <b>column</b>"])
        html = study_html(found, groups=groups, texts=False)
        assert HOSTILE in words(html)
        assert "<script" not in html
        assert "<h2>By a &lt;b&gt;column&lt;/b&gt;</h2>" in html
        for line in groups[0].summary().split("\n"):
            assert line in unescape(html)


def test_it_is_written_whole_and_folders_are_made(study, tmp_path):
    path = write_study_report(study, tmp_path / "new" / "card.html", texts=False)
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")


@pytest.fixture(scope="module")
def found():
    scored = pairs()
    rng = np.random.default_rng(1)
    scores = {"small": scored["score"] + rng.normal(0, 0.2, len(scored)), HOSTILE: scored["score"]}
    return compare(scores, scored["label"], clusters=scored["jd_id"], n_resamples=50)


class TestComparison:
    def test_every_sentence_is_there_in_both_languages_and_names_are_escaped(self, found):
        html = comparison_html(found)
        assert HOSTILE in words(html)
        assert "<script" not in html
        assert "<img src=http" not in html
        for code in ("zh", "en"):
            with language(code):
                assert found.sentence(HOSTILE) in words(body(html, code))

    def test_figures_stand_beside_their_intervals(self, found):
        row = re.search(r"<tr><td>AUC</td>.*?</tr>", body(comparison_html(found), "en")).group()
        auc = found.row("small", "auc")
        shown = f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"
        assert f'<td class="short">{shown}</td>' in row
