import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.jobs.compare import CompareRequest, compare_to_figure, levels_named
from spinexplain.jobs.grade import GradeRequest


def test_levels_keep_their_order_and_come_once():
    assert levels_named(["l2", "T9", "L2"]) == [VertebraLevel.L2, VertebraLevel.T9]
    with pytest.raises(ConfigError, match="expected T1"):
        levels_named(["C3"])


def test_a_scan_without_vertebrae_is_refused(tmp_path):
    scan = GradeRequest(tmp_path / "ct.nii.gz", tmp_path / "figure.png")
    with pytest.raises(LabelError, match="--labels"):
        compare_to_figure(CompareRequest(scan, ("L2",)))


def test_a_theme_that_is_none_is_refused(tmp_path):
    scan = GradeRequest(tmp_path / "ct.nii.gz", tmp_path / "f.png", labels=tmp_path / "m.nii.gz")
    with pytest.raises(ConfigError, match="light or dark"):
        compare_to_figure(CompareRequest(scan, ("L2",), theme="gray"))
