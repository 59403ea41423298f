"""Draws docs/images/house.svg: the rooms of the package, each above all rooms that it imports.

Heights come from the import graph of src/spinexplain; letters mark which journeys of the page
pass through a room.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "spinexplain"

JOURNEYS = {
    "C": ("a CT", ["io", "spine", "models", "explainers", "findings", "results", "report", "jobs"]),
    "P": ("a prototype", ["data", "train", "models", "explainers", "analysis", "report", "jobs"]),
    "U": ("a unit", ["data", "models", "explainers", "analysis", "report", "findings", "jobs"]),
    "R": ("a cohort row", ["io", "spine", "data", "train", "evaluate", "experiment", "jobs"]),
}
COLORS = {"C": "#0b6e99", "P": "#9a4d00", "U": "#6b3fa0", "R": "#2f6f3e"}

WIDE, HIGH, GAP, LEFT = 112, 46, 12, 14
STYLE = """
text { font: 600 13px system-ui, sans-serif; fill: #1d2329; text-anchor: middle; }
.small { font: 600 9px system-ui, sans-serif; fill: #fff; }
.key { font: 400 12px system-ui, sans-serif; text-anchor: start; }
.room { fill: #eef1f4; stroke: #8a949e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaee; } .room { fill: #262c33; stroke: #6b7681; }
}
"""


def rooms() -> list[str]:
    """Return the folders and modules at the top of the package, in order of name."""
    found = [path for path in SOURCE.iterdir() if not path.name.startswith("_")]
    kept = [path for path in found if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return sorted(path.name.removesuffix(".py") for path in kept)


@cache
def imports_of(room: str) -> frozenset[str]:
    """Return the other rooms that any module of a room imports."""
    paths = [*(SOURCE / room).rglob("*.py"), SOURCE / f"{room}.py"]
    names = set()
    for node in (n for p in paths if p.is_file() for n in ast.walk(ast.parse(p.read_text()))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spinexplain."):
            names.add((node.module or "").split(".")[1])
    return frozenset(names - {room})


@cache
def floor_of(room: str) -> int:
    """Return a room's floor: 0 imports nothing, any other is one above all that it imports."""
    return 1 + max((floor_of(other) for other in imports_of(room)), default=-1)


def drawing() -> str:
    """Return the drawing as SVG text."""
    floors: dict[int, list[str]] = {}
    for room in rooms():
        floors.setdefault(floor_of(room), []).append(room)
    widest = max(map(len, floors.values()))
    width = max(2 * LEFT + widest * (WIDE + GAP) - GAP, 620)
    top = max(floors)
    height = (top + 1) * (HIGH + GAP) + 54
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>The rooms of the package, each above all that it imports</title>",
        f"<style>{STYLE}</style>",
    ]
    for floor, names in sorted(floors.items(), reverse=True):
        first = (width - len(names) * (WIDE + GAP) + GAP) / 2
        y = LEFT + (top - floor) * (HIGH + GAP)
        parts += [_room(name, first + k * (WIDE + GAP), y) for k, name in enumerate(names)]
    parts += [_key(letter, 150 * k + LEFT, height - 26) for k, letter in enumerate(JOURNEYS)]
    return "\n".join([*parts, "</svg>", ""])


def _room(name: str, x: float, y: float) -> str:
    passing = [letter for letter, (_, through) in JOURNEYS.items() if name in through]
    start = x + WIDE / 2 - 9 * (len(passing) - 1)
    marks = "".join(_mark(letter, start + 18 * k, y + 33) for k, letter in enumerate(passing))
    line = 19 if passing else 28
    return (
        f'<rect class="room" x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="6"/>'
        f'<text x="{x + WIDE / 2:g}" y="{y + line:g}">{name}</text>{marks}'
    )


def _mark(letter: str, x: float, y: float) -> str:
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="7" fill="{COLORS[letter]}"/>'
        f'<text class="small" x="{x:g}" y="{y + 3:g}">{letter}</text>'
    )


def _key(letter: str, x: float, y: float) -> str:
    return _mark(letter, x + 8, y) + (
        f'<text class="key" x="{x + 22:g}" y="{y + 4:g}">{JOURNEYS[letter][0]}</text>'
    )


def draw(results: Path, images: Path) -> list[Path]:
    """Write the drawing."""
    path = images / "house.svg"
    path.write_text(drawing(), encoding="utf-8")
    return [path]
