"""Every page of `workbench app`: both languages, light and dark, on a screen, on a phone, with keys alone."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_app import visit, workbench_app
from live_notebook import drag, violations

import workbench as wb

pytestmark = [
    *(pytest.mark.browser, pytest.mark.slow),
    *(pytest.mark.timeout(240), pytest.mark.xdist_group("browser")),
]

PAGES = ("search", "rank", "label", "cutoff")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LIGHT, DARK = "rgb(245, 247, 250)", "rgb(21, 25, 30)"
JD = "Ward nurse, surgery and intensive care, hospital in the old town, full time or 80 %\n- RN licence"
CANDIDATES = "Registered nurse, RN licence; nights on a surgical ward\n---\nJava developer"
TO_LABEL = "jd,resume\nnight nurse,ward nurse\nwelder,cook\ndriver,pilot\nbaker,pastry chef\n{},nobody\n"


@dataclass(frozen=True)
class Words:
    """What the controls of the main paths are called in one language."""

    locale: str
    query: str
    search: str
    jd: str
    resume: str
    rank: str
    name: str
    label: str
    match: str
    calibrate: str
    others: str  # a word of the other language that must not stand on the page


ENGLISH = Words(
    *("en-US", "Semantic query", "Search", "Or paste a JD", "Or paste a résumé", "Rank"),
    *("Your name", "Label", "1 Match", "Calibrate", "[一-鿿]"),
)
CHINESE = Words(
    *("zh-CN", "语义查询", "搜索", "或粘贴 JD", "或粘贴简历", "排序"),
    *("您的名字", "标注", "1 匹配", "校准", r"\b(Search|Cutoff|Match|Label|Calibrate|Rank)\b"),
)


@pytest.fixture(scope="module")
def app(browser, tmp_path_factory):
    with workbench_app(tmp_path_factory.mktemp("pages")) as app:
        yield app


@pytest.fixture
def visitor(browser, app, request):
    """Opens pages; keeps a picture of each if the test fails."""
    pages = []

    def open_page(page, **options):
        pages.append(visit(browser, app, page, **options))
        return pages[-1]

    yield open_page
    for number, page in enumerate(pages):
        if getattr(request.node, "failed", False):
            name = re.sub(r"\W+", "-", request.node.name)
            page.screenshot(path=app.folder / f"{name}-{number}.png", full_page=True)
        page.context.close()


def room(page):
    return page.locator(".wb-room:visible")


def button(page, name):
    """By the end of its name, since icons stand before it."""
    return room(page).get_by_role("button", name=re.compile(f"{name}$")).first


def drop(page, name, text):
    room(page).locator(".wb-drop-input").first.set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )
    room(page).locator(".wb-drop-list", has_text=name).wait_for()


def new_table():
    """A table that nobody has labelled yet; a second try of a test would go on where the first one was."""
    return TO_LABEL.format(time.monotonic_ns())


def everyday_pairs():
    """Some of the demonstration's everyday pairs, as a table of one's own."""
    pairs = wb.read_pairs(Path(__file__).parents[2] / "labeled_pairs" / "demo")
    return pairs.loc[pairs["source"] != "composed-hard", ["jd", "resume", "label"]].to_csv(index=False)


def main_path(page, name, words):
    """What people come to a page for; returns what they want to see in the end."""
    if name == "search":
        button(page, words.search).click()
        return page.locator(".wb-card").first
    if name == "rank":
        room(page).get_by_label(words.jd).fill(JD)
        room(page).get_by_label(words.resume).fill(CANDIDATES)
        button(page, words.rank).click()
        return page.locator(".wb-found .wb-told").first
    if name == "label":
        drop(page, "pairs.csv", new_table())
        room(page).get_by_label(words.name).fill("anna")
        button(page, words.label).click()
        return page.locator(".wb-labelling .wb-title")
    drop(page, "pairs.csv", everyday_pairs())
    button(page, words.calibrate).click()
    return page.locator(".wb-room-inner .wb-title")


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def until(page, condition, arg=None):
    page.wait_for_function(condition, arg=arg, timeout=30_000)


ON_SCREEN = """(node) => {
  const box = node.getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.top < innerHeight * 0.6;
}"""


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
@pytest.mark.parametrize("name", PAGES)
def test_the_main_path_on_a_phone_and_axe_in_both_themes(visitor, name, words):
    page = visitor(name, viewport=PHONE, locale=words.locale)
    found = main_path(page, name, words)
    found.wait_for(timeout=90_000)
    # What was asked for is on the screen, not below it.
    until(page, ON_SCREEN, found.element_handle())
    for viewport in (PHONE, DESK):
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            until(page, f"() => document.body.dataset.jpThemeLight === '{str(scheme == 'light').lower()}'")
            assert violations(page) == [], (viewport, scheme)
            assert background(page) == (LIGHT if scheme == "light" else DARK)
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    headings = " ".join(page.locator(".wb-title:visible, h1:visible, h2:visible").all_inner_texts())
    assert not re.search(words.others, headings)
    assert page.outside == []


def test_the_handle_stays_under_the_pointer(visitor):
    page = visitor("search")
    main_path(page, "search", ENGLISH).wait_for()
    for by in (-120, 300):
        drag(page, page.locator(".noUi-handle:visible"), by)
    page.locator(".wb-summary", has_text="1 above the cutoff").wait_for()
    page.get_by_role("link", name="Cutoff").click()
    main_path(page, "cutoff", ENGLISH).wait_for(timeout=90_000)
    for handle in (
        room(page).locator(".wb-line .noUi-handle"),
        room(page).locator(".wb-toolbar .noUi-handle"),
    ):
        for by in (-200, 300):
            drag(page, handle.first, by)


# What a slider does for 0.3 s when somebody clicks beside its handle.
TAPPED = """() => {
  document.querySelector(".noUi-target").classList.add("noUi-state-tap");
  return getComputedStyle(document.querySelector(".noUi-origin")).transitionDuration;
}"""
SCROLLED = "() => { Element.prototype.scrollIntoView = (how) => { window.scrolled = how?.behavior; }; }"


@pytest.mark.parametrize(
    ("asked", "lasts", "scrolled"), [("no-preference", "0.3s", "smooth"), ("reduce", "0s", "instant")]
)
def test_nothing_glides_where_that_is_asked_for(visitor, asked, lasts, scrolled):
    page = visitor("search", viewport=PHONE, reduced_motion=asked)
    page.evaluate(SCROLLED)
    main_path(page, "search", ENGLISH).wait_for()
    until(page, "() => window.scrolled")
    assert page.evaluate("window.scrolled") == scrolled
    assert page.evaluate(TAPPED) == lasts


def tab_to(page, wanted):
    """Press Tab until the focus is on an element that a selector finds, as somebody without a mouse does."""
    for _ in range(60):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {wanted}")


def choose_file(page, name, text):
    """Through the field that opens the system's own dialog."""
    room(page).locator(".wb-drop-input").first.wait_for(state="attached")
    tab_to(page, ".wb-room:not([style*=none]) .wb-drop-input")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})
    room(page).locator(".wb-drop-list", has_text=name).wait_for()


def test_every_page_is_used_with_keys_alone(visitor, app):
    page = visitor("search")
    # Somebody always listens: else the browser hears that it shall hand dialogs over as the key is pressed.
    page.on("filechooser", lambda chooser: None)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.wb-skip')")

    tab_to(page, ".wb-room textarea[rows='5']")
    page.keyboard.press("Control+A")
    page.keyboard.type("ward nurse")
    page.keyboard.press("Enter")
    page.locator(".wb-card").first.wait_for()
    tab_to(page, ".noUi-handle")
    before = page.locator(".widget-readout:visible").inner_text()
    page.keyboard.press("ArrowRight")
    until(page, "(before) => document.querySelector('.widget-readout').innerText !== before", before)

    tab_to(page, "a[data-page=rank]")
    page.keyboard.press("Enter")
    room(page).get_by_label("Or paste a JD").wait_for()
    for place, text in ((".wb-box:nth-child(1) textarea", JD), (".wb-box:nth-child(2) textarea", CANDIDATES)):
        tab_to(page, f".wb-ranks {place}")
        page.keyboard.insert_text(text)
    tab_to(page, ".wb-ranks .mod-primary")
    page.keyboard.press("Space")
    page.locator(".wb-found .wb-told").first.wait_for(timeout=60_000)

    tab_to(page, "a[data-page=label]")
    page.keyboard.press("Enter")
    room(page).get_by_label("Your name").wait_for()
    choose_file(page, "keys.csv", new_table())
    tab_to(page, ".wb-room:not([style*=none]) input[type=text]")
    page.keyboard.type("berta")
    tab_to(page, ".wb-room:not([style*=none]) .mod-primary")
    page.keyboard.press("Enter")
    hears_keys(page)
    for key, nxt in (("1", "welder"), ("0", "driver"), ("u", "welder"), ("s", "driver")):
        press_until(page, key, page.locator(".wb-pair", has_text=nxt))
    assert [line["action"] for line in labels(app, "berta")] == ["label", "label", "retract", "skip"]

    tab_to(page, "a[data-page=cutoff]")
    page.keyboard.press("Enter")
    room(page).get_by_role("heading", name="Cutoff", exact=True).wait_for()
    choose_file(page, "pairs.csv", everyday_pairs())
    tab_to(page, ".wb-room:not([style*=none]) .mod-primary")
    page.keyboard.press("Enter")
    room(page).locator(".wb-plot").wait_for(timeout=90_000)
    sentence = room(page).locator(".wb-message[role=status]").last
    before = sentence.inner_text()
    tab_to(page, ".wb-line .noUi-handle")
    page.keyboard.press("PageUp")
    sentence.filter(has_not_text=re.compile(re.escape(before[:30]))).wait_for()


def hears_keys(page):
    """Wait until the first pair is there and keys are heard."""
    page.locator(".wb-pair", has_text="night nurse").wait_for()
    until(page, "() => document.activeElement.closest('.wb-labelling')")


def press_until(page, key, shown):
    """Press a key once the pair before can have been read, and see what comes next."""
    page.wait_for_function(
        "(since) => performance.now() - since > 300", arg=page.evaluate("performance.now()")
    )
    page.keyboard.press(key)
    shown.wait_for()


def labels(app, name):
    """What is on disk, line by line."""
    logs = app.folder.glob(f"project/labeled_pairs/work/*/annotations/{name}.jsonl")
    log = max(logs, key=lambda log: log.stat().st_mtime)  # of the last try
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_a_kernel_that_dies_while_somebody_labels_loses_neither_label_nor_note(visitor, app):
    page = visitor("label")
    table = new_table()

    def begin():
        drop(page, "pairs.csv", table)
        room(page).get_by_label("Your name").fill("cleo")
        button(page, "Label").click()

    begin()
    note = room(page).get_by_label("Note")
    page.locator(".wb-pair", has_text="night nurse").wait_for()
    note.fill("easy one")
    note.press("Enter")
    press_until(page, "1", page.locator(".wb-pair", has_text="welder"))
    assert note.input_value() == ""
    note.fill("hard to say")
    app.kernel_of(page).kill()
    killed = time.monotonic()
    reconnect = page.get_by_role("button", name="Reconnect")
    reconnect.wait_for()
    assert time.monotonic() - killed < 5
    assert note.input_value() == "hard to say"
    assert [(line["label"], line["note"]) for line in labels(app, "cleo")] == [(1, "easy one")]
    reconnect.click()
    page.locator("body.wb-ready").wait_for(timeout=60_000)
    begin()
    page.locator(".wb-pair", has_text="welder").wait_for()
    until(page, "() => [...document.querySelectorAll('input')].some((each) => each.value === 'hard to say')")
    note.press("Enter")
    press_until(page, "0", page.locator(".wb-pair", has_text="driver"))
    assert [line["note"] for line in labels(app, "cleo")] == ["easy one", "hard to say"]
    # Nor does a note that went with its label come back to another pair.
    app.kernel_of(page).kill()
    reconnect.click()
    page.locator("body.wb-ready").wait_for(timeout=60_000)
    begin()
    page.locator(".wb-pair", has_text="driver").wait_for()
    assert note.input_value() == ""


def test_a_key_that_comes_too_soon_is_told_and_the_next_one_counts(visitor, app):
    page = visitor("label")
    drop(page, "pairs.csv", new_table())
    room(page).get_by_label("Your name").fill("dora")
    button(page, "Label").click()
    hears_keys(page)
    press_until(page, "1", page.locator(".wb-pair"))
    page.keyboard.press("1")
    page.locator(".wb-message", has_text=re.compile("Saved: .* press again")).wait_for()
    page.locator(".wb-pair", has_text="welder").wait_for()
    press_until(page, "0", page.locator(".wb-pair", has_text="driver"))
    assert [line["label"] for line in labels(app, "dora")] == [1, 0]
