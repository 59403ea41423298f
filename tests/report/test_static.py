"""The page as a browser shows it: moving, hiding, and asking the network for nothing."""

import os
from pathlib import Path

import pytest

from spinexplain.report.html import write_report

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    # In CI a missing browser is a broken installation, not a reason to skip.
    pytest.mark.skipif(
        not CHROMIUM.exists() and "CI" not in os.environ,
        reason="chromium is not installed; scripts/apt-deps.sh installs it",
    ),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-quic"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(lumbar, tmp_path_factory):
    return write_report(lumbar, tmp_path_factory.mktemp("report")).as_uri()


@pytest.fixture
def open_page(browser, address):
    """Open the report; at the end nothing may have gone wrong or left the machine."""
    complaints, requests, pages = [], [], []

    def open_at(width=1440, height=900, scheme="light"):
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        return page

    yield open_at
    for page in pages:
        page.close()
    assert complaints == []
    assert {url for url in requests if not url.startswith("data:")} == {address}


def _selected(page):
    return page.eval_on_selector_all(".mark.selected", "marks => marks.map(m => m.dataset.anchor)")


def _top(page, selector):
    return page.eval_on_selector(selector, "element => element.getBoundingClientRect().top")


def test_a_click_on_the_map_jumps_to_the_card(open_page):
    page = open_page()
    assert _top(page, "#level-L3") > 900
    page.click(".mark[data-anchor=level-L3]")
    assert 0 <= _top(page, "#level-L3") < 100
    assert _selected(page) == ["level-L3"]
    assert page.is_visible(".frame[data-anchor=level-L3]")
    assert not page.is_visible(".frame[data-anchor=level-L1]")


def test_a_click_on_a_healthy_level_opens_the_fold(open_page):
    page = open_page()
    assert not page.is_visible("#level-L4")
    page.click("tr[data-anchor=level-L4]")
    page.wait_for_selector("#level-L4", state="visible")
    assert _selected(page) == ["level-L4"]


def test_arrow_keys_walk_along_the_spine_and_stop_at_its_ends(open_page):
    page = open_page()
    page.keyboard.press("ArrowUp")
    assert _selected(page) == ["level-L5"]
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    assert _selected(page) == ["level-T12"]
    page.keyboard.press("ArrowDown")
    assert _selected(page) == ["level-L1"]


def test_h_hides_every_overlay_and_brings_it_back(open_page):
    page = open_page()
    everything = (".mark", ".contour", ".wash", ".measured line, line.measured", ".mm")
    page.keyboard.press("h")
    for selector in everything:
        assert not page.is_visible(f"{selector} >> nth=0")
    assert page.is_visible(".map .side >> nth=0")  # orientation letters are always on
    page.keyboard.press("h")
    assert page.is_visible(".mark >> nth=0")


def test_the_slider_fades_the_wash_of_its_own_card(open_page):
    page = open_page()
    opacity = "element => getComputedStyle(element).opacity"
    page.eval_on_selector(
        "#level-L1 input[type=range]",
        "e => { e.value = '0.2'; e.dispatchEvent(new Event('input', {bubbles: true})); }",
    )
    assert page.eval_on_selector("#level-L1 .wash", opacity) == "0.2"
    assert page.eval_on_selector("#level-L3 .wash", opacity) == "0.55"


def test_a_number_shows_that_piece_of_evidence_alone(open_page):
    page = open_page()
    page.click("#level-L1 [data-show='3']")
    shown = "groups => groups.filter(g => g.getClientRects().length).map(g => g.dataset.evidence)"
    assert page.eval_on_selector_all("#level-L1 [data-evidence]", shown) == ["3"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_the_button_turns_it(open_page, scheme):
    page = open_page(scheme=scheme)
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click("#theme")
    after = page.evaluate(ground)
    assert {before, after} == {"rgb(243, 245, 247)", "rgb(12, 15, 18)"}
    assert (before == "rgb(12, 15, 18)") is (scheme == "dark")


@pytest.mark.parametrize("width", [1920, 1440, 1024, 720, 390])
def test_nothing_sticks_out_sideways(open_page, width):
    page = open_page(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_map_keeps_the_true_aspect_and_stays_in_view(open_page, lumbar):
    page = open_page()
    page.evaluate("window.scrollTo(0, 1500)")
    box = page.eval_on_selector(
        ".map .pane", "e => (({top, bottom, width, height}) => ({top, bottom, width, height}))"
        "(e.getBoundingClientRect())",
    )  # fmt: skip
    rows, columns = lumbar.overview.array.shape
    assert box["height"] / box["width"] == pytest.approx(rows / columns, rel=0.01)
    assert box["top"] >= 0
    assert box["bottom"] <= 900
