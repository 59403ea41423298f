"""Compares densities and noise of phantoms with those of the real CTs of the test data.

``python scripts/phantom_densities.py [SUBJECTS]`` writes docs/images/phantom/densities.png and
the table between the markers in docs/phantom.md. The same rule reads both kinds of scan: boxes
of a few millimetres placed by the body's centre and the level's published size.
"""

import sys
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS
from spinexplain.data.phantom.scan import make_subject
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.reformat import reformat

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
PAGE = ROOT / "docs" / "phantom.md"
BEGIN, END = "<!-- densities: begin -->", "<!-- densities: end -->"
MIDDLE = 47.5
SITES = ("marrow", "endplate cortex", "disc", "canal", "muscle", "noise (SD)")


def box(array, caudal, posterior, left, half):
    """Cut a box around a point given in mm from the body's centre."""
    center = np.array([caudal, posterior, left]) + MIDDLE
    low = np.maximum(np.round(center - half).astype(int), 0)
    high = np.round(center + half).astype(int) + 1
    return array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]


def sites_of(patch, below_mm):
    """Read every site of one vertebra; None where it lies outside the scan."""
    k = LEVEL_NAMES.index(patch.vertebra.level.value)
    depth, canal = float(NORMS["depth"][k]), float(NORMS["canal_d"][k])
    hu = patch.array
    column = box(hu, below_mm / 4, -2, 0, (below_mm / 4, 3, 3))
    muscle = box(hu, 0, depth / 2 + 30, 24, (4, 4, 4))
    # Second differences do not see slow changes of tissue; white noise gives sqrt(1.5) SD.
    rough = muscle - (np.roll(muscle, 1, 2) + np.roll(muscle, -1, 2)) / 2
    found = {
        "marrow": np.median(box(hu, 0, -2, 0, (4, 5, 5))),
        "endplate cortex": column.mean(axis=(1, 2)).max(),
        "disc": np.median(box(hu, below_mm / 2, -1, 0, (1, 4, 4))),
        "canal": np.median(box(hu, 0, depth / 2 + canal / 2 + 1, 0, (3, 2, 2))),
        "muscle": np.median(muscle),
        "noise (SD)": rough[:, :, 1:-1].std() / np.sqrt(1.5),
    }
    lost = {name for name, value in found.items() if value < -900}
    lost |= {"noise (SD)"} if "muscle" in lost else set()
    return {name: np.nan if name in lost else float(value) for name, value in found.items()}


def densities(volume, vertebrae):
    """Read all sites of a scan, (vertebrae, sites)."""
    rows = []
    patches = [p for p in reformat(volume, vertebrae, kind="3d") if p.vertebra.level.is_graded]
    for upper, lower in pairwise(patches):
        gap = np.subtract(upper.vertebra.centroid_mm, lower.vertebra.centroid_mm)
        found = sites_of(upper, float(np.linalg.norm(gap)))
        rows.append([found[name] for name in SITES])
    return np.array(rows)


def real_scans():
    """Yield name, volume and vertebrae of the real CTs."""
    folder = DATA / "totalsegmentator-thoracic"
    thoracic = read_volume(folder / "thoracic_ct.nii.gz")
    yield "thoracic, 1.5 mm", thoracic, read_centroids(folder / "thoracic_ctd.json", thoracic)
    folder = DATA / "totalsegmentator-example"
    labels = read_labels(folder / "totalseg_vertebrae_pp_refined.nii.gz")
    lumbar = read_volume(folder / "example_ct.nii.gz")
    yield "lumbar, 3 mm", lumbar, vertebrae_from_mask(labels)
    folder = DATA / "tptbox-sample-ct"
    labels = read_labels(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
    crop = read_volume(folder / "sub-ct_label-22_ct.nii.gz")
    yield "L2-L4 crop, 1.5 mm", crop, vertebrae_from_mask(labels)


def main(subjects):
    """Read everything, write table and plot."""
    real = {name: densities(volume, vertebrae) for name, volume, vertebrae in real_scans()}
    made = []
    for index in range(subjects):
        image = make_subject("verse-like", seed=9, subject_index=index).image
        made.append(densities(image.volume, image.vertebrae))
    phantom = np.concatenate([rows for rows in made if len(rows)])
    head = ["site (HU)", "phantoms: median, 5-95 %", *real, "real vertebrae inside"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    together = np.concatenate(list(real.values()))
    for k, site in enumerate(SITES):
        low, mid, high = np.nanquantile(phantom[:, k], (0.05, 0.5, 0.95))
        cells = [f"{np.nanmin(r[:, k]):.0f} to {np.nanmax(r[:, k]):.0f}" for r in real.values()]
        known = together[:, k][np.isfinite(together[:, k])]
        cells.append(f"{np.sum((known >= low) & (known <= high))} of {len(known)}")
        lines.append(f"| {site} | {mid:.0f}, {low:.0f} to {high:.0f} | " + " | ".join(cells) + " |")
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])
    plot(phantom, real)
    print("\n".join(lines))


def plot(phantom, real):
    """Draw phantoms as boxes and real vertebrae as points."""
    figure, axes = plt.subplots(1, len(SITES), figsize=(13, 3))
    for k, (axis, site) in enumerate(zip(axes, SITES, strict=True)):
        values = phantom[:, k][np.isfinite(phantom[:, k])]
        axis.boxplot(values, positions=[0], widths=0.5, whis=(5, 95), showfliers=False)
        for at, (name, rows) in enumerate(real.items()):
            axis.plot(np.full(len(rows), 1 + 0.3 * at), rows[:, k], "o", ms=3, label=name)
        axis.set_title(site, fontsize=9)
        axis.set_xticks([0, 1.3], ["phantom", "real"], fontsize=8)
        axis.tick_params(axis="y", labelsize=8)
    axes[0].legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "images" / "phantom" / "densities.png", dpi=110)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
