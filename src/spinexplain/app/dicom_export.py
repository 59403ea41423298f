"""A finalized reading as DICOM objects of the study that its CT came in."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.exports import moved
from spinexplain.app.finding import Line, composed, lines_of
from spinexplain.app.folder import DataFolder
from spinexplain.app.reading import Reading, Word
from spinexplain.app.regraded import graded_again, under_names
from spinexplain.app.scan_view import ScanView
from spinexplain.app.worker import request_of
from spinexplain.dicom_out.folder import dicom_folder
from spinexplain.dicom_out.statement import (
    DEFORMITY,
    FRACTURE,
    NO_SUSPICION,
    NOT_ASSESSABLE,
    Finalization,
    HeightStatement,
    ReaderSigns,
    ScanStatement,
    Verdict,
    VertebraStatement,
    finalized,
    statement_of,
)
from spinexplain.errors import FileFormatError
from spinexplain.findings.scan import ScanFindings
from spinexplain.io.read import is_dicom
from spinexplain.types import LabelMap

_SEVERITIES = {"G1": "mild", "G2": "moderate", "G3": "severe"}
_ORGANIZATION = "not stated"  # DICOM wants one, and the reader asks for none
_NAME_LENGTH = 63  # of 64 characters that a person name may have; the last is a caret


def came_as_dicom(folder: DataFolder, scan_id: str) -> bool:
    """Whether a scan's CT names the study that results as DICOM must repeat."""
    ct = folder.input(scan_id, "ct")
    return ct is not None and is_dicom(ct)


def dicom_zip(
    folder: DataFolder, scan_id: str, view: ScanView, reading: Reading, out: Path
) -> None:
    """Grade a scan again and write what its reader finalized as DICOM objects.

    Instances follow from scan, model, words, signature and addenda, so the same reading has
    the same ones at every download. Each addendum is a series of its own, whose report names
    the one before it.

    Parameters
    ----------
    folder : DataFolder
    scan_id : str
    view : ScanView
        What the reader saw.
    reading : Reading
        A finalized one.
    out : Path
        The zip to write.

    Raises
    ------
    FileFormatError
        If the reading is not finalized, the CT came as NIfTI, highdicom is missing, or the scan
        is graded otherwise now than when it was read. Nothing is written then.
    """
    if reading.signed is None:
        raise FileFormatError("this reading is not finalized; finalize it, then take the DICOM.")
    if not came_as_dicom(folder, scan_id):
        raise FileFormatError(
            "this scan came as NIfTI, which names no patient, study or frame of reference that "
            "results as DICOM must repeat. Send the DICOM series as a zip."
        )
    request = request_of(folder, scan_id)
    with TemporaryDirectory(dir=out.parent) as made:
        objects = Path(made) / "objects"
        with dicom_folder(objects, request.ct) as dicom:
            assert dicom is not None
            inputs, findings = graded_again(request, view)
            labels = None if inputs.labels is None else _moved_mask(inputs.labels, reading.shift)
            stages = finalized_stages(view, reading, findings)
            dicom.write_stages(under_names(findings, reading.shift), labels, stages)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(objects.glob("[!.]*")):
                archive.write(path, path.name)


def _moved_mask(labels: LabelMap, shift: int) -> LabelMap:
    return replace(labels, array=moved(labels.array, shift)) if shift else labels


def finalized_stages(
    view: ScanView, reading: Reading, findings: ScanFindings
) -> list[ScanStatement]:
    """Say what was finalized, then the same after each addendum.

    A level without a word keeps the machine's verdict and has none of a reader.

    Parameters
    ----------
    view : ScanView
    reading : Reading
        A finalized one.
    findings : ScanFindings
        Under the machine's level names.
    """
    assert reading.signed is not None
    lines = lines_of(view, reading)
    machine = statement_of(findings)
    measured_anew = bool(reading.heights or reading.shift)
    rows = [
        _named_row(one, line, measured_anew)
        for one, line in zip(machine.vertebrae, lines, strict=True)
    ]
    said = {
        row.level: verdict_of_word(line.word, row.verdict)
        for row, line in zip(rows, lines, strict=True)
        if line.word is not None
    }
    name, at = reading.signed
    statement = finalized(replace(machine, vertebrae=tuple(rows)), _by(name, at), said)
    signs = {row.level: _signs(line.word) for row, line in zip(rows, lines, strict=True)}
    kept = tuple(
        replace(one, signs=signs[one.level]) if one.level in said else replace(one, reader=None)
        for one in statement.vertebrae
    )
    stages = [replace(statement, vertebrae=kept, remarks=_remarks(view, reading, lines))]
    for author, moment, text in reading.addenda:
        remark = _clean(f"Addendum by {author}, {moment}: {text}")
        final, remarks = _by(author, moment), (*stages[-1].remarks, remark)
        stages.append(replace(stages[-1], finalization=final, remarks=remarks))
    return stages


def verdict_of_word(word: Word, machine: Verdict) -> Verdict:
    """Return what a reader's word calls a vertebra.

    Examples
    --------
    >>> verdict_of_word(Word(verdict="grade", grade="G2"), Verdict("borderline")).words
    'fracture suspected, moderate'
    >>> verdict_of_word(Word(verdict="agree"), Verdict("borderline")).words
    'borderline'
    """
    if word.verdict == "agree":
        return machine
    if word.verdict == "deformity":
        return Verdict(DEFORMITY)
    if word.verdict == "not assessable":
        return Verdict(NOT_ASSESSABLE)
    if word.grade == "G0":
        return Verdict(NO_SUSPICION)
    return Verdict(FRACTURE, _SEVERITIES[str(word.grade)])


def _signs(word: Word | None) -> ReaderSigns:
    """Return what a word says besides the verdict; recommendation and comment stay prose."""
    if word is None:
        return ReaderSigns()
    deformity = word.deformity if word.verdict == "deformity" else None
    return ReaderSigns(word.acuity, word.shape, deformity, word.signs)


def _named_row(one: VertebraStatement, line: Line, measured_anew: bool) -> VertebraStatement:
    """Take the reader's level name, and the heights as a drawn neighbor or a shift makes them."""
    row, shown = replace(one, level=VertebraLevel(line.level)), line.heights
    if not measured_anew or shown is None or shown.by == "nobody":
        return row
    if not shown.expected_mm:  # with nothing to compare with, a loss of zero would be made up
        return replace(row, heights=None, agreement=None)
    anterior, middle, posterior = shown.heights_mm
    heights = HeightStatement(
        anterior, middle, posterior, shown.loss, shown.loss_interval, shown.shape
    )
    # Whether model and heights agree was found from the heights before.
    return replace(row, heights=heights, agreement=None)


def _remarks(view: ScanView, reading: Reading, lines: Sequence[Line]) -> tuple[str, ...]:
    assert reading.signed is not None
    name, at = reading.signed
    text = reading.draft if reading.draft is not None else composed(view, reading)
    remarks = [f"Finding by {name}, {at}: {text}"]
    for words, levels in (
        (
            "Heights drawn by the reader",
            [x.level for x in lines if x.model_level in reading.heights],
        ),
        ("Without a word of the reader", [line.level for line in lines if line.word is None]),
    ):
        remarks += [f"{words}: {', '.join(levels)}."] if levels else []
    if reading.shift:
        remarks.append(f"Level names moved by the reader: {reading.shift:+d}.")
    return tuple(_clean(remark) for remark in remarks)


def _clean(text: str) -> str:
    """Keep lines and drop the control characters that DICOM's texts may not hold."""
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)


def _by(name: str, at: str) -> Finalization:
    """Return who signed, as DICOM writes names.

    The whole name stands as the family name, because the reader asks for one text.
    """
    plain = "".join(" " if one in "\\^=" or not one.isprintable() else one for one in name)
    plain = " ".join(plain.split())[:_NAME_LENGTH].strip() or "unnamed"
    return Finalization(f"{plain}^", _ORGANIZATION, datetime.fromisoformat(at))
