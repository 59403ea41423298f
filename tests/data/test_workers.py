import os

import pytest

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.plan import plan_cohort
from spinexplain.data.series import series_shard
from spinexplain.data.workers import prepare_all, prepare_series
from spinexplain.errors import OutputError


@pytest.fixture
def planned(tmp_path, block_scan):
    for number in range(3):
        block_scan(f"verse{number:03d}", ("T1", "T2"), seed=number).write(tmp_path / "verse")
    return plan_cohort([tmp_path / "verse"]).series


@pytest.fixture
def writer(tmp_path):
    return CohortWriter.create(tmp_path / "c")


def nothing():
    pass


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_series_is_stored_and_counted(planned, writer, jobs):
    planned[1].files.ct.write_bytes(b"broken")
    steps = []
    (failed,) = prepare_all(planned, "2d", writer, jobs, lambda: steps.append(1))
    assert (failed.series, failed.level) == ("verse001", None)
    assert "sub-verse001_ct.nii.gz" in failed.reason
    assert len(steps) == 3
    stored = [one.series for one in planned if writer.notes(one.subject, one.series)]
    assert stored == ["verse000", "verse002"]


def test_a_scan_that_does_not_fit_into_memory_is_left_out(planned, writer, monkeypatch):
    def too_large(*_):
        raise MemoryError

    monkeypatch.setattr("spinexplain.data.workers.series_shard", too_large)
    assert prepare_series(planned[0], "2d", writer).reason == "does not fit into memory"


def test_a_file_that_vanishes_is_left_out(planned, writer):
    planned[0].files.ct.unlink()
    assert "sub-verse000_ct.nii.gz" in prepare_series(planned[0], "2d", writer).reason


class Deadly:
    """Kills the process that unpickles it, as the operating system does without memory."""

    def __init__(self, files):
        self.files = files

    def __reduce__(self):
        return os._exit, (9,)


def test_a_killed_worker_is_told_and_finished_series_are_kept(planned, writer):
    writer.add_series(series_shard(planned[0], "2d"))
    deadly = [Deadly(one.files) for one in planned[1:]]
    with pytest.raises(OutputError, match=r"worker process was killed.*fewer jobs than 2"):
        prepare_all(deadly, "2d", writer, 2, nothing)
    assert writer.notes(planned[0].subject, planned[0].series)


def test_an_unwritable_cohort_stops_everything(planned, writer, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(OutputError, match=r"No space left.*finished series are kept"):
        prepare_all(planned, "2d", writer, 1, nothing)
