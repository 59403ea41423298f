"""A toy cohort of drawn blocks and a network whose units are known by construction."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from spinexplain.analysis.dissection.dissect import DissectionPlan, dissect
from spinexplain.config.training import InputSpec
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.models.grader import Grader

MARGIN = {2: 144, 3: 112}
UNITS = ("bright", "zero", "bone", "constant", "mark")
# relu(weight x + bias) on intensities: air 0.23, bone 0.46, fracture 0.92, mark 1
WEIGHTS, BIASES = (1.0, 0.0, 1.0, 0.0, 1.0), (-0.7, -1.0, -0.3, 1.0, -0.95)
SETTINGS = DissectionPlan("layers", 0.95, batch=5, top=3, collage=4, pictures=2)


class ToyNet(nn.Module):
    """Five known units on a grid of 8 cells a side, and logits that follow the first."""

    def __init__(self, axes):
        super().__init__()
        convolution, pool = {2: (nn.Conv2d, nn.AvgPool2d), 3: (nn.Conv3d, nn.AvgPool3d)}[axes]
        first = convolution(1, len(UNITS), 1)
        with torch.no_grad():
            first.weight.copy_(torch.tensor(WEIGHTS).view(-1, *(1,) * (axes + 1)))
            first.bias.copy_(torch.tensor(BIASES))
        self.layers = nn.Sequential(first, nn.ReLU(), pool(4))
        self.pooled = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}[axes](1)

    def forward(self, x):
        cells = self.layers(x)
        bright = self.pooled(cells)[:, 0].flatten()
        return torch.stack([0.5 - 100 * bright, 100 * bright - 0.5], dim=1)


def toy_grader(axes=2):
    spec = InputSpec(axes=axes, extent_mm=64, size=32, channels=("ct",), mean=0, std=1)
    grader = Grader.from_module(ToyNet(axes), spec, ("no fracture", "fracture"), "toy")
    return replace(grader, info=replace(grader.info, sha256="a1" * 32))


def _blocks(axes):
    """Return slices of the body, its evidence, its mark and its two neighbours."""
    middle = MARGIN[axes] // 2
    sides = [slice(middle - 14, middle + 14)] * (axes - 2)
    at = lambda top, bottom, front, back: (  # noqa: E731
        slice(middle + top, middle + bottom),
        slice(middle + front, middle + back),
        *sides,
    )
    return {
        "body": at(-12, 12, -16, 16),
        "evidence": at(-12, -6, -16, 16),
        "mark": at(-2, 2, -26, -22),
        "above": at(-40, -18, -16, 16),
        "below": at(18, 40, -16, 16),
    }


def _frame(axes):
    if axes == 3:
        return {"box": BoxFrame(np.array([4.0, -7, 90]), -np.eye(3)[::-1], (112,) * 3, 1.0)}
    curve = fit_curve(np.array([[3.0, 40], [1, 5], [-2, -30]]), np.array([0.0, -1]))
    return {"sheet": SheetFrame(curve, 31.5, -12.25, (144, 144), 1.0)}


def write_toy_cohort(path, axes=2, grades=("G0", "G2", "G3") * 8, split="training", framed=False):
    """Write vertebrae L1 of two a subject; fractures are bright on top, most have a mark."""
    blocks, shape = _blocks(axes), (MARGIN[axes],) * axes
    rng = np.random.default_rng(0)
    arrays = {
        "patches": np.zeros((len(grades), *shape), np.int16),
        **{
            name: np.zeros((len(grades), *shape), np.uint8)
            for name in ("labels", "body", "evidence", "shortcut")
        },
    }
    for index, grade in enumerate(grades):
        hu, labels = arrays["patches"][index], arrays["labels"][index]
        for name, code in (("above", 19), ("body", 20), ("below", 21)):
            hu[blocks[name]], labels[blocks[name]] = 300, code
        arrays["body"][index] = np.where(labels == 20, 20, 0)
        if grade != "G0":
            hu[blocks["evidence"]] = 900
            arrays["evidence"][index][blocks["evidence"]] = 1
            if index % 4:
                hu[blocks["mark"]] = 1300
                arrays["shortcut"][index][blocks["mark"]] = 1
        hu += rng.integers(-20, 21, shape).astype(np.int16)
    rows = [
        VertebraRow(
            "L1",
            subject=f"sub-{index // 2}",
            grade=grade,
            split=split,
            synthetic=True,
            centroid_mm=(1.0, 2.0, 3.0),
            **(_frame(axes) if framed else {}),
        )
        for index, grade in enumerate(grades)
    ]
    writer = CohortWriter.create(path, {}, force=True)
    named = {f"{name}_{axes}d": array for name, array in arrays.items()}
    writer.add_series(SeriesShard("toy", "series", rows, named))
    return writer.finish()


def toy_dissected(path, axes=2):
    """Dissect the toy network; the boxes of the 3-D one have a place in a patient."""
    if axes == 3:
        cohort = write_toy_cohort(path, 3, ("G0", "G2", "G3", "G0"), framed=True)
    else:
        cohort = write_toy_cohort(path)
    return dissect(toy_grader(axes), cohort, SETTINGS)
