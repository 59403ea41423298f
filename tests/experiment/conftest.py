"""A toy cohort on folds, and small cohorts of boxes: cubes of bone, half missing if fractured."""

import numpy as np
import pytest

from spinexplain.config.entries import parse_entry
from spinexplain.config.training import TrainConfig
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.experiment.crossval import Plan, folded_data

LEVELS = ("T11", "T12", "L1", "L2")


def box(rng, fractured):
    hu = rng.normal(0, 30, (112, 112, 112)).astype(np.float32)
    hu[48:64, 48:64, 48:64] += 600
    if fractured:
        hu[48:56, 48:64, 48:64] -= 600
    return hu


@pytest.fixture
def box_cohort(tmp_path):
    """Return a maker: ``box_cohort("verse", subjects)``, two G0, a G1 and a G2 a subject."""

    def make(name, subjects=6, seed=0, split="training", loss=(0.0, 0.1, 0.2, 0.3)):
        rng = np.random.default_rng(seed)
        writer = CohortWriter.create(tmp_path / name, {"name": name}, force=True)
        for k in range(subjects):
            arrays = {"patches_3d": np.stack([box(rng, i == 3) for i in range(4)])}
            rows = [
                VertebraRow(
                    level=level,
                    grade=f"G{(0, 0, 1, 2)[i]}",
                    loss=loss[i],
                    split=split,
                    synthetic=True,
                    ct_sha256=f"{name}-{seed}-{k}",
                )
                for i, level in enumerate(LEVELS)
            ]
            writer.add_series(SeriesShard(f"sub-{k}", f"sub-{k}", rows, arrays))
        return writer.finish().path

    return make


@pytest.fixture
def tiny_detector():
    """Return the settings of a detector that trains on these boxes in a second."""
    return TrainConfig(
        name="tiny",
        classes=("no fracture", "fracture"),
        grades={"no fracture": ["G0"], "fracture": ["G2", "G3"]},
        validation_share=0.3,
        input={
            "axes": 3,
            "extent_mm": 32,
            "size": 16,
            "channels": ("ct",),
            "windows_hu": {"ct": (-1000, 1000)},
            "mean": 0,
            "std": 1,
        },
        trunk={"name": "compact3d", "width": 0.1, "weights": "none"},
        head={"kind": "detector", "width": 0.1},
        detector={"epochs": 2, "patience": 2, "batch": 4},
    )


@pytest.fixture
def toy_folded(toy_cohort, tiny_preset):
    """Return 48 toy vertebrae of 24 subjects on 2 folds."""
    return folded_data(toy_cohort(), Plan((parse_entry(str(tiny_preset)),), folds=2))
