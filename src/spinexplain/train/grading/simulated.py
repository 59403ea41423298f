"""Healthy training sheets shown a second time with a simulated fracture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import TrainConfig
from spinexplain.data.crops.dataset import TrainingSet, joined
from spinexplain.data.crops.source import moved_mm
from spinexplain.data.phantom.fracture import SHAPES
from spinexplain.data.phantom.presets import Sites
from spinexplain.data.phantom.simulate import SimulatedFracture, simulate_fracture
from spinexplain.data.phantom.sites import draw_site
from spinexplain.errors import ConfigError, LabelError
from spinexplain.train.grading.part_targets import parts_of_body
from spinexplain.types import LabelMap, Volume

LOSSES = {2: (0.25, 0.40), 3: (0.40, 0.60)}
"""Height losses of moderate and severe fractures."""

_WIDTH_MM = 25  # a body as wide as it is deep, so that its endplates can be found
_STREAM = 6
_EVERYWHERE = Sites(endplates=(1, 1, 1), thirds=(1, 1, 1, 1))


def with_simulated_fractures(data: TrainingSet, config: TrainConfig) -> TrainingSet:
    """Add fractured copies of a share of the healthy crops, marked as simulated.

    Parameters
    ----------
    data : TrainingSet
        Sheets with the masks of their bodies (``target``).
    config : TrainConfig
        ``simulated.share`` of the healthy crops are copied; a fracture is as often moderate
        as severe, and of each shape equally often; for addressed prototypes every endplate and
        third gives way equally often. Every copy is a function of seed and row.

    Returns
    -------
    TrainingSet
        ``data`` itself where the share is 0, or with ``only_unknown`` where the set knows what
        its fractures moved. No prototype may become a patch of a row that
        is marked ``simulated``. Crops whose body cannot be found are passed over.

    Raises
    ------
    ConfigError
        If the crops are boxes, or without the masks of their bodies.

    Notes
    -----
    A sheet knows nothing of the bone beside it. It is taken as the middle of a block that is
    the same over 25 mm, which :func:`~spinexplain.data.phantom.simulate.simulate_fracture`
    deforms in three dimensions; in the mid-sagittal plane a fracture moves bone up and down
    only, so that the middle of the block stays in its plane.
    """
    share = config.simulated.share
    if not share or (config.simulated.only_unknown and knows_displacement(data)):
        return data
    axes = len(data.patches_hu.shape) - 1
    if axes != 2 or data.target is None:
        kind = "boxes" if axes != 2 else "sheets without the masks of their bodies"
        raise ConfigError(
            f"[simulated] share is {share} and the crops are {kind}; expected sheets with masks. "
            "Simulate on whole scans (spinexplain fracture), or set share = 0."
        )
    healthy = np.flatnonzero(data.grades == 0)
    rng = np.random.default_rng([config.seed, _STREAM])
    chosen = np.sort(rng.choice(healthy, round(share * len(healthy)), replace=False))
    grades = [grade for grade in LOSSES if f"G{grade}" in sum(config.task.grades, ())]
    sites = _EVERYWHERE if config.head.addressed else None
    tried = [_fractured(data, int(row), config.seed, grades, sites) for row in chosen if grades]
    copies = [copy for copy in tried if copy is not None]
    marked = replace(data, simulated=np.zeros(len(data), bool))
    return joined([_with_truth(marked), *copies]) if copies else data


def knows_displacement(data: TrainingSet) -> bool:
    """Whether what any fracture of a set moved is known."""
    moved = data.displacement_mm
    return moved is not None and bool(np.isfinite(moved[data.grades > 0]).all(axis=1).any())


def _with_truth(data: TrainingSet) -> TrainingSet:
    """Fill in what the copies know: no evidence, losses unknown, parts from the bodies' frames."""
    assert data.target is not None
    known = data.evidence if data.evidence is not None else np.zeros_like(data.target)
    losses = data.height_loss if data.height_loss is not None else np.full(len(data), np.nan)
    part, moved, twins = data.part, data.displacement_mm, data.twins
    return replace(
        data,
        evidence=known,
        height_loss=losses,
        part=np.stack([parts_of_body(body) for body in data.target]) if part is None else part,
        displacement_mm=moved_mm([None] * len(data), data.grades) if moved is None else moved,
        twins=np.zeros(len(data), bool) if twins is None else twins,
    )


def _fractured(
    data: TrainingSet, row: int, seed: int, grades: list[int], sites: Sites | None = None
) -> TrainingSet | None:
    """Return one row with a fracture, or None where its body cannot be found."""
    assert data.target is not None
    rng = np.random.default_rng([seed, _STREAM, row])
    grade = int(rng.choice(grades))
    shape, loss = str(rng.choice(SHAPES)), float(rng.uniform(*LOSSES[grade]))
    level = VertebraLevel(str(data.levels[row]))
    block, affine = _block(data.patches_hu[row])
    codes, _ = _block(data.target[row] * np.uint8(level.verse_label))
    drawn = int(rng.integers(2**31))
    site = None if sites is None else draw_site(rng, sites)
    scan, mask = Volume(block, affine), LabelMap(codes, affine)
    try:
        made = simulate_fracture(scan, mask, level, shape, loss, seed=drawn, site=site)
    except LabelError:
        return None
    alone = data.take(np.array([row]))
    return replace(
        alone,
        patches_hu=_middle(made.volume.array),
        grades=np.array([grade]),
        centers=_center(made, affine),
        target=(_middle(made.labels.array) > 0).astype(np.uint8),
        evidence=(_middle(made.evidence.array) > 0).astype(np.uint8),
        height_loss=np.array([loss]),
        simulated=np.ones(1, bool),
        part=_middle(made.part.array),
        displacement_mm=np.array([made.displacement_mm], np.float32),
        twins=np.zeros(1, bool),
        ratings=None,  # nobody has read this fracture
    )


def _block(sheet: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Repeat a sheet (caudal, posterior) from right to left; return it with its RAS affine."""
    affine = np.diag([1.0, -1.0, -1.0, 1.0])
    affine[:3, 3] = [-(_WIDTH_MM - 1) / 2, *((np.array(sheet.shape[::-1]) - 1) / 2)]
    return np.repeat(sheet.T[None], _WIDTH_MM, axis=0), affine


def _middle(block: np.ndarray) -> np.ndarray:
    """Return the sheet in the middle of a block, shape (1, caudal, posterior)."""
    return block[_WIDTH_MM // 2].T[None]


def _center(made: SimulatedFracture, affine: np.ndarray) -> np.ndarray:
    """Return where the body's center lies now, (row, column), shape (1, 2)."""
    (vertebra,) = made.vertebrae
    _, y, z = np.asarray(vertebra.centroid_mm) - affine[:3, 3]
    return np.array([[-z, -y]])
