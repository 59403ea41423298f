from pathlib import Path

import numpy as np
import pytest

from spinexplain.config.training import read_config
from spinexplain.reproduce import methods
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.methods import (
    METHODS,
    RATES,
    WITHOUT,
    after_fewer_rounds,
    chosen,
    difference,
    measure,
    settings_of,
)
from spinexplain.reproduce.setting import Setting

ROOT = Path(__file__).resolve().parents[2]


def taken(config) -> int:
    return config.rounds * (config.classifier.steps + config.joint.steps)


def test_all_take_as_many_steps_from_one_trunk_on_one_input():
    for rate in RATES:
        made = [settings_of(name, rate, 8, 1, "trunk.pth") for name in (*METHODS, WITHOUT)]
        assert {taken(config) for config in made} == {8 * methods.STEPS}
        assert {c.joint.trunk_lr for c in made if c.joint.steps} == {rate}
        assert {c.classifier.trunk_lr for c in made if c.classifier.steps} == {rate}
        assert len({config.trunk.model_dump_json() for config in made}) == 1
        assert len({config.input.model_dump_json() for config in made}) == 1
        assert len({config.augment.model_dump_json() for config in made}) == 1


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_those_of_verse19(name):
    ours = settings_of(name, 1e-3, 1, 0)
    preset = read_config(ROOT / "experiments" / "verse19" / f"{name}.toml")
    for section in ("head", "loss", "projection", "last_layer"):
        mine, theirs = getattr(ours, section).model_dump(), getattr(preset, section).model_dump()
        theirs |= {"class_weights": mine["class_weights"]} if section == "last_layer" else {}
        assert mine == theirs, section
    assert ours.continue_from == preset.continue_from


def test_without_the_term_nothing_else_differs():
    one, other = (settings_of(name, 1e-3, 8, 2).model_dump() for name in ("protoverse", WITHOUT))
    assert other["loss"].pop("lambda_div") == 0.0
    assert one["loss"].pop("lambda_div") == 0.3
    one["name"] = other["name"] = ""
    assert one == other


def test_the_rate_is_chosen_by_validation_alone(tmp_path):
    record = Record(tmp_path / "runs.json")
    for rate, validation, test in zip(
        RATES, (0.5, 0.7, 0.6, 0.4), (0.9, 0.1, 0.9, 0.9), strict=True
    ):
        figures = {"validation_f1": validation, "f1_hard": test}
        record.keep(f"protoverse-{rate:g}", 0, figures)
    assert chosen(record, "protoverse") == chosen(record, WITHOUT) == RATES[1]


def test_a_difference_holds_test_persons_and_trainings():
    labels = np.tile([0, 1, 2], 40)
    right = "".join(map(str, labels))
    wrong = "".join(map(str, (labels + 1) % 3))
    perfect = {seed: {"predicted_t": right} for seed in "012"}
    lost = {**perfect, "2": {"predicted_t": wrong}}
    found = difference(perfect, lost, labels, "t")
    assert found["value"] == pytest.approx(1 / 3)
    assert found["low"] == 0.0  # a draw may take the good training alone
    assert found["floor"] == 1.0
    assert difference(perfect, perfect, labels, "t")["high"] == 0.0


def a_result(rounds: int, **changes) -> dict:
    same = {"training": ["balanced", 1, 2], "rates": [1e-3], "chosen": {"baseline": 1e-3}}
    return (
        same | {"rounds": {"all": rounds, "steps": 2}, "differences": {"a - b": rounds}} | changes
    )


def test_what_fewer_rounds_of_the_same_trainings_said_is_kept():
    now = a_result(16, training=("balanced", 1, 2))
    assert after_fewer_rounds(now, None) == {}
    found = after_fewer_rounds(now, a_result(8))
    assert found == {"after_fewer_rounds": {"8": {"a - b": 8}}}
    assert after_fewer_rounds(now, a_result(16, **found)) == found
    assert after_fewer_rounds(now, a_result(8, training=["balanced", 3, 2])) == {}
    assert after_fewer_rounds(now, a_result(16)) == {}


def test_the_study_is_stored_and_not_measured_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(methods, "TRUNK_SHEETS", ("balanced", 1, 40))
    monkeypatch.setattr(methods, "TRUNK_STEPS", 1)
    monkeypatch.setattr(methods, "TRAINING", ("balanced", 2, 60))
    monkeypatch.setattr(methods, "TESTS", {"hard": ("hard", 3, 40)})
    monkeypatch.setattr(methods, "SEEDS", (0, 1))
    monkeypatch.setattr(methods, "WARM", 1)
    monkeypatch.setattr(methods, "BATCH", 8)
    monkeypatch.setattr(methods, "DRAWS", 20)
    monkeypatch.setattr(methods, "RATES", (1e-4, 1e-3))
    monkeypatch.setattr(methods, "STEPS", 2)
    monkeypatch.setattr(methods, "TUNING_ROUNDS", 1)
    monkeypatch.setattr(methods, "ROUNDS", 3)
    setting = Setting(tmp_path, tmp_path / "work", tmp_path / "results", tmp_path)
    measure(setting)
    content = setting.stored(methods.RESULTS)
    assert set(content["runs"]) == {*METHODS, WITHOUT}
    assert all(set(runs) == {"0", "1"} for runs in content["runs"].values())
    assert all(len(run["validation"]) == 3 for run in content["runs"]["baseline"].values())
    assert "cosine_after" in content["runs"]["protoverse"]["0"]
    assert "predicted_hard" not in content["runs"]["baseline"]["0"]
    before = (tmp_path / "work" / "methods" / "runs.json").stat().st_mtime_ns
    measure(setting)
    assert (tmp_path / "work" / "methods" / "runs.json").stat().st_mtime_ns == before
