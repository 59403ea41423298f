"""Small scans in VerSe's layout: a column of bright blocks in soft tissue."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.geometry import SheetFrame, apply_affine, fit_curve
from spinexplain.io.centroids import write_centroids
from spinexplain.io.nifti import write_nifti
from spinexplain.types import Vertebra, Volume

SPACING_MM = 2.0
HEIGHT_MM, DISC_MM = 22.0, 6.0
SIDE_MM = 100.0


@dataclass(frozen=True)
class BlockScan:
    """A scan to be: which levels it shows, and which files it has."""

    name: str
    levels: tuple[str, ...] = ("C7", "T1", "T2")
    folder: str = "dataset-verse19training"
    with_ct: bool = True
    with_mask: bool = True
    with_centroids: bool = True
    truth: bool = False
    seed: int = 0
    hu: dict[str, float] = field(default_factory=dict)

    def write(self, root: Path) -> Path:
        volume, labels, vertebrae = self.arrays()
        subject = self.name.split("_")[0]
        raw = root / self.folder / "rawdata" / f"sub-{subject}"
        derived = root / self.folder / "derivatives" / f"sub-{subject}"
        raw.mkdir(parents=True, exist_ok=True)
        derived.mkdir(parents=True, exist_ok=True)
        stem = f"sub-{self.name}"
        masks = {"vert": labels} if self.with_mask else {}
        if self.truth:
            lower = labels * (np.indices(labels.shape)[2] % 2)
            masks |= {"body": labels, "evidence": lower, "shortcut": labels * 0}
        if self.with_ct:
            write_nifti(raw / f"{stem}_ct.nii.gz", volume.array, volume.affine)
        for seg, mask in masks.items():
            write_nifti(derived / f"{stem}_seg-{seg}_msk.nii.gz", mask, volume.affine)
        if self.with_centroids:
            write_centroids(derived / f"{stem}_seg-subreg_ctd.json", vertebrae, volume)
        return root

    def arrays(self) -> tuple[Volume, np.ndarray, list[Vertebra]]:
        rng = np.random.default_rng(self.seed)
        n_rows = int((len(self.levels) * (HEIGHT_MM + DISC_MM) + 40) / SPACING_MM)
        shape = (int(SIDE_MM / SPACING_MM),) * 2 + (n_rows,)
        affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
        hu = rng.normal(40, 15, shape).round().astype(np.int16)
        hu[:3] = hu[-3:] = -1000
        labels = np.zeros(shape, np.uint8)
        vertebrae = []
        for at, name in enumerate(self.levels):
            level = VertebraLevel(name)
            top = n_rows - int((20 + at * (HEIGHT_MM + DISC_MM)) / SPACING_MM)
            block = np.s_[17:33, 18:32, top - int(HEIGHT_MM / SPACING_MM) : top]
            labels[block] = level.verse_label
            hu[block] += int(self.hu.get(name, 250))
            middle = [(one.start + one.stop - 1) / 2 for one in block]
            vertebrae.append(Vertebra(level, tuple(apply_affine(affine, np.array(middle)))))
        return Volume(hu, affine), labels, vertebrae


@pytest.fixture(scope="session")
def block_scan():
    return BlockScan


LEVELS_2D = ("T12", "L1", "L2")


def _sheet_frame():
    curve = fit_curve(np.array([[3.0, 40], [1, 5], [-2, -30]]), np.array([0.0, -1]))
    return SheetFrame(curve, 31.5, -12.25, (144, 144), 1.0)


def _shard(subject, seed, **extra):
    """Three vertebrae with random sheets."""
    rng = np.random.default_rng(seed)
    rows = [
        VertebraRow(
            level,
            grade="G0",
            split="training",
            flags=("thick_slices",),
            centroid_mm=(1.0, 2.0, 3.0),
            native_spacing_mm=(0.8, 0.8, 1.0),
            sheet=_sheet_frame(),
            outside_2d=0.1,
            ct_sha256="ab",
        )
        for level in LEVELS_2D
    ]
    patches = rng.integers(-1000, 2000, (len(rows), 144, 144)).astype(np.int16)
    return SeriesShard(subject, subject, rows, {"patches_2d": patches} | extra)


@pytest.fixture(scope="session")
def sheet_frame():
    return _sheet_frame()


@pytest.fixture(scope="session")
def example_shard():
    return _shard


@pytest.fixture
def written(tmp_path):
    writer = CohortWriter.create(tmp_path / "cohort", {"patches": "2d"})
    shards = [_shard("b", 1), _shard("a", 2)]
    for one in shards:
        writer.add_series(one)
    return writer.finish(), {one.subject: one for one in shards}


@pytest.fixture(scope="session")
def coarse_wide():
    """Return the held-out preset of wide fields with voxels large enough for tests."""
    preset = load_preset("wide-test")
    return replace(preset, field=replace(preset.field, spacing_mm=(3.0, 3.6), slice_mm=(5.0, 6.0)))
