import pytest

from spinexplain.data.crops.dataset import with_classes
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.phantom.cohorts import sheet_cohort
from spinexplain.reproduce import diversity
from spinexplain.reproduce.diversity import NAMES, run_heads, settings_of, stated
from spinexplain.reproduce.heads.record import Record
from spinexplain.reproduce.heads.training import on_trunk
from spinexplain.reproduce.heads.trunks import classifiers_trunk
from spinexplain.reproduce.setting import Setting


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setitem(diversity._PAPER, "warm", {"steps": 2, "batch": 8})
    monkeypatch.setitem(diversity._PAPER, "classifier", {"steps": 1, "batch": 4})
    monkeypatch.setattr(diversity, "SEEDS", (0, 1))
    monkeypatch.setattr(diversity, "NAMES", ("lambda-0", "weights-ins"))


def test_only_the_term_or_the_weights_differ():
    base = settings_of("lambda-0.3", 0).model_dump()
    for name in NAMES:
        content = settings_of(name, 0).model_dump()
        assert {key for key in base if content[key] != base[key]} <= {"loss"}
        changed = {key for key in base["loss"] if content["loss"][key] != base["loss"][key]}
        allowed = {"lambda_div"} if name.startswith("lambda") else {"class_weights", "normalize"}
        assert changed <= allowed


def test_the_trunk_never_saw_a_prototype_loss(few, tmp_path):
    base = settings_of("lambda-0", 0)
    drawn = set_from_cohort(sheet_cohort(tmp_path / "c", "balanced", 1, 45))
    sheets = with_classes(drawn, base.task, 1)
    trunk = classifiers_trunk(base, sheets, tmp_path)
    assert base.trunk.weights == "none"
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    again = classifiers_trunk(base, sheets, tmp_path / "again")
    for one, other in zip(trunk.parameters(), again.parameters(), strict=True):
        assert one.equal(other)
    data = on_trunk(trunk, sheets, {"hard": sheets}, base)
    record = Record(tmp_path / "runs.json")
    setting = Setting(tmp_path, tmp_path, tmp_path, tmp_path)
    run_heads(record, data, base, setting)
    content = stated(Record(tmp_path / "runs.json"), base)
    assert set(content["runs"]) == {"lambda-0", "weights-ins"}
    assert all(0 <= run["distinct_quarters"] <= 3 for run in content["runs"]["lambda-0"].values())
    before = content["runs"]["lambda-0"]["0"]
    run_heads(record, data, base, setting)  # nothing is measured twice
    assert Record(tmp_path / "runs.json").runs["lambda-0"]["0"] == before
