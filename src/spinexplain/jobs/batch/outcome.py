"""How one scan of an archive ended: graded, refused or crashed; one folder each."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.errors import SpinexplainError
from spinexplain.findings.rules import grading_of
from spinexplain.findings.scan import ScanFindings, ScanSource
from spinexplain.io.files import atomic_file, output_folder
from spinexplain.jobs.batch.manifest import ArchiveScan

if TYPE_CHECKING:
    from spinexplain.models.grader import Grader

GRADED, REFUSED, CRASHED = "graded", "refused", "crashed"
_BODY_MM = 5.0  # half side of the cube in a body's middle whose HU are followed


@dataclass(frozen=True)
class Outcome:
    """How a scan ended.

    Parameters
    ----------
    name : str
    state : str
        ``"graded"``, ``"refused"`` or ``"crashed"``.
    reason : str
        Name of the error; empty where it was graded.
    words : str
        What the error says.
    """

    name: str
    state: str
    reason: str = ""
    words: str = ""


def scan_folder(out: Path, name: str) -> Path:
    """Return the folder of a scan's results."""
    return out / "scans" / name


def _refusal_file(out: Path, name: str) -> Path:
    return out / "refused" / f"{name}.json"


def outcome_of(out: Path, name: str) -> Outcome | None:
    """Read how a scan ended, or None where it is still to be graded."""
    if (scan_folder(out, name) / "result.json").is_file():
        return Outcome(name, GRADED)
    try:
        content = json.loads(_refusal_file(out, name).read_text(encoding="utf-8"))
        return Outcome(name, content["state"], content["reason"], content["words"])
    except (OSError, ValueError, KeyError):
        return None


def grade_one(scan: ArchiveScan, out: Path, graders: Sequence[Grader]) -> Outcome:
    """Grade one scan and write how it ended.

    Nothing is half-written: the folder appears by renaming. Bad input is an outcome, not an
    exception.

    Parameters
    ----------
    scan : ArchiveScan
    out : Path
    graders : sequence of Grader
        Loaded once a worker.
    """
    started = time.perf_counter()
    try:
        findings = _graded(scan, graders)
        _write(findings, scan, out, time.perf_counter() - started)
    except (SpinexplainError, MemoryError) as error:
        words = str(error) or "does not fit into memory"
        outcome = Outcome(scan.name, REFUSED, type(error).__name__, words)
        write_refusal(out, outcome)
        return outcome
    _refusal_file(out, scan.name).unlink(missing_ok=True)
    return Outcome(scan.name, GRADED)


def write_refusal(out: Path, outcome: Outcome) -> None:
    """Write why a scan was not graded."""
    path = _refusal_file(out, outcome.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"state": outcome.state, "reason": outcome.reason, "words": outcome.words}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _graded(scan: ArchiveScan, graders: Sequence[Grader]) -> ScanFindings:
    from spinexplain.findings.assess import grade
    from spinexplain.io.centroids import read_centroids
    from spinexplain.io.read import is_dicom, read_identified_scan, read_mask

    volume, digest = read_identified_scan(scan.ct, series=scan.series)
    x, y, z = volume.array.shape
    name = f"DICOM {digest[:8]}" if is_dicom(scan.ct) else scan.ct.name
    return grade(
        volume,
        labels=read_mask(scan.labels, scheme=scan.label_scheme) if scan.labels else None,
        centroids=read_centroids(scan.centroids, volume) if scan.centroids else None,
        models=graders,
        source=ScanSource(name, digest, (x, y, z), volume.spacing_mm),
    )


def _write(findings: ScanFindings, scan: ArchiveScan, out: Path, seconds: float) -> None:
    from spinexplain.results.result_json import write_result

    facts: dict[str, Any] = {
        "age": scan.age,
        "sex": scan.sex,
        "seconds": round(seconds, 3),
        "fractured": {
            item.vertebra.level.value: grading.is_fracture
            for item in findings.vertebrae
            if (grading := grading_of(item)) is not None
        },
        "body_hu": {
            item.vertebra.level.value: body_hu(findings, index)
            for index, item in enumerate(findings.vertebrae)
        },
    }
    with output_folder(scan_folder(out, scan.name), force=True) as folder:
        write_result(findings, folder)
        (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def body_hu(findings: ScanFindings, index: int) -> float | None:
    """Return the mean HU of a cube of 10 mm in a body's middle; None where it leaves the CT."""
    volume = findings.volume
    center = np.array(findings.vertebrae[index].vertebra.centroid_mm)
    ijk = np.linalg.inv(volume.affine) @ [*center, 1.0]
    half = np.maximum(np.rint(_BODY_MM / np.array(volume.spacing_mm)), 0).astype(int)
    start = np.rint(ijk[:3]).astype(int) - half
    stop = start + 2 * half + 1
    if np.any(start < 0) or np.any(stop > volume.array.shape):
        return None
    cube = volume.array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    return round(float(cube.mean()), 1)
