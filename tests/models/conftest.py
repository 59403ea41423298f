"""Tiny networks and patches, small enough to check by hand."""

import numpy as np
import pytest
import torch

from spinexplain.anatomy import VertebraLevel
from spinexplain.config import HeadSettings, InputSpec, TrunkSettings
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.models.backbones import build_trunk
from spinexplain.models.build import build_model
from spinexplain.types import Patch, Vertebra

CLASSES = ("G0", "G2", "G3")


@pytest.fixture
def tiny():
    """Return a builder of tiny models: ``tiny(axes=2, kind="prototype", ...)``."""

    def build(axes=2, kind="prototype", seed=0, **head):
        torch.manual_seed(seed)
        spec = InputSpec(axes=axes, extent_mm=32, size=32)
        trunk = build_trunk(
            TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none"), spec
        )
        settings = HeadSettings(kind=kind, feature_dim=5, prototypes_per_class=2, **head)
        return build_model(trunk, settings, len(CLASSES), spec).eval(), spec

    return build


@pytest.fixture
def patch_of():
    """Return a maker of patches of a given array, centred on L1 at the origin."""

    def make(array, level="L1", outside=0.0, centroid_mm=(0.0, 0.0, 0.0)):
        array = np.asarray(array, np.float32)
        vertebra = Vertebra(VertebraLevel(level), centroid_mm)
        if array.ndim == 3:
            axes = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])
            frame = BoxFrame(np.zeros(3), axes, array.shape, 1.0)
        else:
            line = fit_curve(np.array([[0.0, 0.0]]), np.array([0.0, -1.0]))
            frame = SheetFrame(line, 0.0, 0.0, array.shape, 1.0)
        return Patch(vertebra, array, frame, outside)

    return make
