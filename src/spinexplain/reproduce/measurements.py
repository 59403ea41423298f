"""Heights and bone density on phantoms, where both are known."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import PhantomScan, make_subject
from spinexplain.io.json_file import write_json
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.aorta import aorta_hu
from spinexplain.spine.density import densities
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.morphometry import measure as measured_heights
from spinexplain.types import LabelMap
from spinexplain.workers import run_all

RESULTS = "measurements.json"
SEED = 6600
PERSONS = {"verse-like": 12, "hard": 12}
SLICES_MM = (1, 2, 3)


@dataclass(frozen=True)
class Person:
    """One phantom spine of the study, and the file that holds what came of it."""

    preset: str
    index: int
    folder: Path

    @property
    def path(self) -> Path:
        """Where its rows are stored."""
        return self.folder / f"{self.preset}-{SEED}-{self.index:03d}.json"


def measure(setting: Setting, share: float = 1.0) -> None:
    """Draw every person twice, with and without what a scanner does, measure, store.

    Parameters
    ----------
    setting : Setting
    share : float
        Of the persons of every preset; the first ones are taken.
    """
    folder = setting.work / "measurements"
    people = [
        Person(preset, index, folder)
        for preset, count in PERSONS.items()
        for index in range(max(round(share * count), 1))
    ]
    missing = [person for person in people if not person.path.exists()]
    run_all(
        rows_of,
        missing,
        setting.jobs,
        name=lambda person: person.path.stem,
        progress=setting.progress,
        step="Phantom spines",
    )
    stored = [json.loads(person.path.read_text("utf-8")) for person in people]
    setting.store(RESULTS, {"planned": PERSONS, "persons": stored})


def rows_of(person: Person) -> None:
    """Measure one person and store the rows."""
    preset = load_preset(person.preset)
    scan = make_subject(preset, SEED, person.index)
    ideal = make_subject(perfect(preset), SEED, person.index)
    content = {
        "preset": person.preset,
        "index": person.index,
        "heights": height_rows(scan),
        "density": density_rows(scan, ideal),
        "blood": {"true": round(as_scanned(scan, scan.vessel_hu), 1), "read": _blood(scan)},
    }
    person.path.parent.mkdir(parents=True, exist_ok=True)
    write_json(person.path, content)


def perfect(preset: Preset) -> Preset:
    """Return a preset whose scanner shows the tissue as it is, the persons being the same."""
    scanner = replace(
        preset.scanner,
        noise_hu=(0.01, 0.01),
        psf_mm=(0.05, 0.05),
        slice_mm=(0.05, 0.05),
        sharpen=0.0,
        streaks=0.0,
        coarse=0.0,
        gain=0.0,
        offset_hu=0.0,
    )
    return replace(preset, scanner=scanner)


def height_rows(scan: PhantomScan) -> list[dict[str, Any]]:
    """Measure the loss on the mask in slices about 1, 2 and 3 mm apart."""
    centers = vertebrae_from_mask(scan.image.labels)
    truth = {fact.level: fact for fact in scan.truth if not fact.foreign_material}
    rows = []
    for mm in SLICES_MM:
        labels, apart = in_thicker_slices(scan.image.labels, mm)
        for level, heights in measured_heights(labels, centers).items():
            if level.value not in truth:
                continue
            fact = truth[level.value]
            low, high = heights.loss_interval
            rows.append(
                {
                    "asked_mm": mm,
                    "slices_mm": round(apart, 2),
                    "level": level.value,
                    "grade": fact.grade,
                    "bridged": "bridging_osteophyte" in fact.look_alikes,
                    "true": round(fact.loss, 4),
                    "loss": round(heights.loss, 4),
                    "interval": [round(low, 4), round(high, 4)],
                }
            )
    return rows


def in_thicker_slices(labels: LabelMap, mm: float) -> tuple[LabelMap, float]:
    """Keep every n-th slice of a mask, so that they lie about so far apart.

    Returns
    -------
    LabelMap
    float
        How far apart they lie, mm; never nearer than in the mask.
    """
    axis = int(np.argmax(np.abs(labels.affine[2, :3])))
    step = max(round(mm / labels.spacing_mm[axis]), 1)
    first = step // 2
    kept = [slice(None)] * 3
    kept[axis] = slice(first, None, step)
    affine = labels.affine.copy()
    affine[:3, 3] += first * affine[:3, axis]
    affine[:3, axis] *= step
    array = np.ascontiguousarray(labels.array[tuple(kept)])
    return LabelMap(array, affine), step * labels.spacing_mm[axis]


def density_rows(scan: PhantomScan, ideal: PhantomScan) -> list[dict[str, Any]]:
    """Compare the density read with that of the same region in the tissue itself."""
    centers = vertebrae_from_mask(scan.image.labels)
    heights = measured_heights(scan.image.labels, centers)
    truth = {fact.level: fact for fact in scan.truth if not fact.foreign_material}
    rows = []
    for placed_by, given in (("heights", heights), ("geometry", {})):
        read = densities(scan.image.volume, centers, given)
        tissue = densities(ideal.image.volume, centers, given)
        for level in read:
            if level.value in truth and level in tissue:
                rows.append(
                    {
                        "level": level.value,
                        "grade": truth[level.value].grade,
                        "placed_by": placed_by,
                        "read": round(read[level].hu, 1),
                        "tissue": round(as_scanned(scan, tissue[level].hu), 1),
                        "drawn": round(as_scanned(scan, scan.trabecular_hu[level.value]), 1),
                    }
                )
    return rows


def as_scanned(scan: PhantomScan, hu: float) -> float:
    """Return what a density becomes by the scanner's own gain and offset, which nobody sees."""
    how = scan.acquisition
    return how.gain * hu + 1000 * (how.gain - 1) + how.offset_hu


def _blood(scan: PhantomScan) -> float | None:
    found = aorta_hu(scan.image.volume, vertebrae_from_mask(scan.image.labels))
    return None if found is None else round(found, 1)
