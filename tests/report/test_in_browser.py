"""The report as a person sees it: opened, moved in, zoomed and copied from."""

from dataclasses import replace

import pytest

from fixtures.browser import WIDTHS, faults, needs_chromium
from spinexplain.report.html import write_report

GRID = {"grid": (14, 14), "field_mm": 75.0, "stride_mm": 8.0, "start_mm": 0.5}

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(lumbar, tmp_path_factory):
    """A report whose evidence knows its grid."""

    def with_grid(item):
        assessed = [
            one
            if one.explanation is None
            else replace(
                one,
                explanation=replace(
                    one.explanation,
                    evidence=tuple(replace(x, **GRID) for x in one.explanation.evidence),
                ),
            )
            for one in item.assessments
        ]
        return replace(item, assessments=tuple(assessed))

    scan = replace(lumbar, vertebrae=tuple(with_grid(item) for item in lumbar.vertebrae))
    return write_report(scan, tmp_path_factory.mktemp("report")).as_uri()


@pytest.fixture
def opened(watched, address):
    """Open the report."""
    return lambda *size, **context: watched(address, *size, **context)


def test_axe_finds_no_fault(opened):
    page = opened(bypass_csp=True)
    _unfold(page)
    assert faults(page) == []


def test_nothing_sticks_out_and_the_headline_is_seen_at_once(opened):
    page = opened()
    _unfold(page)
    for width in (1920, *WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        headline = page.locator(".headline").bounding_box()
        assert headline["y"] + headline["height"] < 900
        if width < 760:
            assert headline["y"] < page.locator(".map").bounding_box()["y"]


def _unfold(page):
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")


def test_the_map_opens_a_level_without_suspicion(opened):
    page = opened()
    card = page.locator("#level-T12")
    assert not card.is_visible()
    page.click(".mark[data-anchor=level-T12]")
    assert card.is_visible()
    assert card.locator("text=Coronal").is_visible()
    assert card.locator(".evidence .row").count() == 7  # three for, two against, others, logit


def test_pointing_at_the_large_picture_shows_the_grid_of_the_map(opened):
    page = opened()
    pane = page.locator("#level-L1 .pane", has=page.locator(".wash")).first
    grid = pane.locator(".honest").first
    page.mouse.move(0, 0)
    assert not grid.is_visible()
    pane.hover()
    assert grid.locator(".field").is_visible()


def test_the_draft_is_copied_as_plain_text(opened):
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.click("#level-L1 .copy")
    page.locator("#level-L1 .copy", has_text="Copied").wait_for()
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert text.startswith("Suspected moderate vertebral fracture L1 (Genant 2, wedge)")
    assert text == page.locator("#level-L1-draft-text").text_content()


def _selected(page):
    return page.eval_on_selector_all(".mark.selected", "marks => marks.map(m => m.dataset.anchor)")


def _top(page, selector):
    return page.eval_on_selector(selector, "element => element.getBoundingClientRect().top")


def test_a_click_on_the_map_jumps_to_the_card(opened):
    page = opened()
    assert _top(page, "#level-L3") > 900
    page.click(".mark[data-anchor=level-L3]")
    assert 0 <= _top(page, "#level-L3") < 100
    assert _selected(page) == ["level-L3"]
    assert page.is_visible(".frame[data-anchor=level-L3]")
    assert not page.is_visible(".frame[data-anchor=level-L1]")


def test_a_click_on_a_healthy_level_opens_the_fold(opened):
    page = opened()
    assert not page.is_visible("#level-L4")
    page.click("tr[data-anchor=level-L4]")
    page.wait_for_selector("#level-L4", state="visible")
    assert _selected(page) == ["level-L4"]


def test_arrow_keys_walk_along_the_spine_and_stop_at_its_ends(opened):
    page = opened()
    page.keyboard.press("ArrowUp")
    assert _selected(page) == ["level-L5"]
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    assert _selected(page) == ["level-T12"]
    page.keyboard.press("ArrowDown")
    assert _selected(page) == ["level-L1"]


def test_h_hides_every_overlay_and_brings_it_back(opened):
    page = opened()
    everything = (".mark", ".contour", ".wash", ".measured line, line.measured", ".mm")
    page.keyboard.press("h")
    for selector in everything:
        assert not page.is_visible(f"{selector} >> nth=0")
    assert page.is_visible(".map .side >> nth=0")  # orientation letters are always on
    page.keyboard.press("h")
    assert page.is_visible(".mark >> nth=0")


def test_the_slider_fades_the_wash_of_its_own_card(opened):
    page = opened()
    opacity = "element => getComputedStyle(element).opacity"
    page.eval_on_selector(
        "#level-L1 input[type=range]",
        "e => { e.value = '0.2'; e.dispatchEvent(new Event('input', {bubbles: true})); }",
    )
    assert page.eval_on_selector("#level-L1 .wash", opacity) == "0.2"
    assert page.eval_on_selector("#level-L3 .wash", opacity) == "0.55"


def test_a_number_shows_that_piece_of_evidence_alone(opened):
    page = opened()
    page.click("#level-L1 [data-show='3']")
    shown = "groups => groups.filter(g => g.getClientRects().length).map(g => g.dataset.evidence)"
    assert page.eval_on_selector_all("#level-L1 [data-evidence]", shown) == ["3"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_the_button_turns_it(opened, scheme):
    page = opened(color_scheme=scheme)
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click("#theme")
    after = page.evaluate(ground)
    assert {before, after} == {"rgb(243, 245, 247)", "rgb(12, 15, 18)"}
    assert (before == "rgb(12, 15, 18)") is (scheme == "dark")


def test_the_map_keeps_the_true_aspect_and_stays_in_view(opened, lumbar):
    page = opened()
    page.evaluate("window.scrollTo(0, 1500)")
    box = page.eval_on_selector(
        ".map .pane", "e => (({top, bottom, width, height}) => ({top, bottom, width, height}))"
        "(e.getBoundingClientRect())",
    )  # fmt: skip
    rows, columns = lumbar.overview.array.shape
    assert box["height"] / box["width"] == pytest.approx(rows / columns, rel=0.01)
    assert box["top"] >= 0
    assert box["bottom"] <= 900
