import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from spinexplain.config.tasks import derived_task
from spinexplain.config.training import HeadSettings, InputSpec, TrunkSettings
from spinexplain.errors import ConfigError, ModelError, OutputError
from spinexplain.jobs.score_explanations import ScoreRequest, score_explanations
from spinexplain.models.build import build_model
from spinexplain.models.bundle.store import Bundle, PrototypeRecord, save_bundle
from spinexplain.models.grader import Scope
from spinexplain.models.trunks.backbones import build_trunk
from spinexplain.types import Provenance


def refuse(*_):
    raise AssertionError("a stored piece was computed again")


def test_what_a_run_leaves(scored):
    content = scored.content
    assert [row["explainer"] for row in content["rows"]] == ["prototypes", "gradcam"]
    assert content["left_out"][0]["explainer"] == "dissection"
    assert set(content["benches"]) == {"sheets of 112 mm"}
    assert set(content["prototypes"]) == {"protoverse-phantom"}
    told = content["reliability"]["protoverse-phantom"]["prototypes"]
    assert 0 <= told["endplate"]["value"] <= 1
    for row in content["rows"]:
        assert set(row["faithfulness"]) == {"twin", "blur", "local_mean"}
        assert row["randomized"]["weights"] is not None
        assert row["twin"]["pairs"] == row["fractures"]


def test_progress_counts_up(scored):
    phases = {name: [d for n, d, _ in scored.steps if n == name] for name, _, _ in scored.steps}
    assert set(phases) == {"drawing vertebrae", "explaining", "random models and prototypes"}
    for done in phases.values():
        assert done == sorted(done)
    for name, done, total in scored.steps:
        assert done <= total, name


def test_a_second_run_computes_nothing_and_finds_the_same(scored, monkeypatch):
    monkeypatch.setattr("spinexplain.analysis.explanations.pieces.explain_chunk", refuse)
    again = score_explanations(scored.request)
    assert json.loads(json.dumps(again)) == json.loads(json.dumps(scored.content))


def test_a_killed_run_goes_on_where_it_was(scored, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(scored.request.out, out)
    (lost,) = out.glob("pieces/*/gradcam/maps-000000.npz")
    lost.unlink()
    (kept,) = out.glob("pieces/*/prototypes/maps-000000.npz")
    before = kept.stat().st_mtime_ns
    again = score_explanations(replace(scored.request, out=out))
    assert kept.stat().st_mtime_ns == before
    told = [row["localization"]["top_share"]["value"] for row in again["rows"]]
    assert told == [row["localization"]["top_share"]["value"] for row in scored.content["rows"]]


def test_another_seed_needs_force(scored):
    with pytest.raises(OutputError, match="--force"):
        score_explanations(replace(scored.request, seed=1))


def test_a_folder_of_something_else_is_left_alone(scored, tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(OutputError, match="no scores"):
        score_explanations(replace(scored.request, out=tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        score_explanations(replace(scored.request, out=tmp_path / "file"))
    assert (tmp_path / "precious.txt").read_text() == "x"


def test_wrong_requests_are_refused(scored, tmp_path):
    base = replace(scored.request, out=tmp_path / "x")
    with pytest.raises(ConfigError, match="nor a phantom preset"):
        score_explanations(replace(base, cohort="placements"))
    with pytest.raises(ModelError, match="neither shipped"):
        score_explanations(replace(base, models=("nobody",)))
    with pytest.raises(ConfigError, match='no explainer "cam"'):
        score_explanations(replace(base, explainers=("cam",)))


@pytest.mark.slow
def test_two_processes_find_what_one_does(scored, tmp_path):
    """One works on the random models, the other on the prototypes; maps are there."""
    out = tmp_path / "two"
    shutil.copytree(scored.request.out, out)
    for lost in (*out.glob("pieces/*/prototypes/random.json"), *out.glob("pieces/*/*.json")):
        lost.unlink()
    request = replace(scored.request, out=out, jobs=2, explainers=("prototypes",))
    found = score_explanations(request)
    assert json.dumps(found["prototypes"]) == json.dumps(scored.content["prototypes"])
    for part in ("placement", "localization", "twin", "faithfulness", "randomized"):
        expected = scored.content["rows"][0][part]
        assert json.dumps(found["rows"][0][part]) == json.dumps(expected), part


@pytest.mark.parametrize("kind", ["linear", "prototype"])
def test_a_trained_run_of_either_kind_is_scored(kind, tmp_path):
    """A plain classifier and a prototype network, untrained: every explainer runs on both."""
    bundle = tiny_bundle(tmp_path / kind, kind, InputSpec(extent_mm=112, size=32))
    request = ScoreRequest(
        (str(bundle),), "placement", tmp_path / "out", vertebrae=6, steps=2, draws=20
    )
    content = score_explanations(request)
    scored = {row["explainer"] for row in content["rows"]}
    common = {"gradcam", "gradcam++", "xgradcam", "integrated_gradients", "occlusion"}
    assert scored == common | ({"prototypes"} if kind == "prototype" else set())
    assert ("tiny" in content["prototypes"]) == (kind == "prototype")


def test_a_detector_is_scored_on_boxes(drawn_boxes, tmp_path):
    spec = InputSpec(axes=3, extent_mm=64, size=16, channels=("ct",))
    bundle = tiny_bundle(tmp_path / "detector", "detector", spec)
    request = ScoreRequest(
        (str(bundle),), str(drawn_boxes.path), tmp_path / "out", vertebrae=3, steps=2, draws=20
    )
    content = score_explanations(request)
    assert {row["bench"] for row in content["rows"]} == {"boxes of 64 mm"}
    assert len(content["rows"]) == 5
    for row in content["rows"]:
        assert row["regions"]["body"]["energy_inside"] is not None
        assert set(row["faithfulness"]) == {"twin", "blur", "local_mean"}
    assert "side" in content["benches"]["boxes of 64 mm"]["true_parts"]


def tiny_bundle(folder, kind, spec):
    """Save an untrained model."""
    classes = ("no fracture", "fracture") if kind == "detector" else ("G0", "G2", "G3")
    trunk = TrunkSettings(name="conv", blocks=2, widths=(4, 6), weights="none")
    head = HeadSettings(kind=kind, feature_dim=5, prototypes_per_class=2)
    torch.manual_seed(0)
    model = build_model(build_trunk(trunk, spec), head, len(classes), spec).eval()
    count = 6 if kind == "prototype" else 0
    record = PrototypeRecord(Provenance("s", "s", "L1", "G2", True), (1, 1))
    maps = np.ones((count, *(8,) * spec.axes), np.float32) if count else None
    bundle = Bundle(
        "tiny",
        "1",
        model,
        derived_task(classes),
        spec,
        trunk,
        head,
        Scope(),
        "noise",
        "# Tiny",
        records=(record,) * count,
        maps=maps,
    )
    return save_bundle(bundle, folder)
