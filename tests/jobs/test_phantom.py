import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.phantom import (
    PhantomCohortRequest,
    PhantomRequest,
    phantom_cohort,
    phantom_to_folder,
)


def test_subjects_that_are_there_are_not_drawn_again(spines, listener):
    written = phantom_to_folder(PhantomRequest(spines, 1, 7, "demo"), listener)
    assert listener.steps == []
    assert written.more == 3
    assert written.table.is_file()
    assert len(list(written.scans.rglob("*_ct.nii.gz"))) == 4


def test_no_subjects_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="subjects=0"):
        phantom_to_folder(PhantomRequest(tmp_path / "out", 0))


def test_a_cohort_is_drawn(tmp_path, listener):
    request = PhantomCohortRequest(tmp_path / "c", "sheets", 2, seed=1, rater_error=0.05)
    assert phantom_cohort(request, listener) == 2
    assert listener.steps == [("Sheets", 1, 1)]


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("pages", {}, "sheets or boxes"),
        ("boxes", {"twins": True}, "--twins"),
        ("boxes", {"rater_error": 0.1}, "--raters"),
        ("sheets", {"masks": False}, "--no-masks"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, kind, more, said):
    with pytest.raises(ConfigError, match=said):
        phantom_cohort(PhantomCohortRequest(tmp_path / "c", kind, **more))
    assert not (tmp_path / "c").exists()
