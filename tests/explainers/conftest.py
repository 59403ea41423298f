"""A tiny prototype grader and patches for it."""

import numpy as np
import pytest
import torch

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import derived_task
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.models.build import build_model
from spinexplain.models.grader import Grader
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.types import Exemplar, ModelInfo, Patch, Provenance, Vertebra

CLASSES = ("G0", "G2", "G3")
DETECTED = ("no fracture", "fracture")


@pytest.fixture
def tiny_grader():
    """Return a builder of tiny graders: ``tiny_grader(axes=2, kind="prototype")``.

    A detector has three axes and two classes, whatever is asked for.
    """

    def build(axes=2, kind="prototype"):
        torch.manual_seed(0)
        axes, classes = (3, DETECTED) if kind == "detector" else (axes, CLASSES)
        spec = InputSpec(axes=axes, extent_mm=32, size=32)
        settings = TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none")
        head = HeadSettings(kind=kind, feature_dim=5, prototypes_per_class=2)
        model = build_model(build_trunk(settings, spec), head, len(classes), spec).eval()
        info = ModelInfo("tiny", "1", "", classes, "noise")
        blank = np.zeros((32,) * axes, np.float32)
        exemplars = tuple(
            Exemplar(blank, blank, Provenance(f"sub-{i}", "ct", "L1", "G2", True), (0,) * axes)
            for i in range(6)
        )
        return Grader(model, spec, derived_task(classes), info, exemplars=exemplars)

    return build


@pytest.fixture
def random_patch():
    """Return a maker of noise patches: ``random_patch(axes, seed)``."""

    def make(axes=2, seed=0):
        array = np.random.default_rng(seed).normal(100, 300, (32,) * axes).astype(np.float32)
        vertebra = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
        if axes == 3:
            directions = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])
            return Patch(vertebra, array, BoxFrame(np.zeros(3), directions, array.shape, 1.0))
        line = fit_curve(np.array([[0.0, 0.0]]), np.array([0.0, -1.0]))
        return Patch(vertebra, array, SheetFrame(line, 0.0, 0.0, array.shape, 1.0))

    return make
