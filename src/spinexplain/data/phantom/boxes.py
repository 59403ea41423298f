"""Boxes of phantom scans as shards of a cohort, without files of the scans in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.scan import PhantomScan
from spinexplain.data.schema import KINDS, MARGIN_SHAPE_3D, SPACING_MM
from spinexplain.data.shard import SeriesShard, VertebraRow, to_stored
from spinexplain.geometry import BoxFrame
from spinexplain.spine.reformat import box_frame
from spinexplain.spine.sampling import sample_labels, sample_volume
from spinexplain.types import LabelMap, Vertebra


def box_shard(scan: PhantomScan, masks: bool = True, labels: bool = False) -> SeriesShard:
    """Sample a box around every thoracic and lumbar vertebra of a phantom scan.

    The same samples as after writing the scan with ``phantom`` and reading it again with
    ``prepare``, for about half the time.

    Parameters
    ----------
    scan : PhantomScan
        Vertebrae with foreign material are left out; its twin is not looked at.
    masks : bool
        Whether body and evidence are sampled too.
    labels : bool
        Whether the labels of all vertebrae are sampled too.

    Returns
    -------
    SeriesShard
        Kinds ``patches_3d`` and, with ``masks``, ``body_3d``, ``evidence_3d`` and, of a scan
        with planted marks, ``shortcut_3d``; with ``labels``, ``labels_3d``. The subject is
        called after preset and seed as well, so that cohorts can be put together.
    """
    image = scan.image
    facts = {fact.level: fact for fact in scan.truth if not fact.foreign_material}
    kept = [v for v in image.vertebrae if v.level.is_graded and v.level.value in facts]
    shape = MARGIN_SHAPE_3D
    frames = [box_frame(image.vertebrae, vertebra, shape, SPACING_MM) for vertebra in kept]
    sampled = [sample_volume(image.volume, frame) for frame in frames]
    arrays = {"patches_3d": np.stack([to_stored(KINDS["patches_3d"], hu) for hu, _ in sampled])}
    if masks:
        arrays["body_3d"] = _sampled(image.body, frames)
        arrays["evidence_3d"] = _own(image.evidence, kept, frames)
        if image.shortcut.array.any():
            arrays["shortcut_3d"] = _own(image.shortcut, kept, frames)
    if labels:
        arrays["labels_3d"] = _sampled(image.labels, frames)
    name = f"{scan.preset}-{scan.seed}-{scan.name}"
    rows = [
        _row(scan, facts[vertebra.level.value], vertebra, frame, outside)
        for vertebra, frame, (_, outside) in zip(kept, frames, sampled, strict=True)
    ]
    return SeriesShard(name, name, rows, arrays)


def _sampled(mask: LabelMap, frames: list[BoxFrame]) -> np.ndarray:
    return np.stack([sample_labels(mask, frame) for frame in frames])


def _own(mask: LabelMap, kept: list[Vertebra], frames: list[BoxFrame]) -> np.ndarray:
    codes = np.array([vertebra.level.verse_label for vertebra in kept]).reshape(-1, 1, 1, 1)
    return _sampled(mask, frames) == codes


def _row(
    scan: PhantomScan, fact: VertebraTruth, vertebra: Vertebra, frame: BoxFrame, outside: float
) -> VertebraRow:
    known: dict[str, Any] = {"grade": f"G{fact.grade}", "shape": fact.shape, "loss": fact.loss}
    return VertebraRow(
        level=fact.level,
        flags=vertebra.flags,
        synthetic=True,
        seed=scan.seed,
        centroid_mm=vertebra.centroid_mm,
        native_spacing_mm=scan.image.volume.spacing_mm,
        scan_shape=scan.image.volume.array.shape,
        scan_affine=tuple(scan.image.volume.affine.ravel().tolist()),
        box=frame,
        outside_3d=float(outside),
        **known,
    )
