"""Thumbnail pages: every vertebra of a cohort as a small picture, to check by eye."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.palette import (
    BONE_WINDOW_HU,
    GRADE_COLORS,
    MEASURED_COLOR,
    OTHER_COLOR,
    UNGRADED_COLOR,
    rgb,
)
from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_overview import UNGRADED
from spinexplain.data.schema import FOREIGN_MATERIAL, GRADES
from spinexplain.io.files import output_folder
from spinexplain.spine.quality import not_assessable_reason
from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

COLUMNS, ROWS = 10, 6
_CELL_WIDTH = 144
_CAPTION_HEIGHT = 30
_HEADER_HEIGHT = 22
_GAP = 6
_BACKGROUND = (18, 20, 24)
_INK = (225, 228, 232)

_COLORS = {
    **{grade: rgb(color) for grade, color in GRADE_COLORS.items()},
    FOREIGN_MATERIAL: rgb(OTHER_COLOR),
    UNGRADED: rgb(UNGRADED_COLOR),
}
_OUTLINE = rgb(MEASURED_COLOR)
_ORDER = (*reversed(GRADES), FOREIGN_MATERIAL, UNGRADED)


@dataclass(frozen=True, eq=False)
class _Cell:
    """One vertebra as it is drawn."""

    hu: np.ndarray  # (R, C)
    mask: np.ndarray | None  # (R, C), the vertebra itself
    grade: str
    caption: tuple[str, str]


def write_thumbnails(cohort: Cohort, folder: str | Path) -> list[Path]:
    """Draw every vertebra, the most severe grades first, 60 a page.

    Bone window, cranial at the top, anterior on the left; the outline of the vertebra's own
    mask in green, a frame in the color of the grade. An existing folder of thumbnail pages is
    replaced.

    Parameters
    ----------
    cohort : Cohort
    folder : str or Path
        Filled with ``page-001.png`` and so on.

    Returns
    -------
    list of Path
    """
    grades = _grades(cohort)
    order = _reading_order(cohort, grades)
    names = []
    with output_folder(folder, force=True) as temporary:
        for page, start in enumerate(range(0, len(order), COLUMNS * ROWS), start=1):
            cells = _cells(cohort, grades, order[start : start + COLUMNS * ROWS])
            names.append(f"page-{page:03d}.png")
            title = f"vertebrae {start + 1}-{start + len(cells)} of {len(order)}"
            draw_page(cells, title).save(temporary / names[-1], compress_level=4)
    return [Path(folder) / name for name in names]


def _grades(cohort: Cohort) -> list[str]:
    grade = cohort.index["grade"]
    return grade.astype(object).where(grade.notna(), UNGRADED).tolist()


def _reading_order(cohort: Cohort, grades: Sequence[str]) -> np.ndarray:
    index = cohort.index
    ranks = [_ORDER.index(grade) for grade in grades]
    levels = [VertebraLevel(level).order for level in index["level"]]
    keys = list(zip(ranks, index["series"].tolist(), levels, strict=True))
    return np.array(sorted(range(len(keys)), key=keys.__getitem__))


def _cells(cohort: Cohort, grades: Sequence[str], rows: np.ndarray) -> list[_Cell]:
    pictures: dict[int, np.ndarray] = {}
    masks: dict[int, np.ndarray] = {}
    for size in ("3d", "2d"):  # the sheet wins where both are there
        for kind, found in ((f"patches_{size}", pictures), (f"labels_{size}", masks)):
            there = rows[cohort.has(kind)[rows]]
            found.update(zip(there.tolist(), map(_sagittal, cohort.read(kind, there)), strict=True))
    return [
        _cell(cohort.index.loc[row], grades[row], pictures[row], masks.get(row))
        for row in rows.tolist()
    ]


def _cell(record: Any, grade: str, hu: np.ndarray, labels: np.ndarray | None) -> _Cell:
    code = VertebraLevel(str(record["level"])).verse_label
    shape = record["shape"] if isinstance(record["shape"], str) else ""
    stopped = not_assessable_reason(record["flags"]) is not None
    first = f"{record['level']} {grade} {'' if shape == 'none' else shape}{' !' * stopped}"
    mask = None if labels is None else labels == code
    return _Cell(hu, mask, grade, (first.strip(), printable(str(record["series"]))))


def _sagittal(patch: np.ndarray) -> np.ndarray:
    """Return a sheet as it is, and the middle sagittal plane of a box."""
    return patch if patch.ndim == 2 else patch[:, :, patch.shape[2] // 2]


def draw_page(cells: Sequence[_Cell], title: str) -> Image:
    """Draw up to 60 vertebrae on one page, with the colors of the grades above them."""
    from PIL import Image, ImageDraw

    width, height = _CELL_WIDTH + _GAP, _CELL_WIDTH + _CAPTION_HEIGHT + _GAP
    rows = -(-len(cells) // COLUMNS)
    size = (COLUMNS * width + _GAP, _HEADER_HEIGHT + rows * height + _GAP)
    page = Image.new("RGB", size, _BACKGROUND)
    pen = ImageDraw.Draw(page)
    font = _font()
    _draw_header(pen, font, title)
    for at, cell in enumerate(cells):
        x, y = _GAP + at % COLUMNS * width, _HEADER_HEIGHT + _GAP + at // COLUMNS * height
        page.paste(_picture(cell), (x, y))
        corner = (x + _CELL_WIDTH - 1, y + _CELL_WIDTH - 1)
        pen.rectangle(((x, y), corner), outline=_COLORS[cell.grade], width=2)
        for line, text in enumerate(cell.caption):
            pen.text((x + 1, y + _CELL_WIDTH + 1 + 13 * line), text[:24], _INK, font)
    return page


def _draw_header(pen: ImageDraw, font: FreeTypeFont, title: str) -> None:
    pen.text((_GAP, 6), f"{title}    frame: ", _INK, font)
    x = _GAP + pen.textlength(f"{title}    frame: ", font)
    for grade in _ORDER:
        pen.rectangle(((x, 8), (x + 9, 17)), fill=_COLORS[grade])
        pen.text((x + 14, 6), grade, _INK, font)
        x += 28 + pen.textlength(grade, font)
    pen.text(
        (x, 6),
        "green: outline of the mask, or the center    !: flagged as not assessable",
        _INK,
        font,
    )


def _picture(cell: _Cell) -> Image:
    from PIL import Image

    low, high = BONE_WINDOW_HU
    gray = np.clip((cell.hu.astype(float) - low) / (high - low), 0, 1) * 255
    rgb = np.repeat(gray.astype(np.uint8)[..., None], 3, axis=2)
    if cell.mask is not None:
        rgb[_outline(cell.mask)] = _OUTLINE
    else:  # the vertebra is the one in the middle
        row, column = (n // 2 for n in cell.hu.shape)
        rgb[row - 1 : row + 1, column - 1 : column + 1] = _OUTLINE
    picture = Image.fromarray(rgb)
    return picture.resize((_CELL_WIDTH, _CELL_WIDTH), Image.Resampling.BILINEAR)


def _outline(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    return mask & ~binary_erosion(mask)


def _font() -> FreeTypeFont:
    """Load the font that comes with matplotlib: it has the letters of most names."""
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), 11)
