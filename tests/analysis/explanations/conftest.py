"""A small drawn bench of sheets, and a tiny classifier for it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spinexplain.analysis.explanations.bench import bench_rows, open_bench
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.data.phantom.bench import bench_cohort
from spinexplain.models.build import build_model
from spinexplain.models.grader import Grader
from spinexplain.models.trunks.backbones import build_trunk

CLASSES = ("G0", "G2", "G3")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Eighteen drawn sheets with twins: cohort and bench of 112 mm."""
    folder = tmp_path_factory.mktemp("bench") / "cohort"
    cohort = bench_cohort(folder, "placement", seed=7, vertebrae=18, axes=2)
    rows = bench_rows(cohort, 2, None, 0, 0)
    spec = InputSpec(extent_mm=112, size=56)
    return SimpleNamespace(
        cohort=cohort, rows=rows, spec=spec, bench=open_bench(cohort, rows, spec)
    )


@pytest.fixture(scope="session")
def classifier(drawn):
    """A tiny untrained classifier of sheets at half resolution."""
    return tiny(drawn.spec, "linear")


def tiny(spec, kind):
    """Build an untrained grader with random, fixed weights."""
    torch.manual_seed(3)
    trunk = build_trunk(TrunkSettings(name="conv", widths=(4, 6), weights="none"), spec)
    head = HeadSettings(kind=kind, feature_dim=5, prototypes_per_class=2)
    model = build_model(trunk, head, len(CLASSES), spec).eval()
    return Grader.from_module(model, spec, CLASSES, "tiny")


@pytest.fixture(scope="session")
def oracle_maps(drawn):
    """The evidence masks themselves as heat maps: what a perfect explainer would show."""
    return drawn.bench.masks["evidence"].astype(np.float32)
