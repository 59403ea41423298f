"""Deciding about prototypes on the static atlas, as a browser does it, to a curated model."""

import json

import pytest

from fixtures.browser import needs_chromium
from spinexplain.cli.main import run

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def atlas(finished_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("decide") / "atlas"
    run(["prototypes", str(finished_run[0]), "-o", str(out)])
    return out / "atlas.html"


@pytest.fixture
def page(watched, atlas):
    """The atlas with nothing stored."""
    return watched(atlas.as_uri(), accept_downloads=True)


def choose(page, prototype, choice):
    page.click(f"form.decide[data-prototype='{prototype}'] input[value='{choice}']")


def saved(page, folder):
    with page.expect_download() as download:
        page.click("#decide-save")
    path = folder / "decisions.json"
    download.value.save_as(path)
    return path


def paint(page, prototype, start, stop):
    """Drag over the crop, both ends as shares of its width and height."""
    layer = page.locator(f"svg.paint[data-prototype='{prototype}']")
    layer.scroll_into_view_if_needed()
    box = layer.bounding_box()
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + stop[0] * box["width"], box["y"] + stop[1] * box["height"], steps=8)
    page.mouse.up()


def test_from_the_page_to_a_curated_model(page, finished_run, tmp_path):
    choose(page, 1, "keep")
    choose(page, 4, "not meaningful")
    page.select_option("form.decide[data-prototype='4'] select", "artifact")
    choose(page, 5, "never this region")
    assert page.inner_text("#decided") == "2"  # nothing is painted yet
    paint(page, 5, (0.30, 0.45), (0.60, 0.45))
    assert page.inner_text("#decided") == "3"
    page.click("#decide-save")
    assert "who decides" in page.inner_text("#decide-status")
    page.fill("#decide-reader", "Reader <7>")
    path = saved(page, tmp_path)
    decisions = {one["prototype"]: one for one in json.loads(path.read_text())["decisions"]}
    assert decisions[4]["reason"] == "artifact"
    # The crop is 32 mm: 8 squares across, of which 0.30 to 0.60 touch the third to the fifth.
    assert decisions[5]["region"] == ["0" * 8] * 3 + ["00111000"] + ["0" * 8] * 4
    # A closed tab loses nothing.
    page.reload()
    assert page.inner_text("#decided") == "3"
    assert page.input_value("#decide-reader") == "Reader <7>"
    assert page.locator("svg.paint[data-prototype='5'] .painted").count() == 3
    out = tmp_path / "run2"
    run(["curate", str(finished_run[0]), str(path), "--replace", "--no-atlas", "-o", str(out)])
    entry = json.loads((out / "audit.json").read_text())["entries"][0]
    assert [one["fate"] for one in entry["prototypes"]] == [
        *("kept", "kept", "kept", "replaced", "replaced", "kept")
    ]
    run(["curate", str(out), "--roll-back", "-o", str(tmp_path / "back")])
    weights = [at / "bundle" / "model.safetensors" for at in (finished_run[0], tmp_path / "back")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_painting_by_keyboard_and_taking_it_back(page, tmp_path):
    choose(page, 2, "never this region")
    page.locator("svg.paint[data-prototype='2']").focus()
    for key in ("ArrowDown", "ArrowRight", "Space", "ArrowRight", "Space", "Space"):
        page.keyboard.press(key)
    page.fill("#decide-reader", "a")
    region = json.loads(saved(page, tmp_path).read_text())["decisions"][0]["region"]
    assert region == ["0" * 8, "01000000"] + ["0" * 8] * 6
    page.click("form.decide[data-prototype='2'] .clear")
    assert page.inner_text("#decided") == "0"


def test_another_models_file_is_refused_on_the_page(page, tmp_path):
    other = {"model": {"weights_sha256": "0" * 64}, "reader": "x", "decisions": []}
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other))
    page.set_input_files("#decide-load", str(path))
    from playwright.sync_api import expect

    expect(page.locator("#decide-status")).not_to_be_empty(timeout=60_000)
    assert "another model" in page.inner_text("#decide-status")
