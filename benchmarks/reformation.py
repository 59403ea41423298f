"""CT in memory to 17 sheets and 17 boxes: directly, and by resampling the whole volume first."""

import os
import sys

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy as np
import SimpleITK as sitk
from harness.measure import cpu_seconds, row, write
from harness.scan import large_scan
from scipy.ndimage import map_coordinates, zoom

from spinexplain.geometry import apply_affine
from spinexplain.spine.paint import paint_back
from spinexplain.spine.reformat import (
    box_frame,
    overview_frame,
    reformat,
    sample_volume,
    sheet_frame,
)


def frames_of(vertebrae):
    """Lay the same frames for every variant."""
    sheets = [sheet_frame(vertebrae, vertebra) for vertebra in vertebrae]
    return sheets, [box_frame(vertebrae, vertebra) for vertebra in vertebrae]


def by_scipy(volume, vertebrae):
    """Cubic resampling of the whole volume to 1 mm, then linear slicing of every patch."""
    millimeters = zoom(volume.array, volume.spacing_mm, np.float32, order=3)
    affine = volume.affine @ np.diag([*(1 / np.array(volume.spacing_mm)), 1.0])
    inverse = np.linalg.inv(affine)
    return [
        map_coordinates(
            millimeters,
            np.moveaxis(
                apply_affine(inverse, frame.to_mm(np.moveaxis(np.indices(frame.shape), 0, -1))),
                -1,
                0,
            ),
            order=1,
            cval=-1000,
        )
        for frames in frames_of(vertebrae)
        for frame in frames
    ]


def by_simpleitk(volume, vertebrae):
    """Linear resampling of the whole volume to 1 mm, then linear slicing of every patch."""
    source = sitk.GetImageFromArray(volume.array.T)
    source.SetSpacing(volume.spacing_mm)
    source.SetOrigin(volume.affine[:3, 3].tolist())
    size = np.round(np.array(volume.array.shape) * volume.spacing_mm).astype(int).tolist()
    whole = sitk.Resample(
        source,
        size,
        sitk.Transform(),
        sitk.sitkLinear,
        source.GetOrigin(),
        (1.0, 1.0, 1.0),
        np.eye(3).ravel().tolist(),
        -1000.0,
        sitk.sitkFloat32,
    )
    sheets, boxes = frames_of(vertebrae)
    millimeters = sitk.GetArrayViewFromImage(whole).T
    patches = []
    for frame in sheets:
        points = frame.to_mm(np.moveaxis(np.indices(frame.shape), 0, -1)) - volume.affine[:3, 3]
        patches.append(
            map_coordinates(millimeters, np.moveaxis(points, -1, 0), order=1, cval=-1000)
        )
    for frame in boxes:
        cut = sitk.Resample(
            whole, frame.shape[::-1], sitk.Transform(), sitk.sitkLinear,
            frame.to_mm(np.zeros(3)).tolist(), (1.0, 1.0, 1.0),
            frame.axes[::-1].T.ravel().tolist(), -1000.0, sitk.sitkFloat32,
        )  # fmt: skip
        patches.append(sitk.GetArrayFromImage(cut))
    return patches


def directly(volume, vertebrae):
    """The package's way, smoothing included."""
    return reformat(volume, vertebrae, "2d") + reformat(volume, vertebrae, "3d")


def unsmoothed(volume, vertebrae):
    """Direct sampling without smoothing, as the references do it."""
    sheets, boxes = frames_of(vertebrae)
    return [sample_volume(volume, frame, smooth=False) for frame in [*sheets, *boxes]]


def worst_difference(volume, vertebrae):
    """Largest difference from one linear interpolation of the whole scan, smoothing off."""
    worst = 0.0
    inverse = np.linalg.inv(volume.affine)
    for frames in frames_of(vertebrae[3::6]):
        for frame in frames:
            points = frame.to_mm(np.moveaxis(np.indices(frame.shape), 0, -1))
            ijk = np.moveaxis(apply_affine(inverse, points), -1, 0)
            expected = map_coordinates(volume.array, ijk, np.float32, order=1, mode="nearest")
            sampled = sample_volume(volume, frame, smooth=False)[0]
            worst = max(worst, float(np.abs(sampled - expected)[sampled > -1000].max()))
    return worst


def main(rounds: int) -> None:
    """Measure and store."""
    volume, vertebrae = large_scan()
    sheets, boxes = frames_of(vertebrae)
    variants = {
        "direct": lambda: directly(volume, vertebrae),
        "simpleitk": lambda: by_simpleitk(volume, vertebrae),
        "unsmoothed": lambda: unsmoothed(volume, vertebrae),
        "sheets": lambda: reformat(volume, vertebrae, "2d"),
        "boxes": lambda: reformat(volume, vertebrae, "3d"),
        "overview": lambda: sample_volume(volume, overview_frame(vertebrae, volume)),
        "paint sheets": lambda: [paint_back(np.ones(f.shape), f, volume) for f in sheets],
        "paint boxes": lambda: [paint_back(np.ones(f.shape), f, volume) for f in boxes],
        "scipy": lambda: by_scipy(volume, vertebrae),
    }
    seconds = cpu_seconds(variants, dict.fromkeys(variants, rounds) | {"scipy": 1})
    both = seconds["direct"]
    write(
        "reformation",
        "Reformation of 17 sheets (112 x 112) and 17 boxes (96 x 96 x 96) at 1 mm",
        "Synthetic 512 x 512 x 600 int16 CT, 0.8 x 0.8 x 1.0 mm, in memory. *Ours* samples the "
        "native grid directly, smoothing included; the references resample the whole volume to "
        "1 mm first and then slice it. The scipy reference is run once.",
        [
            row("sheets and boxes / scipy, order 3", both, seconds["scipy"], ">= 20"),
            row("sheets and boxes / SimpleITK, linear", both, seconds["simpleitk"], ">= 4"),
            row("the same, smoothing off", seconds["unsmoothed"], seconds["simpleitk"]),
            row("17 sheets", seconds["sheets"]),
            row("17 boxes", seconds["boxes"]),
            row("overview of the spine", seconds["overview"]),
            row("17 heat maps painted back from sheets", seconds["paint sheets"]),
            row("17 heat maps painted back from boxes", seconds["paint boxes"]),
            row(
                "largest difference from scipy's linear interpolation, smoothing off",
                worst_difference(volume, vertebrae),
                target="<= 0.05",
                unit="HU",
            ),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
