import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.conftest import state_of
from app.test_intake import CT, MASK, added
from fixtures.localizers import NETWORKS, localization_of
from spinexplain.app import worker
from spinexplain.app.database import sqlite_url
from spinexplain.app.schema import Scan
from spinexplain.app.worker import grade_next, take_up_again
from spinexplain.errors import LabelError
from spinexplain.localizer.own import Found


@pytest.fixture
def graded(server, lumbar, monkeypatch):
    """Grading that gives the invented findings: the model is not what is tested here."""

    def grade(request, progress):
        request.out.mkdir()
        with progress.stage("explain"):
            return lumbar

    monkeypatch.setattr(worker, "grade_to_folder", grade)
    return added(server, ct=CT, labels=MASK)


def test_the_oldest_scan_is_graded_and_ready(server, graded):
    server.folder.renamed(graded).mkdir()  # of an earlier grading
    assert grade_next(server.database, server.folder)
    scan = state_of(server, graded)
    assert (scan.state, scan.headline) == (
        "ready",
        "L1 fracture suspected, moderate; L3 fracture suspected, moderate",
    )
    assert scan.disagreement == 1
    assert not server.folder.renamed(graded).exists()
    assert not grade_next(server.database, server.folder)
    assert server.client().get(f"/scans/{graded}/levels/L4").status_code == 200


def test_an_error_of_input_is_shown_without_paths(server, graded, monkeypatch):
    def refuse(request, progress):
        raise LabelError(f"{request.labels}: holds no vertebra; expected VerSe labels.")

    monkeypatch.setattr(worker, "grade_to_folder", refuse)
    grade_next(server.database, server.folder)
    scan = state_of(server, graded)
    assert scan.state == "refused"
    assert scan.message == "b-made.nii.gz: holds no vertebra; expected VerSe labels."


def test_a_scan_in_which_nothing_was_found_waits_for_clicks(server, graded, monkeypatch):
    def refuse(request, progress):
        raise LabelError("no thoracic or lumbar vertebrae were found in this scan: it is a neck.")

    bare = added(server, ct=CT)
    grade_next(server.database, server.folder)
    monkeypatch.setattr(worker, "grade_to_folder", refuse)
    grade_next(server.database, server.folder)
    scan = state_of(server, bare)
    assert scan.state == "needs_centers"
    assert "it is a neck" in scan.message


def test_names_that_are_not_sure_are_said_on_the_work_list(server, graded, lumbar, monkeypatch):
    vertebrae = [item.vertebra for item in lumbar.vertebrae]
    found = Found(localization_of(vertebrae, 0.6), None, NETWORKS.info)

    def grade(request, progress):
        request.out.mkdir()
        return replace(lumbar, found=found)

    monkeypatch.setattr(worker, "grade_to_folder", grade)
    grade_next(server.database, server.folder)
    assert state_of(server, graded).message.startswith("First level uncertain: ")


def test_a_fault_of_ours_says_so_and_the_worker_goes_on(server, graded, monkeypatch, capsys):
    def fail(request, progress):
        raise RuntimeError("John Doe")

    monkeypatch.setattr(worker, "grade_to_folder", fail)
    assert grade_next(server.database, server.folder)
    assert "RuntimeError" in state_of(server, graded).message
    assert "John Doe" not in capsys.readouterr().err


def test_a_scan_that_was_interrupted_is_begun_again_three_times(server, graded):
    for _ in range(3):
        assert worker._claim(server.database) == graded
        take_up_again(server.database, server.folder)
    assert worker._claim(server.database) is None
    assert "killed 3 times" in state_of(server, graded).message


def test_what_a_killed_worker_left_is_cleared(server, graded):
    left = server.folder.scan(graded) / ".graded-half"
    left.mkdir()
    (left / "report.html").write_text("half")
    take_up_again(server.database, server.folder)
    assert not left.exists()
    assert server.folder.input(graded, "ct") is not None


def result_of(lumbar, tmp_path, sha256):
    from dataclasses import replace

    from spinexplain.results.result_json import write_result

    named = replace(lumbar, source=replace(lumbar.source, sha256=sha256))
    return write_result(named, tmp_path)


def test_a_result_handed_in_is_compared(server, lumbar, graded, tmp_path):
    path = result_of(lumbar, tmp_path, lumbar.source.sha256)
    content = json.loads(path.read_text())
    for vertebra in content["vertebrae"]:
        if vertebra["level"] == "L2":
            vertebra["grade"] = "G3"
    path.write_text(json.dumps(content))
    place = server.folder.scan(graded) / "input" / "result"
    place.mkdir()
    (place / "result.json").write_bytes(path.read_bytes())
    grade_next(server.database, server.folder)
    assert state_of(server, graded).message == "The result handed in graded L2 differently."


def test_a_result_of_another_scan_is_refused(server, lumbar, graded, tmp_path):
    path = result_of(lumbar, tmp_path, "0" * 64)
    place = server.folder.scan(graded) / "input" / "result"
    place.mkdir()
    (place / "result.json").write_bytes(path.read_bytes())
    grade_next(server.database, server.folder)
    scan = state_of(server, graded)
    assert scan.state == "refused"
    assert "another CT" in scan.message


def test_stages_are_written_down(server, graded):
    with server.database.writing() as session:
        session.execute(update(Scan).values(state="grading"))
    with worker.StageOfScan(server.database, graded).stage("heights"):
        assert state_of(server, graded).stage == "heights"


def test_a_worker_whose_server_is_no_more_ends(server):
    url = sqlite_url(server.folder.database)
    worker.run_worker(server.folder.root, url, False, server=-1)  # nobody's id: returns at once
