"""The report as a person sees it: opened, zoomed and copied from."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from spinexplain.report.html import write_report

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
GRID = {"grid": (14, 14), "field_mm": 75.0, "stride_mm": 8.0, "start_mm": 0.5}

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
def opened(browser, address):
    contexts = []

    def open_at(width=1440, height=900, **kwargs):
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, reduced_motion="reduce", **kwargs)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault(opened, theme):
    # The checker is put into the page, which the policy forbids everybody else.
    page = opened(color_scheme=theme, bypass_csp=True)
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("async () => await axe.run()")
    assert len(found["passes"]) > 15
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


@pytest.mark.parametrize("width", [1440, 1024, 720, 390])  # 720: the first at 200 % zoom
def test_nothing_sticks_out_and_the_headline_is_seen_at_once(opened, width):
    page = opened(width)
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    headline = page.locator(".headline").bounding_box()
    assert headline["y"] + headline["height"] < 900
    if width < 760:
        assert headline["y"] < page.locator(".map").bounding_box()["y"]


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
