"""The map as people meet it: drawn with WebGL in JupyterLab, hovered, lassoed, searched, exported, linked."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass

import nbformat
import numpy as np
import pytest
from live_notebook import run_notebook
from matplotlib.colors import to_hex, to_rgb
from PIL import Image, ImageColor

import workbench as wb
from workbench.plots.skill_map import COLOURS
from workbench.plots.style import GREEN, INK, VERMILLION, YELLOW

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]

NAME = "skill_map.ipynb"
# A JD is an opaque dot; a résumé text lets a quarter of the white through.
JD = COLOURS[1]
RESUME = to_hex(0.75 * np.array(to_rgb(COLOURS[0])) + 0.25)
RISKY = "<script>document.title='broken in'</script> <b>护士</b>，病房两年"
FORMULA = '=HYPERLINK("http://example.com","Java 后端三年")'
RESUMES = [
    "主导过智能客服 Agent 项目，实现了工具调用和多轮对话",
    FORMULA,
    RISKY,
    "用 Python 和 SQL 做经营报表，指标体系从零搭起",
    "三甲医院急诊护士五年，会用呼吸机",
    "做过大模型微调和推理部署",
]
TEXTS = [*wb.EXAMPLE_JDS, *RESUMES]
QUERY = "急诊护理"
SOURCE = f"""
import json
import numpy as np
import pandas as pd
import workbench as wb
from workbench.exploration import fit_map
from workbench.panels import MapPanel, SearchPanel
jds, resumes = list(wb.EXAMPLE_JDS), {RESUMES!r}
encoder = wb.load_encoder("use")
vectors = np.vstack([encoder.encode_documents(jds), encoder.encode_queries(resumes)])
panel = MapPanel(
    [*jds, *resumes],
    fit_map(vectors, method="pca", fingerprint=encoder.fingerprint),
    kinds=["jd"] * len(jds) + ["resume"] * len(resumes),
    groups=pd.DataFrame({{"来源": ["一", "二"] * {len(TEXTS) // 2}}}),
    vectors=vectors, encoder=encoder, cutoff=0.4, k=3, language="zh",
)
panel
"""
LONG = wb.EXAMPLE_JDS[0] + "；熟悉检索、排序与评测的全流程，能独立完成方案设计与落地" * 8
NAMED = f"""
import json
import numpy as np
import pandas as pd
import workbench as wb
from workbench.exploration import Clusters, fit_map
from workbench.panels import MapPanel
texts = [{LONG!r}, *wb.EXAMPLE_JDS[1:], *{RESUMES!r}]
vectors = wb.load_encoder("use").encode_documents(texts)
labels = np.arange(14) // 7
table = pd.DataFrame({{"name": ["研发", "护理"], "size": 7, "share": 0.5}})
clusters = Clusters(labels, np.ones(14), table, vectors[:2], {{}})
kinds = ["jd"] * 8 + ["resume"] * 6
panel = MapPanel(texts, fit_map(vectors, method="pca"), kinds=kinds, clusters=clusters, language="zh")
panel
"""
# How many pixels of a part of the canvas with the names are painted.
PAINTED = """(left, top, right, bottom) => {
    const canvas = document.querySelectorAll(".wb-map canvas")[1];
    const pixels = canvas.getContext("2d").getImageData(left, top, right - left, bottom - top).data;
    return pixels.filter((value, at) => at % 4 === 3 && value > 0).length;
}"""
PAINTED_AT = f"part => ({PAINTED})(...part)"
LINKED = 'search = SearchPanel(encoder=encoder, cutoff=0.4, language="zh")\nsearch'


@pytest.fixture(scope="module")
def page(browser, lab):
    page = opened(browser, lab, NAME, SOURCE, LINKED)
    page.locator(".wb-panel:has(textarea)").wait_for(timeout=60_000)
    yield page
    page.close()


def opened(browser, lab, name, *cells):
    """A notebook of these cells, run."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, lab.root / name)
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    page.set_default_timeout(10_000)
    run_notebook(page, lab, name, ".wb-map:has(canvas)")
    return page


@pytest.fixture
def panel(page):
    """The panel as it was at first, the mouse out of the way."""
    ask(page, "panel.select([]), panel.widgets.only.set_trait('value', 'all'), panel.widgets.clear.click()")
    panel = page.locator(".wb-map")
    panel.get_by_role("button", name="中文").click()
    panel.get_by_title("Activate pan & zoom").click()
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    page.mouse.move(5, 5)
    panel.get_by_text("还没有圈选").wait_for()
    page.wait_for_timeout(300)  # a frame of the map
    return panel


@pytest.fixture
def spots(panel):
    """Where each text lies on the screen, shape (n, 2)."""
    return spots_of_texts(panel)


def ask(page, expression):
    """The value of an expression in the notebook's kernel."""
    said = page.evaluate(
        """async code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const future = kernel.requestExecute({code, store_history: false});
            let said = "";
            future.onIOPub = ({header, content}) => {
                if (header.msg_type === "stream") said += content.text;
                if (header.msg_type === "error") said += content.traceback.join("\\n");
            };
            await future.done;
            return said;
        }""",
        f"print(json.dumps(({expression}), default=str))",
    )
    try:
        return json.loads(said)
    except ValueError:
        raise AssertionError(said) from None


def spots_of_texts(panel):
    # A search puts a message above the map, and cards below it.
    panel.evaluate("panel => panel.scrollIntoView({block: 'start'})")
    return on_screen(panel, ask(panel.page, "panel.session.points.places.tolist()"))


def on_screen(panel, places):
    domains = ask(panel.page, "[panel._view.widget.x_scale_domain, panel._view.widget.y_scale_domain]")
    low, high = np.array(domains, dtype=float).T
    box = panel.locator("canvas").first.bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    # What the front end calls -1 to 1 is as wide as the canvas is high; its y goes up.
    return middle + (2 * (np.array(places) - low) / (high - low) - 1) * (box["height"] / 2) * (1, -1)


@dataclass
class Picture:
    """The page as a picture."""

    pixels: np.ndarray

    @classmethod
    def of(cls, page):
        page.wait_for_timeout(400)
        return cls(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), dtype=int))

    def shows(self, colour, spot, radius):
        """Whether a pixel near a spot has a colour, give or take what smoothing does to it."""
        return bool((np.abs(self.near(spot, radius) - ImageColor.getrgb(colour)).max(axis=-1) < 24).any())

    def near(self, spot, radius):
        """The pixels around a spot."""
        x, y = np.round(spot).astype(int)
        return self.pixels[y - radius : y + radius + 1, x - radius : x + radius + 1]


def hover(panel, spot, text, seconds=10):
    """The tooltip at a spot, once it shows a text."""
    x, y = spot
    for _ in range(seconds * 2):
        panel.page.mouse.move(x + 60, y + 40)
        panel.page.mouse.move(x, y, steps=4)
        panel.page.wait_for_timeout(500)
        shown = panel.locator(".wb-white").inner_text()
        if text in shown:
            return shown
    raise AssertionError(f"No tooltip shows {text!r}, but {shown!r}")


def lasso(panel, low, high):
    """Draw a rectangle with the lasso tool."""
    panel.get_by_title("Activate lasso selection").click()
    mouse = panel.page.mouse
    mouse.move(*low)
    mouse.down()
    for corner in ((high[0], low[1]), high, (low[0], high[1]), low):
        mouse.move(*corner, steps=12)
    mouse.up()


def lasso_left(panel, spots):
    """Lasso all to the left of the widest gap in the middle of the map, and return their rows."""
    order = np.argsort(spots[:, 0])
    inner = np.arange(3, len(spots) - 3)
    gap = inner[np.argmax(np.diff(spots[order, 0])[inner])]
    split = spots[order[gap : gap + 2], 0].mean()
    low = (spots[:, 0].min() - 14, spots[:, 1].min() - 12)
    lasso(panel, low, (split, spots[:, 1].max() + 12))
    rows = sorted(order[: gap + 1].tolist())
    panel.get_by_text(f"已选 {len(rows)} 条").wait_for()
    return rows


def search(panel, query):
    panel.get_by_label("查询").fill(query)
    panel.get_by_label("查询").press("Enter")
    panel.get_by_text(f"“{query}”：橙圈是最接近的 3 条").wait_for()


class TestDrawing:
    def test_jds_are_ringed_and_resume_texts_are_not(self, panel, spots):
        picture = Picture.of(panel.page)
        for row, spot in enumerate(spots):
            is_jd = row < len(wb.EXAMPLE_JDS)
            assert picture.shows(JD if is_jd else RESUME, spot, 2)
            others = np.delete(spots, row, axis=0)
            if np.linalg.norm(others - spot, axis=1).min() > 20:
                assert picture.shows(INK, spot, 7) == is_jd

    def test_all_texts_are_in_view(self, panel, spots):
        box = panel.locator("canvas").first.bounding_box()
        inside = spots - (box["x"], box["y"])
        assert (inside > 5).all()
        assert (inside < (box["width"] - 5, box["height"] - 5)).all()

    def test_one_kind_can_be_shown_alone(self, panel, spots):
        panel.get_by_label("显示", exact=True).select_option(label="岗位要求")
        picture = Picture.of(panel.page)
        alone = [
            row
            for row in range(len(spots))
            if np.linalg.norm(np.delete(spots, row, axis=0) - spots[row], axis=1).min() > 20
        ]
        shown = [picture.shows(JD, spots[row], 2) for row in alone]
        assert shown == [row < len(wb.EXAMPLE_JDS) for row in alone]
        assert not any(picture.shows(RESUME, spots[row], 2) for row in alone)


class TestHovering:
    @pytest.mark.parametrize("row", [0, 7, TEXTS.index(FORMULA)])
    def test_it_shows_the_text(self, panel, spots, row):
        shown = hover(panel, spots[row], TEXTS[row])
        assert ("岗位要求" if row < len(wb.EXAMPLE_JDS) else "简历技能") in shown

    def test_markup_in_a_text_is_shown_as_text(self, panel, spots):
        hover(panel, spots[TEXTS.index(RISKY)], RISKY)
        assert panel.page.title() != "broken in"
        assert panel.locator(".wb-white b").filter(has_text="护士").count() == 0


class TestLasso:
    def test_it_gives_a_table_of_the_texts_inside(self, panel, spots):
        rows = lasso_left(panel, spots)
        cells = panel.locator(".wb-rows tbody td:last-child").all_inner_texts()
        assert cells == [TEXTS[row] for row in rows]
        assert ask(panel.page, "panel.selected['row'].tolist()") == rows

    def test_and_the_words_that_tell_them_from_the_rest(self, panel, spots):
        rows = lasso_left(panel, spots)
        assert "区别于其他文本的词" in panel.inner_text()
        chips = panel.locator(".wb-box:has(.wb-rows) .wb-chip").all_inner_texts()
        inside = " ".join(TEXTS[row] for row in rows).casefold()
        assert chips
        assert all(word.casefold().split()[0] in inside for word in chips)

    def test_markup_is_escaped_in_the_table(self, panel, spots):
        spot = spots[TEXTS.index(RISKY)]
        lasso(panel, spot - 9, spot + 9)
        panel.locator(".wb-rows").get_by_text(RISKY).wait_for()
        assert panel.locator("script").count() == 0
        assert panel.page.title() != "broken in"

    def test_the_export_downloads_what_is_selected_without_formulas(self, panel):
        search(panel, QUERY)
        spot = spots_of_texts(panel)[TEXTS.index(FORMULA)]
        lasso(panel, spot - 9, spot + 9)
        link = panel.get_by_role("link", name=re.compile("导出 CSV"))
        with panel.page.expect_download() as download:
            link.click()
        assert download.value.suggested_filename == "selected_texts.csv"
        content = download.value.path().read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        row = next(row for row in rows if "HYPERLINK" in row["文本"])
        assert row["文本"] == f"'{FORMULA}"
        assert (row["类型"], row["来源"]) == ("简历技能", "二")
        score = wb.search(QUERY, [FORMULA], encoder="use", cutoff=0.4)[0]["score"]
        assert float(row["分数"]) == pytest.approx(score, abs=1e-4)

    def test_the_selection_is_let_go(self, panel, spots):
        lasso_left(panel, spots)
        panel.get_by_role("button", name=re.compile("取消圈选")).click()
        panel.get_by_text("还没有圈选").wait_for()
        assert panel.get_by_role("link", name=re.compile("导出")).count() == 0

    def test_it_becomes_a_knowledge_base(self, panel, spots):
        rows = lasso_left(panel, spots)
        panel.get_by_role("button", name=re.compile("用作知识库")).click()
        panel.get_by_text(f"已用选中的 {len(rows)} 条建好知识库").wait_for()
        found = ask(
            panel.page, f"[hit['text'] for hit in panel.knowledge_base.search({QUERY!r}, k=3, cutoff=0.4)]"
        )
        expected = wb.search(QUERY, [TEXTS[row] for row in rows], encoder="use", cutoff=0.4, k=3)
        assert found == [hit["text"] for hit in expected]


class TestSearching:
    def test_it_shows_where_query_and_hits_fall(self, panel):
        search(panel, QUERY)
        expected = wb.search(QUERY, TEXTS, encoder="use", cutoff=0.4, k=3)
        cards = panel.locator(".wb-card")
        cards.nth(2).wait_for()
        assert cards.locator(".wb-text").all_inner_texts() == [hit["text"] for hit in expected]
        assert cards.locator(".wb-score").all_inner_texts() == [f"{hit['score']:.4f}" for hit in expected]
        spots = spots_of_texts(panel)
        query = on_screen(panel, ask(panel.page, "[panel.session.pins.place.tolist()]"))[0]
        picture = Picture.of(panel.page)
        assert picture.shows(YELLOW, query, 3)
        hits = {hit["index"] for hit in expected}
        for row, spot in enumerate(spots):
            others = np.vstack([np.delete(spots, row, axis=0), query])
            if row in hits:
                assert picture.shows(VERMILLION, spot, 8)
            elif np.linalg.norm(others - spot, axis=1).min() > 24:
                assert not picture.shows(VERMILLION, spot, 8)
        hover(panel, query, QUERY)

    def test_the_map_can_then_be_coloured_by_match(self, panel):
        search(panel, QUERY)
        panel.get_by_label("颜色").select_option(label="匹配")
        scores = wb.search(QUERY, TEXTS, encoder="use", cutoff=0.4, k=len(TEXTS))
        matches = [hit for hit in scores if hit["score"] > 0.4]
        panel.get_by_text(f"匹配 {len(matches)}", exact=True).wait_for()
        spots = spots_of_texts(panel)
        picture = Picture.of(panel.page)
        assert all(picture.shows(GREEN, spots[hit["index"]], 3) for hit in matches)

    def test_clearing_takes_them_away(self, panel):
        search(panel, QUERY)
        panel.get_by_role("button", name=re.compile("清除")).click()
        panel.locator(".wb-card").first.wait_for(state="hidden")
        assert panel.get_by_label("查询").input_value() == ""

    def test_an_empty_query_is_answered_with_a_sentence(self, panel):
        panel.get_by_role("button", name=re.compile("搜索$")).click()
        panel.get_by_role("alert").wait_for()
        assert "查询是空的" in panel.get_by_role("alert").inner_text()


class TestLinkedWithTheSearchPanel:
    @pytest.fixture
    def beside(self, panel):
        """The search panel, linked to the map."""
        ask(panel.page, "panel.link(search) and None")
        beside = panel.page.locator(".wb-panel:has(textarea)")
        yield beside
        ask(panel.page, "setattr(panel, '_linked', None)")

    def test_what_is_searched_there_is_marked_on_the_map(self, panel, beside):
        beside.get_by_label("语义查询").fill("会写 Java 后端")
        beside.get_by_role("button", name=re.compile("搜索$")).click()
        panel.get_by_text("“会写 Java 后端”：橙圈是最接近的 3 条").wait_for()
        hits = ask(panel.page, "panel.session.pins.hits.tolist()")
        best = wb.search("会写 Java 后端", list(wb.EXAMPLE_JDS), encoder="use", cutoff=0.4, k=3)
        assert [TEXTS[row] for row in hits] == [hit["text"] for hit in best]

    def test_a_selection_becomes_its_knowledge_base(self, panel, beside, spots):
        rows = lasso_left(panel, spots)
        panel.get_by_role("button", name=re.compile("用作知识库")).click()
        panel.get_by_text("已放进搜索面板的知识库").wait_for()
        lines = beside.get_by_label("知识库").input_value().splitlines()
        assert lines == [TEXTS[row] for row in rows]


@pytest.fixture(scope="module")
def named(browser, lab):
    page = opened(browser, lab, "named_groups.ipynb", NAMED)
    yield page.locator(".wb-map")
    page.close()


class TestNamedGroups:
    """A map with groups and a long JD, on screens of any width and in the dark."""

    @pytest.fixture
    def wide(self, named):
        named.page.set_viewport_size({"width": 1280, "height": 1700})
        named.page.wait_for_function("() => document.querySelector('.wb-map canvas')?.clientHeight === 540")
        return named

    def test_their_names_stand_above_the_middle_of_their_texts(self, wide):
        spots = spots_of_texts(wide)
        wide.page.wait_for_function(f"() => ({PAINTED})(0, 0, 2000, 2000) > 0")
        box = wide.locator("canvas").first.bounding_box()
        for labels in (np.arange(14) < 7, np.arange(14) >= 7):
            x, y = np.median(spots[labels], axis=0) - (box["x"], box["y"])
            painted = wide.page.evaluate(PAINTED_AT, [x - 26, y - 24, x + 26, y - 4])
            assert painted > 100
        assert wide.page.evaluate(PAINTED_AT, [0, 0, 100, 60]) == 0

    def test_a_long_jd_is_read_at_forty_characters_a_line(self, wide):
        shown = hover(wide, spots_of_texts(wide)[0], LONG[:200])
        assert LONG in shown
        text = wide.locator(".wb-white").get_by_text(LONG, exact=True)
        wide_enough = "text => text.clientWidth / parseFloat(getComputedStyle(text).fontSize)"
        assert text.evaluate(wide_enough) > 40
        assert text.evaluate("text => text.scrollHeight <= text.clientHeight + 1")

    def test_on_a_phone_all_texts_are_in_view(self, wide):
        wide.page.set_viewport_size({"width": 390, "height": 1400})
        wide.page.wait_for_function("() => document.querySelector('.wb-map canvas')?.clientHeight < 400")
        inside = spots_of_texts(wide)
        box = wide.locator("canvas").first.bounding_box()
        inside -= (box["x"], box["y"])
        assert (inside > 0).all()
        assert (inside < (box["width"], box["height"])).all()
        assert box["x"] + box["width"] <= 390

    def test_in_the_dark_it_is_dark_and_its_rings_are_light(self, wide):
        change = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})"
        wide.page.evaluate(change, "JupyterLab Dark")
        wide.page.wait_for_selector("[data-jp-theme-light=false]", state="attached")
        spots = spots_of_texts(wide)
        picture, box = Picture.of(wide.page), wide.locator("canvas").first.bounding_box()
        assert picture.pixels[int(box["y"]) + 9, int(box["x"]) + 9].max() < 50
        assert all((picture.near(spot, 7).min(axis=-1) > 170).any() for spot in spots[:8])
        wide.page.evaluate(change, "JupyterLab Light")


def test_the_language_changes_in_place(panel):
    panel.get_by_role("button", name="English").click()
    panel.get_by_text("Nothing is selected yet").wait_for()
    assert "Skill map" in panel.inner_text()
    panel.locator("canvas").first.wait_for()
    shown = hover(panel, spots_of_texts(panel)[TEXTS.index(FORMULA)], FORMULA)
    assert "résumé text" in shown
