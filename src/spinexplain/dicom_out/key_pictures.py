"""Pictures for archives that show nothing but pictures: the spine, and a card a vertebra."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spinexplain.dicom_out.statement import (
    FRACTURE,
    NO_SUSPICION,
    ScanStatement,
    VertebraStatement,
)
from spinexplain.findings.scan import ScanFindings, VertebraFindings
from spinexplain.types import Explanation, Patch
from spinexplain.ui.pictures import wash_rgba, window_hu

_SIDE = 512  # pixels of a sheet in a card
_LINE = 24
_TEXT = 18
_BAND = 40
_TICK = 16
_MARGIN = 330  # for names and verdicts beside the spine
_CUBIC = Image.Resampling.BICUBIC
_WHITE, _GRAY, _AMBER, _GROUND = (240, 240, 240), (150, 150, 150), (255, 170, 60), (12, 14, 16)
WARNING = "spinexplain, {status}. Not for diagnostic use."


def key_pictures(findings: ScanFindings, statement: ScanStatement) -> list[np.ndarray]:
    """Draw the whole spine, then a card for each vertebra with a suspected fracture.

    Parameters
    ----------
    findings : ScanFindings
    statement : ScanStatement
        Of these findings.

    Returns
    -------
    list of ndarray of uint8, shape (rows, columns, 3)
        RGB; words and warning are part of the picture.
    """
    suspicious = {one.level: one for one in statement.suspicious}
    cards = [
        _card(item, suspicious[item.vertebra.level], statement)
        for item in findings.vertebrae
        if item.vertebra.level in suspicious
    ]
    return [_spine(findings.overview, statement), *cards]


def _spine(overview: Patch, statement: ScanStatement) -> np.ndarray:
    """Draw the whole-spine sheet with the name and verdict of each vertebra beside it."""
    factor = 2.0 * overview.frame.spacing_mm
    rows, columns = (round(size * factor) for size in overview.array.shape)
    picture = Image.new("RGB", (columns + _MARGIN, rows + 2 * _BAND), _GROUND)
    sheet = Image.fromarray(window_hu(overview.array)).resize(
        (columns, rows), Image.Resampling.BICUBIC
    )
    picture.paste(sheet, (0, _BAND))
    draw = ImageDraw.Draw(picture)
    for one in statement.vertebrae:
        center = np.asarray(overview.frame.to_patch(np.array(one.center_mm)))
        row = float(center[0] + 0.5) * factor + _BAND
        draw.line((columns - _TICK, row, columns, row), _color(one), 2)
        draw.text((columns + _TICK // 2, row), _mark(one), _color(one), _font(_TEXT), anchor="lm")
    _sides(draw, columns, rows)
    _frame(picture, "Whole spine, sagittal along its curve", statement)
    return np.asarray(picture)


def _sides(draw: ImageDraw.ImageDraw, columns: int, rows: int) -> None:
    """Write which side is anterior and which posterior."""
    middle = _BAND + rows - _LINE
    draw.text((8, middle), "A", _WHITE, _font(_TEXT), anchor="lm")
    draw.text((columns - 8, middle), "P", _WHITE, _font(_TEXT), anchor="rm")


def _mark(one: VertebraStatement) -> str:
    name = one.level.value
    return name if one.final.state == NO_SUSPICION else f"{name}  {one.final.words}"


def _color(one: VertebraStatement) -> tuple[int, int, int]:
    if one.final.state == FRACTURE:
        return _AMBER
    return _GRAY if one.final.state == NO_SUSPICION else _WHITE


def _card(item: VertebraFindings, one: VertebraStatement, statement: ScanStatement) -> np.ndarray:
    """Draw the sheet of a vertebra, the same with its strongest evidence, and the figures."""
    lines = card_lines(one)
    height = _SIDE + 2 * _BAND + _LINE * len(lines) + _LINE // 2
    picture = Image.new("RGB", (2 * _SIDE, height), _GROUND)
    picture.paste(_scaled(window_hu(item.patch.array)), (0, _BAND))
    picture.paste(_with_evidence(item), (_SIDE, _BAND))
    draw = ImageDraw.Draw(picture)
    _sides(draw, 2 * _SIDE, _SIDE)
    for number, line in enumerate(lines):
        draw.text((8, _BAND + _SIDE + 8 + _LINE * number), line, _WHITE, _font(_TEXT))
    _frame(picture, f"{one.level.value}: {one.final.words}", statement)
    return np.asarray(picture)


def card_lines(one: VertebraStatement) -> list[str]:
    """Say the figures of a vertebra, one line each."""
    lines = []
    for opinion in one.opinions:
        scores = ", ".join(f"{name} {score:.2f}" for name, score in opinion.scores)
        lines.append(f"Model {opinion.model.name}: {opinion.grade} (score {scores})")
    if one.heights is not None:
        heights = one.heights
        low, high = heights.loss_interval
        lines.append(
            f"Heights {heights.anterior_mm:.1f} / {heights.middle_mm:.1f} / "
            f"{heights.posterior_mm:.1f} mm (anterior, middle, posterior), loss "
            f"{_percent(heights.loss)} % ({_percent(low)} to {_percent(high)} %), "
            f"shape {heights.shape}"
        )
    if one.agreement is False:
        lines.append("Model and heights disagree.")
    if one.reader is not None:
        lines.append(f"Reader: {one.reader.words} (machine: {one.verdict.words})")
    return lines


def _percent(share: float) -> str:
    return f"{round(100 * share) or 0:d}"  # no minus before zero


def _with_evidence(item: VertebraFindings) -> Image.Image:
    """Return the first model's own patch with its strongest evidence; without one, the sheet."""
    explanation = item.assessments[0].explanation if item.assessments else None
    if explanation is None or not explanation.evidence:
        return _scaled(window_hu(item.patch.array))
    array, heat = _sagittal(explanation)
    ground = _scaled(window_hu(array)).convert("RGBA")
    wash = Image.fromarray(wash_rgba(heat, float(heat.max())))
    wash = wash.resize((_SIDE, _SIDE), _CUBIC)
    return Image.alpha_composite(ground, wash).convert("RGB")


def _sagittal(explanation: Explanation) -> tuple[np.ndarray, np.ndarray]:
    """Return patch and heat of a sheet, or of the box's sagittal plane with the most heat."""
    array, heat = explanation.patch.array, explanation.evidence[0].heatmap
    if array.ndim == 2:
        return array, heat
    plane = int(np.argmax(heat.sum(axis=(0, 1))))
    return array[..., plane], heat[..., plane]


def _scaled(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels).convert("RGB").resize((_SIDE, _SIDE), _CUBIC)


def _frame(picture: Image.Image, title: str, statement: ScanStatement) -> None:
    """Write the title above and the warning below."""
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    draw.rectangle((0, 0, width, _BAND - 1), _GROUND)
    draw.rectangle((0, height - _BAND, width, height), _GROUND)
    draw.text((8, _BAND // 2), title, _WHITE, _font(_TEXT), anchor="lm")
    warning = WARNING.format(status=statement.status)
    draw.text((8, height - _BAND // 2), warning, _AMBER, _font(_TEXT), anchor="lm")


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
