"""Drawn sheets on the shipped trunk, for heads of a few steps."""

import pytest

from spinexplain.data.crops.dataset import with_classes
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.cohorts import sheet_cohort
from spinexplain.reproduce.heads.training import configured, on_trunk
from spinexplain.reproduce.heads.trunks import shipped_trunk


@pytest.fixture(scope="session")
def few_steps():
    """The settings of the studies, with a few steps and prototypes."""
    config = configured({"head": {"prototypes_per_class": 2}}, 0)
    phases = {
        "warm": config.warm.model_copy(update={"steps": 4, "batch": 12}),
        "classifier": config.classifier.model_copy(update={"steps": 2, "batch": 8}),
    }
    return config.model_copy(update=phases)


@pytest.fixture(scope="session")
def sheets(tmp_path_factory, few_steps):
    """Sixty graded sheets or a few less."""
    cohort = sheet_cohort(tmp_path_factory.mktemp("sheets") / "c", "balanced", 1, 70)
    return with_classes(set_from_cohort(cohort), few_steps.task, 1)


@pytest.fixture(scope="session")
def held(sheets, few_steps):
    """The sheets on the shipped model's trunk."""
    trunk = shipped_trunk()
    for parameter in trunk.parameters():
        parameter.requires_grad_(False)
    return on_trunk(trunk, sheets, {"hard": sheets}, few_steps)
