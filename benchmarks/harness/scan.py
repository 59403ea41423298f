"""A large synthetic CT with a spine, made on the fly, the same every time."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import zoom

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.data.phantom.wide.scan import scan_person, whole_field
from spinexplain.geometry import apply_affine
from spinexplain.types import LabelMap, Vertebra, Volume

SHAPE = (512, 512, 600)
SPACING_MM = (0.8, 0.8, 1.0)


def large_scan(shape: tuple[int, int, int] = SHAPE) -> tuple[Volume, list[Vertebra]]:
    """A noisy body in air, int16 and Fortran-ordered as read from a file; T1 to L5."""
    rng = np.random.default_rng(0)
    affine = np.diag([*SPACING_MM, 1.0])
    affine[:3, 3] = -np.array(shape) * SPACING_MM / 2
    x, y = (np.arange(n) - n / 2 for n in shape[:2])
    radius = np.hypot(x[:, None] / (0.46 * shape[0]), y[None] / (0.36 * shape[1]))
    field = np.hypot(x[:, None], y[None]) < 0.49 * shape[0]
    tissue = np.where(radius < 1, 40.0, -1000.0)
    vertebrae = spine(shape, affine)
    axis = np.array(
        [apply_affine(np.linalg.inv(affine), np.array(v.centroid_mm)) for v in vertebrae]
    )
    array = np.empty(shape, np.int16, order="F")
    noise = rng.normal(0, 12, (shape[0] + 64, shape[1] + 64)).astype(np.float32)
    for k in range(shape[2]):
        cx, cy = (np.interp(k, axis[::-1, 2], axis[::-1, a]) - shape[a] / 2 for a in (0, 1))
        bone = np.hypot((x[:, None] - cx) / 28, (y[None] - cy) / 20) < 1
        disc = np.abs(k - axis[:, 2]).min() > 11
        dx, dy = rng.integers(0, 64, 2)
        part = noise[dx : dx + shape[0], dy : dy + shape[1]]
        values = np.where(bone & ~disc, 220.0, tissue) + part
        array[:, :, k] = np.where(field, values, -1024)
    return Volume(array, affine), vertebrae


def spine(shape: tuple[int, int, int], affine: np.ndarray) -> list[Vertebra]:
    """Seventeen body centers on a kyphotic, lordotic and slightly scoliotic line."""
    levels = [
        level for level in VertebraLevel if level.is_graded and level.value not in ("T13", "L6")
    ]
    share = np.linspace(0.92, 0.08, len(levels))
    middle = apply_affine(affine, np.array(shape) / 2)
    height = shape[2] * SPACING_MM[2]
    x = middle[0] + 8 * np.sin(share * 4)
    y = middle[1] - 40 + 25 * np.cos(share * 2 * np.pi)
    z = affine[2, 3] + share * height
    return [
        Vertebra(level, (float(a), float(b), float(c)))
        for level, a, b, c in zip(levels, x, y, z, strict=True)
    ]


def clinical_scan(shape: tuple[int, int, int] = SHAPE) -> tuple[Volume, LabelMap]:
    """A phantom's spine, 0.7 mm voxels, set into a noisy body on a large grid, with its mask."""
    preset = load_preset("demo")
    fine = replace(preset.field, spacing_mm=(0.7, 0.7))
    image = make_subject(replace(preset, field=fine), seed=4, subject_index=0).image
    array = np.empty(shape, np.int16, order="F")
    x, y = (np.arange(n) - n / 2 for n in shape[:2])
    body = np.hypot(x[:, None] / (0.46 * shape[0]), y[None] / (0.36 * shape[1])) < 1
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 12, (shape[0] + 64, shape[1] + 64)).astype(np.float32)
    for k in range(shape[2]):
        dx, dy = rng.integers(0, 64, 2)
        array[:, :, k] = np.where(body, 40, -1000) + noise[dx : dx + shape[0], dy : dy + shape[1]]
    start = (np.array(shape) - image.volume.array.shape) // 2
    box = tuple(slice(a, a + n) for a, n in zip(start, image.volume.array.shape, strict=True))
    labels = np.zeros(shape, np.uint8, order="F")
    array[box], labels[box] = image.volume.array, image.labels.array
    affine = image.volume.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ start
    return Volume(array, affine), LabelMap(labels, affine)


def trunk_scan(shape: tuple[int, int, int] = SHAPE) -> Volume:
    """A whole trunk from skull base to pelvis: a phantom drawn at 2 mm, magnified, with noise."""
    person = draw_wide_person("wide", 2, 20)
    drawn = scan_person(person, *whole_field(person, 2.0)).volume
    times = np.array(shape) / drawn.array.shape
    array = np.empty(shape, np.int16, order="F")
    zoom(drawn.array, times, array, order=1, mode="nearest", grid_mode=True)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 15, (shape[0] + 64, shape[1] + 64)).astype(np.int16)
    for k in range(shape[2]):
        dx, dy = rng.integers(0, 64, 2)
        array[:, :, k] += noise[dx : dx + shape[0], dy : dy + shape[1]]
    affine = drawn.affine @ np.diag([*(1 / times), 1.0])
    affine[:3, 3] = apply_affine(drawn.affine, (1 / times - 1) / 2)
    return Volume(array, affine)
