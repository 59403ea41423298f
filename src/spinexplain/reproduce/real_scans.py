"""The real CTs of the repository, with what a user of each would have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import FileFormatError
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.types import LabelMap, Vertebra, Volume

# Whole levels of each scan.
WHOLE = {
    "lumbar": ("T12", "L1", "L2", "L3", "L4", "L5"),
    "thoracic": tuple(f"T{i}" for i in range(3, 13)),
    "crop": ("L3",),
}


@dataclass(frozen=True, eq=False)
class RealScan:
    """A CT with what its user would have: a mask, or body centers.

    Parameters
    ----------
    volume : Volume
    labels : LabelMap or None
        Vertebra mask.
    centroids : tuple of Vertebra, or None
        Body centers.
    simulation_mask : LabelMap
        Holds the levels that can be fractured.
    """

    volume: Volume
    labels: LabelMap | None
    centroids: tuple[Vertebra, ...] | None
    simulation_mask: LabelMap


@cache
def real_scan(data: Path, name: str) -> RealScan:
    """Read one of the three scans.

    Parameters
    ----------
    data : Path
        The repository's tests/data.
    name : {"lumbar", "thoracic", "crop"}
        TotalSegmentator's example (3 mm, mask T12 to L5), its contrast chest CT (1.5 mm, body
        centers T3 to T12, a mask of T12), and TPTBox's crop around L3 (1.5 mm, mask).

    Raises
    ------
    FileFormatError
        If the folder holds no such scan.
    """
    if not (data / "totalsegmentator-example").is_dir():
        raise FileFormatError(
            f"{data}: holds no real CTs; expected tests/data of a checkout of the repository."
        )
    if name == "lumbar":
        folder = data / "totalsegmentator-example"
        labels = read_labels(folder / "totalseg_vertebrae_pp_refined.nii.gz")
        return RealScan(read_volume(folder / "example_ct.nii.gz"), labels, None, labels)
    if name == "crop":
        folder = data / "tptbox-sample-ct"
        labels = read_labels(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
        return RealScan(read_volume(folder / "sub-ct_label-22_ct.nii.gz"), labels, None, labels)
    return _thoracic(data / "totalsegmentator-thoracic")


def _thoracic(folder: Path) -> RealScan:
    volume = read_volume(folder / "thoracic_ct.nii.gz")
    centers = tuple(read_centroids(folder / "thoracic_ctd.json", volume))
    binary = read_labels(folder / "vertebra_T12_msk.nii.gz")
    code = VertebraLevel.T12.verse_label
    mask = LabelMap((binary.array > 0).astype("uint8") * code, binary.affine)
    return RealScan(volume, None, centers, mask)
