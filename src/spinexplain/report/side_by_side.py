"""Figures 5 and 6: "this looks like that" beside class activation maps, ready for print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.errors import ConfigError
from spinexplain.findings.scan import Comparison
from spinexplain.io.files import atomic_file
from spinexplain.types import Evidence, Explanation, PrototypeDetail
from spinexplain.ui.cell_maps import steady_map
from spinexplain.ui.pictures import wash_rgba
from spinexplain.ui.tokens import PICTURE, grade_style, matplotlib_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
ROWS = 3
SIDE_INCHES = 1.45
REGION = "#ffd166"
WASH = 0.75
MUTED = "#7b8791"
WIDTHS = (1, 1, 1, 1, 0.95, 1)


def write_comparison(comparisons: Sequence[Comparison], out: Path, theme: str = "light") -> Path:
    """Draw chosen vertebrae, one block each, and write the figure.

    Parameters
    ----------
    comparisons : sequence of Comparison
    out : Path
        Ends in ``.png``, ``.pdf`` or ``.svg``.
    theme : str
        ``"light"`` or ``"dark"``.

    Raises
    ------
    ConfigError
        If the file's ending is none of these.
    OutputError
        If it cannot be written.
    """
    from matplotlib import rc_context

    check_format(out)
    style: Any = matplotlib_style(theme)
    with rc_context(rc=style):
        figure = draw_comparison(comparisons)
        metadata: dict[str, Any] = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
        with atomic_file(out) as temporary:
            figure.savefig(temporary, dpi=220, metadata=metadata.get(out.suffix.lower()))
    return out


def check_format(out: Path) -> None:
    """Refuse a file name whose ending says no format that is drawn.

    Raises
    ------
    ConfigError

    Examples
    --------
    >>> check_format(Path("figure.pdf"))
    """
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(
            f'{out} ends in "{out.suffix}"; expected one of {", ".join(FORMATS)}. Rename it.'
        )


def draw_comparison(comparisons: Sequence[Comparison]) -> Figure:
    """Draw the blocks under one another: three pieces of evidence a block, three maps."""
    from matplotlib.figure import Figure

    head, foot = 0.62, 0.3
    block = ROWS * SIDE_INCHES + head
    width = sum(WIDTHS) * SIDE_INCHES + 0.2
    height = len(comparisons) * block + foot
    figure = Figure(figsize=(width, height))
    for index, item in enumerate(comparisons):
        top = 1 - (index * block + head) / height
        grid = figure.add_gridspec(
            ROWS,
            len(WIDTHS),
            left=0.1 / width,
            right=1 - 0.1 / width,
            top=top,
            bottom=top - ROWS * SIDE_INCHES / height,
            wspace=0.04,
            hspace=0.04,
            width_ratios=WIDTHS,
        )
        axes = [[figure.add_subplot(grid[r, c]) for c in range(len(WIDTHS))] for r in range(ROWS)]
        _block(item, axes)
        _title(figure, item, top, height)
    figure.text(
        0.1 / width,
        0.09 / height,
        "Outline: highest 2 % of a map. Maps: similarity to the prototype; class activation on the "
        "right. Not a medical device.",
        color=MUTED,
        fontsize=6.5,
    )
    return figure


def _block(item: Comparison, axes: list[list[Axes]]) -> None:
    listed = item.prototypes.evidence[:ROWS]
    top = max((_brightest(piece) for piece in listed), default=0.0)
    patch = item.prototypes.patch
    for row in axes:
        for place in row:
            place.set_axis_off()
    for row, piece in zip(axes, listed, strict=False):
        test, heat = _sagittal(patch.array, piece.heatmap)
        _ct(row[0], test)
        _outline(row[0], steady_map(heat, piece, patch.frame.spacing_mm))
        _ct(row[1], test, heat, top)
        _exemplar(row[2], row[3], piece, top, len(patch.array) * patch.frame.spacing_mm)
        _words(row[4], piece)
    for row, explanation in zip(axes, item.maps, strict=False):
        _cam(row[5], explanation)
    names = ("test region", f"its map, 0 to {top:.1f}", "looks like", f"map there, 0 to {top:.1f}")
    for place, name in zip(axes[0], names, strict=False):
        place.set_title(name, fontsize=7, color=MUTED, pad=3)
    axes[0][-1].set_title("each to its own peak", fontsize=7, color=MUTED, pad=3)
    for row in axes[:1]:
        _letters(row[0])


def _brightest(piece: Evidence) -> float:
    """Test and training maps share one scale: what is faint beside its prototype looks so."""
    maps = (piece.heatmap, *(exemplar.heatmap for exemplar in piece.exemplars))
    return max(float(heatmap.max()) for heatmap in maps)


def _sagittal(array: np.ndarray, heatmap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a box where its map is strongest; a sheet is its own cut."""
    if heatmap.ndim == 2:
        return array, heatmap
    left = int(np.unravel_index(int(np.argmax(heatmap)), heatmap.shape)[2])
    return array[:, :, left], heatmap[:, :, left]


def _ct(place: Axes, array: np.ndarray, heat: np.ndarray | None = None, top: float = 0.0) -> None:
    low, high = BONE_WINDOW_HU
    place.imshow(array, cmap="gray", vmin=low, vmax=high, interpolation="bicubic")
    if heat is not None:
        colors = wash_rgba(heat, top)
        colors[..., 3] = np.round(WASH * colors[..., 3])
        place.imshow(colors, interpolation="bilinear")


def _outline(place: Axes, heat: np.ndarray) -> None:
    level = float(np.percentile(heat, 98))
    if 0 < level < float(heat.max()):
        place.contour(heat, levels=[level], colors=[REGION], linewidths=1.2)


def _exemplar(region: Axes, heated: Axes, piece: Evidence, top: float, extent_mm: float) -> None:
    if not piece.exemplars:
        return
    exemplar = piece.exemplars[0]
    pixels = exemplar.array
    if pixels is None:
        pixels = np.full(exemplar.heatmap.shape, BONE_WINDOW_HU[0])
        _note(region, "pixels withheld")
    array, heat = _sagittal(pixels, exemplar.heatmap)
    _ct(region, array)
    _outline(region, steady_map(heat, piece, extent_mm / len(heat)))
    _ct(heated, array, heat, top)
    if exemplar.provenance.synthetic:
        _note(region, "SYNTHETIC")


def _note(place: Axes, text: str) -> None:
    place.text(
        0.5,
        0.03,
        text,
        transform=place.transAxes,
        ha="center",
        va="bottom",
        fontsize=5.5,
        color=PICTURE["on-picture"],
        alpha=0.85,
    )


def _letters(place: Axes) -> None:
    for x, y, letter in ((0.5, 0.96, "H"), (0.04, 0.5, "A"), (0.96, 0.5, "P")):
        place.text(
            x,
            y,
            letter,
            transform=place.transAxes,
            ha="center",
            va="center",
            fontsize=6,
            color=PICTURE["on-picture-muted"],
        )


def _words(place: Axes, piece: Evidence) -> None:
    """Write what a piece of evidence is and what it counts for."""
    lines = [(0.80, piece.name, 8.0, "bold")]
    if isinstance(piece.detail, PrototypeDetail):
        lines += [
            (0.62, f"similarity {_number(piece.detail.similarity)}", 7.0, "normal"),
            (0.49, f"× connection {_number(piece.detail.connection)}", 7.0, "normal"),
        ]
    lines.append((0.36, f"= {_number(piece.score, sign=True)}", 9.0, "bold"))
    if piece.exemplars:
        source = piece.exemplars[0].provenance
        lines.append((0.18, f"{source.subject}, {source.level}", 5.5, "normal"))
    for y, text, size, weight in lines:
        place.text(
            0.08,
            y,
            _plain(text),
            transform=place.transAxes,
            fontsize=size,
            fontweight=weight,
            va="center",
            clip_on=True,
        )


def _cam(place: Axes, explanation: Explanation) -> None:
    piece = explanation.evidence[0]
    array, heat = _sagittal(explanation.patch.array, piece.heatmap)
    _ct(place, array, heat, float(heat.max()))
    _outline(place, heat)
    place.text(
        0.04,
        0.04,
        f"{piece.name} {float(heat.max()):.2g}",
        transform=place.transAxes,
        fontsize=7,
        color=PICTURE["on-picture"],
        fontweight="bold",
    )


def _title(figure: Figure, item: Comparison, top: float, height: float) -> None:
    level = item.prototypes.patch.vertebra.level.value
    width = figure.get_size_inches()[0]
    score = max(item.grading.probabilities)
    y = top + 0.42 / height
    style = grade_style(item.grading.grade)
    box = {"boxstyle": "round,pad=0.25", "facecolor": style.fill, "edgecolor": "none"}
    figure.text(0.1 / width, y, level, fontsize=12, fontweight="bold", va="center")
    figure.text(
        0.58 / width,
        y,
        style.letters,
        fontsize=9,
        fontweight="bold",
        color=style.ink,
        bbox=box,
        va="center",
    )
    said = f"{item.model.name}: score {score:.2f}; evidence for {item.prototypes.target}"
    if item.reason:
        said += f". Outside the model's scope: {item.reason}"
    figure.text(0.95 / width, y, _plain(said), fontsize=7.5, va="center")
    other = item.beside_grading
    target = item.maps[0].target if item.maps else other.grade
    x = 1 - 0.1 / width
    said = f"{_short(item.beside.name)}: {other.grade}, {max(other.probabilities):.2f}"
    figure.text(x, y + 0.02 / height, _plain(said), fontsize=7.5, va="bottom", ha="right")
    figure.text(x, y, f"CAMs for {target}", fontsize=6.5, va="top", ha="right", color=MUTED)


def _short(name: str, length: int = 26) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def _plain(text: str) -> str:
    """Keep matplotlib from reading a name's dollar signs as mathematics."""
    return text.replace("$", r"\$")


def _number(value: float, sign: bool = False) -> str:
    return f"{value:{'+' if sign else ''}.2f}".replace("-", "\N{MINUS SIGN}")
