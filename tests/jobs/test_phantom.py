import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.phantom import PhantomRequest, phantom_to_folder


def test_subjects_that_are_there_are_not_drawn_again(spines, listener):
    written = phantom_to_folder(PhantomRequest(spines, 1, 7, "demo"), listener)
    assert listener.steps == []
    assert written.more == 3
    assert written.table.is_file()
    assert len(list(written.scans.rglob("*_ct.nii.gz"))) == 4


def test_no_subjects_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="subjects=0"):
        phantom_to_folder(PhantomRequest(tmp_path / "out", 0))
