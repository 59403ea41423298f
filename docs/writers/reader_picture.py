"""Take the picture of the reader's page from the running reader, as chromium shows it.

Starts a reader on the example scans in a folder of its own; needs the extra `app`, playwright and
chromium (scripts/apt-deps.sh).
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "images" / "reader.png"
PORT = 18766


def main() -> None:
    """Wait until the lumbar example is graded, open it and store what fits a window."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "spinexplain.cli.main", "serve", f"{folder}/data"]
        server = subprocess.Popen([*command, "--examples", "--port", str(PORT)])
        try:
            take(f"http://127.0.0.1:{PORT}/")
        finally:
            server.terminate()
            server.wait()
    print(PICTURE)


def take(address: str) -> None:
    """Open the scan's page at a level with evidence and its height points shown."""
    wait_until_graded(address)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme="dark")
        page.goto(address)
        page.click("text=lumbar example")
        page.wait_for_selector(".level-view")
        page.keyboard.press("e")
        page.wait_for_load_state("networkidle")
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURE)
        browser.close()


def wait_until_graded(address: str) -> None:
    """Ask the work list until it shows the lumbar example's findings."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                text = answer.read().decode()
            if "queued" not in text and "grading" not in text:
                return
        except OSError:
            pass
        time.sleep(0.5)
    sys.exit("the example scans were not graded in five minutes")


if __name__ == "__main__":
    main()
