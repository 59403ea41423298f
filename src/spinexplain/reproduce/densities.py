"""Densities and noise of phantoms beside those of real CTs, read by the same rule.

Small boxes are placed by the body's center and the level's published size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS
from spinexplain.data.phantom.scan import make_subject
from spinexplain.reproduce.real_scans import real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.reformat import reformat
from spinexplain.types import Patch, Vertebra, Volume

RESULTS = "densities.json"
SUBJECTS, SEED, PRESET = 10, 9, "verse-like"
MIDDLE = 47.5
SITES = ("marrow", "endplate cortex", "disc", "canal", "muscle", "noise (SD)")
REAL = {"thoracic, 1.5 mm": "thoracic", "lumbar, 3 mm": "lumbar", "L2-L4 crop, 1.5 mm": "crop"}
Row = list[float | None]


def measure(setting: Setting, subjects: int = SUBJECTS) -> None:
    """Read phantoms and real CTs; store the densities of each vertebra by site."""
    real = {}
    for name, source in REAL.items():
        scan = real_scan(setting.data, source)
        centers = scan.centroids
        if centers is None:
            assert scan.labels is not None
            centers = tuple(vertebrae_from_mask(scan.labels))
        real[name] = densities(scan.volume, centers)
    phantoms: list[Row] = []
    for index in range(subjects):
        image = make_subject(PRESET, seed=SEED, subject_index=index).image
        phantoms += densities(image.volume, image.vertebrae)
        setting.progress.step("Phantoms", index + 1, subjects)
    about = {"preset": PRESET, "seed": SEED, "subjects": subjects, "sites": SITES}
    setting.store(RESULTS, about | {"phantoms": phantoms, "real": real})


def densities(volume: Volume, vertebrae: Sequence[Vertebra]) -> list[Row]:
    """Read all sites of a scan in HU, a row a vertebra but the last, a column a site."""
    patches = [p for p in reformat(volume, vertebrae, kind="3d") if p.vertebra.level.is_graded]
    rows = []
    for upper, lower in pairwise(patches):
        gap = np.subtract(upper.vertebra.centroid_mm, lower.vertebra.centroid_mm)
        found = sites_of(upper, float(np.linalg.norm(gap)))
        rows.append([found[name] for name in SITES])
    return rows


def sites_of(patch: Patch, below_mm: float) -> dict[str, float | None]:
    """Read every site of one vertebra in HU; None where it lies outside the scan.

    Parameters
    ----------
    patch : Patch
        3-D, at 1 mm.
    below_mm : float
        Distance to the center of the vertebra below.
    """
    k = LEVEL_NAMES.index(patch.vertebra.level.value)
    depth, canal = float(NORMS["depth"][k]), float(NORMS["canal_d"][k])
    hu = patch.array
    column = box(hu, (below_mm / 4, -2, 0), (below_mm / 4, 3, 3))
    muscle = box(hu, (0, depth / 2 + 30, 24), (4, 4, 4))
    # Second differences do not see slow changes of tissue; white noise gives sqrt(1.5) SD.
    rough = muscle - (np.roll(muscle, 1, 2) + np.roll(muscle, -1, 2)) / 2
    found = {
        "marrow": np.median(box(hu, (0, -2, 0), (4, 5, 5))),
        "endplate cortex": column.mean(axis=(1, 2)).max(),
        "disc": np.median(box(hu, (below_mm / 2, -1, 0), (1, 4, 4))),
        "canal": np.median(box(hu, (0, depth / 2 + canal / 2 + 1, 0), (3, 2, 2))),
        "muscle": np.median(muscle),
        "noise (SD)": rough[:, :, 1:-1].std() / np.sqrt(1.5),
    }
    lost = {name for name, value in found.items() if value < -900}
    lost |= {"noise (SD)"} if "muscle" in lost else set()
    return {name: None if name in lost else float(value) for name, value in found.items()}


def box(
    array: np.ndarray, off_mm: tuple[float, float, float], half_mm: tuple[float, float, float]
) -> np.ndarray:
    """Cut a box around a point caudal, posterior and left of the body's center."""
    center = np.array(off_mm) + MIDDLE
    low = np.maximum(np.round(center - half_mm).astype(int), 0)
    high = np.round(center + half_mm).astype(int) + 1
    return array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
