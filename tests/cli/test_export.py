import json

import pytest

from spinexplain.cli.export import in_words
from spinexplain.models.bundle.description import ExportDescription
from spinexplain.models.bundle.store import load_grader

SHIPPED = "protoverse-phantom"


def test_a_shipped_model_is_exported_and_grades(spinexplain, tmp_path):
    ended = spinexplain("export", SHIPPED, "-o", tmp_path / "exported", "--no-onnx")
    assert ended.code == 0, ended.err
    assert "fp32: no calibration cohort was given" in ended.out
    assert load_grader(tmp_path / "exported").info.runtime.startswith("openvino")
    assert not (tmp_path / "exported" / "model.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "neither shipped"),
        ((SHIPPED, "--layer", "neck"), "no layer neck"),
        ((SHIPPED, "--calibration", "no-cohort"), "no-cohort"),
    ],
)
def test_wrong_input_leaves_nothing_behind(spinexplain, tmp_path, arguments, said):
    ended = spinexplain("export", *arguments, "-o", tmp_path / "exported")
    assert ended.code == 2
    assert said in ended.line
    assert not (tmp_path / "exported").exists()


def test_an_existing_folder_is_not_overwritten(spinexplain, tmp_path):
    (tmp_path / "exported").mkdir()
    ended = spinexplain("export", SHIPPED, "-o", tmp_path / "exported")
    assert ended.code == 2
    assert "--force" in ended.line


def test_what_was_decided_in_words():
    gate = {
        "cohort": "c",
        "vertebrae": 200,
        "same_grade": 0.995,
        "similarity_difference": 0.0612,
        "least_same_grade": 0.995,
        "largest_similarity_difference": 0.05,
        "passed": False,
    }
    export = {
        "schema": "spinexplain/export/1",
        "weights_sha256": "",
        "precision": "fp32",
        "reason": "bf16 did not pass the gate",
        "outputs": ["logits"],
        "field": {"size": 7, "stride": 4, "start": 0.0},
        "parity": 0.0,
        "gate": gate,
        "versions": {},
    }
    assert in_words(ExportDescription.model_validate_json(json.dumps(export))) == (
        "fp32: bf16 did not pass the gate (99.5% of 200 vertebrae with the same grade, largest "
        "difference of a similarity 0.061)"
    )
