import json
import re
import shutil
import tomllib

import pytest
import torch
from safetensors.numpy import load_file

from spinexplain.models.bundle.store import load_grader


def test_an_unknown_preset_names_the_known_ones(spinexplain, tmp_path):
    ended = spinexplain("train", "protovers", tmp_path / "cohort", "-o", tmp_path / "run")
    assert ended.code == 2
    assert "protoverse" in ended.line


def test_a_cohort_that_is_none(spinexplain, tmp_path):
    (tmp_path / "cohort").mkdir()
    ended = spinexplain("train", "protoverse", tmp_path / "cohort", "-o", tmp_path / "run")
    assert ended.code == 2
    assert "cohort" in ended.line
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_phantom_prepare_train_grade(spinexplain, spines, tmp_path):
    """The whole way of a researcher, on a handful of phantoms and a handful of steps."""
    cohort, run = tmp_path / "cohort", tmp_path / "run"
    table = spines / "fractures.csv"
    ended = spinexplain("prepare", spines, "--table", table, "-o", cohort, "--folds", 2)
    assert ended.code == 0, ended.err
    preset = tmp_path / "tiny.toml"
    preset.write_text(TINY)
    ended = spinexplain("train", preset, cohort, "-o", run)
    assert ended.code == 0, ended.err
    ct = next((spines / "rawdata").rglob("*_ct.nii.gz"))
    mask = next((spines / "derivatives" / ct.parent.name).rglob("*_seg-vert_msk.nii.gz"))
    report = tmp_path / "report"
    ended = spinexplain("grade", ct, "--labels", mask, "--model", run / "bundle", "-o", report)
    assert ended.code == 0, ended.err
    assert (report / "report.html").exists()


TINY = """
name = "tiny"
validation_share = 0.3
[input]
size = 56
[trunk]
name = "conv"
widths = [8, 8, 16]
weights = "none"
blocks = 3
[head]
feature_dim = 8
prototypes_per_class = 1
[classifier]
steps = 2
batch = 8
[warm]
steps = 2
batch = 8
[joint]
steps = 2
batch = 8
"""


@pytest.mark.slow
def test_the_same_way_in_3d_and_beside_another_model(spinexplain, spines, lumbar, tmp_path):
    """Boxes instead of sheets: prepare, train, resume, grade with the detector and the other."""
    cohort, run = tmp_path / "cohort", tmp_path / "run"
    table, (ct, mask) = spines / "fractures.csv", lumbar
    for name in ("sub-phantom0001", "sub-phantom0002"):
        for kind in ("rawdata", "derivatives"):
            shutil.copytree(spines / kind / name, tmp_path / "two" / kind / name)
    two = tmp_path / "two"
    ended = spinexplain("prepare", two, "--table", table, "-o", cohort, "--patches", "3d")
    assert ended.code == 0, ended.err
    preset = tmp_path / "tiny.toml"
    preset.write_text(TINY_3D)
    for more in ([], ["--resume"]):
        ended = spinexplain("train", preset, cohort, "-o", run, "--split", "all", *more)
        assert ended.code == 0, ended.err
    report, models = tmp_path / "report", ["--model", run / "bundle"]
    models += ["--model", "protoverse-phantom"]
    ended = spinexplain("grade", ct, "--labels", mask, *models, "-o", report)
    assert ended.code == 0, ended.err
    result = json.loads((report / "result.json").read_text())
    assert result["models"][0]["classes"] == ["no fracture", "fracture"]
    graded = [row for row in result["vertebrae"] if row["grade"] is not None]
    assert graded
    for row in graded:
        assert row["explanation"]["method"] == "gradcam"
        assert row["other_models"]


TINY_3D = """
name = "tiny3d"
classes = ["no fracture", "fracture"]
validation_share = 0.4
[grades]
"no fracture" = ["G0", "G1"]
fracture = ["G2", "G3"]
[input]
axes = 3
extent_mm = 64
size = 32
channels = ["ct"]
windows_hu = { ct = [-1000, 1000] }
[trunk]
name = "compact3d"
width = 0.1
weights = "none"
[head]
kind = "detector"
width = 0.1
[detector]
epochs = 1
batch = 8
"""


def tiny_with(tmp_path, **changes):
    """Write the tiny preset with some sections or keys replaced, as TOML."""
    content = tomllib.loads(TINY) | {"input": {"extent_mm": 32, "size": 32}}
    for name, change in changes.items():
        known = content.get(name)
        content[name] = known | change if isinstance(known, dict) else change
    lines = [f"{k} = {json.dumps(v)}" for k, v in content.items() if not isinstance(v, dict)]
    for name, section in content.items():
        if isinstance(section, dict):
            lines += [f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in section.items())]
    path = tmp_path / "changed.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("changes", "subjects", "words"),
    [
        ({"loss": {"lamda_div": 0.1}}, None, 'Did you mean "lambda_div"'),
        ({"classes": ["G0", "G1", "G3"]}, None, "class G1 has 0 training crops"),
        ({"head": {"prototypes_per_class": 40}}, None, "expected at least 41"),
        ({}, 1, "1 subject; expected at least 2"),
        ({"input": {"axes": 3, "extent_mm": 32}}, None, "no graded vertebra with 3-D patches"),
        ({"input": {"extent_mm": 200}}, None, "144 x 144 mm.*at least 200 x 200 mm"),
    ],
)
def test_what_can_not_be_trained_is_said_in_one_line(
    changes, subjects, words, spinexplain, squares_cohort, tmp_path
):
    preset = tiny_with(tmp_path, **changes)
    cohort = squares_cohort(subjects=subjects)
    ended = spinexplain("train", preset, cohort, "-o", tmp_path / "run")
    assert ended.code == 2
    assert re.search(words, ended.line), ended.line
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_stops_the_command_and_names_the_vertebrae(
    spinexplain, squares_cohort, tmp_path, monkeypatch
):
    monkeypatch.setattr("spinexplain.train.engine.loop.SAVE_EVERY_STEPS", 1)
    wild = {"steps": 9, "trunk_lr": 1e30, "head_lr": 1e30, "decay": "none"}
    preset = tiny_with(tmp_path, classifier=wild)
    ended = spinexplain("train", preset, squares_cohort(), "-o", tmp_path / "run")
    assert ended.code == 2
    assert re.search(r"not finite in phase classifier at step \d.*sub-\d+ squares L1", ended.line)
    kept = torch.load(tmp_path / "run" / "classifier.ckpt", weights_only=True)["model"]
    assert kept
    assert not (tmp_path / "run" / "bundle").exists()


def test_an_unknown_or_missing_device_is_an_input_error(spinexplain, squares_cohort, tmp_path):
    arguments = ("train", tiny_with(tmp_path), squares_cohort(), "-o", tmp_path / "run")
    ended = spinexplain(*arguments, "--device", "tpu")
    assert ended.code == 2
    assert 'expected "cpu" or "cuda"' in ended.line
    if not torch.cuda.is_available():
        ended = spinexplain(*arguments, "--device", "cuda")
        assert ended.code == 2
        assert "no CUDA device" in ended.line
    assert not (tmp_path / "run").exists()


def test_redacted_prototypes_keep_everything_but_the_pixels(spinexplain, squares_cohort, tmp_path):
    run = tmp_path / "run"
    ended = spinexplain(
        "train", tiny_with(tmp_path), squares_cohort(), "-o", run, "--redact-prototypes",
        "--data-licence", "CC BY-SA 4.0, VerSe",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert set(load_file(run / "bundle" / "prototypes.safetensors")) == {"maps"}
    grader = load_grader(run / "bundle")
    assert [exemplar.array for exemplar in grader.exemplars] == [None] * 3
    assert all(exemplar.provenance.subject.startswith("sub-") for exemplar in grader.exemplars)
    assert all(exemplar.heatmap.shape == (32, 32) for exemplar in grader.exemplars)
    card = (run / "bundle" / "MODEL_CARD.md").read_text()
    assert "License of the data: CC BY-SA 4.0, VerSe." in card
    assert "are withheld" in card
    assert json.loads((run / "machine.json").read_text())["torch"] == torch.__version__
