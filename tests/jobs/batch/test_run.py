import pytest

from spinexplain.errors import ModelError
from spinexplain.jobs.batch import run as module
from spinexplain.jobs.batch.index import read_index
from spinexplain.jobs.batch.outcome import REFUSED, Outcome, write_refusal
from spinexplain.jobs.batch.run import BatchReport, BatchRequest, left_to_do, run_batch


def _quiet(*_):
    pass


def test_a_missing_model_ends_it_before_anything_is_graded(tmp_path, manifest):
    path = manifest([{"ct": "a", "labels": "m"}])
    request = BatchRequest(path, tmp_path / "out", models=("none",))
    with pytest.raises(ModelError):
        run_batch(request, _quiet, _quiet)


def test_what_was_done_is_not_redone(tmp_path, manifest, monkeypatch):
    path = manifest([{"ct": "a", "labels": "m"}, {"ct": "b", "labels": "m"}])
    graded = []

    def refusing(todo, out, load, crew):
        for scan in todo:
            graded.append(scan.name)
            write_refusal(out, Outcome(scan.name, REFUSED, "GeometryError", "gaps"))
            yield Outcome(scan.name, REFUSED)

    monkeypatch.setattr(module, "grade_in_processes", refusing)
    monkeypatch.setattr(module, "load_graders", lambda models: ())
    request = BatchRequest(path, tmp_path / "out")
    heard = []
    report = run_batch(request, lambda *counts: heard.append(counts), _quiet)
    assert report == BatchReport(0, 2, 0)
    run_batch(request, lambda *counts: heard.append(counts), _quiet)
    assert heard == [(2, 2), (2, 0)]
    assert graded == ["a", "b"]
    again = BatchRequest(path, tmp_path / "out", retry=True)
    run_batch(again, _quiet, _quiet)
    assert graded == ["a", "b", "a", "b"]
    assert len(read_index(tmp_path / "out")[0]) == 2


def test_left_to_do_counts_crashes_only_with_retry(tmp_path, manifest):
    from spinexplain.jobs.batch.manifest import read_manifest

    scans = read_manifest(manifest([{"ct": "a", "labels": "m"}]))
    assert left_to_do(scans, tmp_path) == scans
    write_refusal(tmp_path, Outcome("a", "crashed", "WorkerDied", ""))
    assert left_to_do(scans, tmp_path) == []
    assert left_to_do(scans, tmp_path, retry=True) == scans
