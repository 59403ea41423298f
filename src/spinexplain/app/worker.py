"""The background worker: grades what is queued, one scan at a time.

It is a process of its own. Killed at any point it leaves nothing half-written; the next one
begins the scan again, and gives it up where that kills the worker three times.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from spinexplain.app.database import Database, open_database
from spinexplain.app.folder import KINDS_OF_FILE, DataFolder, make_folder
from spinexplain.app.intake import take_watched
from spinexplain.app.patients import pseudonym_of
from spinexplain.app.scan_view import write_view
from spinexplain.app.schema import Scan
from spinexplain.errors import FileFormatError, LabelError, ModelError, SpinexplainError
from spinexplain.jobs.grade import GradeRequest, grade_to_folder
from spinexplain.results.result_json import read_result
from spinexplain.texts.printable import printable

_TRIES = 3
_IDLE_S = 1.0


@dataclass(frozen=True)
class StageOfScan:
    """Writes the stage of a grading into the database; the work list shows it."""

    database: Database
    scan_id: str

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note that a stage began."""
        _set(self.database, self.scan_id, stage=name)
        yield

    def step(self, name: str, done: int, total: int) -> None:
        """Say nothing of a step."""

    def note(self, line: str) -> None:
        """Drop a line."""


def run_worker(root: Path, url: str, identified: bool, server: int) -> None:
    """Work until the process is ended, or the server of this process id is no more."""
    folder = make_folder(root)
    database = open_database(url)
    take_up_again(database, folder)
    while os.getppid() == server:
        take_watched(database, folder, identified)
        if not grade_next(database, folder):
            time.sleep(_IDLE_S)


def take_up_again(database: Database, folder: DataFolder) -> None:
    """Queue what was being graded when the worker before this one ended; clear its remains."""
    for name in ("graded", "view"):
        for remains in (folder.root / "scans").glob(f"*/.{name}-*"):
            shutil.rmtree(remains, ignore_errors=True)
    with database.writing() as session:
        session.execute(update(Scan).where(Scan.state == "grading").values(state="queued"))


def grade_next(database: Database, folder: DataFolder) -> bool:
    """Grade the scan that waits longest; return False where none does."""
    scan_id = _claim(database)
    if scan_id is None:
        return False
    try:
        described = _grade(database, folder, scan_id)
        remark = _compared(folder, scan_id, described)
    except SpinexplainError as error:
        state = "needs_centers" if _may_be_clicked(error, folder, scan_id) else "refused"
        _set(database, scan_id, state=state, message=_said(error, folder, scan_id))
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed on the server; it needs spinexplain[dicom]."
        _set(database, scan_id, state="refused", message=message)
    except Exception as error:
        message = f"a fault of the program ({type(error).__name__}); the scan is kept."
        print(f"spinexplain worker: {scan_id}: {type(error).__name__}", file=sys.stderr)
        _set(database, scan_id, state="refused", message=message)
    else:
        levels = described["levels"]
        remark = " ".join(part for part in (described["naming"], remark) if part)
        _set(
            database,
            scan_id,
            state="ready",
            stage="",
            message=remark,
            headline=_headline(described),
            worst=max((_rank(level) for level in levels), default=-1.0),
            disagreement=sum(level["disagree"] for level in levels),
        )
    return True


def _set_whose(database: Database, folder: DataFolder, scan_id: str, study_date: str) -> None:
    """Note patient and date from the files, where whoever sent the scan did not say them."""
    patient = pseudonym_of(folder, scan_id)
    with database.writing() as session:
        scan = session.get_one(Scan, scan_id)
        scan.patient = scan.patient or patient
        scan.study_date = scan.study_date or study_date or None


def _may_be_clicked(error: SpinexplainError, folder: DataFolder, scan_id: str) -> bool:
    """Whether the localizer found nothing in a scan that came without mask and centers."""
    named = any(folder.input(scan_id, kind) for kind in ("labels", "centroids"))
    return not named and isinstance(error, LabelError | ModelError)


def _claim(database: Database) -> str | None:
    with database.writing() as session:
        scan = session.scalar(
            select(Scan).where(Scan.state == "queued").order_by(Scan.added_at).limit(1)
        )
        if scan is None:
            return None
        scan.attempts += 1
        if scan.attempts > _TRIES:
            scan.state = "refused"
            scan.message = f"grading was killed {_TRIES} times, perhaps for lack of memory."
        else:
            scan.state, scan.stage = "grading", "read"
        return scan.id if scan.state == "grading" else None


def _grade(database: Database, folder: DataFolder, scan_id: str) -> dict[str, Any]:
    request = request_of(folder, scan_id)
    progress = StageOfScan(database, scan_id)
    shutil.rmtree(folder.renamed(scan_id), ignore_errors=True)  # of what was graded before
    findings = grade_to_folder(request, progress)
    with progress.stage("draw"), database.reading() as session:
        name = session.get_one(Scan, scan_id).name
        named = replace(findings, source=replace(findings.source, name=name))
        described = write_view(named, folder.view(scan_id))
    _set_whose(database, folder, scan_id, findings.source.facts.study_date)
    return described


def request_of(folder: DataFolder, scan_id: str) -> GradeRequest:
    """Return how a scan is graded.

    Raises
    ------
    FileFormatError
        If its CT is gone.
    """
    ct = folder.input(scan_id, "ct")
    if ct is None:
        raise FileFormatError("the scan's CT is gone; send it again.")
    return GradeRequest(
        ct=ct,
        out=folder.graded(scan_id),
        labels=folder.input(scan_id, "labels"),
        centroids=folder.input(scan_id, "centroids"),
        all_heatmaps=True,
        force=True,
    )


def _compared(folder: DataFolder, scan_id: str, described: dict[str, Any]) -> str:
    """Say how grades compare with the result that was handed in with the scan."""
    path = folder.input(scan_id, "result")
    if path is None:
        return ""
    earlier = read_result(path)
    if earlier.ct.sha256 != described["source"]["sha256"]:
        raise FileFormatError("result.json is of another CT than the one beside it.")
    grades = {one.level: one.grade for one in earlier.vertebrae}
    apart = [
        one["level"] for one in described["levels"] if grades.get(one["level"]) != one["grade"]
    ]
    if apart:
        return f"The result handed in graded {', '.join(apart)} differently."
    return "The result handed in has the same grades."


def _rank(level: dict[str, Any]) -> float:
    """Turn the verdict's rank into one number, larger for worse; 0 where nothing is suspected."""
    place, less = level["rank"]
    return 1000.0 - 10.0 * place - max(min(less, 4.9), -4.9) if level["suspicious"] else 0.0


def _headline(described: dict[str, Any]) -> str:
    suspects = [one for one in described["levels"] if one["suspicious"]]
    suspects.sort(key=_rank, reverse=True)
    return "; ".join(f"{one['level']} {one['words']}" for one in suspects)


def _said(error: Exception, folder: DataFolder, scan_id: str) -> str:
    """Repeat an error's line without the server's own paths."""
    text = " ".join(str(error).split())
    for path in (folder.input(scan_id, kind) for kind in KINDS_OF_FILE):
        text = text.replace(str(path), path.name) if path else text
    return printable(text.replace(str(folder.root), "DATA"))


def _set(database: Database, scan_id: str, **values: object) -> None:
    with database.writing() as session:
        session.execute(update(Scan).where(Scan.id == scan_id).values(**values))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        run_worker(Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "identified", int(sys.argv[4]))
