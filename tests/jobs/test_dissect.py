from types import SimpleNamespace

import pytest

from spinexplain.config.tasks import TASKS, derived_task
from spinexplain.errors import ModelError
from spinexplain.jobs.dissect import DissectRequest, command_line, dissect_to_folder, plan_for


def test_the_fractures_a_detector_saw_are_counted_whatever_the_order_of_its_classes(
    tmp_path, monkeypatch
):
    """A bundle's JSON is sorted: "fracture" comes before "no fracture"."""
    training = {
        "config": {"grades": {"fracture": ["G1", "G2"], "no fracture": ["G0"]}},
        "vertebrae": {"G0": 900, "G1": 3, "G2": 2},
    }
    task = derived_task(("no fracture", "fracture"), training["config"]["grades"])
    described = SimpleNamespace(task=task, training=training)
    monkeypatch.setattr("spinexplain.models.bundle.folder.locate", lambda _: tmp_path)
    monkeypatch.setattr("spinexplain.models.bundle.folder.read_description", lambda _: described)
    plan = plan_for(DissectRequest("run", tmp_path, tmp_path))
    assert (plan.learned_fractures, plan.mild) == (5, True)
    described.task = TASKS["g0-g2-g3"]
    described.training = {"vertebrae": {"G0": 9, "G1": 3, "G3": 2}}
    plan = plan_for(DissectRequest("run", tmp_path, tmp_path))
    assert (plan.learned_fractures, plan.mild) == (2, False)


def test_only_what_differs_from_the_defaults_is_in_the_command(tmp_path):
    request = DissectRequest(
        "in/run", tmp_path / "c", tmp_path / "d", "trunk", 0.9, "validation", True, 3
    )
    assert command_line(request) == (
        "spinexplain dissect run c -o d --layer trunk --quantile 0.9 --split validation "
        "--with-mild --top 3"
    )


def test_a_layer_that_is_not_there_is_refused_before_the_cohort_is_opened(finished_run, tmp_path):
    request = DissectRequest(str(finished_run[0]), tmp_path / "none", tmp_path / "out", "trunc")
    with pytest.raises(ModelError, match="trunc"):
        dissect_to_folder(request)
    assert list(tmp_path.iterdir()) == []
