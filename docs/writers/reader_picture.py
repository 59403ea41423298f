"""Take the pictures of the reader's pages from the running reader, as chromium shows them.

Starts a reader in a folder of its own and sends it the lumbar example twice, as two visits of one
patient; needs the extra `app`, playwright and chromium (scripts/apt-deps.sh).
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PICTURES = IMAGES / "reader"
EXAMPLES = Path(str(files("spinexplain.data") / "examples"))
SENT = {"ct": "lumbar_ct.nii.gz", "labels": "lumbar_seg-vert_msk.nii.gz"}
VISITS = {"spine P-7, first visit": "2022-03-14", "spine P-7, now": "2026-03-02"}
WINDOW = {"width": 1440, "height": 1000}


def main() -> None:
    """Wait until all is graded and take every picture."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "spinexplain.cli.main", "serve", f"{folder}/data"]
        server = subprocess.Popen([*command, "--port", str(port)])
        try:
            wait_until_graded(address)
            for name, day in VISITS.items():
                send(address, name, day)
            wait_until_graded(address)
            take_all(address)
        finally:
            server.terminate()
            server.wait()


def send(address: str, name: str, day: str) -> None:
    """Send the lumbar example as one visit of a patient."""
    said = {"name": name, "patient": "P-7", "study_date": day}
    scan_id = json.loads(asked(address, "/scans", urllib.parse.urlencode(said).encode()))["id"]
    for kind, file in SENT.items():
        content = (EXAMPLES / file).read_bytes()
        asked(address, f"/scans/{scan_id}/files/{kind}", content, "PUT")
    asked(address, f"/scans/{scan_id}/queue", b"")


def asked(address: str, path: str, body: bytes, method: str = "POST") -> bytes:
    """Send a request as the page would."""
    request = urllib.request.Request(address + path, body, {"origin": address}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def take_all(address: str) -> None:
    """Walk through a reading and store what fits a window."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=WINDOW, color_scheme="dark", reduced_motion="reduce")
        page.goto(address)
        page.click("text=spine P-7, now")
        page.wait_for_selector(".level-view")
        keep(page, IMAGES / "reader.png", "e")
        drag_a_point(page)
        page.locator(".heights-said").scroll_into_view_if_needed()
        keep(page, PICTURES / "heights.png", clip=".look")
        page.keyboard.press("o")
        page.locator("#compose").click()
        page.locator(".finish").scroll_into_view_if_needed()
        keep(page, PICTURES / "finding.png", clip=".finish")
        page.goto(page.url.partition("#")[0])
        page.click(".prior a")
        keep(page, PICTURES / "prior.png")
        page.goto(address)
        keep(page, PICTURES / "worklist.png")
        browser.close()


def drag_a_point(page: Page) -> None:
    """Lower the anterior height, so that what follows is seen."""
    box = page.locator(".points circle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y + 14, steps=4)
    page.mouse.up()
    page.wait_for_selector("#heights-line[data-by=tried]")


def keep(page: Page, path: Path, key: str = "", clip: str = "") -> None:
    """Store the window, or one element of it, once nothing is on its way any more."""
    page.wait_for_load_state("networkidle")
    if key:
        page.keyboard.press(key)
    if clip:
        box = page.locator(clip).first.bounding_box()
        high = min(box["height"], WINDOW["height"] - max(box["y"], 0))
        page.screenshot(path=path, clip={**box, "y": max(box["y"], 0), "height": high})
    else:
        page.screenshot(path=path)
    print(path.relative_to(ROOT))


def wait_until_graded(address: str) -> None:
    """Ask the work list until nothing is queued any more."""
    for _ in range(1200):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                text = answer.read().decode()
            if 'data-state="queued"' not in text and 'data-state="grading"' not in text:
                return
        except OSError:
            pass
        time.sleep(0.5)
    sys.exit("the example scans were not graded in ten minutes")


if __name__ == "__main__":
    main()
