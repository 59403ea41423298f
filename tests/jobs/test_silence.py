import filecmp
import json

import numpy as np
import pytest
import torch

from fixtures.boxes import write_dissected
from spinexplain.errors import ConfigError, ModelError
from spinexplain.explainers.dissection.effect import silenced_log_odds
from spinexplain.explainers.dissection.store import read_dissection
from spinexplain.jobs.curate import CurateRequest, curate
from spinexplain.jobs.curation_record import in_words, read_audit, roll_back
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.bundle.unit_decisions import UNIT_DECISIONS_SCHEMA

REJECT = {"choice": "not meaningful", "reason": "outside the vertebra"}


@pytest.fixture
def decide_units(detector_run, tmp_path):
    """Return a maker of decisions about the tiny detector: decide_units({7: {...}}) -> path."""

    def make(chosen, run=None, **changes):
        info = load_grader(run or detector_run[0], runtime="torch").info
        model = {key: getattr(info, key) for key in ("name", "version", "weights_sha256")}
        units = [{"unit": unit, "name": f"Unit {unit}", **said} for unit, said in chosen.items()]
        content = {"schema": UNIT_DECISIONS_SCHEMA, "model": model, "layer": "trunk"}
        path = tmp_path / "decisions.json"
        path.write_text(json.dumps(content | {"reader": "R1", "decisions": units} | changes))
        return path

    return make


def request_of(detector_run, decisions, out, **changes):
    given = {"way": "silence", "dissection": detector_run[1], "at": "2030-01-01T00:00:00+00:00"}
    return CurateRequest(str(detector_run[0]), decisions, out, **given | changes)


def test_a_unit_is_silenced_dissected_again_and_given_back(detector_run, decide_units, tmp_path):
    """The new model scores as the dissection measured; a second curation adds to the first."""
    found = read_dissection(detector_run[1])
    first, second = found.top(2)
    once, twice = tmp_path / "once", tmp_path / "twice"
    keep = {second: {"choice": "keep"}}
    entry = curate(request_of(detector_run, decide_units({first: REJECT} | keep), once))
    assert entry["units"] == [{"unit": first, "held_at": float(found.means[first])}]
    assert set(entry["figures"]["before"]["detection"]) == set(
        entry["figures"]["after"]["detection"]
    )
    assert entry["cohort"]["learned_from"]
    assert [line.split(":")[0] for line in in_words(entry)][:3] == [
        "class-average F1",
        "accuracy",
        "AUC",
    ]
    before, after = (load_grader(run, runtime="torch") for run in (detector_run[0], once))
    assert before.info.weights_sha256 != after.info.weights_sha256
    box = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = silenced_log_odds(before.model, "trunk", box, [[first]], found.means, 0)[1]
    with torch.inference_mode():
        healthy, fractured = after.model(box)[0].double().tolist()
    assert fractured - healthy == pytest.approx(expected, abs=1e-5)
    write_dissected(once, tmp_path / "again")
    again = read_dissection(tmp_path / "again")
    assert again.layer == "silence"
    assert again.states[first] == "silent"
    assert 'data-of="unit"' in (tmp_path / "again" / "concepts.html").read_text("utf-8")
    more = decide_units({again.top(1)[0]: REJECT}, once, layer="silence")
    request = request_of((once, tmp_path / "again"), more, twice)
    curate(request)
    held = load_grader(twice, runtime="torch").model.silence.held.numpy()
    assert sorted(np.flatnonzero(held)) == sorted([first, again.top(1)[0]])
    roll_back(twice, tmp_path / "back")
    roll_back(tmp_path / "back", tmp_path / "first")
    names = [path.name for path in (detector_run[0] / "bundle").iterdir()]
    same = filecmp.cmpfiles(tmp_path / "first" / "bundle", detector_run[0] / "bundle", names, False)
    assert sorted(same[0]) == sorted(names)
    log = [one["what"] for one in read_audit(tmp_path / "first")]
    assert log == ["silence", "silence", "roll back", "roll back"]


@pytest.mark.parametrize(
    ("chosen", "changes", "said"),
    [
        ({1: {"choice": "keep"}}, {}, "rejects 0 of"),
        ({999: REJECT}, {}, "decides about unit 999"),
        ({1: REJECT}, {"layer": "head.linear"}, "what the head listens to"),
        (
            {1: REJECT},
            {"model": {"name": "m", "version": "1", "weights_sha256": "0" * 64}},
            "decided about m 1",
        ),
    ],
)
def test_wrong_decisions_write_nothing(chosen, changes, said, detector_run, decide_units, tmp_path):
    with pytest.raises(ModelError, match=said):
        curate(request_of(detector_run, decide_units(chosen, **changes), tmp_path / "run2"))
    assert not (tmp_path / "run2").exists()


def test_it_needs_its_dissection(detector_run, decide_units, tmp_path):
    with pytest.raises(ConfigError, match="--dissection is missing"):
        curate(
            request_of(detector_run, decide_units({1: REJECT}), tmp_path / "run2", dissection=None)
        )


def test_prototypes_are_not_silenced(finished_run, detector_run, decide_units, tmp_path):
    request = request_of(
        (finished_run[0], detector_run[1]), decide_units({1: REJECT}), tmp_path / "x"
    )
    with pytest.raises(ModelError, match="explains by prototypes"):
        curate(request)
