"""The labelling panel as people meet it: keys in the notebook, a kernel killed midway, nothing lost."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import psutil
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.xdist_group("browser")]

ROOT = Path(__file__).parents[2]
NOTEBOOK = "05_label_pairs.ipynb"
PAIRS = pd.read_csv(ROOT / "labeled_pairs" / "demo" / "pairs.csv")


@pytest.fixture(scope="module")
def work(lab):
    """Where the labels of this session go; the set is copied to where the notebook looks for it."""
    shutil.copytree(ROOT / "labeled_pairs", lab.root.parent / "labeled_pairs")
    _set_parameters(lab.root / NOTEBOOK, annotator="anna", cutoff=0.4, n_repeats=2)
    return lab.root.parent / "labeled_pairs" / "work" / "demo"


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1300})
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture(scope="module")
def panel(page, lab, work):
    return open_panel(page, lab)


def _set_parameters(notebook: Path, **values) -> None:
    source = json.loads(notebook.read_text(encoding="utf-8"))
    cell = next(cell for cell in source["cells"] if "parameters" in cell["metadata"].get("tags", []))
    text = "".join(cell["source"])
    for name, value in values.items():
        text, n = re.subn(rf"(?m)^({name}: [^=]+=) .*$", rf"\g<1> {value!r}", text)
        assert n == 1
    cell["source"] = text.splitlines(keepends=True)
    notebook.write_text(json.dumps(source, ensure_ascii=False), encoding="utf-8")


def open_panel(page, lab):
    """Open the notebook, run all cells, and wait for the live panel."""
    page.goto(lab.address(NOTEBOOK))
    page.wait_for_function(
        "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.connectionStatus"
        " === 'connected'",
        timeout=60_000,
    )
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    panel = page.locator(".wb-labelling:has(.wb-decide)")
    panel.wait_for(timeout=120_000)
    panel.scroll_into_view_if_needed()
    return panel


def labels_on_disk(work, annotator="anna"):
    path = work / "annotations" / f"{annotator}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(line["action"], line["pair_id"], line.get("label")) for line in map(json.loads, lines)]


def texts(panel):
    return panel.locator(".wb-side p").all_inner_texts()


def shows(panel, row):
    """Wait until the pair of a row is on the screen."""
    expected = PAIRS.loc[row, ["jd", "resume"]].tolist()
    for _ in range(200):
        if texts(panel) == expected:
            # A person needs longer than this to read it.
            panel.page.wait_for_timeout(350)
            return
        panel.page.wait_for_timeout(50)
    raise AssertionError(f"Expected {expected}, the page shows {texts(panel)}")


def row_shown(panel):
    """The row of the pair that is on the screen, once somebody can have read it."""
    panel.page.wait_for_timeout(350)
    jd, resume = texts(panel)
    return PAIRS.index[(PAIRS["jd"] == jd) & (PAIRS["resume"] == resume)][0]


def press(panel, key):
    panel.page.keyboard.press(key)


def focus(panel):
    """Click into the panel, not on a control, as somebody does who wants to use keys."""
    panel.locator(".wb-title").click()


def kill_kernel(lab):
    """Kill the notebook's kernel as a crash would: SIGKILL, no farewell."""
    runtime = str(lab.root.parent / "runtime")
    kernels = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "ipykernel_launcher" in (line := " ".join(process.info["cmdline"] or ())) and runtime in line
    ]
    assert kernels, "no kernel of this server was found"
    for kernel in kernels:
        kernel.kill()


def test_a_session_by_keys_killed_in_the_middle_and_resumed_with_nothing_lost(page, lab, work, panel):
    shows(panel, 0)
    focus(panel)
    for row, key in enumerate("1100"):
        press(panel, key)
        shows(panel, row + 1)
        # On disk already when the next pair is there.
        assert len(labels_on_disk(work)) == row + 1
    press(panel, "u")
    shows(panel, 3)
    press(panel, "1")
    shows(panel, 4)
    before = labels_on_disk(work)
    ids = PAIRS["pair_id"]
    assert before == [
        ("label", ids[0], 1),
        ("label", ids[1], 1),
        ("label", ids[2], 0),
        ("label", ids[3], 0),
        ("retract", ids[3], None),
        ("label", ids[3], 1),
    ]
    kill_kernel(lab)
    again = open_panel(page, lab)
    assert labels_on_disk(work) == before
    shows(again, 4)
    assert f"已标 4 / {len(PAIRS)} 对" in again.inner_text()
    focus(again)
    press(again, "0")
    shows(again, 5)
    assert labels_on_disk(work) == [*before, ("label", ids[4], 0)]


class TestInThePage:
    @pytest.fixture
    def live(self, page, lab, work):
        panel = page.locator(".wb-labelling:has(.wb-decide)")
        if not panel.count():
            # Alone, or on a worker of its own, this is the first test that needs the page.
            return open_panel(page, lab)
        panel.scroll_into_view_if_needed()
        return panel

    def test_buttons_label_too_and_chinese_is_shown(self, live, work):
        row = row_shown(live)
        live.get_by_role("button", name="1 匹配").click()
        shows(live, row + 1)
        assert labels_on_disk(work)[-1] == ("label", PAIRS["pair_id"][row], 1)
        assert "已存盘" in live.inner_text()
        assert "岗位要求" in live.inner_text()

    def test_digits_typed_in_the_note_label_nothing_and_escape_returns_to_the_keys(self, live, work):
        row, n = row_shown(live), len(labels_on_disk(work))
        note = live.get_by_label("备注")
        note.click()
        live.page.keyboard.type("要求 10 年，只有 1 年 us")
        live.page.wait_for_timeout(300)
        assert len(labels_on_disk(work)) == n
        press(live, "Escape")
        press(live, "0")
        shows(live, row + 1)
        line = json.loads((work / "annotations" / "anna.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        assert line["note"] == "要求 10 年，只有 1 年 us"
        assert note.input_value() == ""

    def test_holding_a_key_or_pressing_it_twice_labels_one_pair(self, live, work):
        row, n = row_shown(live), len(labels_on_disk(work))
        focus(live)
        live.page.keyboard.down("1")
        for _ in range(5):
            live.page.keyboard.down("1")  # what a keyboard sends while a key is held
        live.page.keyboard.up("1")
        press(live, "1")
        shows(live, row + 1)
        assert len(labels_on_disk(work)) == n + 1

    def test_jupyters_own_keys_are_silent_in_the_panel(self, live):
        """Twice 0 would ask to restart the kernel."""
        row = row_shown(live)
        focus(live)
        for step in (1, 2):
            press(live, "0")
            shows(live, row + step)
        assert live.page.locator(".jp-Dialog").count() == 0

    def test_skip_leaves_the_pair_for_later(self, live):
        row = row_shown(live)
        focus(live)
        press(live, "s")
        shows(live, row + 1)
        assert "跳过 1" in live.inner_text()
        press(live, "u")
        shows(live, row)

    def test_the_rubric_unfolds(self, live):
        rubric = live.locator(".wb-rubric")
        assert not rubric.locator("table").is_visible()
        rubric.locator("summary").click()
        assert rubric.locator("table").is_visible()
        rubric.locator("summary").click()

    def test_neither_score_nor_anybodys_label_is_in_the_page(self, live):
        text = live.inner_text()
        assert "annotator-a" not in text
        assert not re.search(r"\b0\.\d{4}\b", text)

    def test_the_language_changes_in_place(self, live):
        live.get_by_role("button", name="English").click()
        live.get_by_role("button", name="1 Match").wait_for()
        assert "Job requirement" in live.inner_text()
        live.get_by_role("button", name="中文").click()
        live.get_by_role("button", name="1 匹配").wait_for()

    def test_the_committed_set_was_not_touched(self, work, lab):
        assert not (lab.root.parent / "labeled_pairs" / "demo" / "annotations").exists()
