import pytest

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
