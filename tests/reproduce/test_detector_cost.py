import json

from spinexplain.config.training import read_config
from spinexplain.reproduce import detector_cost
from spinexplain.reproduce.setting import Setting
from spinexplain.train.engine.precision import has_bfloat16


def test_the_least_of_the_repeats_counts_for_each_box(monkeypatch):
    clock = iter([0.0, 8.0, 8.0, 10.0, 10.0, 14.0])
    monkeypatch.setattr(detector_cost.time, "process_time", lambda: next(clock))
    assert detector_cost.cpu_ms(lambda: None, times=2) == 1000 * 2.0 / 2 / 8


def test_rows_of_the_other_processors_stay(tmp_path, monkeypatch):
    stored = tmp_path / "docs" / "results" / "detector-cost.json"
    stored.parent.mkdir(parents=True)
    rows = [{"bfloat16": kind, "size": 1} for kind in (True, False)]
    stored.write_text(json.dumps({"rows": rows}))
    monkeypatch.setattr(detector_cost, "SIZES", ((8, 0.1),))
    monkeypatch.setattr(
        detector_cost, "row_of", lambda config, size, width: {"bfloat16": has_bfloat16(), "size": 8}
    )
    setting = Setting(tmp_path, tmp_path, tmp_path / "out", tmp_path)
    detector_cost.measure(setting)
    found = json.loads((tmp_path / "out" / "detector-cost.json").read_text())["rows"]
    assert [row["size"] for row in found] == [1, 8]
    assert found[0]["bfloat16"] != found[1]["bfloat16"]


def test_a_small_box_is_timed(monkeypatch):
    monkeypatch.setattr(detector_cost, "REPEATS", 1)
    config = read_config("detector")
    config = config.model_copy(
        update={"detector": config.detector.model_copy(update={"precision": "fp32"})}
    )
    found = detector_cost.row_of(config, 16, 0.1)
    assert found["augment_ms"] > 0
    assert found["step_ms"] > 0
