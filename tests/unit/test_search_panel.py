"""The search panel without a front end: what clicks, keys and files do, and what is then shown."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import re

import numpy as np
import openpyxl
import pytest

import workbench as wb
from workbench.cutoffs import Cutoff
from workbench.encoders import BaseEncoder
from workbench.errors import EncoderMismatchError, InputError
from workbench.i18n import language
from workbench.panels import SearchPanel
from workbench.panels.given import UPLOAD_FORMATS
from workbench.panels.search_session import SearchSession, View, without_enter

NONE_YET = "还没有结果。点“搜索”，知识库里的每一条都会得到一个分数。"
STALE = "Edited since: the results below are those of the last search."


class LetterEncoder(BaseEncoder):
    """Counts of a, b, c and of all else; scores can be worked out by hand. Remembers what it encoded."""

    name = "letters"
    dimension = 4
    recipe = {"encoder": "letters"}  # noqa: RUF012

    def __init__(self):
        self.documents, self.queries, self.error = [], [], None

    def encode_batches(self, texts, role):
        if self.error:
            raise self.error
        (self.documents if role == "document" else self.queries).extend(texts)
        counts = [[text.count(letter) for letter in "abc"] for text in texts]
        rest = [[len(text) - sum(row)] for text, row in zip(texts, counts, strict=True)]
        yield np.arange(len(texts)), np.hstack([counts, rest]).astype(np.float32)


@pytest.fixture
def encoder():
    return LetterEncoder()


@pytest.fixture
def panel(encoder):
    return SearchPanel("ab\naa\nbb", "a", encoder=encoder, cutoff=0.5, language="en")


def shown_texts(panel):
    return re.findall(r'class="wb-text">(.*?)</p>', panel.widgets.results.value)


def visible(widget):
    return widget.layout.display != "none"


def upload(panel, *files, place=None):
    """Drop files, as a browser sends them: all of one drop, then the end of it."""
    drop = place or panel.widgets.upload
    for name, content in files:
        drop._receive(drop, {"kind": "begin", "name": name, "size": len(content)}, [])
        drop._receive(drop, {"kind": "piece"}, [memoryview(content)])
        drop._receive(drop, {"kind": "end"}, [])
    drop._receive(drop, {"kind": "done"}, [])


def test_the_panel_opens_with_the_eight_jds_and_the_worked_example():
    panel = SearchPanel(encoder="use", language="zh")
    assert panel.widgets.texts.value.splitlines() == list(wb.EXAMPLE_JDS)
    assert panel.widgets.query.value == wb.EXAMPLE_QUERY
    assert panel.widgets.results.value == f'<p class="wb-note">{NONE_YET}</p>'


def test_the_panel_finds_what_search_finds():
    panel = SearchPanel(encoder="use", cutoff=0.4)
    panel.widgets.search.click()
    expected = wb.search(wb.EXAMPLE_QUERY, list(wb.EXAMPLE_JDS), encoder="use", cutoff=0.4, k=8)
    assert panel.hits == expected
    assert shown_texts(panel) == [hit["text"] for hit in expected]


def test_a_click_searches_and_ranks(panel):
    panel.widgets.search.click()
    assert shown_texts(panel) == ["aa", "ab", "bb"]
    np.testing.assert_allclose([hit["score"] for hit in panel.hits], [1, np.sqrt(0.5), 0], atol=1e-7)


def test_enter_in_the_query_searches_and_leaves_no_line_break(panel):
    panel.widgets.query.value = "a\n"
    assert panel.widgets.query.value == "a"
    assert panel.session.found.query == "a"


@pytest.mark.parametrize(
    ("old", "new", "query"),
    [
        *[("", "\n", ""), ("ab", "ab\n", "ab"), ("ab", "a\nb", "ab"), ("", "typed fast\n", "typed fast")],
        *[("ab", "abc", None), ("a\n", "a", None), ("", "two\nlines\n", None), ("a\nb", "a\nbc", None)],
        *[("", "Night nurse\nRN licence", None), ("a\nb", "a\n\nb", None), ("a\nb", "a\nb\n", None)],
    ],
)
def test_enter_is_one_line_break_more_than_before(old, new, query):
    assert without_enter(old, new) == query


def test_the_same_search_again_encodes_nothing(panel, encoder):
    panel.widgets.search.click()
    panel.widgets.search.click()
    assert (encoder.documents, encoder.queries) == (["ab", "aa", "bb"], ["a"])


def test_another_query_does_not_encode_the_texts_again(panel, encoder):
    panel.widgets.search.click()
    panel.widgets.query.value = "b"
    panel.widgets.search.click()
    assert encoder.documents == ["ab", "aa", "bb"]
    assert shown_texts(panel)[0] == "bb"


def test_the_slider_judges_anew_without_searching(panel, encoder):
    panel.widgets.search.click()
    assert [hit["is_match"] for hit in panel.hits] == [True, True, False]
    panel.widgets.cutoff.value = 0.8
    assert [hit["is_match"] for hit in panel.hits] == [True, False, False]
    assert panel.widgets.results.value.count("✓ match") == 1
    assert encoder.queries == ["a"]


def test_a_score_at_the_cutoff_is_no_match_in_the_panel(panel):
    panel.search()
    score = panel.hits[1]["score"]
    panel.widgets.cutoff.value = score
    assert [hit["is_match"] for hit in panel.hits] == [True, False, False]
    panel.widgets.cutoff.value = np.nextafter(score, 0)
    assert [hit["is_match"] for hit in panel.hits] == [True, True, False]


def test_what_was_found_is_said_with_the_room_around_the_cutoff(panel):
    panel.search()
    found = panel.session.found
    best, second = (hit["score"] for hit in found.hits[:2])
    said = found.sentence(second)
    assert said.startswith(
        f"1 of {len(found.hits)} texts match; the best score is {best:.4f}. The last match "
    )
    assert f"lies {best - second:.4f} above the first that is none" in said
    assert found.sentence(1.0) == f"0 of {len(found.hits)} texts match; the best score is {best:.4f}."
    with language("zh"):
        assert found.sentence(1.0).endswith(f"条文本里有 0 条匹配，最高分 {best:.4f}。")


def test_a_moved_slider_is_called_a_choice_and_can_be_reset(panel):
    assert panel.widgets.reset.disabled
    panel.widgets.cutoff.value = 0.8
    assert "Cutoff 0.8000, set by hand" in panel.widgets.status.value
    panel.widgets.reset.click()
    assert panel.widgets.cutoff.value == 0.5
    assert panel.widgets.reset.disabled


def test_a_cutoff_between_two_marks_of_the_slider_is_kept_exactly(encoder):
    panel = SearchPanel("a", "a", encoder=encoder, cutoff=0.42371)
    assert panel.view.cutoff == 0.42371


def test_a_negative_cutoff_fits_on_the_slider(encoder):
    assert SearchPanel("a", "a", encoder=encoder, cutoff=-0.2).view.cutoff == -0.2


def test_filters_combine(panel):
    panel.search()
    panel.widgets.contains.value = "B"
    assert shown_texts(panel) == ["ab", "bb"]
    panel.widgets.only_matches.value = True
    assert shown_texts(panel) == ["ab"]
    panel.widgets.only_matches.value, panel.widgets.contains.value = False, ""
    panel.widgets.most.value = 2
    assert shown_texts(panel) == ["aa", "ab"]


def test_filters_that_let_nothing_pass_say_so(panel):
    panel.search()
    panel.widgets.contains.value = "nowhere"
    assert (
        "No result passes the filters. Lower the cutoff, or clear the filters." in panel.widgets.results.value
    )


def test_the_view_stops_at_the_number_asked_for():
    hits = [
        {"rank": n, "text": "x", "score": 1 - n / 100, "is_match": True, "index": n, "metadata": {}}
        for n in range(50)
    ]
    assert len(View(0.5, most=7).shown(hits)) == 7


def test_the_export_link_holds_what_is_shown(panel):
    panel.search()
    panel.widgets.only_matches.value = True
    link = re.search(
        r'download="search_results.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"',
        panel.widgets.export.value,
    )
    content = base64.b64decode(link[1]).decode("utf-8-sig")
    assert [row["text"] for row in csv.DictReader(io.StringIO(content))] == ["aa", "ab"]


def test_before_a_search_there_is_nothing_to_export(panel):
    assert panel.widgets.export.value == ""


def test_an_uncalibrated_cutoff_is_said_in_sight(encoder):
    panel = SearchPanel("a", "a", encoder=encoder, language="en")
    assert "Cutoff 0.4000, not calibrated" in panel.widgets.status.value
    assert "never calibrated for the encoder letters" in panel.widgets.status.value
    panel.search()
    assert "never calibrated for the encoder letters" in panel.report()


def test_a_calibrated_cutoff_is_said_too(encoder):
    card = Cutoff(0.6, encoder.name, encoder.fingerprint, {"pairs": 100})
    panel = SearchPanel("a", "a", encoder=encoder, cutoff=card, language="en")
    assert "Cutoff 0.6000, calibrated for this encoder" in panel.widgets.status.value


def test_the_cutoff_of_another_encoder_is_refused(encoder):
    with pytest.raises(EncoderMismatchError):
        SearchPanel("a", "a", encoder=encoder, cutoff=Cutoff(0.6, "other", "f" * 12))


def test_cleaning_is_told_in_sight_and_the_machine_behind_evidence(encoder):
    panel = SearchPanel("ab\n\nab\naa", "a", encoder=encoder, cutoff=0.5, language="en")
    panel.search()
    assert "1 duplicate dropped (no. 2)" in panel.widgets.status.value
    parts = ("letters", encoder.fingerprint, "4 dimensions", "CPU", "2 encoded")
    assert not any(part in panel.widgets.status.value for part in parts)
    assert panel.widgets.facts.value == ""
    panel.widgets.behind.value = True
    told = re.sub("<.*?>", " ", panel.widgets.facts.value)
    assert all(part in told for part in parts)


def test_how_many_matches_to_expect_is_told_for_the_line_that_is_set():
    panel = SearchPanel(encoder="use", language="en")
    panel.search()
    told = [hit["probability"]["value"] for hit in panel.hits]
    assert "where 37.8 % of all pairs are matches" in panel.widgets.status.value
    for cutoff, n in ((panel.view.cutoff, 2), (1.0, 0)):
        panel.widgets.cutoff.value = cutoff
        assert (
            f"Above the line: {n}, of which about {sum(told[:n]):.0f} are matches. "
            f"Below it: {8 - n}, of which about {sum(told[n:]):.0f} are."
        ) in panel.widgets.status.value


def test_without_probabilities_nothing_is_said_of_how_many_to_expect(panel):
    panel.search()
    assert "Above the line" not in panel.widgets.status.value


def test_an_edit_after_a_search_marks_the_result_as_old(panel):
    panel.search()
    panel.widgets.texts.value = "ab"
    assert STALE in panel.widgets.status.value
    panel.search()
    assert STALE not in panel.widgets.status.value


@pytest.mark.parametrize(
    ("texts", "query", "says"),
    [
        ("a", " \n ", "查询是空的：请先输入要找的技能或经历。"),
        (" \n\n", "a", "知识库是空的：请先粘贴或从文件添加至少一条文本。"),
    ],
)
def test_nothing_to_search_for_or_in_is_said_in_the_panel(encoder, texts, query, says):
    panel = SearchPanel(texts, query, encoder=encoder, cutoff=0.5, language="zh")
    panel.widgets.search.click()
    assert says in panel.widgets.message.value
    assert 'role="alert"' in panel.widgets.message.value


def test_a_failing_encoder_is_a_message_and_the_next_search_works(panel, encoder):
    encoder.error = wb.WorkbenchError("the server <b>said</b> no")
    panel.widgets.search.click()
    assert "the server &lt;b&gt;said&lt;/b&gt; no" in panel.widgets.message.value
    assert not visible(panel.widgets.cancel)
    encoder.error = None
    panel.widgets.search.click()
    assert not visible(panel.widgets.message)
    assert len(panel.hits) == 3


def test_an_unexpected_error_is_a_message_and_goes_to_the_log(panel, encoder, caplog):
    encoder.error = ZeroDivisionError("oops")
    panel.widgets.search.click()
    assert "ZeroDivisionError" in panel.widgets.message.value
    assert "oops" not in panel.widgets.message.value
    said = caplog.records[0].getMessage()
    assert "ZeroDivisionError" in said
    assert "line " in said
    # It may repeat a text.
    assert "oops" not in said
    assert caplog.records[0].exc_info is None


def test_called_from_code_a_search_raises(encoder):
    with pytest.raises(InputError, match="query is empty"):
        SearchPanel("a", "", encoder=encoder).search()


def test_fewer_than_one_card_is_refused(encoder):
    with pytest.raises(InputError, match="k is 0"):
        SearchPanel(encoder=encoder, k=0)


def test_texts_with_line_breaks_stay_one_text_each(encoder):
    panel = SearchPanel(["a\nb", "c"], "a", encoder=encoder, cutoff=0.5)
    assert [(hit["text"], hit["index"]) for hit in panel.search()] == [("a\nb", 0), ("c", 1)]


# In a notebook a loop runs, and a search gives way between its steps.


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def finish(panel):
    await until(lambda: panel._steps is None)


def many(panel, n=200):
    panel.widgets.texts.value = "\n".join(f"a{number}" for number in range(n))


def test_while_a_search_runs_the_panel_is_busy_and_shows_how_far_it_is(panel):
    async def scenario():
        many(panel)
        panel.widgets.search.click()
        assert panel.widgets.search.description == "Searching…"
        assert visible(panel.widgets.cancel)
        await until(lambda: "of 200" in panel.widgets.message.value)
        assert re.search(r"Encoding: \d+ of 200", panel.widgets.message.value)
        await finish(panel)
        assert panel.widgets.search.description == "Search"
        assert not visible(panel.widgets.cancel)
        assert len(panel.session.found.hits) == 200

    asyncio.run(scenario())


def test_a_double_click_searches_once(panel, encoder):
    async def scenario():
        panel.widgets.search.click()
        panel.widgets.search.click()
        await finish(panel)

    asyncio.run(scenario())
    assert encoder.queries == ["a"]


def test_a_new_search_takes_the_place_of_one_that_runs(panel, encoder):
    async def scenario():
        many(panel)
        panel.widgets.search.click()
        await until(lambda: encoder.documents)
        panel.widgets.texts.value, panel.widgets.query.value = "bb\naa", "b"
        panel.widgets.search.click()
        await finish(panel)
        await asyncio.sleep(0.05)

    asyncio.run(scenario())
    assert shown_texts(panel) == ["bb", "aa"]
    assert encoder.queries == ["b"]


def test_a_cancelled_search_goes_on_where_it_stopped(panel, encoder):
    async def scenario():
        many(panel)
        panel.widgets.search.click()
        await until(lambda: encoder.documents)
        panel.widgets.cancel.click()
        encoded = len(encoder.documents)
        await asyncio.sleep(0.05)
        assert len(encoder.documents) == encoded < 200
        assert panel.session.found is None
        assert f"{encoded} of 200" in panel.widgets.message.value
        panel.widgets.search.click()
        await finish(panel)

    asyncio.run(scenario())
    assert sorted(encoder.documents) == sorted(f"a{number}" for number in range(200))


def test_the_slider_moves_while_a_search_runs(panel):
    async def scenario():
        panel.search()
        many(panel)
        panel.widgets.search.click()
        panel.widgets.cutoff.value = 0.9
        assert "cutoff 0.9000" in panel.widgets.results.value
        await finish(panel)

    asyncio.run(scenario())


# Files.


def test_a_text_file_is_added_below_with_a_message(panel):
    upload(panel, ("more.txt", "cc\n\n 护士 \n".encode()))
    assert panel.widgets.texts.value.splitlines() == ["ab", "aa", "bb", "cc", "护士"]
    assert "2 added from more.txt" in panel.widgets.message.value
    assert panel.widgets.upload.files == []
    assert [each for each in panel.widgets.upload.folder.rglob("*") if each.is_file()] == []


def test_columns_of_a_table_are_shown_on_the_cards(panel):
    workbook = openpyxl.Workbook()
    for row in (["text", "city"], ["cccc", "上海"]):
        workbook.active.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    upload(panel, ("jobs.xlsx", buffer.getvalue()))
    panel.widgets.query.value = "c"
    panel.search()
    assert panel.hits[0]["text"] == "cccc"
    assert panel.hits[0]["metadata"]["city"] == "上海"
    assert panel.hits[0]["metadata"]["source"] == "jobs.xlsx"
    assert "city: 上海" in panel.widgets.results.value


def test_a_long_text_of_a_table_is_whole_and_keeps_its_metadata(panel):
    upload(panel, ("long.csv", ("text,city\n" + "c" * 600 + ",上海\n").encode()))
    panel.widgets.query.value = "c"
    hit = panel.search()[0]
    assert (len(hit["text"]), hit["metadata"]["city"]) == (600, "上海")


@pytest.mark.parametrize("name", ["cv.exe", "cv", "cv.pickle"])
def test_a_file_of_another_kind_is_refused_with_the_kinds_that_are_read(panel, name):
    upload(panel, (name, b"aa"))
    assert name in panel.widgets.message.value
    assert ".docx" in panel.widgets.message.value
    assert panel.widgets.texts.value == "ab\naa\nbb"


def test_a_damaged_file_is_named_as_the_user_knows_it(panel):
    upload(panel, ("简历.pdf", b"not a pdf"))
    assert "简历.pdf" in panel.widgets.message.value
    assert "upload.pdf" not in panel.widgets.message.value


def test_the_formats_that_are_offered_are_those_that_are_read(panel):
    assert {".docx", ".pdf", ".odt", ".rtf", ".html", ".md", ".zip", ".eml", ".xlsx"} <= set(UPLOAD_FORMATS)
    assert panel.widgets.upload.accept.split(",") == list(UPLOAD_FORMATS)
    assert panel.widgets.query_upload.accept == panel.widgets.upload.accept
    assert "at most 500 MB a file" in panel.widgets.upload.words["hint"]


def test_a_file_of_one_document_is_the_query_and_of_more_is_refused(panel):
    upload(panel, ("anna.txt", b"aaab"), place=panel.widgets.query_upload)
    assert panel.widgets.query.value == "aaab"
    upload(panel, ("two.csv", b"text\nbb\ncc\n"), place=panel.widgets.query_upload)
    assert panel.widgets.query.value == "aaab"
    assert "two.csv holds 2 documents" in panel.widgets.message.value


def test_files_are_read_while_the_panel_answers_and_a_stop_adds_none_of_them(panel):
    async def scenario():
        upload(panel, ("more.txt", b"cc"))
        assert panel.reading.n == 1
        panel.widgets.cutoff.value = 0.9
        await until(lambda: panel.reading.n == 0)
        assert "1 added from more.txt" in panel.widgets.message.value
        upload(panel, *((f"{number}.txt", b"dd") for number in range(3)))
        heard = panel.reading.work.hear
        panel.reading.work.hear = lambda *step: (panel.widgets.cancel.click(), heard(*step))
        await until(lambda: panel.reading.n == 0)

    asyncio.run(scenario())
    assert "Stopped; nothing was added." in panel.widgets.message.value
    assert [each.name for each in panel.given.uploads] == ["more.txt"]
    assert not visible(panel.widgets.cancel)


# Vectors, languages, reports.


def test_vectors_are_only_drawn_for_somebody_who_looks(panel):
    panel.search()
    assert "<img" not in panel.widgets.scenes.value
    panel.widgets.behind.value = True
    assert panel.widgets.scenes.value.count("<img") == 2


def test_behind_the_scenes_shows_query_or_hit(panel):
    panel.search()
    panel.widgets.behind.value = True
    values = r"<span[^>]*>(-?\d\.\d{4})</span>"
    assert re.findall(values, panel.widgets.scenes.value) == ["1.0000", "0.0000", "0.0000", "0.0000"]
    panel.widgets.chosen.value = 2
    assert re.findall(values, panel.widgets.scenes.value) == ["0.0000", "1.0000", "0.0000", "0.0000"]


def test_of_a_long_vector_the_first_fifty_values_are_written_out():
    panel = SearchPanel(encoder="use", language="en")
    panel.search()
    panel.widgets.behind.value = True
    expected = wb.load_encoder("use").encode_queries([wb.EXAMPLE_QUERY])[0]
    written = re.findall(r"<span[^>]*>(-?\d\.\d{4})</span>", panel.widgets.scenes.value)
    assert written == [f"{value:.4f}" for value in expected[:50]]
    assert "512 dimensions, length 1.0000" in panel.widgets.scenes.value


def test_the_vectors_behind_a_score_give_the_score(panel):
    panel.search()
    hit = panel.hits[1]
    assert panel.session.vector_of(None) @ panel.session.vector_of(hit) == pytest.approx(hit["score"])


def test_vectors_before_a_search_are_refused(encoder):
    with pytest.raises(InputError, match="search first"):
        SearchSession(encoder).vector_of(None)


def test_the_language_can_be_changed_in_the_panel(panel):
    panel.search()
    panel.widgets.language.value = "zh"
    assert panel.widgets.query.description == "语义查询"
    assert panel.widgets.search.description == "搜索"
    assert "✓ 匹配" in panel.widgets.results.value
    assert "手动设定" in panel.widgets.status.value


def test_the_settings_decide_the_language_by_default(encoder, monkeypatch):
    for code, title in (("en", "Semantic search"), ("zh", "语义搜索")):
        monkeypatch.setenv("WORKBENCH_LANGUAGE", code)
        assert title in SearchPanel(encoder=encoder).widgets.title.value


def test_a_panel_keeps_its_language_whatever_is_spoken_around_it(encoder):
    with language("zh"):
        panel = SearchPanel("ab\naa", "a", encoder=encoder, cutoff=0.5)
    with language("en"):
        panel.widgets.search.click()
        assert "显示 2 条，共 2 条" in panel.widgets.results.value
        assert "编码器" in panel.report()
        panel.widgets.query.value = ""
        panel.widgets.search.click()
        assert "查询是空的" in panel.widgets.message.value


def test_the_report_shows_the_same_cards_as_the_panel(panel):
    panel.search()
    assert panel.widgets.results.value in panel.report()
    assert "<script" not in panel.report()


def test_the_frame_has_the_hits_that_are_shown(panel):
    panel.search()
    panel.widgets.only_matches.value = True
    assert panel.frame["text"].tolist() == ["aa", "ab"]


def test_untrusted_texts_are_escaped_wherever_the_panel_shows_them(encoder):
    risky = "<script>alert(1)</script>"
    encoder.name = risky
    panel = SearchPanel([risky], risky, encoder=encoder)
    panel.widgets.behind.value = True
    panel.search()
    upload(panel, (f"{risky}.exe", b""))
    shown = [widget.value for widget in vars(panel.widgets).values() if type(widget).__name__ == "HTML"]
    assert "<script" not in "".join([*shown, panel.report()])
    assert any("&lt;script&gt;" in value for value in shown)


def test_where_widgets_are_not_shown_a_line_of_text_is(panel):
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "<SearchPanel: letters, not searched yet>"


class TestDeciding:
    @pytest.fixture
    def deciding(self, encoder, tmp_path):
        log = tmp_path / "decisions.jsonl"
        return SearchPanel("ab\naa\nbb", "a", encoder=encoder, cutoff=0.5, language="en", log=log)

    def test_without_a_log_there_is_nothing_to_decide_with(self, panel):
        panel.search()
        assert panel.decisions is None
        assert not panel.widgets.deciding.children

    def test_a_search_writes_what_the_machine_decided_of_the_hits_shown_once(self, deciding):
        deciding.search()
        deciding.widgets.only_matches.value = True
        frame = deciding.decisions.log.read()
        assert frame["machine"].tolist() == [True, True, False]
        assert frame["person"].isna().all()

    def test_a_person_says_yes_or_no_to_a_hit_with_their_name(self, deciding):
        deciding.search()
        box = deciding.decisions
        box.candidate.value, box.who.value, box.hit.value = "p-1", "王芳", 2
        box.no.click()
        row = box.log.read().iloc[-1]
        assert (row["resume_id"], row["who"], row["machine"], row["person"]) == ("p-1", "王芳", True, False)
        assert row["score"] == deciding.hits[1]["score"]
        assert "Written: 2 is no match." in box.said.value

    def test_a_person_without_a_name_is_asked_for_it(self, deciding):
        deciding.search()
        deciding.decisions.yes.click()
        assert "Say who decided" in deciding.widgets.message.value
        assert len(deciding.decisions.log.read()) == 3

    def test_a_slider_that_stands_elsewhere_is_a_bare_number(self, deciding):
        deciding.search()
        deciding.widgets.cutoff.value = 0.9
        deciding.decisions.who.value = "a"
        deciding.decisions.yes.click()
        assert deciding.decisions.log.read()["cutoff"].tolist() == [0.5, 0.5, 0.5, 0.9]
