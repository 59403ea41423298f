import hashlib
import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from fixtures.localizers import HALF_MM, localization_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.io.nifti import read_labels
from spinexplain.jobs.grade import (
    GradeRequest,
    command_line,
    grade_to_folder,
    in_words,
    read_inputs,
)
from spinexplain.localizer.located import Localization
from spinexplain.spine.localize import vertebrae_from_mask

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


def test_a_scan_without_a_spine_is_refused(tmp_path, pretend_localizer):
    pretend_localizer(Localization(refused="it shows legs"))
    with pytest.raises(LabelError, match="it shows legs"):
        grade_to_folder(GradeRequest(CT, tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def lumbar_levels():
    return vertebrae_from_mask(read_labels(MASK))[1:5]


def test_a_bare_scan_is_graded_with_the_next_hypothesis_at_hand(
    tmp_path, pretend_localizer, lumbar_levels
):
    shifted = [VertebraLevel(name) for name in ("L2", "L3", "L4", "L5")]
    others = [(shifted, 0.3)]
    pretend_localizer(localization_of(lumbar_levels, 0.6, others=others, cut=(VertebraLevel.L1,)))
    findings = grade_to_folder(GradeRequest(CT, tmp_path / "out"))
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert [row["level"] for row in result["vertebrae"]] == ["L1", "L2", "L3", "L4"]
    assert all("level_uncertain" in row["flags"] for row in result["vertebrae"])
    assert result["localizer"]["namings"][1] == {
        "levels": ["L2", "L3", "L4", "L5"],
        "probability": 0.3,
    }
    assert result["localizer"]["cut"] == ["L1"]
    heights = {row["level"]: row["heights"] for row in result["vertebrae"]}
    assert heights["L3"]["middle_mm"] == pytest.approx(2 * HALF_MM[0], abs=1.5)
    command = "spinexplain grade example_ct.nii.gz --first-level L2 -o out"
    assert findings.settings["next_command"] == command
    first_warning = (tmp_path / "out" / "report.html").read_text().split('class="warnings">')[1]
    assert first_warning.startswith("First level uncertain: ")
    assert command in in_words(findings)


def test_a_first_level_is_for_the_own_localizer_alone(tmp_path):
    request = GradeRequest(CT, tmp_path / "out", labels=MASK, first_level="T12")
    with pytest.raises(ConfigError, match="Leave one of the two out"):
        grade_to_folder(request)
    with pytest.raises(ConfigError, match="'S2'"):
        grade_to_folder(GradeRequest(CT, tmp_path / "out", first_level="S2"))
    assert list(tmp_path.iterdir()) == []


def test_the_own_localizer_beside_a_mask_is_refused(tmp_path):
    request = GradeRequest(CT, tmp_path / "out", labels=MASK, localizer="own")
    with pytest.raises(ConfigError, match="--localizer own was given beside a mask"):
        grade_to_folder(request)
    assert not (tmp_path / "out").exists()


def test_inputs_are_those_of_the_files():
    inputs = read_inputs(GradeRequest(CT, Path("unused"), labels=MASK))
    assert inputs.source.labels_sha256 == hashlib.sha256(MASK.read_bytes()).hexdigest()
    assert inputs.source.centroids_sha256 == ""
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
