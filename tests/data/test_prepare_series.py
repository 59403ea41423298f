import os
import signal

import pytest

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.plan import plan_cohort
from spinexplain.data.prepare_series import KILLED, prepare_all, prepare_series
from spinexplain.errors import OutputError


@pytest.fixture
def planned(tmp_path, block_scan):
    for number in range(3):
        block_scan(f"verse{number:03d}", ("T1", "T2"), seed=number).write(tmp_path / "verse")
    return plan_cohort([tmp_path / "verse"]).series


@pytest.fixture
def writer(tmp_path):
    return CohortWriter.create(tmp_path / "c")


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_series_is_stored_and_counted(planned, writer, jobs, listener):
    planned[1].files.ct.write_bytes(b"broken")
    (failed,) = prepare_all(planned, "2d", writer, jobs, listener, finished=2)
    assert (failed.series, failed.level) == ("verse001", None)
    assert "sub-verse001_ct.nii.gz" in failed.reason
    assert listener.steps == [("preparing", done, 5) for done in range(2, 6)]
    stored = [one.series for one in planned if writer.notes(one.subject, one.series)]
    assert stored == ["verse000", "verse002"]


def test_a_scan_that_does_not_fit_into_memory_is_left_out(planned, writer, monkeypatch):
    def too_large(*_):
        raise MemoryError

    monkeypatch.setattr("spinexplain.data.prepare_series.series_shard", too_large)
    assert prepare_series(planned[0], "2d", writer).reason == "does not fit into memory"


def test_a_file_that_vanishes_is_left_out(planned, writer):
    planned[0].files.ct.unlink()
    assert "sub-verse000_ct.nii.gz" in prepare_series(planned[0], "2d", writer).reason


def kill_this_process():
    """Die as the operating system kills without memory; the parent never calls it."""
    os.kill(os.getpid(), signal.SIGKILL)


class Killing:
    """A planned series that kills the process that unpickles it."""

    def __init__(self, planned):
        self.series, self.files = planned.series, planned.files

    def __reduce__(self):
        return kill_this_process, ()


def test_a_series_whose_process_is_killed_is_left_out_by_name_and_the_others_are_kept(
    planned, writer
):
    deadly = [planned[0], Killing(planned[1]), planned[2]]
    (failed,) = prepare_all(deadly, "2d", writer, 2)
    assert (failed.series, failed.reason) == (planned[1].series, KILLED)
    stored = [one.series for one in planned if writer.notes(one.subject, one.series)]
    assert stored == [planned[0].series, planned[2].series]


def test_an_unwritable_cohort_stops_everything(planned, writer, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(OutputError, match=r"No space left.*finished series are kept"):
        prepare_all(planned, "2d", writer, 1)
