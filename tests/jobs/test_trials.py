import pytest

from spinexplain.errors import SpinexplainError
from spinexplain.jobs.trials import TrialsRequest, trials_to_folder


def test_a_missing_cohort_leaves_nothing_behind(tmp_path):
    absent = str(tmp_path / "none")
    request = TrialsRequest("detector", (absent,), (absent,), tmp_path / "out", test_split="all")
    with pytest.raises(SpinexplainError, match="not a cohort"):
        trials_to_folder(request)
    assert list(tmp_path.iterdir()) == []
