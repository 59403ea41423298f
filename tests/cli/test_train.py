import json

import pytest


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
def test_phantom_prepare_train_grade(spinexplain, tmp_path):
    """The whole way of a researcher, on a handful of phantoms and a handful of steps."""
    spines, cohort, run = tmp_path / "spines", tmp_path / "cohort", tmp_path / "run"
    assert spinexplain("phantom", spines, "--subjects", 8, "--seed", 1).code == 0
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
def test_the_same_way_in_3d_and_beside_another_model(spinexplain, tmp_path):
    """Boxes instead of sheets: prepare, train, resume, grade with the detector and the other."""
    spines, cohort, run = tmp_path / "spines", tmp_path / "cohort", tmp_path / "run"
    assert spinexplain("phantom", spines, "--subjects", 4, "--seed", 1).code == 0
    table = spines / "fractures.csv"
    ended = spinexplain("prepare", spines, "--table", table, "-o", cohort, "--patches", "3d")
    assert ended.code == 0, ended.err
    preset = tmp_path / "tiny.toml"
    preset.write_text(TINY_3D)
    for more in ([], ["--resume"]):
        ended = spinexplain("train", preset, cohort, "-o", run, "--split", "all", *more)
        assert ended.code == 0, ended.err
    ct = next((spines / "rawdata").rglob("*_ct.nii.gz"))
    mask = next((spines / "derivatives" / ct.parent.name).rglob("*_seg-vert_msk.nii.gz"))
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
