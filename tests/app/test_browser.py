"""A reader's whole path in the browser."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest
import uvicorn

from app.conftest import CHEAP, add_ready
from fixtures.scans import THORACIC
from spinexplain.app.database import open_database, sqlite_url
from spinexplain.app.folder import make_folder
from spinexplain.app.schema import Scan
from spinexplain.app.server import create_app

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (1440, 1024, 720, 390)  # 720: the first at 200 % zoom
AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"

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
def running(drawn, tmp_path_factory):
    """A server on a free port: (address, a maker of graded scans, folder)."""
    from app.conftest import Server

    folder = make_folder(tmp_path_factory.mktemp("browser") / "data")
    database = open_database(sqlite_url(folder.database))
    app = create_app(database, folder, {"127.0.0.1"}, hasher=CHEAP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        pass
    made = Server(database, folder, app)
    yield f"http://127.0.0.1:{port}", lambda name: add_ready(made, drawn, name), made
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def open_page(browser, running):
    """Open an address; at the end nothing may have gone wrong or left the machine."""
    base = running[0]
    complaints, requests, pages = [], [], []

    def open_at(path, width=1440, height=900):
        page = browser.new_page(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        pages.append(page)
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(base + path)
        return page

    yield open_at
    for page in pages:
        page.close()
    assert complaints == []
    assert not [url for url in requests if not url.startswith((base, "data:", "blob:"))]


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


def test_a_dragged_point_lands_where_it_is_put(open_page, running):
    _, make, made = running
    scan_id = make("dragged")
    page = open_page(f"/scans/{scan_id}/#level-L3")
    chosen(page, "L3")
    assert not page.is_visible(".points")  # nothing covers an endplate until asked
    page.keyboard.press("e")
    first = page.locator(".points circle").first
    box, layer = first.bounding_box(), page.locator(".points").bounding_box()
    start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    end = (start[0] + 30, start[1] + 22)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.locator("#heights-line[data-by=tried]").wait_for()
    first.press("ArrowDown")
    first.press("ArrowRight")
    page.locator("#heights-line").filter(has_text="not kept yet").wait_for()
    page.click("#keep-heights")
    page.locator("#heights-line[data-by=reader]").wait_for()
    kept = next(act for act in acts(made, scan_id) if act["kind"] == "heights")
    (x, y), _ = kept["body"]["points"][0]
    sample = layer["width"] / 112
    wanted = [(end[0] - layer["x"]) / sample + 0.5, (end[1] - layer["y"]) / sample + 0.5]
    assert abs(x - wanted[0]) <= 0.5
    assert abs(y - wanted[1]) <= 0.5


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


def test_the_volume_opens_in_the_viewer(open_page, running):
    page = open_page(f"/scans/{running[1]('volume')}/")
    chosen(page, "L1")
    page.keyboard.press("v")
    page.locator("#viewer canvas").wait_for()
    page.locator("#viewer-place").filter(has_text="HU").wait_for(timeout=60_000)
    options = page.locator("#viewer-map option").all_text_contents()
    assert any("L1" in option for option in options)
    page.click("#viewer-close")
    assert not page.is_visible("#viewer")


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


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_sideways(open_page, running, width):
    page = open_page("/", width=width)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page = open_page(f"/scans/{running[1](f'wide {width}')}/", width=width)
    chosen(page, "L1")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault(browser, running, theme):
    base, make, _ = running
    scan_id, other = make(f"axe {theme}"), make(f"prior of axe {theme}")
    # The checker is put into the page, which the policy forbids everybody else.
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        for path in ("/", f"/scans/{scan_id}/", f"/scans/{scan_id}/beside/{other}", "/sign-in"):
            page.goto(base + path)
            if path.endswith(f"{scan_id}/"):
                chosen(page, "L1")
            page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
            page.add_script_tag(path=str(AXE))
            found = page.evaluate("async () => await axe.run()")
            assert len(found["passes"]) > 15, path
            assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


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
    for width in WIDTHS:
        again.set_viewport_size({"width": width, "height": 900})
        assert again.evaluate("document.documentElement.scrollWidth") <= width
