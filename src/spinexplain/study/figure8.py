"""ProtoVerse's figure 8: pages of a study with what each reader answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from PIL import Image

from spinexplain.study.record import Item, Study, View, pictures_of
from spinexplain.study.tally import Page, Tally
from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import PICTURE

_HEADS = ("test image", "where in it", "training picture", "where in that")


def draw_figure8(folder: Path, study: Study, found: Tally, pictures: Path) -> list[str]:
    """Draw one answered page of every grade with real evidence.

    Returns
    -------
    list of str
        ``figure8-G2.png`` and so on; of each grade the first page that most readers finished.
        None where the pictures are gone, and none of units, which no test image is compared with.
    """
    if study.kind == "units":
        return []
    names = []
    for grade in dict.fromkeys(p.grade for p in found.pages if p.real and p.role == "asked"):
        page = _most_answered(found, grade)
        if page is None:
            continue
        item = study.item(page.item)
        if not item.pieces or not all((pictures / name).is_file() for name in pictures_of(item)):
            continue
        name = f"figure8-{grade}.png"
        _draw(folder / name, study, found, item, page, pictures)
        names.append(name)
    return sorted(names)


def _most_answered(found: Tally, grade: str) -> Page | None:
    def answered(page: Page) -> int:
        return sum(any(p[0] == page.item for p in found.said[r]) for r in found.readers)

    pages = [p for p in found.pages if p.real and p.role == "asked" and p.grade == grade]
    best = max(pages, key=answered, default=None)
    return best if best is not None and answered(best) else None


def _draw(path: Path, study: Study, found: Tally, item: Item, page: Page, pictures: Path) -> None:
    questions = [q for q in study.questions if q.of == "piece" and q.kind == "yes_no"]
    columns = len(_HEADS) + len(questions)
    rows = len(item.pieces)
    with drawn(path, 1.5 * columns, 1.6 * rows + 0.6) as figure:
        axes = figure.subplots(rows, columns, squeeze=False)
        for line in axes:
            for one in line:
                one.axis("off")
        for head, one in zip((*_HEADS, *(q.key for q in questions)), axes[0], strict=True):
            one.set_title(head, fontsize=8, loc="left")
        if item.image is not None:
            _show(axes[0, 0], item.image, pictures, overlay=False)
        for row, piece in enumerate(item.pieces):
            views = ((piece.test, True), (piece.exemplar, False), (piece.exemplar, True))
            for column, (view, overlay) in enumerate(views, start=1):
                if view is not None:
                    _show(axes[row, column], view, pictures, overlay)
            for column, question in enumerate(questions, start=len(_HEADS)):
                said = [found.said[r].get((item.id, row + 1, question.key)) for r in found.readers]
                words = [
                    f"reader {r}: {s or '–'}" for r, s in zip(found.readers, said, strict=True)
                ]
                axes[row, column].text(0, 0.9, "\n".join(words), va="top", fontsize=8)
        figure.suptitle(f"{page.grade}, {page.arm}, page {item.id}", fontsize=8, x=0.01, ha="left")


def _show(axes: Any, view: View, pictures: Path, overlay: bool) -> None:
    shown = view.slices[view.start]
    extent = (0, view.width, view.height, 0)
    axes.imshow(np.asarray(Image.open(pictures / shown.picture)), cmap="gray", extent=extent)
    if overlay and shown.wash:
        wash = np.asarray(Image.open(pictures / shown.wash)).copy()
        wash[..., 3] = wash[..., 3] // 2
        axes.imshow(wash, extent=extent)
        for text in shown.contours:
            _outline(axes, text, PICTURE["contour"], "-")
    if shown.target:
        _outline(axes, shown.target, "#f6bd79", (0, (3, 2)))
    axes.set_xlim(0, view.width)
    axes.set_ylim(view.height, 0)


def _outline(axes: Any, text: str, color: str, style: Any) -> None:
    for points in closed_lines(text):
        patch = PathPatch(Outline(points, closed=True), fill=False, ec=color, ls=style, lw=0.8)
        axes.add_patch(patch)


def closed_lines(text: str) -> list[np.ndarray]:
    """Read the closed lines of an SVG path that :mod:`spinexplain.ui.contours` wrote.

    Examples
    --------
    >>> [line.tolist() for line in closed_lines("M0.0 1.0L2.0 1.0L2.0 3.0Z")]
    [[[0.0, 1.0], [2.0, 1.0], [2.0, 3.0], [0.0, 1.0]]]
    """
    lines = []
    for part in text.split("Z"):
        numbers = [[float(x) for x in pair.split()] for pair in part.lstrip("M").split("L") if pair]
        if len(numbers) > 2:
            lines.append(np.array([*numbers, numbers[0]]))
    return lines
