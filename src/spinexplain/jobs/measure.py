"""Heights of the vertebral bodies of a mask, as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import LabelError
from spinexplain.io.files import check_new_file
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.types import Heights


@dataclass(frozen=True)
class MeasureRequest:
    """What ``measure`` is asked for; without ``labels`` the localizer paints the bodies."""

    ct: Path
    labels: Path | None
    out: Path
    body: Path | None = None
    series: str | None = None
    label_scheme: str | None = None
    force: bool = False
    first_level: str | None = None


COLUMNS = [
    "level",
    "anterior_mm",
    "middle_mm",
    "posterior_mm",
    "expected_anterior_mm",
    "expected_middle_mm",
    "expected_posterior_mm",
    "loss",
    "loss_low",
    "loss_high",
    "height_loss_class",
    "class_low",
    "class_high",
    "shape",
    "own_posterior_loss",
    "broad_loss",
    *(
        f"{third}_{place}_mm"
        for third in ("left", "right")
        for place in ("anterior", "middle", "posterior")
    ),
    "trabecular_hu",
    "aorta_hu",
    "kv",
    "flags",
]


def measure_to_csv(request: MeasureRequest, progress: Progress = SILENT) -> tuple[int, list[str]]:
    """Measure the bodies of a mask and write the table.

    Returns
    -------
    measured : int
        Rows written.
    left_out : list of str
        Levels in the mask that could not be measured.

    Raises
    ------
    SpinexplainError
        If an input is wrong, or ``out`` exists and ``force`` is not set.
    """
    from spinexplain.findings.vertebrae import scan_vertebrae
    from spinexplain.io.read import read_body, read_mask, read_scan
    from spinexplain.io.scan_facts import read_facts
    from spinexplain.spine.aorta import aorta_hu
    from spinexplain.spine.density import densities

    check_new_file(request.out, request.force)
    with progress.stage("read"):
        volume = read_scan(request.ct, series=request.series)
        mask = read_mask(request.labels, scheme=request.label_scheme) if request.labels else None
        body = read_body(request.body) if request.body else None
    with progress.stage("heights"):
        spine = scan_vertebrae(volume, mask, body=body, first_level=request.first_level)
        vertebrae, heights, flags = spine.vertebrae, spine.heights(), spine.flags(volume)
    if not heights:
        levels = ", ".join(vertebra.level.value for vertebra in vertebrae)
        raise LabelError(
            f"{request.labels or request.ct}: no body of {levels} can be measured (cut off, or "
            "too coarse); expected whole vertebrae. Give another mask."
        )
    with progress.stage("write"):
        bone = densities(volume, vertebrae, heights)
        scanned = {
            "aorta_hu": _number(aorta_hu(volume, vertebrae)),
            "kv": _number(read_facts(request.ct, request.series).kv),
        }
        rows = [
            {
                **_row(level.value, heights[level], flags[level]),
                "trabecular_hu": _number(bone[level].hu if level in bone else None),
                **scanned,
            }
            for level in (vertebra.level for vertebra in vertebrae)
            if level in heights
        ]
        _write_rows(request.out, rows)
    left_out = [
        vertebra.level.value
        for vertebra in vertebrae
        if vertebra.level.is_graded and vertebra.level not in heights
    ]
    return len(heights), left_out


def _number(value: float | None) -> str:
    """Write HU or kV; nothing where it is not known."""
    return "" if value is None else f"{value:.1f}"


def _write_rows(out: Path, rows: Sequence[Mapping[str, str | int]]) -> None:
    from spinexplain.io.files import atomic_file

    with atomic_file(out) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _row(level: str, heights: Heights, flags: tuple[str, ...]) -> dict[str, str | int]:
    numbers = {
        "anterior_mm": heights.anterior_mm,
        "middle_mm": heights.middle_mm,
        "posterior_mm": heights.posterior_mm,
        "loss": heights.loss,
        "loss_low": heights.loss_interval[0],
        "loss_high": heights.loss_interval[1],
        "own_posterior_loss": heights.own_posterior_loss,
        "broad_loss": heights.broad_loss,
    }
    places = ("anterior", "middle", "posterior")
    numbers |= dict(zip((f"expected_{p}_mm" for p in places), heights.expected_mm, strict=True))
    for third in ("left", "right"):
        values = heights.thirds_mm.get(third, (float("nan"),) * 3)
        numbers |= dict(zip((f"{third}_{p}_mm" for p in places), values, strict=True))
    return {
        "level": level,
        **{name: f"{value:.3f}" for name, value in numbers.items()},
        "height_loss_class": heights.height_loss_class,
        "class_low": heights.class_range[0],
        "class_high": heights.class_range[1],
        "shape": heights.shape,
        "flags": " ".join(flags),
    }
