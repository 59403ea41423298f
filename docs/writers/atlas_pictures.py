"""Take the pictures of docs/how-to/atlas.md from an atlas, as chromium shows it.

    spinexplain prototypes RUN -o atlas
    python docs/writers/atlas_pictures.py atlas/atlas.html

The figure of `compare` is drawn from the demo phantom's first fractured level; run `make demo`
first. Without an atlas it is the only one. Needs chromium (scripts/apt-deps.sh) for the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
DEMO = ROOT / "demo-output" / "phantom"
WIDTH = 1240


def main() -> None:
    """Take every picture; the atlas' page is the one argument, if there is one."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    if sys.argv[1:]:
        photographed(Path(sys.argv[1]))
    if DEMO.exists():
        compared(IMAGES / "compare.png")


def photographed(atlas: Path) -> None:
    """Take the pictures of an atlas' page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(atlas.resolve().as_uri())
        first = bounds(page, "header")
        last = bounds(page, "section.levels")
        shoot(page, "atlas-top", first["y"] - 12, last["y"] + last["height"] + 12)
        card = bounds(page, f"#{most_used(atlas)}")
        shoot(page, "atlas-card", card["y"] - 8, card["y"] + card["height"] + 8)
        matrices = bounds(page, "[aria-labelledby=cosines-title]")
        shoot(page, "atlas-cosines", matrices["y"] - 8, matrices["y"] + matrices["height"] + 8)
        browser.close()


def bounds(page: Page, selector: str) -> dict[str, float]:
    """Return where an element lies on the whole page."""
    return page.eval_on_selector(
        selector,
        "e => { const b = e.getBoundingClientRect();"
        " return {y: b.y + window.scrollY, height: b.height}; }",
    )


def shoot(page: Page, name: str, top: float, bottom: float) -> None:
    """Store a strip of the page."""
    clip = {"x": 0, "y": max(top, 0), "width": WIDTH, "height": bottom - max(top, 0)}
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True, clip=clip)


def most_used(atlas: Path) -> str:
    """Name the card of the most used prototype of the gravest class."""
    model = json.loads((atlas.parent / "atlas.json").read_text("utf-8"))["models"][0]
    own = [
        (item["usage"] or 0, index)
        for index, item in enumerate(model["prototypes"])
        if item["class"] == model["classes"][-1]
    ]
    return f"prototype-{max(own)[1] + 1}"


def compared(out: Path) -> None:
    """Draw the figure of `compare` for the demo phantom's first fractured level."""
    result = json.loads((DEMO / "result.json").read_text("utf-8"))
    levels = [v["level"] for v in result["vertebrae"] if v["grade"] in ("G2", "G3")]
    (ct,) = DEMO.parent.rglob("rawdata/**/*_ct.nii.gz")
    (mask,) = DEMO.parent.rglob("derivatives/**/*_seg-vert_msk.nii.gz")
    command = ["spinexplain", "compare", str(ct), "--labels", str(mask), "--level", levels[0]]
    subprocess.run([*command, "-o", str(out), "--force"], check=True)
    for_the_page(out)


def for_the_page(picture: Path) -> None:
    """Store a figure made for print as wide as the others, with a palette of 256 colors.

    The palette covers the rare colors too (outlines, washes), which a median cut would bend.
    """
    with Image.open(picture) as whole:
        height = round(whole.height * WIDTH / whole.width)
        small = whole.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    few = small.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


if __name__ == "__main__":
    main()
