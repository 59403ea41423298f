import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import LabelError
from spinexplain.jobs.grade import GradeRequest, command_line, grade_to_folder, read_inputs

EXAMPLE = Path(__file__).parent.parent / "data" / "totalsegmentator-example"
CT = EXAMPLE / "example_ct.nii.gz"
MASK = EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz"


def test_a_dicom_folder_named_after_a_patient_is_not_repeated(tmp_path):
    request = GradeRequest(tmp_path / "DOE_JANE", tmp_path / "out", labels=tmp_path / "m.nii.gz")
    assert command_line(request) == "spinexplain grade CT --labels m.nii.gz -o out"


def test_the_command_line_names_no_folder():
    request = GradeRequest(
        CT, Path("/secret/out"), labels=MASK, models=("/secret/run",), device="cuda"
    )
    words = shlex.split(command_line(request))
    assert "secret" not in " ".join(words)
    assert words[-2:] == ["-o", "out"]


def test_a_scan_without_vertebrae_is_refused(tmp_path):
    with pytest.raises(LabelError, match="--labels"):
        grade_to_folder(GradeRequest(CT, tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_inputs_are_those_of_the_files():
    inputs = read_inputs(GradeRequest(CT, Path("unused"), labels=MASK))
    assert inputs.source.name == CT.name
    assert inputs.source.shape == inputs.volume.array.shape
    assert inputs.centroids is None
    assert 22 in np.unique(inputs.labels.array)


def test_what_a_localizer_prints_is_passed_on_and_nothing_of_it_stays(tmp_path, listener):
    fake = Path(__file__).parent.parent / "cli" / "fake_localizer.py"
    config = tmp_path / "tools.toml"
    config.write_text(
        "[localizers.mine]\n"
        f"command = {json.dumps([sys.executable, str(fake), str(MASK), '{ct}', '{out}'])}\n"
        'output = "vertebrae.nii.gz"\n'
    )
    request = GradeRequest(CT, tmp_path / "out", localizer="mine", localizer_config=config)
    inputs = read_inputs(request, listener)
    assert inputs.labels is not None
    assert any("segmenting" in line for line in listener.notes)
    assert list(tmp_path.iterdir()) == [config]
