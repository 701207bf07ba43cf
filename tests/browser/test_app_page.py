"""The pages of `workbench app` as HR meets them: no notebook, no code, in headless Chromium."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
import urllib.error
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from live_app import visit, workbench_app
from plain_visitor import PlainVisitor

import workbench as wb

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]

# With a long title, for which a phone has no room.
TITLE = "Ward nurse, surgery and intensive care, hospital in the old town, full time or 80 %"
JD = f"{TITLE}\nRequirements\n- RN licence\n- night shifts on a surgical ward"
NURSE = "Registered nurse, RN licence; nights on a surgical ward"
KNOWN = "持护士执业证，三年以上病房护理经验"


@pytest.fixture(scope="module")
def app(browser, tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture
def visitor(browser, app, request):
    """Opens pages for visitors; keeps a picture of each if the test fails."""
    pages = []

    def open_page(page="search", **options):
        pages.append(visit(browser, app, page, **options))
        return pages[-1]

    yield open_page
    failed = getattr(request.node, "failed", False)
    for number, page in enumerate(pages):
        if failed:
            page.screenshot(path=app.folder / f"{request.node.name}-{number}.png", full_page=True)
        page.context.close()


@pytest.mark.parametrize(
    ("locale", "search", "match"), [("zh-CN", "搜索", "✓ 匹配"), ("en-US", "Search", "✓ match")]
)
def test_a_search_in_the_language_of_the_browser_asks_no_other_machine(visitor, locale, search, match):
    page = visitor(locale=locale)
    page.get_by_role("button", name=re.compile(f"{search}$")).click()
    page.locator(".wb-card").first.wait_for()
    expected = wb.search(wb.EXAMPLE_QUERY, list(wb.EXAMPLE_JDS), encoder="use", k=8)
    assert page.locator(".wb-card .wb-text").all_inner_texts() == [hit["text"] for hit in expected]
    assert page.locator(".wb-card .wb-pill").first.inner_text() == match
    assert page.locator("html").get_attribute("lang") == ("zh-CN" if locale == "zh-CN" else "en")
    assert page.outside == []


def test_one_switch_changes_the_language_of_everything(visitor):
    page = visitor()
    page.get_by_role("button", name="中文").click()
    page.get_by_label("知识库").wait_for()
    assert "Semantic" not in page.locator("body").inner_text()
    page.reload()
    page.get_by_label("知识库").wait_for()


def test_no_visitor_sees_what_another_typed(visitor):
    one, other = visitor(), visitor()
    one.get_by_label("Knowledge base").fill("Zanzibar lute players")
    one.get_by_role("button", name=re.compile("Search$")).click()
    one.locator(".wb-card", has_text="Zanzibar lute").wait_for()
    other.get_by_role("button", name=re.compile("Search$")).click()
    other.locator(".wb-card").first.wait_for()
    assert "Zanzibar" not in other.content()


@pytest.mark.slow
def test_visitors_who_search_at_once_are_answered_with_few_messages_and_only_their_own_texts(app):
    async def scenario():
        several = [await PlainVisitor.of(app.url) for _ in range(6)]
        for who, one in enumerate(several):
            await one.type("Knowledge base", f"Ward nurse number {who}\nCook")
        at = time.time() + 1
        await asyncio.gather(*(one.search(f"nurse of visitor {who}", at) for who, one in enumerate(several)))
        at = time.time() + 1
        await asyncio.gather(*(one.search(f"night nurse {who}", at) for who, one in enumerate(several)))
        return several

    # Playwright has an event loop in this thread.
    with ThreadPoolExecutor(1) as other:
        several = other.submit(asyncio.run, scenario()).result(timeout=120)
    for who, one in enumerate(several):
        seen = json.dumps(list(one.states.values()))
        assert [number for number in range(6) if f"Ward nurse number {number}" in seen] == [who]
        assert one.heard < 20


def test_all_visitors_share_one_encoder(app, visitor):
    encoder = app.encoder()
    visitor()
    visitor()
    loaded = [each for each in app.kernels() if "use.npy" in " ".join(m.path for m in each.memory_maps())]
    assert loaded == []
    assert app.encoder() == encoder


def test_a_dead_kernel_is_told_within_five_seconds_and_what_was_typed_comes_back(app, visitor):
    page = visitor()
    page.get_by_label("Knowledge base").fill(f"{KNOWN}\nPython")
    page.get_by_label("Semantic query").fill("ward nurse")
    app.kernel_of(page).kill()
    killed = time.monotonic()
    button = page.get_by_role("button", name="Reconnect")
    button.wait_for()
    assert time.monotonic() - killed < 5
    button.click()
    page.get_by_role("button", name="Reconnect").wait_for(state="hidden")
    page.locator("body.wb-ready").wait_for(timeout=30_000)
    page.get_by_role("button", name=re.compile("Search$")).click()
    page.locator(".wb-card", has_text="护士执业证").wait_for()
    assert page.get_by_label("Semantic query").input_value() == "ward nurse"


def test_a_lost_connection_is_told_and_forgotten_once_it_is_back(visitor):
    page = visitor()
    lost = page.get_by_text("The connection to the workbench is lost")
    page.context.set_offline(True)
    lost.wait_for(timeout=5000)
    page.context.set_offline(False)
    lost.wait_for(state="hidden", timeout=10_000)
    page.get_by_role("button", name=re.compile("Search$")).click()
    page.locator(".wb-card").first.wait_for()


def test_an_encoder_that_ended_is_started_again(app, visitor):
    page = visitor()
    app.encoder().kill()
    page.get_by_label("Semantic query").fill("somebody who was never asked for before")
    page.get_by_role("button", name=re.compile("Search$")).click()
    page.locator(".wb-card").first.wait_for(timeout=30_000)


def test_a_closed_page_ends_its_kernel(app, visitor):
    page = visitor()
    kernel = app.kernel_of(page)
    page.wait_for_function("() => document.cookie.includes('_xsrf')")
    page.goto("about:blank")
    kernel.wait(10)


def test_a_page_that_nobody_uses_is_put_to_rest_and_says_so(browser, tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("idle"), "--spare=0", "--idle-minutes=0.1") as app:
        page = visit(browser, app)
        kernel = app.kernel_of(page)
        page.get_by_role("button", name="Reconnect").wait_for(timeout=60_000)
        kernel.wait(10)
        page.context.close()


def test_a_page_whose_kernel_failed_at_start_says_so_and_reconnects(browser, tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("failing"), "--spare=0") as app:
        first = app.folder / "ipython" / "profile_default" / "startup" / "first.py"
        first.parent.mkdir(parents=True, exist_ok=True)
        page = browser.new_page(locale="en-US")
        first.write_text("import sys; sys.modules['workbench.app.page'] = None")
        page.goto(app.url, timeout=60_000, wait_until="commit")
        page.get_by_text("This page could not be started").wait_for(timeout=60_000)
        first.unlink()
        page.get_by_role("button", name="Reconnect").click()
        page.locator(".wb-room:visible .wb-panel").wait_for(timeout=60_000)
        assert page.get_by_role("button", name="Reconnect").count() == 0
        page.close()


def test_only_who_gives_the_token_comes_in_and_a_cookie_stands_for_it_then(browser, tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("token"), "--spare=1", "--token=of ours") as app:
        assert app.url.endswith("/?token=of%20ours")
        place = app.url.partition("?")[0]
        assert answer(f"{place}health") == (200, '{"ready": true}')
        page = browser.new_context(locale="zh-CN").new_page()
        page.goto(place)
        assert page.get_by_label("令牌").is_visible()
        page.get_by_label("令牌").fill("of others")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        assert Axe().run(page).response["violations"] == []
        page.get_by_label("令牌").fill("of ours")
        page.keyboard.press("Enter")
        page.locator(".wb-room:visible .wb-panel").wait_for(timeout=60_000)
        page.reload()
        page.locator(".wb-room:visible .wb-panel").wait_for(timeout=60_000)
        kernel = json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]
        page.context.close()
        for path in (
            "?token=of%20others",
            f"api/kernels/{kernel}",
            f"alive/{kernel}",
            "api/contents",
        ):
            status, body = answer(f"{place}{path}")
            assert status == 403 or 'type="password"' in body
        other = visit(browser, app)  # by the address that was printed
        assert "token" not in other.url
        other.context.close()


def answer(address):
    """Status and text of what a program without a cookie is told."""
    try:
        with urllib.request.urlopen(address) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_where_other_machines_can_come_a_token_is_made_up(tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("open"), "--spare=0", "--host=0.0.0.0") as app:
        place, _, token = app.url.partition("?token=")
        assert len(token) >= 32
        assert 'type="password"' in answer(place)[1]
        assert answer(f"{place}health")[0] == 200


def test_health_tells_of_an_encoder_that_ended(tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("health"), "--spare=0") as app:
        app.encoder().kill()
        deadline = time.monotonic() + 5
        while answer(f"{app.url}health") != (503, '{"ready": false}'):
            assert time.monotonic() < deadline
        deadline = time.monotonic() + 30
        while answer(f"{app.url}health")[0] != 200:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_page_without_scrolling_sideways(visitor, scheme):
    page = visitor(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(245, 247, 250)" if scheme == "light" else "rgb(21, 25, 30)")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-US", ("Or paste a JD", "Rank", "Excel", "above the cutoff|best of each JD")),
        ("zh-CN", ("或粘贴 JD", "排序", "Excel", "阈值")),
    ],
)
def test_files_are_ranked_with_reasons_and_a_workbook(visitor, locale, words):
    page = visitor("rank", locale=locale)
    pasted, rank, excel, sentence = words
    page.get_by_label(pasted).fill(JD)
    files = {"anna": NURSE, "bob": "Java developer, ten years of Spring and Kafka"}
    page.locator(".wb-room:visible .wb-drop-input").nth(2).set_input_files(
        [
            {"name": f"{name}.txt", "mimeType": "text/plain", "buffer": text.encode()}
            for name, text in files.items()
        ]
    )
    page.locator(".wb-room:visible .wb-drop-list", has_text="anna.txt, bob.txt").wait_for()
    page.get_by_role("button", name=re.compile(f"{rank}$")).click()
    first = page.locator(".wb-candidates tbody").first
    first.wait_for(timeout=30_000)
    assert first.locator(".wb-who b").inner_text() == "anna"
    assert "surgical ward" in first.locator(".wb-because").inner_text()
    assert re.search(sentence, page.locator(".wb-ranks .wb-told").first.inner_text())
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(excel)).click()
    assert openpyxl.load_workbook(download.value.path().open("rb")).sheetnames
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.outside == []


def test_a_file_beyond_the_limit_of_a_message_arrives_with_progress(visitor, tmp_path):
    page = visitor("rank")
    # Seventy megabytes of zeros in a zip that is not compressed: more than one message may carry.
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as file:
        file.writestr("anna.txt", NURSE)
        file.writestr("zeros.bin", bytes(70 * 10**6))
    page.locator(".wb-room:visible .wb-drop-input").nth(2).set_input_files(tmp_path / "many.zip")
    page.locator(".wb-room:visible .wb-drop", has_text=re.compile(r"\d of 70 MB")).wait_for()
    page.locator(".wb-room:visible .wb-drop-list", has_text="70 MB (many.zip)").wait_for(timeout=60_000)
    page.get_by_label("Or paste a JD").fill(JD)
    page.get_by_role("button", name=re.compile("Rank$")).click()
    page.locator(".wb-candidates", has_text="anna").wait_for(timeout=60_000)


def test_a_ranking_shows_progress_and_can_be_stopped(visitor):
    page = visitor("rank")
    page.get_by_label("Or paste a JD").fill(JD)
    many = "\n".join(
        f"{number},nurse number {number} who worked on ward {number * 7}" for number in range(20_000)
    )
    page.locator(".wb-room:visible .wb-drop-input").nth(2).set_input_files(
        {"name": "many.csv", "mimeType": "text/csv", "buffer": f"id,text\n{many}".encode()}
    )
    page.locator(".wb-room:visible .wb-drop-list", has_text="many.csv").wait_for()
    page.get_by_role("button", name=re.compile("Rank$")).click()
    page.get_by_text(re.compile(r"Working: encoding [\d,]+ / 20,000")).wait_for(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped.").wait_for()
    assert page.get_by_role("button", name=re.compile("Rank$")).is_enabled()


@pytest.mark.parametrize(
    ("locale", "name", "start", "match"),
    [("en-US", "Your name", "Label", "1 Match"), ("zh-CN", "您的名字", "标注", "1 匹配")],
)
def test_labels_of_an_own_table_are_on_disk_and_go_on_after_a_new_start(
    app, visitor, locale, name, start, match
):
    pairs = f"pair_id,jd,resume\n1,{locale} night nurse,ward nurse\n2,{locale} welder,cook\n"
    table = {"name": "pairs.csv", "mimeType": "text/csv", "buffer": pairs.encode()}

    def opened():
        page = visitor("label", locale=locale)
        room = page.locator(".wb-room:visible")
        room.locator(".wb-drop-input").set_input_files(table)
        room.locator(".wb-drop-list", has_text="pairs.csv").wait_for()
        room.get_by_label(name).fill("anna")
        room.get_by_role("button", name=start, exact=True).click()
        room.locator(".wb-pair").wait_for()
        return page

    page = opened()
    page.wait_for_timeout(300)  # a click before anybody can have read the pair is not counted
    page.get_by_role("button", name=match).click()
    page.locator(".wb-pair", has_text="welder").wait_for()
    logs = list(app.folder.glob("project/labeled_pairs/work/*/annotations/anna.jsonl"))
    assert any('"label": 1' in log.read_text() or '"label":1' in log.read_text() for log in logs)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert f"{locale} night nurse" in download.value.path().read_text(encoding="utf-8-sig")
    app.kernel_of(page).kill()
    opened().locator(".wb-pair", has_text="welder").wait_for()


@pytest.mark.parametrize(
    ("locale", "start", "sentence"),
    [("en-US", "Calibrate", "with 95 % confidence"), ("zh-CN", "校准", "95%")],
)
def test_a_cutoff_is_found_on_labelled_pairs_and_its_card_taken_along(visitor, locale, start, sentence):
    page = visitor("cutoff", locale=locale)
    room = page.locator(".wb-room:visible")
    room.locator(".wb-drop-input").set_input_files(
        {"name": "pairs.csv", "mimeType": "text/csv", "buffer": everyday_pairs().encode()}
    )
    room.locator(".wb-drop-list", has_text="pairs.csv").wait_for()
    room.get_by_role("button", name=start, exact=True).click()
    room.locator(".wb-plot").wait_for(timeout=90_000)
    assert sentence in room.locator(".wb-message").first.inner_text()
    with page.expect_download() as download:
        room.get_by_role("link", name=re.compile("card|阈值卡")).click()
    card = wb.Cutoff.load(download.value.path().rename(download.value.path().with_suffix(".json")))
    assert card.encoder_name == "use"
    assert page.outside == []


def test_a_calibration_stops_among_its_resamples(visitor):
    page = visitor("cutoff")
    room = page.locator(".wb-room:visible")
    pairs = itertools.product(range(200), range(100))
    rows = "".join(f"nurse {jd},nurse on ward {cv},{jd * cv % 3 == 0:d}\n" for jd, cv in pairs)
    room.locator(".wb-drop-input").set_input_files(
        {"name": "pairs.csv", "mimeType": "text/csv", "buffer": f"jd,resume,label\n{rows}".encode()}
    )
    room.locator(".wb-drop-list", has_text="pairs.csv").wait_for()
    room.get_by_role("button", name="Calibrate", exact=True).click()
    room.get_by_text(re.compile(r"Working: (calibrating|resampling)")).wait_for(timeout=90_000)
    room.get_by_role("button", name="Stop").click()
    room.get_by_text("Stopped.").wait_for(timeout=5_000)
    assert room.locator(".wb-plot").count() == 0


def test_no_file_of_a_visitor_is_left_behind(browser, tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("gone"), "--spare=1") as app:
        page = visit(browser, app, "rank")
        page.locator(".wb-room:visible .wb-drop-input").nth(2).set_input_files(
            {"name": "anna-who-was-here.txt", "mimeType": "text/plain", "buffer": NURSE.encode()}
        )
        page.locator(".wb-room:visible .wb-drop-list", has_text="anna").wait_for()
        folders = [Path(kernel.environ()["TMPDIR"]) for kernel in app.kernels()]
        assert any(list(folder.rglob("anna-who-was-here.txt")) for folder in folders)
        app.kernel_of(page).kill()
        page.context.close()
    assert not any(folder.exists() for folder in folders)


def everyday_pairs():
    """The demonstration's everyday pairs, as a table of one's own."""
    pairs = wb.read_pairs(Path(__file__).parents[2] / "labeled_pairs" / "demo")
    return pairs.loc[pairs["source"] != "composed-hard", ["jd", "resume", "label"]].to_csv(index=False)
