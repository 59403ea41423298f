"""Tiny networks and patches, small enough to check by hand."""

import numpy as np
import pytest
import torch

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import derived_task
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.models.build import build_model
from spinexplain.models.bundle.store import Bundle, PrototypeRecord, save_bundle
from spinexplain.models.grader import Scope
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.types import Patch, Provenance, Vertebra

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


@pytest.fixture
def saved_bundle(tiny, tmp_path):
    """Return a maker of saved bundles: ``saved_bundle(kind, axes, features=1.0)``.

    ``features`` scales what the trunk gives.
    """

    def make(kind="prototype", axes=2, features=1.0, **head):
        model, spec = tiny(axes=axes, kind=kind, **head)
        with torch.no_grad():
            norm = model.trunk.layers[4]
            norm.weight.mul_(features)
        prototypes = 6 if kind == "prototype" else 0
        grid = (8,) * axes
        bundle = Bundle(
            name="tiny",
            version="1",
            model=model,
            task=derived_task(CLASSES),
            spec=spec,
            trunk=TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none"),
            head=HeadSettings(kind=kind, feature_dim=5, prototypes_per_class=2, **head),
            scope=Scope(),
            trained_on="noise",
            card="# tiny\n",
            records=(PrototypeRecord(Provenance("sub-1", "ct", "L1", "G2", True), (2,) * axes),)
            * prototypes,
            patches_hu=np.zeros((6, *(32,) * axes), np.int16) if prototypes else None,
            maps=np.zeros((6, *grid), np.float32) if prototypes else None,
        )
        return save_bundle(bundle, tmp_path / f"{kind}-{axes}-{features}")

    return make
