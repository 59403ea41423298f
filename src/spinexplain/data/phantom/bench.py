"""The cohorts that explanations are scored on: drawn from a seed, the same bits every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.data.cohort import INDEX_FILE, Cohort, read_description
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.boxes import box_shard
from spinexplain.data.phantom.presets import load_preset, preset_hash
from spinexplain.data.phantom.scan import PhantomScan, make_subject
from spinexplain.data.phantom.sheets import neighbor_sheet, phantom_sheets
from spinexplain.data.schema import KINDS, MARGIN_SHAPE_3D, SPACING_MM
from spinexplain.data.shard import SeriesShard, to_stored
from spinexplain.data.sheets import sheet_shard, twin_shard
from spinexplain.spine.reformat import box_frame
from spinexplain.spine.sampling import sample_volume

_SHEETS_A_SHARD = 50
_NO_STEP: Callable[[int], None] = lambda done: None  # noqa: E731


def bench_cohort(
    folder: Path,
    preset: str,
    seed: int,
    vertebrae: int,
    axes: int,
    advance: Callable[[int], None] = _NO_STEP,
) -> Cohort:
    """Draw a cohort of vertebrae with evidence and healthy twins, or open the one drawn before.

    Beside every fractured sheet comes one of a normal neighbor in the same scan, where the
    person has one; whole scans hold all neighbors.

    Parameters
    ----------
    folder : Path
        Where it is stored; drawing goes on where it was interrupted.
    preset : str
    seed : int
        Not that of a training: the vertebrae must be new to every model.
    vertebrae : int
        So many sheets, or at least so many boxes in whole scans; twins and the neighbors of
        sheets come on top.
    axes : int
        2 for sheets, 3 for boxes.
    advance : callable
        Called with the number of vertebrae drawn so far.

    Returns
    -------
    Cohort

    Raises
    ------
    ConfigError
        If the preset does not exist.
    OutputError
        If ``folder`` holds something else.
    """
    load_preset(preset)
    settings: dict[str, Any] = {
        "phantom": preset,
        "preset_sha256": preset_hash(preset),
        "seed": seed,
        "vertebrae": vertebrae,
        "axes": axes,
    }
    settings |= {"neighbors": True} if axes == 2 else {}
    finished = (folder / INDEX_FILE).exists()
    same = finished and read_description(folder)["settings"] == settings
    writer = CohortWriter.create(folder, settings, force=same)
    drawn = 0
    for shards in (_sheets if axes == 2 else _boxes)(writer, preset, seed, vertebrae):
        drawn += shards
        advance(drawn)
    return writer.finish()


def _sheets(writer: CohortWriter, preset: str, seed: int, vertebrae: int) -> Iterator[int]:
    for start in range(0, vertebrae, _SHEETS_A_SHARD):
        number = min(_SHEETS_A_SHARD, vertebrae - start)
        series = f"{preset}-{seed}-{start:06d}"
        if writer.notes("phantom", f"{series}-twins") is None:
            drawn = list(phantom_sheets(preset, seed, number, start, twins=True))
            beside = [neighbor_sheet(preset, seed, start + k) for k in range(number)]
            drawn += [sheet for sheet in beside if sheet is not None]
            writer.add_series(sheet_shard(series, drawn, seed=seed))
            twins = twin_shard(f"{series}-twins", drawn, seed=seed)
            if twins is not None:
                writer.add_series(twins)
        yield number


def _boxes(writer: CohortWriter, preset: str, seed: int, vertebrae: int) -> Iterator[int]:
    total = 0
    for subject in count():
        if total >= vertebrae:
            return
        name = f"{preset}-{seed}-phantom{subject + 1:04d}"
        noted = writer.notes(name, name)
        if noted is None:
            scan = make_subject(preset, seed, subject, twin=True)
            shard = box_shard(scan)
            twins = _twin_boxes(scan, shard)
            shard = replace(shard, rows=_paired(shard), notes={"vertebrae": len(shard.rows)})
            if twins is not None:
                writer.add_series(twins)
            writer.add_series(shard)  # last: it is what marks the subject as drawn
            noted = dict(shard.notes)
        total += int(noted["vertebrae"])
        yield int(noted["vertebrae"])


def _paired(shard: SeriesShard) -> list:
    return [
        replace(row, twin_id=f"{shard.subject}-{row.level}") if row.grade != "G0" else row
        for row in shard.rows
    ]


def _twin_boxes(scan: PhantomScan, shard: SeriesShard) -> SeriesShard | None:
    """Sample the healthy twin of every fractured vertebra in the fractured one's frame."""
    if scan.twin is None:
        return None
    kept = [k for k, row in enumerate(shard.rows) if row.grade != "G0"]
    if not kept:
        return None
    by_level = {v.level.value: v for v in scan.image.vertebrae}
    boxes = [
        box_frame(scan.image.vertebrae, by_level[shard.rows[k].level], MARGIN_SHAPE_3D, SPACING_MM)
        for k in kept
    ]
    hu = [sample_volume(scan.twin.volume, box)[0] for box in boxes]
    rows = [
        replace(
            shard.rows[k],
            grade="G0",
            shape="none",
            loss=None,
            displacement_mm=(),
            healthy_twin=True,
            twin_id=f"{shard.subject}-{shard.rows[k].level}",
        )
        for k in kept
    ]
    arrays = {"patches_3d": np.stack([to_stored(KINDS["patches_3d"], one) for one in hu])}
    return SeriesShard(shard.subject, f"{shard.series}-twin", rows, arrays)
