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


def test_given_maps_stand_beside_the_models(scored, tmp_path):
    import nibabel

    from spinexplain.analysis.explanations.pieces import Source, loaded_bench
    from spinexplain.data.cohort import Cohort

    cohort = Cohort.open(scored.request.out / "cohorts" / "placement-2d")
    rows = np.flatnonzero(~cohort.index["healthy_twin"].to_numpy(bool))
    bench = loaded_bench(Source("protoverse-phantom", cohort.path, tuple(rows.tolist())))
    maps = tmp_path / "mine"
    maps.mkdir()
    for name, mask in zip(bench.names, bench.masks["evidence"], strict=True):
        image = nibabel.Nifti1Image(mask[..., None].astype(np.float32), np.eye(4))
        nibabel.save(image, maps / f"{name}.nii.gz")
    out = tmp_path / "copy"
    shutil.copytree(scored.request.out, out)
    found = score_explanations(replace(scored.request, out=out, maps=(maps,)))
    mine = found["rows"][-1]
    assert (mine["model"], mine["explainer"]) == ("given maps", "mine")
    assert mine["placement"]["endplate"]["value"] == 1.0
    assert mine["localization"]["energy_inside"]["value"] == 1.0


def test_what_was_found_goes_into_the_bundle_and_the_report(scored, tmp_path):
    from spinexplain.models.bundle.folder import locate
    from spinexplain.models.bundle.store import load_grader

    bundle, out = tmp_path / "bundle", tmp_path / "copy"
    shipped = load_grader("protoverse-phantom").info
    shutil.copytree(locate("protoverse-phantom"), bundle)
    shutil.copytree(scored.request.out, out)
    (pieces,) = (out / "pieces").iterdir()
    request = replace(scored.request, out=out, models=(str(bundle),), store=True)
    found = score_explanations(request)["reliability"]["protoverse-phantom"]["prototypes"]
    info = load_grader(bundle).info
    told = {one.method: one for one in info.evidence}
    assert set(told) == {"prototypes", "gradcam"}
    assert told["prototypes"].endplate == found["endplate"]["value"]
    assert told["prototypes"].cohort == "placement"
    assert load_grader("protoverse-phantom").info == shipped
    assert info.weights_sha256 == shipped.weights_sha256
    assert list(pieces.parent.iterdir()) == [pieces]  # found again by the same weights


@pytest.mark.slow
def test_two_processes_find_what_one_does(scored, tmp_path):
    request = replace(scored.request, out=tmp_path / "two", jobs=2, explainers=("prototypes",))
    found = score_explanations(request)["rows"][0]
    expected = scored.content["rows"][0]
    for part in ("placement", "localization", "twin", "faithfulness", "randomized"):
        assert json.dumps(found[part]) == json.dumps(expected[part]), part


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
