"""Cost of preparing one large scan: CPU seconds and peak memory of a worker process."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from harness.measure import row, write
from harness.scan import large_scan

from spinexplain.data.plan import plan_cohort
from spinexplain.data.series import series_shard
from spinexplain.geometry import apply_affine
from spinexplain.io.centroids import write_centroids
from spinexplain.io.nifti import write_nifti
from spinexplain.types import Vertebra, Volume

VERSE_SCANS, MEMORY_MIB, CORES = 374, 4096, 2
STEM = "sub-verse001"


def vertebra_mask(volume: Volume, vertebrae: list[Vertebra]) -> np.ndarray:
    """Bodies as elliptic cylinders with an arch behind, in VerSe labels."""
    labels = np.zeros(volume.array.shape, np.uint8, order="F")
    x, y = np.ogrid[: labels.shape[0], : labels.shape[1]]
    centers = np.array([vertebra.centroid_mm for vertebra in vertebrae])
    ijk = apply_affine(np.linalg.inv(volume.affine), centers)
    for vertebra, (cx, cy, cz) in zip(vertebrae, ijk, strict=True):
        body = ((x - cx) / 28) ** 2 + ((y - cy) / 20) ** 2 < 1
        arch = (np.abs(x - cx) < 26) & (y - cy < -36) & (y - cy > -70)
        pedicles = (np.abs(np.abs(x - cx) - 16) < 4) & (y < cy) & (y - cy > -40)
        low, high = round(cz) - 11, round(cz) + 12
        labels[..., low:high][body] = vertebra.level.verse_label
        labels[..., low + 4 : high - 6][arch | pedicles] = vertebra.level.verse_label
    return labels


def write_scan(folder: Path) -> None:
    """Write CT, centroids, and the mask as bytes and as float64 (as VerSe has some)."""
    volume, vertebrae = large_scan()
    labels = vertebra_mask(volume, vertebrae)
    for name in ("bytes", "float64"):
        (folder / name).mkdir()
    write_nifti(folder / "bytes" / f"{STEM}_ct.nii.gz", volume.array, volume.affine)
    mask = f"{STEM}_seg-vert_msk.nii.gz"
    write_nifti(folder / "bytes" / mask, labels, volume.affine)
    write_centroids(folder / "bytes" / f"{STEM}_seg-subreg_ctd.json", vertebrae, volume)
    for path in (folder / "bytes").iterdir():
        if path.name != mask:
            (folder / "float64" / path.name).hardlink_to(path)
    wide = nib.Nifti1Image(labels.astype(np.float64), volume.affine)
    wide.to_filename(folder / "float64" / mask)


def measure(folder: Path, patches: str) -> dict[str, float]:
    """Prepare the scan once in this process, on one thread as a worker does."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    (planned,) = plan_cohort([folder]).series
    start = time.process_time()
    shard = series_shard(planned, patches)
    cpu_s = time.process_time() - start
    return {"cpu_s": cpu_s, "peak_mib": peak_mib(), "vertebrae": len(shard.rows)}


def peak_mib() -> float:
    """Highest resident memory of this process (ru_maxrss would count its parent's too)."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def in_fresh_process(*arguments: str) -> str:
    """Run this script in another process, so that a peak is that of one worker."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Write the result file of this benchmark."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        in_fresh_process(folder)
        for mask, patches in (("bytes", "2d"), ("float64", "2d"), ("bytes", "both")):
            found = json.loads(in_fresh_process(f"{folder}/{mask}", patches))
            name = f"{patches}, mask as {mask}"
            hours = found["cpu_s"] * VERSE_SCANS / CORES / 3600
            rows += [
                row(f"{name}: one scan", found["cpu_s"]),
                row(
                    f"{name}: peak of one process",
                    found["peak_mib"],
                    target=f"under {MEMORY_MIB // CORES}",
                    unit="MiB",
                ),
                row(f"{name}: {VERSE_SCANS} such scans on {CORES} cores", hours, unit="hours"),
            ]
    note = (
        "From files to patches, 512 x 512 x 600 int16 voxels (300 MiB) with 17 vertebrae, CT, mask "
        "and centroids, each variant in a fresh process. Peaks include Python and its libraries. "
        f"{MEMORY_MIB} MiB on {CORES} cores leave {MEMORY_MIB // CORES} to each process."
    )
    write("prepare_scan", "Preparing a cohort", note, rows)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])))
    elif len(sys.argv) == 2:
        write_scan(Path(sys.argv[1]))
    else:
        main()
