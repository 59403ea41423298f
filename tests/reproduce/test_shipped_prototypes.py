import json
from pathlib import Path

import numpy as np
import pytest
import torch

from spinexplain.analysis.reliability import Reliability
from spinexplain.config.training import TrainConfig, read_config
from spinexplain.models.bundle.folder import locate
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.real_scans import real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_prototypes import (
    NAME,
    PRESET,
    REAL,
    SEEDS,
    TEST_SEED,
    TRAINING,
    TRUNK_SHEETS,
    TWINS,
    VERSION,
    chosen,
    from_trunk,
    graded_patches,
    named_trunk,
    read_all,
    real_scores,
    settings,
    table,
    taken_trunk,
    tensors_sha256,
    trained_on,
)
from spinexplain.train.grading.run import Trained

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def told():
    return json.loads((locate(NAME) / "bundle.json").read_text())


def a_run(model=None, f1=0.5, **changes):
    return Trained(model, read_config(PRESET).model_copy(update=changes), None, [], {"f1": f1})


def test_the_shipped_bundle_was_trained_by_these_counts(told):
    expected = settings()
    for name in (
        "phantom_sheets",
        "trunk_sheets",
        "trunk_of",
        "test_seed",
        "test_sheets",
        "command",
    ):
        assert told["training"][name] == expected[name], name
    assert told["version"] == VERSION
    assert told["trained_on"] == trained_on()


def test_the_shipped_bundle_was_trained_by_the_preset(told):
    config = TrainConfig.model_validate(told["training"]["config"])
    assert config == from_trunk("trunk.pth", config.seed)
    assert config.seed in SEEDS


def test_the_shipped_seed_was_the_best_on_validation(told):
    seeds = told["training"]["seeds"]
    assert set(seeds) == {str(seed) for seed in SEEDS}
    best = max(seeds, key=lambda seed: seeds[seed]["f1"])
    assert best == str(told["training"]["config"]["seed"])
    assert chosen([a_run(f1=0.1), a_run(f1=0.3), a_run(f1=0.2)]).figures["f1"] == 0.3


def test_nobody_is_in_training_and_test():
    assert TEST_SEED not in {seed for _, seed in [*TRAINING, *TRUNK_SHEETS]}


def test_it_starts_from_the_former_models_trunk(tmp_path, told):
    from spinexplain.models.trunks.backbones import build_trunk

    path = taken_trunk(tmp_path)
    state = torch.load(path, weights_only=True)
    assert tensors_sha256(state) == told["training"]["trunk_sha256"]
    config = from_trunk(str(path), seed=1)
    assert config.classifier.steps == 0
    trunk = build_trunk(config.trunk, config.input)
    built = trunk.state_dict()
    assert all(torch.equal(built[name], value) for name, value in state.items())


def test_a_bundle_names_no_path_of_the_machine_it_was_made_on():
    trunk = read_config(PRESET).trunk.model_copy(update={"weights": "/somewhere/trunk.pth"})
    assert named_trunk(a_run(trunk=trunk)).config.trunk.weights == "trunk.pth"


def test_several_cohorts_are_joined_in_their_order_and_drawn_once(tmp_path, monkeypatch):
    from spinexplain.reproduce import shipped_prototypes

    counts = {("balanced-2", 5): 6, ("hospital-like", 6): 3}
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    data = read_all(setting, counts)
    assert len(data) > 9
    assert data.twins.sum() == len(data) - 9
    assert (data.grades[data.twins] == 0).all()
    assert "hospital-like" not in TWINS
    monkeypatch.setattr(shipped_prototypes, "joined", len)
    assert read_all(setting, counts) == 2


def test_real_scans_are_graded_level_by_level():
    setting = Setting(ROOT, ROOT, ROOT, ROOT)
    grader = load_grader(NAME, runtime="torch")
    text = real_scores(a_run(grader.model), grader.scope, setting)
    lines = text.splitlines()[-len(REAL) :]
    assert [line.split(":")[0] for line in lines] == [f"- {name}" for name in REAL]
    patches = graded_patches(real_scan(setting.data, "lumbar"))
    expected = [1 - one.probabilities[0] for one in grader.grade(patches)]
    found = [float(part.strip("()").split()[-1].strip(")")) for part in lines[0].split(", ")]
    np.testing.assert_allclose(found, expected, atol=0.0051)


def test_figures_stand_in_their_row():
    figure = Reliability(*np.linspace(0, 1, len(Reliability.__annotations__)))
    lines = table({"hard": figure}).splitlines()
    assert lines[0].startswith("| preset | f1 | specificity |")
    assert "gaussian" not in lines[0]
    assert lines[2].startswith("| hard | 0.000 | 0.091 |")
