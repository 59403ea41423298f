"""A toy cohort: squares of bone, whole (G0), without their top (G2) or their front (G3)."""

import numpy as np
import pytest

from spinexplain.config import TrainConfig
from spinexplain.train.dataset import TrainingSet


@pytest.fixture
def toy_set():
    """Return a maker of toy sets: ``toy_set(n, side, seed)``, two vertebrae a subject."""

    def make(n=60, side=44, seed=0):
        rng = np.random.default_rng(seed)
        grades = np.array([0, 2, 3])[np.arange(n) % 3]
        rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
        body = (abs(rows) < 8) & (abs(columns) < 8)
        hu = rng.normal(0, 30, (n, side, side))
        hu[:, body] += 300
        hu[grades == 2] -= 300 * (body & (rows < -2))
        hu[grades == 3] -= 300 * (body & (columns < 0))
        return TrainingSet(
            patches_hu=hu.astype(np.int16),
            grades=grades,
            subjects=np.array([f"sub-{i // 2}" for i in range(n)]),
            series=np.array(["ct"] * n),
            levels=np.array(["L1", "T12"] * (n // 2)),
            centers=np.full((n, 2), (side - 1) / 2),
            target=np.repeat(body[None].astype(np.uint8), n, axis=0),
            evidence=None,
        )

    return make


@pytest.fixture
def toy_config():
    """Return a maker of settings that train on the toy set in seconds."""

    def make(**changes):
        settings = {
            "input": {"extent_mm": 32, "size": 32},
            "trunk": {"name": "conv", "blocks": 2, "widths": (6, 8), "weights": "none"},
            "head": {"feature_dim": 6, "prototypes_per_class": 2},
            "classifier": {"steps": 12, "trunk_lr": 3e-3, "batch": 16},
            "warm": {"steps": 4, "batch": 16},
            "joint": {"steps": 6, "trunk_lr": 1e-3, "batch": 16},
            "augment": {"shift_mm": 3},
        }
        for name, section in changes.items():
            known = settings.get(name)
            settings[name] = known | section if isinstance(known, dict) else section
        return TrainConfig(**settings)

    return make


@pytest.fixture
def boxes():
    """Return a maker of boxes of 24 mm: a cube of bone, low where its grade is 2 or 3."""

    def make(n=24, seed=0):
        rng = np.random.default_rng(seed)
        grades = np.array([0, 0, 0, 2, 1, 3])[np.arange(n) % 6]
        body = (abs(np.indices((24, 24, 24)) - 11.5) < 5).all(axis=0)
        hu = rng.normal(0, 30, (n, 24, 24, 24))
        hu[:, body] += 600
        front = body & (np.indices((24, 24, 24))[0] < 10)
        hu[grades >= 2] -= 600 * front
        return TrainingSet(
            patches_hu=hu.astype(np.int16),
            grades=grades,
            subjects=np.array([f"sub-{i // 3}" for i in range(n)]),
            series=np.array(["ct"] * n),
            levels=np.array(["L1", "T12", "L3"] * (n // 3)),
            centers=np.full((n, 3), 11.5),
            target=np.repeat(body[None].astype(np.uint8), n, axis=0),
            height_loss=np.where(grades >= 2, 0.3, 0.0),
        )

    return make


@pytest.fixture
def detector_config():
    """Return a maker of settings of a detector that trains on ``boxes`` in seconds."""

    def make(**changes):
        settings = {
            "classes": ("no fracture", "fracture"),
            "grades": {"no fracture": ["G0"], "fracture": ["G2", "G3"]},
            "validation_share": 0.25,
            "input": {
                "axes": 3,
                "extent_mm": 16,
                "size": 16,
                "channels": ("ct",),
                "windows_hu": {"ct": (-1000, 1000)},
                "mean": 0,
                "std": 1,
            },
            "trunk": {"name": "compact3d", "width": 0.1, "weights": "none"},
            "head": {"kind": "detector", "width": 0.1, "dropout": 0.2},
            "detector": {"epochs": 4, "patience": 3, "batch": 6},
            "volume_augment": {"shift_mm": 1},
        }
        for name, section in changes.items():
            known = settings.get(name)
            settings[name] = known | section if isinstance(known, dict) else section
        return TrainConfig(**settings)

    return make
