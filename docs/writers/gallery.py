"""The pictures of docs/phantom.md: levels, shapes, look-alikes, scanners, persons, real CT.

Drawn afresh from presets and seeds; nothing of them is stored.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.phantom.simulate import simulate_fracture
from spinexplain.geometry import apply_affine
from spinexplain.reproduce.real_scans import real_scan
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.reformat import reformat
from writers.wide_gallery import wide, wide_beside_real

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
CENTRAL = slice(16, 128)
CLEAN = load_preset("demo")
BONE, SOFT = (-500, 1300), (-160, 240)


def montage(out, name, tiles, columns, windows=(BONE,)):
    """Save tiles (title, hu, evidence or None) in rows; each window is a block of rows."""
    rows = -(-len(tiles) // columns)
    size = (1.7 * columns, 1.85 * rows * len(windows))
    figure, axes = plt.subplots(rows * len(windows), columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for block, (low, high) in enumerate(windows):
        for at, (title, hu, evidence) in enumerate(tiles):
            axis = axes[block * rows + at // columns, at % columns]
            axis.imshow(hu, cmap="gray", vmin=low, vmax=high)
            axis.set_title(title, fontsize=7, pad=2)
            if evidence is not None and evidence.any():
                axis.contour(evidence, [0.5], colors="#ffb000", linewidths=0.7)
    figure.subplots_adjust(0.005, 0.005, 0.995, 1 - 0.16 / size[1], 0.03, 0.12)
    figure.savefig(out / f"{name}.png", dpi=110, pil_kwargs={"optimize": True})
    plt.close(figure)


def tile(title, sheet, evidence=True):
    """Cut the central 112 x 112 mm of a sheet."""
    mask = sheet.evidence[CENTRAL, CENTRAL] if evidence else None
    return title, sheet.hu[CENTRAL, CENTRAL], mask


def preset_with(**sections):
    """Change the clean preset: section name to a dict of its fields."""
    changed = {name: replace(getattr(CLEAN, name), **values) for name, values in sections.items()}
    return replace(CLEAN, **changed)


def first(preset, wanted, seed=0):
    """Find the first sheet that is as wanted."""
    return next(sheet for sheet in phantom_sheets(preset, seed, 4000) if wanted(sheet))


def clearest(preset, wanted, seed, seen, among=12):
    """Of the first sheets that are as wanted, the one that shows most of it in its plane."""
    found = (sheet for sheet in phantom_sheets(preset, seed, 4000) if wanted(sheet))
    return max(islice(found, among), key=seen)


def relief(sheet):
    """Spread of the body's heights over its inner columns: pits and cut corners, in mm."""
    columns = (sheet.body > 0).sum(axis=0)
    inner = columns[columns > 0][2:-2]
    return int(inner.max() - inner.min())


def flare(sheet):
    """How far the rims stand out beyond the waist, in mm."""
    rows = (sheet.body > 0).sum(axis=1)
    rows = rows[rows > 0]
    return int(rows.max() - rows[len(rows) // 4 : -len(rows) // 4].min())


def only(grade):
    """Shares that draw one grade alone."""
    return {"target": tuple(float(k == grade) for k in range(4)), "neighbor": 0.0}


def levels(out):
    """One healthy sheet a level."""
    names = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 6)]
    healthy = preset_with(fractures=only(0))
    found = [first(healthy, lambda s, n=name: s.level == n) for name in names]
    montage(out, "levels", [tile(s.level, s) for s in found], 6)


def shapes(out):
    """Every shape by grade, evidence outlined; rows are shapes."""
    tiles = []
    for k, shape in enumerate(("wedge", "biconcave", "crush")):
        for grade in (1, 2, 3):
            chosen = {**only(grade), "shapes": tuple(float(i == k) for i in range(4))}
            chosen |= {"loss_2": (0.3, 0.36), "loss_3": (0.45, 0.55), "plan": ()}
            bone = {"cortex_hu": (700, 900), "cortex_mm": (0.5, 0.7)}
            preset = preset_with(fractures=chosen, bone=bone)
            sheet = first(preset, lambda s: s.level in ("T12", "L1"), 6)
            tiles += [tile(f"{shape} G{grade}, {sheet.level}, loss {sheet.loss:.0%}", sheet, False)]
            tiles += [tile("evidence", sheet)]
    montage(out, "shapes", tiles, 6)


def look_alikes(out):
    """What is no fracture but might be called one; every grade here is 0."""
    kinds = {
        "Schmorl's nodes": {"geometry": {"schmorl": 1.0, "schmorl_mm": (3.5, 5.0)}},
        "Scheuermann": {"geometry": {"scheuermann": 1.0}},
        "limbus": {"geometry": {"limbus": 1.0}},
        "short vertebral height": {"geometry": {"mild_loss_share": 1.0, "mild_loss": (0.13, 0.16)}},
        "osteophytes": {"geometry": {"osteophyte": 1.0}},
        "DISH": {"geometry": {"dish": 1.0}},
        "cupid's bow": {"geometry": {"cupid_bow": 1.0}},
        "block vertebra": {"geometry": {"block": 0.5}},
        "hemi- or butterfly vertebra": {"geometry": {"anomaly": 0.6}},
        "narrowed discs": {"geometry": {"narrowed_disc": 0.9}},
        "vacuum discs": {"around": {"vacuum": 0.9}},
        "endplate sclerosis": {"bone": {"sclerosis": 0.9}},
        "haemangioma": {"bone": {"hemangioma": 0.7}},
        "lytic or sclerotic lesion": {"bone": {"lesion": 0.9}},
        "healed impaction": {"bone": {"impaction_normal": 1.0, "impaction_hu": (120, 220)}},
        "scoliosis": {"geometry": {"scoliosis_mm": (60.0, 70.0)}},
        "tilt and lordosis at L5": {"geometry": {"lordosis": (1.5, 1.6)}},
        "cement in neighbors": {"around": {"hardware": 1.0}},
    }
    seen = {"Schmorl's nodes": relief, "Scheuermann": relief, "limbus": relief}
    seen |= {"osteophytes": flare, "DISH": flare}
    sharp = {"scanner": {"psf_mm": (0.4, 0.5), "slice_mm": (0.3, 0.5)}, "fractures": only(0)}
    tiles = []
    for seed, (title, sections) in enumerate(kinds.items()):
        bone = {"cortex_hu": (650, 850), "cortex_mm": (0.4, 0.6)} | sections.get("bone", {})
        preset = preset_with(**sections | sharp | {"bone": bone})
        place = ("L5",) if "L5" in title or "cupid" in title else ("T10", "T11", "T12", "L1", "L2")
        among = 12 if title in seen else 1
        show = seen.get(title, relief)
        sheet = clearest(preset, lambda s, p=place: s.level in p, 30 + seed, show, among)
        tiles.append(tile(f"{title} ({sheet.level})", sheet))
    montage(out, "look-alikes", tiles, 6, ((-300, 1000),))


def scanners(out):
    """One person, many scanners."""
    kinds = {
        "sharp kernel": {"sharpen": 1.0, "sharpen_gain": (1.5, 1.6)},
        "soft kernel": {"psf_mm": (1.2, 1.3)},
        "low dose": {"noise_hu": (70.0, 75.0)},
        "thick slices": {"coarse": 1.0, "coarse_mm": (3.1, 3.2), "slice_mm": (1.2, 1.3)},
        "streaks": {"streaks": 1.0},
        "field of view": {"edge": 1.0},
    }
    tiles = []
    for title, fields in kinds.items():
        preset = preset_with(scanner=fields, fractures={**only(2), "plan": ()})
        cut = "edge" in fields

        def wanted(sheet, cut=cut):
            return sheet.level == "L2" and (sheet.outside[CENTRAL, CENTRAL].mean() > 0.1) == cut

        tiles.append(tile(title, first(preset, wanted, 11), False))
    montage(out, "scanners", tiles, 6)


def real_patches():
    """Central sheets of the real CTs that come with the package's tests."""
    thoracic, lumbar = real_scan(DATA, "thoracic"), real_scan(DATA, "lumbar")
    patches = reformat(thoracic.volume, thoracic.centroids)
    patches += reformat(lumbar.volume, vertebrae_from_mask(lumbar.labels))
    return {patch.vertebra.level.value: patch.array for patch in patches}


def beside_real(out):
    """Real sheets and phantom sheets of the same levels, both windows."""
    real = real_patches()
    balanced = load_preset("balanced")
    healthy = replace(balanced, fractures=replace(balanced.fractures, **only(0)))
    tiles = []
    for seed, level in enumerate(("T5", "T9", "T11", "L2", "L3", "L4")):
        tiles.append((f"real {level}", real[level], None))
        sheet = first(healthy, lambda s, n=level: s.level == n and not s.outside.any(), 50 + seed)
        tiles.append(tile(f"phantom {level}", sheet))
    montage(out, "beside-real", tiles, 6, (BONE, SOFT))


def simulated(out):
    """Simulated fractures in a real CT, evidence outlined."""
    volume, labels = (scan := real_scan(DATA, "lumbar")).volume, scan.labels
    level = VertebraLevel.L2
    before = {p.vertebra.level: p for p in reformat(volume, vertebrae_from_mask(labels))}[level]
    tiles = [("L2 as it is", before.array, None)]

    def fractured(shape, loss, impaction):
        made = simulate_fracture(volume, labels, level, shape, loss, seed=3, impaction=impaction)
        patch = {p.vertebra.level: p for p in reformat(made.volume, made.vertebrae)}[level]
        return patch.array, None

    for shape, loss in (("wedge", 0.35), ("biconcave", 0.35), ("crush", 0.35), ("crush", 0.5)):
        tiles.append((f"simulated {shape}, loss {loss:.0%}", *fractured(shape, loss, 0.0)))
    tiles.append(("the same with --impaction", *fractured("crush", 0.5, 1.0)))
    montage(out, "simulated", tiles, 6, ((-160, 500),))


PATIENTS = {
    "T13 and L6": ({"t13": 1.0, "l6": 1.0}, {"spans": ("T11-S1",)}),
    "bridging osteophytes": ({"bridging": 1.0}, {"spans": ("T5-L1",)}),
    "tilted gantry": ({}, {"gantry": 1.0, "gantry_deg": (18, 20), "spans": ("T11-L4",)}),
    "oblique": ({}, {"oblique": 1.0, "oblique_deg": (14, 15), "spans": ("T11-L4",)}),
    "arms, wide field of view": ({"arms": 1.0}, {"wide": 1.0, "spans": ("T10-L2",)}),
}


def patients(out):
    """Whole scans: a sagittal, a coronal and an axial plane of voxels, as they are stored."""
    base = load_preset("demo")
    figure, axes = plt.subplots(3, len(PATIENTS), figsize=(2.3 * len(PATIENTS), 6.6))
    for column, (title, (patient, field)) in zip(axes.T, PATIENTS.items(), strict=True):
        grid = {"axes": ("RAS",), "half_width_mm": (60, 65), "front_mm": (70, 75)}
        preset = replace(
            base,
            patient=replace(base.patient, **patient),
            field=replace(base.field, **grid, **field),
            fractures=replace(base.fractures, plan=(("L1", 2),)),
        )
        image = make_subject(preset, 26, 0).image
        hu = image.volume.array
        centers = np.array([v.centroid_mm for v in image.vertebrae])
        at = apply_affine(np.linalg.inv(image.volume.affine), centers)
        i, j, k = np.rint(at[len(at) // 2]).astype(int)
        for axis, plane in zip(column, (hu[i], hu[:, j], hu[:, :, k]), strict=True):
            # Anterior left and the patient's right left, as radiologists look at them.
            axis.imshow(plane.T[::-1, ::-1], cmap="gray", vmin=-250, vmax=800)
            axis.axis("off")
        column[0].set_title(title, fontsize=8)
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.965, 0.03, 0.03)
    figure.savefig(out / "patients.png", dpi=110, pil_kwargs={"optimize": True})
    plt.close(figure)


EVERY = {
    "levels": levels,
    "shapes": shapes,
    "look-alikes": look_alikes,
    "scanners": scanners,
    "patients": patients,
    "beside-real": beside_real,
    "simulated": simulated,
    "wide": wide,
    "wide-beside-real": wide_beside_real,
}


def draw(results: Path, images: Path) -> list[Path]:
    """Draw every picture."""
    out = images / "phantom"
    out.mkdir(parents=True, exist_ok=True)
    for one in EVERY.values():
        one(out)
    return [out / f"{name}.png" for name in EVERY]
