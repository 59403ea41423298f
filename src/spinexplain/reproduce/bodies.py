"""Bodies that the localizer paints, against true and given masks: overlap, heights, suspicions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.scan import PhantomScan, make_subject
from spinexplain.findings.assess import grade
from spinexplain.findings.verdict import SUSPECTED
from spinexplain.findings.vertebrae import bodies_of
from spinexplain.io.read import read_body
from spinexplain.localizer.located import Localization, LocatedCenter, Naming
from spinexplain.localizer.networks import LocalizerInfo, Network, shipped_networks
from spinexplain.localizer.own import Found
from spinexplain.localizer.segment import EXTRA_SD_MM, PaintedBodies, paint_bodies
from spinexplain.reproduce.own_verdicts import states_of
from spinexplain.reproduce.real_scans import RealScan, real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.body_size import expected_body_heights_mm
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.morphometry import measure as measure_heights
from spinexplain.types import Heights, LabelMap, Vertebra, Volume

RESULTS = "bodies.json"
PRESETS, SEED, SUBJECTS = ("shifted-scanner", "hard"), 42, 6
CENTER_SD_MM = 2.0
_BODY_FILES = {
    "lumbar": "totalsegmentator-example/totalseg_vertebrae_body.nii.gz",
    "crop": "tptbox-sample-ct/sub-ct_seg-subreg_label-22_msk.nii.gz",
}
_BOX_DEPTH, _BOX_WIDTH = 1.25, 1.65  # of a body against its height


@dataclass(frozen=True)
class BodyRow:
    """One body: what was painted against what is true or was given.

    Parameters
    ----------
    scan, level : str
    dice : float
        Of the painted mask with the true or given one.
    dice_box : float
        Of a box of usual proportions at the given center: an opponent that sees no image.
    loss_true : float or None
        Of a phantom.
    loss_given, loss_painted : float or None
        Measured on the given and on the painted mask; None where not measured.
    interval_painted : tuple of 2 floats or None
    doubt : str
        Why the painted body is not measured; empty where it is.
    """

    scan: str
    level: str
    dice: float
    dice_box: float
    loss_true: float | None
    loss_given: float | None
    loss_painted: float | None
    interval_painted: tuple[float, float] | None
    doubt: str


def measure(setting: Setting, subjects: int = SUBJECTS) -> None:
    """Paint and grade held-out phantoms and the real CTs; store rows of both."""
    networks = shipped_networks()
    phantoms: list[BodyRow] = []
    for preset in PRESETS:
        for index in range(subjects):
            scan = make_subject(preset, SEED, index)
            phantoms += phantom_rows(scan, index, networks.body)
            setting.progress.step("Bodies of phantoms", len(phantoms), len(phantoms))
    real, added = real_rows(setting, networks.body, networks.info)
    content = {
        "version": networks.info.version,
        "presets": PRESETS,
        "seed": SEED,
        "subjects": subjects,
        "center_sd_mm": CENTER_SD_MM,
        "extra_sd_mm": EXTRA_SD_MM,
        "phantoms": [asdict(row) for row in phantoms],
        "real": [asdict(row) for row in real],
        "suspected": added,
    }
    setting.store(RESULTS, content)


def phantom_rows(scan: PhantomScan, index: int, network: Network) -> list[BodyRow]:
    """Return the rows of a held-out phantom; centers are off by 2 mm along every axis."""
    rng = np.random.default_rng((SEED, index))
    moved = [moved_center(vertebra, rng) for vertebra in scan.image.vertebrae]
    painted = paint_bodies(scan.image.volume, moved, network)
    losses = {VertebraLevel(fact.level): fact.loss for fact in scan.truth}
    return body_rows(f"{scan.preset} {index}", moved, scan.image.body, painted, losses)


def moved_center(vertebra: Vertebra, rng: np.random.Generator) -> Vertebra:
    """Move a center as a localizer may."""
    x, y, z = np.array(vertebra.centroid_mm) + rng.normal(0.0, CENTER_SD_MM, 3)
    return replace(vertebra, centroid_mm=(float(x), float(y), float(z)))


def body_rows(
    scan: str,
    vertebrae: Sequence[Vertebra],
    given: LabelMap,
    painted: PaintedBodies,
    losses: Mapping[VertebraLevel, float],
) -> list[BodyRow]:
    """Compare painted bodies with given ones on the given mask's grid."""
    on_given = match_grid(painted.labels, given)
    measurable = painted.measurable()
    by_given = measure_heights(given, vertebrae)
    by_painted: Mapping[VertebraLevel, Heights] = {}
    if measurable.extents:
        by_painted = measure_heights(measurable, vertebrae, EXTRA_SD_MM)
    boxes = usual_boxes(vertebrae, given)
    rows = []
    for vertebra in vertebrae:
        level, code = vertebra.level, vertebra.level.verse_label
        if not level.is_graded or code not in given.extents:
            continue
        own, other = by_painted.get(level), by_given.get(level)
        rows.append(
            BodyRow(
                scan=scan,
                level=level.value,
                dice=dice(on_given.array == code, given.array == code),
                dice_box=dice(boxes == code, given.array == code),
                loss_true=losses.get(level),
                loss_given=None if other is None else other.loss,
                loss_painted=None if own is None else own.loss,
                interval_painted=None if own is None else own.loss_interval,
                doubt=painted.doubts.get(level, ""),
            )
        )
    return rows


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Dice overlap of two masks.

    Examples
    --------
    >>> dice(np.array([True, True, False]), np.array([False, True, False]))
    0.6666666666666666
    """
    return float(2 * np.count_nonzero(one & other) / max(one.sum() + other.sum(), 1))


def usual_boxes(vertebrae: Sequence[Vertebra], grid: LabelMap) -> np.ndarray:
    """Paint a box of usual proportions at every center, as if no image were seen."""

    def boxes(x: np.ndarray) -> np.ndarray:
        return np.stack([logits, np.full_like(logits, -20.0)])[None]

    labels = np.zeros(grid.array.shape, np.uint8)
    heights = expected_body_heights_mm(vertebrae)
    blank = Volume(np.zeros(grid.array.shape, np.int16), grid.affine)
    for vertebra in (one for one in vertebrae if one.level.is_graded):
        height = heights[vertebra.level]
        half = np.array([1.0, _BOX_DEPTH, _BOX_WIDTH]) * height / 2
        lines = [(np.arange(n) - (n - 1) / 2) * 1.25 for n in (40, 48, 48)]
        away = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
        logits = 10.0 * (half - np.abs(away)).min(axis=-1)
        painted = paint_bodies(blank, [vertebra], boxes, coarsest_mm=np.inf).labels
        on_grid = match_grid(painted, grid).array
        labels = np.where(on_grid > 0, on_grid, labels)
    return labels


def real_rows(
    setting: Setting, network: Network, info: LocalizerInfo
) -> tuple[list[BodyRow], list[dict[str, Any]]]:
    """Paint the real CTs from the centers of their masks; grade with both masks."""
    rows, suspected = [], []
    for name in ("lumbar", "crop"):
        scan, given, vertebrae = _given(setting, name)
        painted = paint_bodies(scan.volume, vertebrae, network)
        rows += body_rows(name, vertebrae, given, painted, {})
        suspected += _suspected(name, scan.volume, given, vertebrae, painted, info)
        setting.progress.step("Real CTs", len(suspected), len(suspected))
    return rows, suspected


def _given(setting: Setting, name: str) -> tuple[RealScan, LabelMap, list[Vertebra]]:
    """Return a real CT, the bodies of its whole vertebrae as given, and their centers."""
    scan = real_scan(setting.data, name)
    assert scan.labels is not None
    marked = read_body(setting.data / _BODY_FILES[name])
    given = bodies_of(scan.labels, marked)
    assert given is not None
    return scan, given, vertebrae_from_mask(given)


def _suspected(
    name: str,
    volume: Volume,
    given: LabelMap,
    vertebrae: Sequence[Vertebra],
    painted: PaintedBodies,
    info: LocalizerInfo,
) -> list[dict[str, Any]]:
    """Grade with the given and with the painted bodies; say what each suspects."""
    found = Found(known_localization(vertebrae), painted, info)
    with_given = states_of(grade(volume, labels=given, centroids=vertebrae))
    with_painted = states_of(grade(volume, found=found))
    return [
        {
            "scan": name,
            "level": level,
            "given": state,
            "painted": with_painted.get(level, ""),
            "added": with_painted.get(level) == SUSPECTED and state != SUSPECTED,
        }
        for level, state in with_given.items()
    ]


def known_localization(vertebrae: Sequence[Vertebra]) -> Localization:
    """Say of given centers and names that they were found and are certain."""
    centers = tuple(LocatedCenter(vertebra.centroid_mm, 1.0) for vertebra in vertebrae)
    names = tuple(vertebra.level for vertebra in vertebrae)
    return Localization(centers, (Naming(names, 1.0),), confirmed=True)
