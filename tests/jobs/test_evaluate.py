import json

import pytest

from spinexplain.errors import SpinexplainError
from spinexplain.jobs.evaluate import EvaluateRequest, evaluate_to_folder


def test_what_is_returned_is_what_is_written(finished_run, tmp_path, listener):
    run, cohort = finished_run
    request = EvaluateRequest(str(run), cohort, tmp_path / "out", split="all")
    figures = evaluate_to_folder(request, listener)
    written = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert written == json.loads(json.dumps(figures))
    assert listener.stages == ["grade", "verdict", "write"]
    said = figures["verdict"]
    judged = sum(sum(counts.values()) for counts in said["states"].values())
    assert judged == figures["vertebrae"] + figures["without_class"]
    assert not said["calibrated"]  # the weights were fitted to another model
    assert said["sets"] is None
    whole = figures["class_calibration"]
    assert {one["name"] for one in whole["classes"]} == set(figures["classes"])
    assert "Class by class, against a constant answer" in (
        tmp_path / "out" / "evaluation.html"
    ).read_text("utf-8")


def test_a_split_that_is_not_there_leaves_nothing_behind(finished_run, tmp_path):
    run, cohort = finished_run
    with pytest.raises(SpinexplainError, match="tomorrow"):
        evaluate_to_folder(EvaluateRequest(str(run), cohort, tmp_path / "out", split="tomorrow"))
    assert list(tmp_path.iterdir()) == []
