import json

import numpy as np
import pytest
import torch

from spinexplain.config.training import read_config
from spinexplain.explainers.dissection.samples import select_samples
from spinexplain.models.build import build_model
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.reproduce.dissection.evidence import units_of
from spinexplain.reproduce.dissection.sizes import BEST, model_auc, run_grader
from toy_dissection import toy_grader, write_toy_cohort


def test_the_area_under_the_curve_is_that_of_fractured_vertebrae(tmp_path):
    grader = toy_grader()
    samples = select_samples(write_toy_cohort(tmp_path / "c"), grader.spec, grader.task)
    units, activity, _ = units_of(grader, samples, "layers", 0.95)
    assert model_auc(grader, activity, units) == 1.0
    activity.logits[:] = activity.logits[:, ::-1].copy()
    assert model_auc(grader, activity, units) == pytest.approx(0.0)


def test_the_best_epoch_of_a_run_is_read(tmp_path):
    config = read_config("detector")
    small = {"trunk": {"width": 0.1}, "head": {"width": 0.1}, "input": {"size": 32}}
    config = config.model_copy(
        update={n: getattr(config, n).model_copy(update=c) for n, c in small.items()}
    )
    (tmp_path / "config.json").write_text(json.dumps(config.model_dump(mode="json")))
    trunk = build_trunk(config.trunk, config.input)
    model = build_model(trunk, config.head, 2, config.input)
    state = {f"detector.{name}": one for name, one in model.state_dict().items()}
    torch.save(state | {"height.weight": torch.zeros(1)}, tmp_path / BEST)
    found = run_grader(tmp_path)
    for name, one in found.model.state_dict().items():
        assert np.array_equal(one.numpy(), model.state_dict()[name].numpy())
