"""Take the README's picture: the top of the demo phantom's report, as chromium shows it.

Run `make demo` first; needs chromium (scripts/apt-deps.sh).
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "demo-output" / "phantom" / "report.html"
PICTURE = ROOT / "docs" / "images" / "report.png"


def main() -> None:
    """Open the report and store what fits a wide window."""
    if not REPORT.exists():
        sys.exit(f"{REPORT} is not there; run `make demo` first.")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1180})
        page.goto(REPORT.as_uri(), timeout=300_000)
        page.screenshot(path=PICTURE, timeout=300_000)
        browser.close()
    print(PICTURE)


if __name__ == "__main__":
    main()
