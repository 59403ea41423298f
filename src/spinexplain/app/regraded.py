"""A scan graded a second time, for what a reading needs beyond what was drawn of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.folder import DataFolder
from spinexplain.app.reading import shifted
from spinexplain.app.scan_view import ScanView, agreed_grade
from spinexplain.app.worker import request_of
from spinexplain.errors import FileFormatError
from spinexplain.findings.rules import verdict_of
from spinexplain.findings.scan import ScanFindings
from spinexplain.findings.verdict import VERDICT_KEYS
from spinexplain.io.files import output_folder
from spinexplain.jobs.grade import GradeRequest, Inputs, grade_inputs, read_inputs
from spinexplain.report.html import write_report

_ONE_GRADING = threading.Lock()


def graded_again(request: GradeRequest, view: ScanView) -> tuple[Inputs, ScanFindings]:
    """Grade a scan again, one at a time on this server.

    Raises
    ------
    FileFormatError
        If it is graded otherwise now than when it was read.
    """
    with _ONE_GRADING:
        inputs = read_inputs(request)
        findings = grade_inputs(inputs, request)
    _check_same(view, findings)
    return inputs, findings


def _check_same(view: ScanView, findings: ScanFindings) -> None:
    """Refuse where the reader signed another machine's result than today's."""
    known = view.described
    read: list[object] = [known["source"]["sha256"], [model["sha256"] for model in known["models"]]]
    read += [[one["level"], one["verdict"], one["agreed_grade"]] for one in view.levels]
    now: list[object] = [findings.source.sha256, [model.sha256 for model in findings.models]]
    for item in findings.vertebrae:
        verdict = verdict_of(item)
        now.append([item.vertebra.level.value, VERDICT_KEYS[verdict.state], agreed_grade(verdict)])
    if read != now:
        raise FileFormatError(
            "this scan was read with another version's verdicts, which are not stored as this "
            "needs them. Take PDF, CSV or JSON, or send the scan again and read it."
        )


def under_names(findings: ScanFindings, shift: int) -> ScanFindings:
    """Give the vertebrae the names of a reader who shifted them; nothing is measured anew.

    Raises
    ------
    FileFormatError
        If the shift gives two vertebrae one name, beside a thirteenth thoracic one.
    """
    rows = []
    for item in findings.vertebrae:
        level = VertebraLevel(shifted(item.vertebra.level.value, shift))
        vertebra = replace(item.vertebra, level=level)
        rows.append(replace(item, patch=replace(item.patch, vertebra=vertebra)))
    if len({item.vertebra.level for item in rows}) < len(rows):
        raise FileFormatError(
            "the shift gives two vertebrae one name, which no result can hold. "
            "Take PDF, CSV or JSON."
        )
    return replace(findings, vertebrae=tuple(rows))


def renamed_report(folder: DataFolder, scan_id: str, view: ScanView, name: str, shift: int) -> Path:
    """Write a scan's report under shifted names, where it is not there yet; return its file.

    Parameters
    ----------
    name : str
        What the scan is called on it.
    shift : int
        By how many levels.

    Raises
    ------
    FileFormatError
        As :func:`graded_again` and :func:`under_names`.
    """
    place = folder.renamed(scan_id) / f"{shift:+d}"
    if not (place / "report.html").is_file():
        _, findings = graded_again(request_of(folder, scan_id), view)
        named = under_names(findings, shift)
        named = replace(named, source=replace(named.source, name=name))
        with output_folder(place, force=True) as made:
            write_report(named, made)
    return place / "report.html"
