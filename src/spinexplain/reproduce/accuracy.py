"""Whether phantoms and simulated fractures have the height loss that they state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import PhantomScan, make_subject
from spinexplain.data.phantom.simulate import simulate_fracture
from spinexplain.reproduce.real_scans import RealScan, real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.morphometry import measure_bodies
from spinexplain.types import LabelMap, Volume

RESULTS = "accuracy.json"
SUBJECTS, SEED = 8, 31
PLANS = (
    {"T4": 2, "T6": 1, "T8": 3, "T10": 2, "T12": 3, "L1": 1, "L2": 2, "L4": 2, "L5": 1},
    {"T5": 2, "T7": 2, "T9": 1, "T11": 2, "T12": 1, "L1": 3, "L3": 2, "L4": 1, "L5": 2},
)
SHAPES, LOSSES = ("wedge", "biconcave", "crush", "mixed"), (0.22, 0.33, 0.5)
REAL = {
    "crop, 1.5 mm": ("crop", ("L3",)),
    "thoracic, 1.5 mm": ("thoracic", ("T12",)),
    "lumbar, 3 mm": ("lumbar", ("L1", "L3", "L4")),
}


def measure(setting: Setting, subjects: int = SUBJECTS) -> None:
    """Plant losses in phantom scans and in real CTs, measure them on the masks, store both."""
    phantoms = []
    for index in range(subjects):
        phantoms += planted(index)
        setting.progress.step("Phantoms", index + 1, subjects)
    real = []
    for done, (name, (source, levels)) in enumerate(REAL.items(), 1):
        scan = real_scan(setting.data, source)
        for level in levels:
            real += list(warped(name, scan, VertebraLevel(level)))
        setting.progress.step("Real CTs", done, len(REAL))
    setting.store(RESULTS, {"phantoms": phantoms, "real": real})


def narrow_preset() -> Preset:
    """Return the preset of the phantoms: 1 mm, whole spines, little around them."""
    preset = load_preset("verse-like")
    field = replace(preset.field, spacing_mm=(1.0, 1.0), slicing=(1, 0, 0), wide=0.0)
    narrow: dict[str, Any] = {
        "half_width_mm": (36, 40),
        "front_mm": (32, 36),
        "behind_mm": (60, 64),
    }
    return replace(preset, field=replace(field, spans=("T3-S1",), **narrow))


def planted(index: int) -> list[dict[str, Any]]:
    """Return planted and measured own loss of every fractured vertebra of one phantom."""
    preset = narrow_preset()
    plan = tuple(PLANS[index % len(PLANS)].items())
    drawn = replace(preset, fractures=replace(preset.fractures, plan=plan))
    return losses(make_subject(drawn, seed=SEED, subject_index=index, twin=True), index)


def losses(scan: PhantomScan, subject: int) -> list[dict[str, Any]]:
    """Measure the loss of each fractured vertebra between a scan and its healthy twin."""
    assert scan.twin is not None
    after = measure_bodies(scan.image.labels, scan.image.vertebrae)
    before = measure_bodies(scan.twin.labels, scan.twin.vertebrae)
    rows = []
    for fact in scan.truth:
        level = VertebraLevel(fact.level)
        if fact.grade and level in after and level in before:
            loss = (1 - after[level].heights_mm[1] / before[level].heights_mm[1]).max()
            rows.append(
                {
                    "subject": subject,
                    "level": fact.level,
                    "shape": fact.shape,
                    "planted": round(fact.own_loss, 4),
                    "measured": round(float(loss), 4),
                }
            )
    return rows


def cut_out(
    volume: Volume, labels: LabelMap, level: VertebraLevel, around_mm: float = 24.0
) -> tuple[Volume, LabelMap]:
    """Cut scan and mask to one vertebra and its neighborhood."""
    matched = match_grid(labels, volume)
    step = np.linalg.norm(volume.affine[:3, :3], axis=0)
    found = np.nonzero(matched.array == level.verse_label)
    box = tuple(
        slice(max(int(i.min() - around_mm / s), 0), int(i.max() + around_mm / s))
        for i, s in zip(found, step, strict=True)
    )
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [side.start for side in box]
    return Volume(volume.array[box], affine), LabelMap(matched.array[box], affine)


def warped(name: str, scan: RealScan, level: VertebraLevel) -> Iterator[dict[str, Any]]:
    """Yield asked and measured loss of simulated fractures of one level of a real CT."""
    ct, mask = cut_out(scan.volume, scan.simulation_mask, level)
    before = measure_bodies(mask, vertebrae_from_mask(mask))[level].heights_mm[1]
    for shape in SHAPES:
        for seed, loss in enumerate(LOSSES):
            made = simulate_fracture(ct, mask, level, shape, loss, seed=seed)
            after = measure_bodies(made.labels, made.vertebrae)[level].heights_mm[1]
            found = round(float((1 - after / before).max()), 4)
            about = {"scan": name, "level": level.value, "shape": shape}
            yield about | {"asked": loss, "measured": found}
