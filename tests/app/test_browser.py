"""A reader's whole path in the browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app.oblique import brightest, make_oblique, marks_in
from fixtures.browser import faults, needs_chromium, overhang
from fixtures.scans import THORACIC
from spinexplain.app.edited_heights import points_to_mm
from spinexplain.app.scan_view import read_view
from spinexplain.app.schema import Scan

pytestmark = needs_chromium


def chosen(page, level):
    page.wait_for_selector(f".level-view[data-level={level}]")


def said(page, level, words):
    line = page.locator(f".level-list [data-level={level}] .said")
    line.filter(has_text=words).wait_for()


def acts(made, scan_id):
    return made.client().get(f"/scans/{scan_id}/reading.json").json()["acts"]


def test_a_scan_is_read_corrected_and_signed(open_page, running):
    _, make, made = running
    scan_id = make("the whole path")
    page = open_page("/")
    page.click("text=the whole path")
    chosen(page, "L1")  # the worst one, at once
    page.keyboard.press("ArrowDown")
    chosen(page, "L2")
    page.keyboard.press("2")
    said(page, "L2", "moderate (G2)")
    page.keyboard.press("u")
    said(page, "L2", "no word yet")
    page.click(".mark[data-anchor=level-L1]")
    chosen(page, "L1")
    page.check("#word [value='deformity']")
    page.select_option("#word [name=deformity]", "Schmorl")
    page.check("#word [value='endplate breach']")
    page.fill("#word [name=comment]", "seen on <b>both</b> sides")
    page.click("text=Keep my word")
    said(page, "L1", "Schmorl")
    page.keyboard.press("o")
    said(page, "L4", "(G0)")
    page.locator("#says").filter(has_text="L3, L5").wait_for()
    page.click("#compose")
    draft = page.locator("#draft")
    for _ in range(100):
        if "Schmorl" in draft.input_value():
            break
        page.wait_for_timeout(50)
    assert "seen on <b>both</b> sides" in draft.input_value()
    page.fill("#finalise [name=name]", "Dr. Roentgen")
    page.click("text=Finalize (research record)")
    page.locator(".signed").filter(has_text="Dr. Roentgen").wait_for()
    assert [act["kind"] for act in acts(made, scan_id)] == [
        "viewed", "word", "undo", "word", "others", "finalise",
    ]  # fmt: skip
    page.click("text=Report")
    page.locator("#reading-title").filter(has_text="Dr. Roentgen").wait_for()


@pytest.fixture(scope="module")
def tilted(running):
    """A graded scan whose CT lies tilted, with marks at known places: (its id, what is where)."""
    scan_id = running[1]("tilted")
    return scan_id, make_oblique(running[2].folder.view(scan_id))


def points_kept(made, scan_id):
    """The reader's points as they were stored last, mm."""
    level = read_view(made.folder.view(scan_id)).level("L1")
    kept = [act for act in acts(made, scan_id) if act["kind"] == "heights"]
    return points_to_mm(level, kept[-1]["body"]["points"])


def test_a_point_dragged_onto_a_mark_of_a_tilted_ct_lands_within_half_a_millimeter(
    open_page, running, tilted
):
    scan_id, drawn_there = tilted
    page = open_page(f"/scans/{scan_id}/#level-L1")
    chosen(page, "L1")
    assert not page.is_visible(".points")  # nothing covers an endplate until asked
    pane = page.locator(".plane[data-plane=sagittal] .pane")
    box = pane.bounding_box()
    page.wait_for_load_state("networkidle")
    x, y = brightest(pane.screenshot())
    page.keyboard.press("e")
    first = page.locator(".points circle").first
    point = first.bounding_box()
    page.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    page.locator("#heights-line[data-by=tried]").wait_for()
    page.click("#keep-heights")
    page.locator("#heights-line[data-by=reader]").wait_for()
    landed = points_kept(running[2], scan_id)[0, 0]
    assert np.linalg.norm(landed - drawn_there.point_mm) <= 0.5
    first = page.locator(".points circle").first
    first.press("ArrowDown")
    page.locator("#heights-line").filter(has_text="not kept yet").wait_for()
    page.click("#keep-heights")
    page.locator("#heights-line[data-by=reader]").wait_for()
    nudged = points_kept(running[2], scan_id)[0, 0]
    assert np.linalg.norm(nudged - landed) == pytest.approx(0.5, abs=0.02)


# Of two marks in a plane: which is further to the viewer's right, which higher.
SIDES = {
    "axial": {"right": ("left", "anterior"), "higher": ("anterior", "left")},
    "coronal": {"right": ("left", "cranial"), "higher": ("cranial", "left")},
    "sagittal": {"right": ("cranial", "anterior"), "higher": ("cranial", "anterior")},
}


def check_sides(picture, plane, mirrored=False):
    right, left = SIDES[plane]["right"][:: -1 if mirrored else 1]
    upper, lower = SIDES[plane]["higher"]
    places = marks_in(picture)
    assert places[right][0] > places[left][0] + 20, (plane, places)
    assert places[upper][1] < places[lower][1] - 20, (plane, places)


def test_the_left_of_a_tilted_ct_is_on_the_viewers_right_in_every_plane(open_page, tilted):
    page = open_page(f"/scans/{tilted[0]}/#level-L1")
    chosen(page, "L1")
    page.wait_for_load_state("networkidle")
    for plane in SIDES:
        check_sides(page.locator(f".plane[data-plane={plane}] .pane").screenshot(), plane)


def test_a_click_on_a_plane_moves_the_other_two_there(open_page, tilted):
    page = open_page(f"/scans/{tilted[0]}/#level-L1")
    chosen(page, "L1")
    assert not page.is_visible(".cross")  # until asked
    page.wait_for_load_state("networkidle")
    axial = page.locator(".plane[data-plane=axial] .pane")
    x, y = marks_in(axial.screenshot())["left"]
    axial.click(position={"x": x, "y": y})
    page.wait_for_load_state("networkidle")
    moved = page.locator(".plane[data-plane=sagittal] output").text_content()
    assert float(moved.removesuffix(" mm")) == pytest.approx(26, abs=3)
    # The sagittal plane now cuts the mark, and it lies under the crosshair's gap.
    sagittal = page.locator(".plane[data-plane=sagittal] .pane")
    x, y = marks_in(sagittal.screenshot())["left"]
    size = sagittal.bounding_box()
    assert abs(x / size["width"] - 0.5) < 0.06
    assert abs(y / size["height"] - 0.5) < 0.06
    assert page.locator(".cross line").count() == 12
    page.keyboard.press("h")
    assert not page.is_visible(".cross line >> nth=0")
    page.keyboard.press("h")
    page.keyboard.press("c")
    assert not page.is_visible(".cross")


def test_the_viewer_keeps_the_sides_of_a_tilted_ct_and_mirrors_them_when_asked(open_page, tilted):
    page = open_page(f"/scans/{tilted[0]}/#level-L1", 1000, 700)
    chosen(page, "L1")
    page.keyboard.press("v")
    place = page.locator("#viewer-place")
    place.filter(has_text="HU").wait_for()
    options = page.locator("#viewer-map option").all_text_contents()
    assert any("L1" in option for option in options)
    # Without the rotation of the lattice the crosshair stands tens of millimeters off.
    shown = [float(value) for value in re.findall(r"-?\d+", place.text_content())[:3]]
    assert np.abs(shown - tilted[1].center_mm).max() <= 1.3  # whole mm, at a voxel's center
    canvas = page.locator("#viewer-canvas")
    for plane in SIDES:
        page.select_option("#viewer-planes", plane)
        check_sides(canvas.screenshot(), plane)
    page.select_option("#viewer-nose", "right")
    page.select_option("#viewer-planes", "axial")
    check_sides(canvas.screenshot(), "axial")  # the two settings are independent
    page.select_option("#viewer-planes", "sagittal")
    check_sides(canvas.screenshot(), "sagittal", mirrored=True)
    page.select_option("#viewer-sides", "neurological")
    for plane in ("coronal", "axial"):
        page.select_option("#viewer-planes", plane)
        check_sides(canvas.screenshot(), plane, mirrored=True)
    page.click("#viewer-close")
    assert not page.is_visible("#viewer")


def test_one_key_hides_everything_and_planes_scroll(open_page, running):
    page = open_page(f"/scans/{running[1]('keys')}/")
    chosen(page, "L1")
    page.keyboard.press("e")
    page.keyboard.press("h")
    for selector in (".mark", ".contour", ".points", ".wash"):
        assert not page.is_visible(f"{selector} >> nth=0"), selector
    assert page.is_visible(".plane .side >> nth=0")  # orientation letters stay
    page.keyboard.press("h")
    assert page.is_visible(".mark >> nth=0")
    page.keyboard.press("e")
    page.locator("#says").focus()
    page.mouse.move(5, 5)
    page.keyboard.press(".")
    page.locator(".plane[data-plane=sagittal] output").filter(has_text="1 mm").wait_for()
    page.keyboard.press("w")
    page.locator("#window").filter(has_text="soft").wait_for()
    address = page.get_attribute(".plane[data-plane=sagittal] img", "src")
    assert "window=soft" in address
    assert "offset_mm=1" in address
    page.keyboard.press("?")
    assert page.is_visible("#sheet")


def test_body_centers_are_clicked_and_count_on(open_page, running):
    _, _, made = running
    client = made.client()
    scan_id = client.post("/scans", data={"name": "no mask"}).json()["id"]
    client.put(f"/scans/{scan_id}/files/ct", content=(THORACIC / "thoracic_ct.nii.gz").read_bytes())
    with made.database.writing() as session:  # as the worker leaves a scan it finds no spine in
        session.get(Scan, scan_id).state = "needs_centers"
    page = open_page(f"/scans/{scan_id}/")
    page.select_option("#first", "T8")
    slice_ = page.locator("#slice")
    for _ in range(200):
        if slice_.evaluate("image => image.complete && image.naturalWidth > 0"):
            break
        page.wait_for_timeout(50)
    for row in (60, 82, 104):
        slice_.click(position={"x": 70, "y": row})
    assert page.locator("#marks text").all_text_contents() == ["T8", "T9", "T10", "T11?"]
    page.click("#take-back")
    page.click("#done")
    page.locator(".stage").wait_for()
    stored = made.folder.input(scan_id, "centroids").read_text()
    assert '"label": 15' in stored
    assert '"label": 16' in stored
    assert '"label": 17' not in stored


def test_nothing_sticks_out_sideways(open_page, running):
    for path in ("/", "/accounts"):
        assert overhang(open_page(path)) == [], path
    page = open_page(f"/scans/{running[1]('widths')}/")
    chosen(page, "L1")
    assert overhang(page) == []


def test_axe_finds_no_fault(open_page, running):
    _, make, _ = running
    scan_id, other = make("axe"), make("prior of axe")
    page = open_page("/", bypass_csp=True)
    scan_pages = (f"/scans/{scan_id}/", f"/scans/{scan_id}/beside/{other}")
    for path in ("/", *scan_pages, "/sign-in", "/accounts"):
        page.goto(running[0] + path)
        if path.endswith(f"{scan_id}/"):
            chosen(page, "L1")
        assert faults(page) == [], path


def test_no_panel_covers_a_plane(open_page, running):
    page = open_page(f"/scans/{running[1]('covered')}/", width=1024)
    chosen(page, "L1")
    plane = page.locator(".plane[data-plane=axial]").bounding_box()
    word = page.locator("#word").bounding_box()
    assert plane["x"] + plane["width"] <= word["x"]


def test_deciding_about_prototypes_in_the_reader(open_page, running):
    """Chosen, painted and taken back in the browser; another window shows what is kept."""
    from playwright.sync_api import expect

    page = open_page("/prototypes/")
    page.wait_for_selector("#decide:not([hidden])")
    page.click("form.decide[data-prototype='1'] input[value='not meaningful']")
    expect(page.locator("#decide-status")).to_have_text("kept", timeout=60_000)
    page.click("form.decide[data-prototype='2'] input[value='never this region']")
    layer = page.locator("svg.paint[data-prototype='2']")
    layer.scroll_into_view_if_needed()
    box = layer.bounding_box()
    with page.expect_response(lambda r: r.request.method == "POST"):
        page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"], steps=6)
        page.mouse.up()
    again = open_page("/prototypes/")
    expect(again.locator("#decided")).to_have_text("2", timeout=60_000)
    assert again.locator("svg.paint[data-prototype='2'] .painted").count() == 5
    with again.expect_response(lambda r: r.request.method == "POST"):
        again.click("form.decide[data-prototype='1'] input[value='']")
    with again.expect_download() as download:
        again.click("#decide-save")
    found = json.loads(Path(download.value.path()).read_text())
    assert [one["prototype"] for one in found["decisions"]] == [2]
    assert overhang(again) == []
