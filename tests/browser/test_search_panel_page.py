"""The search panel as people meet it: the real notebook in JupyterLab, in headless Chromium."""

from __future__ import annotations

import csv
import io
import re
import shutil

import pytest
from live_notebook import run_notebook, settle

import workbench as wb
from workbench.cutoffs import SHIPPED, Cutoff

# One worker drives the page, whatever runs beside it.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]

GREEN, GREY = "rgb(0, 158, 115)", "rgb(179, 189, 199)"
RISKY = "<script>document.title='broken in'</script> <img src=x onerror=\"document.title='broken in'\">"

# Of the card that the workbench brings for `use`.
CARD = Cutoff.load(SHIPPED / "use.json").value


@pytest.fixture(scope="module")
def page(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(8_000)
    yield page
    page.close()


@pytest.fixture(scope="module")
def opened(page, lab):
    return run_notebook(page, lab, "01_search.ipynb")


@pytest.fixture
def panel(opened):
    """The panel, back at the worked example."""
    opened.get_by_role("button", name="中文").click()
    opened.get_by_label("知识库").fill("\n".join(wb.EXAMPLE_JDS))
    while opened.locator(".wb-files button").count():
        opened.locator(".wb-files button").first.click()
        settle(opened.page)
    opened.get_by_label("包含文字").fill("")
    opened.get_by_label("只看匹配").set_checked(False)
    search(opened, wb.EXAMPLE_QUERY)
    move_slider(opened, CARD)
    settle(opened.page)
    return opened


def search(panel, query):
    panel.get_by_label("语义查询").fill(query)
    settle(panel.page)
    press_search(panel)
    settle(panel.page)
    wait_for(panel, lambda: "内容已修改" not in panel.inner_text() and "搜索中" not in panel.inner_text())


def press_search(panel):
    # The icon's glyph is part of the button's name.
    panel.get_by_role("button", name=re.compile("搜索$")).click()


def wait_for(panel, condition, seconds=8):
    for _ in range(seconds * 20):
        if condition():
            return
        panel.page.wait_for_timeout(50)
    raise AssertionError(f"The page did not get there: {panel.inner_text()}")


def move_slider(panel, cutoff):
    readout = panel.locator(".widget-readout")
    readout.fill(str(cutoff))
    readout.press("Enter")
    wait_for(
        panel,
        lambda: f"高于阈值 {cutoff:.4f}" in panel.inner_text() or panel.locator(".wb-card").count() == 0,
    )


def cards(panel):
    return panel.locator(".wb-card")


def fill_colour(card):
    return card.locator(".wb-fill").evaluate("bar => getComputedStyle(bar).backgroundColor")


def test_the_worked_example_finds_both_agent_jds_first(panel):
    expected = wb.search(wb.EXAMPLE_QUERY, list(wb.EXAMPLE_JDS), encoder="use", cutoff=CARD, k=8)
    assert cards(panel).locator(".wb-text").all_inner_texts() == [hit["text"] for hit in expected]
    assert cards(panel).locator(".wb-score").all_inner_texts() == [f"{hit['score']:.4f}" for hit in expected]
    assert cards(panel).locator(".wb-pill").all_inner_texts() == ["✓ 匹配"] * 2 + ["— 未达"] * 6


def test_cards_are_green_above_the_cutoff_and_grey_below(panel):
    assert [fill_colour(card) for card in cards(panel).all()] == [GREEN] * 2 + [GREY] * 6
    move_slider(panel, CARD + 0.25)
    assert [fill_colour(card) for card in cards(panel).all()] == [GREEN] + [GREY] * 7


def test_dragging_the_slider_judges_anew_at_once(panel):
    handle, track = panel.get_by_role("slider"), panel.locator(".slider-container").bounding_box()
    handle.hover()
    panel.page.mouse.down()
    panel.page.mouse.move(track["x"] + track["width"], track["y"] + track["height"] / 2, steps=4)
    panel.page.mouse.up()
    wait_for(panel, lambda: "0 条高于阈值 1.0000" in panel.inner_text())
    assert "手动设定" in panel.inner_text()
    panel.get_by_role("button", name="恢复").click()
    wait_for(panel, lambda: f"2 条高于阈值 {CARD:.4f}" in panel.inner_text())


def test_filters_show_fewer_cards(panel):
    panel.get_by_label("包含文字").fill("agent")
    wait_for(panel, lambda: cards(panel).count() == 2)
    panel.get_by_label("包含文字").fill("")
    panel.get_by_label("只看匹配").check()
    wait_for(panel, lambda: cards(panel).count() == 2)


def test_the_export_downloads_what_is_shown_for_excel(panel):
    panel.get_by_label("只看匹配").check()
    link = panel.get_by_role("link", name="导出 CSV（2 条）")
    with panel.page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "search_results.csv"
    content = download.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["匹配"] for row in rows] == ["是", "是"]
    assert rows[0]["文本"] == wb.EXAMPLE_JDS[3]


def test_markup_in_texts_is_shown_as_text(panel):
    panel.get_by_label("知识库").fill(f"{RISKY}\n护士")
    search(panel, RISKY)
    assert cards(panel).first.locator(".wb-text").inner_text() == RISKY
    assert panel.page.title() != "broken in"
    assert panel.locator("script").count() == 0


def test_an_empty_query_is_answered_with_a_sentence(panel):
    panel.get_by_label("语义查询").fill("")
    press_search(panel)
    panel.get_by_role("alert").wait_for()
    assert "查询是空的" in panel.get_by_role("alert").inner_text()
    assert "Traceback" not in panel.page.inner_text("body")


def test_a_file_is_added_through_the_browser(panel):
    panel.locator(".wb-drop-input").first.set_input_files(
        {"name": "岗位.csv", "mimeType": "text/csv", "buffer": "内容,城市\n会用 Excel 做报表,上海\n".encode()}
    )
    wait_for(panel, lambda: "已从 岗位.csv 添加 1 条" in panel.inner_text())
    search(panel, "会用 Excel 做报表")
    assert cards(panel).count() == 9
    assert "城市: 上海" in cards(panel).first.inner_text()


def test_a_whole_document_stays_one_text_and_its_phrase_is_marked(panel):
    phrase = "1. 持护士执业证，三年以上病房护理经验"
    jd = f"夜班护士\n\n任职要求\n{phrase}\n\n2. 会用呼吸机\n\n关于我们\n海边的医院"
    panel.get_by_label("知识库").fill(jd)
    panel.get_by_label("知识库").blur()
    search(panel, "护士执业证")
    assert cards(panel).count() == 1
    card = cards(panel).first
    assert card.locator("mark").first.inner_text() == phrase
    assert card.locator(".wb-pill").inner_text() == "未判定"
    assert not card.locator(".wb-lines").is_visible()
    card.locator("summary").click()
    assert card.locator(".wb-lines").inner_text() == jd
    panel.get_by_role("button", name="一行一篇").click()
    wait_for(panel, lambda: "理解为 6 篇文档，一行一篇" in panel.inner_text())
    assert panel.get_by_label("知识库").input_value() == jd


def test_evidence_shows_encoder_values_and_figures(panel):
    button = panel.get_by_role("button", name="依据")
    assert "512 维" not in panel.inner_text()
    button.click()
    panel.locator(".wb-scenes img").nth(1).wait_for()
    assert "512 维" in panel.locator(".wb-chips").inner_text()
    assert panel.locator(".wb-values span").count() == 50
    widths = panel.locator(".wb-scenes img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert min(widths) > 1000
    before = panel.locator(".wb-values").inner_text()
    panel.get_by_label("看哪个向量").select_option(index=1)
    wait_for(panel, lambda: panel.locator(".wb-values").inner_text() != before)
    button.click()
    panel.locator(".wb-scenes").wait_for(state="hidden")


def test_a_long_search_can_be_cancelled_and_what_was_found_before_stays(panel):
    # Pasted at once: filling in types each of these letters.
    panel.get_by_label("知识库").evaluate(
        "(area, text) => { area.value = text; area.dispatchEvent(new Event('change', {bubbles: true})) }",
        "\n".join(f"第 {number} 条岗位要求，会用 Python" for number in range(4000)),
    )
    press_search(panel)
    panel.get_by_role("button", name="取消").click()
    wait_for(panel, lambda: "已取消" in panel.inner_text())
    wait_for(panel, lambda: panel.get_by_role("button", name="取消").count() == 0)
    assert cards(panel).first.locator(".wb-text").inner_text() == wb.EXAMPLE_JDS[3]


def test_tab_reaches_every_control_in_reading_order(panel):
    panel.get_by_role("button", name="English").focus()
    reached = []
    for _ in range(17):
        panel.page.keyboard.press("Tab")
        reached.append(focused(panel))
    assert reached == [
        *("知识库", "整体一篇", "一行一篇", "一段一篇", "选择文件", "选择文件夹"),
        *("语义查询", "选择文件", "搜索", "slider", f"{CARD:.4f}"),
        *("匹配占比 %", "只看匹配", "包含文字", "显示条数", "导出 CSV（8 条）", "依据"),
    ]


def test_everything_can_be_done_with_the_keyboard_alone(panel):
    press = panel.page.keyboard.press
    panel.get_by_label("语义查询").focus()
    press("Control+A")
    panel.page.keyboard.type("护士")
    press("Enter")
    wait_for(panel, lambda: "护士执业证" in cards(panel).first.inner_text())
    press("Tab")  # query from a file
    press("Tab")  # search
    press("Tab")  # slider
    press("ArrowRight")
    wait_for(panel, lambda: f"阈值 {CARD + 0.005:.4f}，手动设定" in panel.inner_text())
    while focused(panel) != "只看匹配":
        press("Tab")
    press("Space")
    wait_for(panel, lambda: cards(panel).locator("text=未达").count() == 0)
    while not focused(panel).startswith("导出"):
        press("Tab")
    with panel.page.expect_download():
        press("Enter")
    press("Tab")
    press("Enter")
    panel.locator(".wb-scenes img").first.wait_for()
    press("Enter")
    panel.locator(".wb-scenes").wait_for(state="hidden")


def focused(panel):
    """The name of the control that has the focus."""
    return panel.page.evaluate(
        """() => {
            const element = document.activeElement;
            const label = element.labels?.length ? element.labels[0].textContent : "";
            return element.title || label || element.textContent || element.getAttribute("role");
        }"""
    )


CONTRASTS = """panel => {
    const colour = style => (style.match(/[\\d.]+/g) || []).map(Number);
    const luminance = ([r, g, b]) => [r, g, b]
        .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = node => {
        for (; node; node = node.parentElement) {
            const found = colour(getComputedStyle(node).backgroundColor);
            if (found.length && found[3] !== 0) return found;
        }
        return [255, 255, 255];
    };
    const isShown = node => node.offsetParent && node.innerText !== undefined;
    const writes = node => ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName)
        || [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
    return [...panel.querySelectorAll("*")].filter(node => isShown(node) && writes(node)).map(node => {
        const [one, other] = [colour(getComputedStyle(node).color), behind(node)].map(luminance);
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        return [ratio, node.className + ": " + (node.value ?? node.innerText).slice(0, 30)];
    });
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_everything_can_be_read_in_either_theme(panel, theme):
    panel.page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    is_light = "true" if theme.endswith("Light") else "false"
    panel.page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")
    settle(panel.page)
    found = panel.evaluate(CONTRASTS)
    assert {f"widget-readout: {CARD:.4f}", "wb-score: 0.6942"} <= {name for _, name in found}
    assert [name for ratio, name in found if ratio < 4.5] == []
    assert (
        "rgb(255" in panel.evaluate("panel => getComputedStyle(panel.querySelector('.wb-box')).background")
    ) == (is_light == "true")


def test_the_whole_first_result_is_on_the_first_two_screens_of_the_notebook(browser, lab):
    # A notebook of its own, for the other one's kernel holds the panel of the other tests; so high that no
    # cell is left out, which changes nothing about where they stand.
    shutil.copy(lab.root / "01_search.ipynb", lab.root / "first_result.ipynb")
    page = browser.new_page(viewport={"width": 1440, "height": 3600})
    report = run_notebook(page, lab, "first_result.ipynb", ".wb-report")
    top = page.locator(".jp-Cell").first.bounding_box()["y"]
    cards = report.locator(".wb-card")
    assert cards.count() == len(wb.EXAMPLE_JDS)
    last = cards.last.bounding_box()
    assert last["y"] + last["height"] - top <= 2 * 900
    page.close()
