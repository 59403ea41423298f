"""Small scans in VerSe's layout: a column of bright blocks in soft tissue."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine
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
