"""The pictures of wide phantoms in docs/phantom.md: whole persons, and sections beside real CT."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.data.phantom.wide.scan import scan_person, whole_field
from spinexplain.geometry import apply_affine
from spinexplain.reproduce.real_scans import real_scan
from spinexplain.spine.localize import vertebrae_from_mask

SEED = 41
DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
BONE, SOFT = (-300, 900), (-250, 450)

_USUAL = 26  # bodies from C2 to S3 with twelve thoracic and five lumbar ones


def bend(person):
    """How far the centers spread from left to right, in mm."""
    return float(np.ptp([center[0] for center in person.centers_mm.values()]))


KINDS = {
    "no metal, twelve and five": lambda p: (
        not p.constructs and len(p.subject.names) == _USUAL and p.around.sac < 100 and bend(p) < 35
    ),
    "screws and rods": lambda p: (
        bool(p.constructs) and p.constructs[0].kind == "screws" and len(p.constructs[0].levels) > 3
    ),
    "myelography": lambda p: p.around.sac > 600,
    "L6": lambda p: "L6" in p.subject.names and not p.constructs,
    "scoliosis": lambda p: not p.constructs and np.ptp([c[0] for c in p.centers_mm.values()]) > 55,
    "contrast by mouth": lambda p: p.contrast.oral_hu > 300 and p.contrast.phase == "portal",
}
"""The first person of the seed that has it."""


def wide(out):
    """Six persons: along the spine with the bodies' outlines, and seen through from the front."""
    figure, axes = plt.subplots(2, len(KINDS), figsize=(2.0 * len(KINDS), 7.4))
    for column, (title, wanted) in zip(axes.T, KINDS.items(), strict=True):
        person = next(p for p in (draw_wide_person("wide", SEED, k) for k in count()) if wanted(p))
        scan = scan_person(person, *whole_field(person, 2.5))
        hu, bodies = along_the_spine(scan)
        column[0].imshow(hu, cmap="gray", vmin=BONE[0], vmax=BONE[1])
        column[0].contour(bodies > 0, [0.5], colors="#ffb000", linewidths=0.4)
        through = scan.volume.array.max(axis=1).T[::-1, ::-1]
        column[1].imshow(through, cmap="gray", vmin=-100, vmax=1800)
        column[0].set_title(title, fontsize=8)
        for axis in column:
            axis.axis("off")
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.965, 0.03, 0.01)
    figure.savefig(out / "wide.png", dpi=100, pil_kwargs={"optimize": True})
    plt.close(figure)


def along_the_spine(scan):
    """Return the sagittal surface through the bodies' centers, HU and body labels; front left."""
    inverse = np.linalg.inv(scan.volume.affine)
    at = np.array([apply_affine(inverse, c) for c in scan.centers_mm.values()])
    order = np.argsort(at[:, 2])
    rows = np.arange(scan.volume.array.shape[2])
    x = np.rint(np.interp(rows, at[order, 2], at[order, 0])).astype(int)
    cut = [array[x, :, rows][::-1, ::-1] for array in (scan.volume.array, scan.body.array)]
    return cut[0], cut[1]


def real_sections():
    """Return axial sections of the real CTs by level: title to HU and spacing."""
    sections = {}
    thoracic, lumbar = real_scan(DATA, "thoracic"), real_scan(DATA, "lumbar")
    known = {"thoracic": thoracic.centroids, "lumbar": vertebrae_from_mask(lumbar.labels)}
    wanted = (("thoracic", "T5"), ("thoracic", "T9"), ("lumbar", "L1"), ("lumbar", "L4"))
    for name, level in wanted:
        scan = real_scan(DATA, name)
        center = next(v.centroid_mm for v in known[name] if v.level.value == level)
        sections[level] = axial(scan.volume, np.array(center))
    low = next(np.array(v.centroid_mm) for v in known["lumbar"] if v.level.value == "L5")
    sections["S1"] = axial(lumbar.volume, low - [0, 0, 30])
    return sections


def axial(volume, center):
    """Return the axial section through a point, front above, the patient's right left."""
    at = np.rint(apply_affine(np.linalg.inv(volume.affine), center)).astype(int)
    along = [int(np.argmax(np.abs(volume.affine[k, :3]))) for k in range(3)]
    plane = np.take(volume.array, at[along[2]], axis=along[2])
    left = [axis for axis in range(3) if axis != along[2]]
    plane = plane if left == [along[0], along[1]] else plane.T
    for axis, k in ((0, 0), (1, 1)):
        if volume.affine[k, along[k]] > 0:
            plane = np.flip(plane, axis)
    return plane.T, float(volume.spacing_mm[along[0]])


def wide_beside_real(out):
    """Real axial sections, and below each the first three persons of the seed at that level."""
    sections = real_sections()
    figure, axes = plt.subplots(4, len(sections), figsize=(2.2 * len(sections), 8.2))
    for column, (level, (plane, spacing)) in zip(axes.T, sections.items(), strict=True):
        column[0].set_title(f"real {level}", fontsize=8)
        planes = [(plane, spacing)]
        width = plane.shape[1] * spacing
        for k in range(3):
            person = draw_wide_person("wide", SEED, k)
            planes.append((section(person, level, spacing, width), spacing))
            column[k + 1].set_title(f"phantom {level}", fontsize=8)
        for axis, (hu, _) in zip(column, planes, strict=True):
            axis.imshow(hu, cmap="gray", vmin=SOFT[0], vmax=SOFT[1])
            axis.axis("off")
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.965, 0.03, 0.14)
    figure.savefig(out / "wide-beside-real.png", dpi=100, pil_kwargs={"optimize": True})
    plt.close(figure)


def section(person, level, spacing, width):
    """Scan five axial slices of one person around a level; return the middle one."""
    n = (int(width / spacing), int(0.85 * width / spacing), 5)
    center = person.centers_mm[level] + np.array([0.0, 0.16 * width if width > 250 else 25.0, 0.0])
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = center - (np.array(n) - 1) / 2 * spacing
    return scan_person(person, affine, n).volume.array[:, :, 2].T[::-1, ::-1]
