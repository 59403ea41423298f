"""A compressed NIfTI scan from disk to an array in HU, and the memory that takes."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from harness.measure import cpu_seconds, peak_mib, row, write
from harness.scan import large_scan
from prepare_scan import vertebra_mask

from spinexplain.io.nifti import read_volume, write_nifti

LOAD = """
import SimpleITK, scipy.ndimage, nibabel
from harness.scan import large_scan, spine
from spinexplain.io.nifti import read_volume
from spinexplain.spine.reformat import reformat
# measure
volume = read_volume({path!r})
{then}
# measure
"""
MASKED = """
from spinexplain.io.nifti import read_labels
from spinexplain.spine.localize import localize
from spinexplain.spine.morphometry import measure
labels = read_labels({mask!r})
vertebrae = localize(volume, labels=labels)
measure(labels, vertebrae)
reformat(volume, vertebrae, "2d"), reformat(volume, vertebrae, "3d")
"""
REFORMAT = """
vertebrae = spine(volume.array.shape, volume.affine)
reformat(volume, vertebrae, "2d"), reformat(volume, vertebrae, "3d")
"""


def main(rounds: int) -> None:
    """Measure and store."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "scan.nii.gz")
        mask = str(Path(folder) / "mask.nii.gz")
        volume, vertebrae = large_scan()
        write_nifti(mask, vertebra_mask(volume, vertebrae), volume.affine)
        scan_mib = volume.array.nbytes / 2**20
        write_nifti(path, volume.array, volume.affine)
        packed_mib = Path(path).stat().st_size / 2**20
        del volume
        seconds = cpu_seconds(
            {
                "ours": lambda: read_volume(path),
                "simpleitk": lambda: sitk.GetArrayViewFromImage(sitk.ReadImage(path)),
                "int16": lambda: np.asanyarray(nib.load(path).dataobj),
                "get_fdata": lambda: nib.load(path).get_fdata(),
            },
            rounds={"ours": rounds, "simpleitk": rounds, "int16": rounds, "get_fdata": rounds},
        )
        loading = peak_mib(LOAD.format(path=path, then=""))
        reforming = peak_mib(LOAD.format(path=path, then=REFORMAT))
        masked = peak_mib(LOAD.format(path=path, then=MASKED.format(mask=mask)))
    ours = seconds["ours"]
    write(
        "loading",
        "Loading a compressed NIfTI scan",
        f"Synthetic 512 x 512 x 600 int16 CT, {scan_mib:.0f} MiB, {packed_mib:.0f} MiB packed "
        "(gzip level 1). Memory is the peak beyond the imports, in a fresh process.",
        [
            row("read / SimpleITK's reader", ours, seconds["simpleitk"], ">= 0.77"),
            row("read / nibabel get_fdata (float64)", ours, seconds["get_fdata"], ">= 3"),
            row("read / nibabel's array (int16)", ours, seconds["int16"]),
            row("peak memory of reading", loading / scan_mib, unit="x the scan"),
            row(
                "peak memory of reading and reformation of 17 sheets and 17 boxes",
                reforming / scan_mib,
                target="<= 1.5",
                unit="x the scan",
            ),
            row(
                "peak memory with a mask of bytes: localization, heights and reformation too",
                masked / scan_mib,
                target="<= 2.2",
                unit="x the scan",
            ),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
