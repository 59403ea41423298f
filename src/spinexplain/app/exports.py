"""A reading for machines: CSV, JSON, and a folder in VerSe's layout that ``prepare`` takes."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.finding import Line, lines_of
from spinexplain.app.folder import DataFolder
from spinexplain.app.reading import Done, Reading, shifted
from spinexplain.app.scan_view import ScanView
from spinexplain.data.phantom.table import COLUMNS
from spinexplain.io.centroids import write_centroids
from spinexplain.io.nifti import write_nifti
from spinexplain.io.read import read_mask, read_scan
from spinexplain.types import Vertebra

SCHEMA = "spinexplain/reading/1"
CORRECTIONS_SCHEMA = "spinexplain/corrections/1"
CORRECTIONS_FILE = "corrections.json"
_SHAPES = {"none": 0, "wedge": 1, "biconcave": 2, "crush": 3}
_COLUMNS = (
    *(
        "scan",
        "level",
        "model_level",
        "model_grade",
        "model_verdict",
        "verdict",
        "grade",
        "shape",
        "deformity",
    ),
    *("acuity", "signs", "reason", "comment", "recommendation", "heights_by", "anterior_mm"),
    *("middle_mm", "posterior_mm", "height_loss", "height_loss_class", "reader", "signed_at"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(view: ScanView, reading: Reading, acts: Sequence[Done], scan: str) -> dict[str, Any]:
    """Return a reading with everything that led to it."""
    return {
        "schema": SCHEMA,
        "scan": scan,
        "ct_sha256": view.described["source"]["sha256"],
        "models": [
            {k: m[k] for k in ("name", "version", "sha256")} for m in view.described["models"]
        ],
        "state": reading.state,
        "signed": reading.signed,
        "addenda": reading.addenda,
        "shift": reading.shift,
        "finding": reading.draft,
        "vertebrae": [_vertebra(line) for line in lines_of(view, reading)],
        "acts": [asdict(act) for act in acts],
    }


def _vertebra(line: Line) -> dict[str, Any]:
    heights = line.heights
    return {
        "level": line.level,
        "model_level": line.model_level,
        "model_grade": line.model_grade,
        "verdict": line.model,
        "word": None if line.word is None else line.word.model_dump(),
        "heights": None
        if heights is None
        else {
            "by": heights.by,
            "heights_mm": heights.heights_mm,
            "expected_mm": heights.expected_mm,
            "loss": heights.loss,
            "class": heights.height_loss_class,
            "shape": heights.shape,
        },
    }


def as_csv(view: ScanView, reading: Reading, scan: str) -> str:
    """Return one row a vertebra; no cell is read as a formula by a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_COLUMNS)
    name, at = reading.signed or ("", "")
    for line in lines_of(view, reading):
        word, heights = line.word, line.heights
        said = word.model_dump() if word else {}
        cells = [said.get(k) for k in ("verdict", "grade", "shape", "deformity", "acuity")]
        cells += ["; ".join(said.get("signs", ())), said.get("reason"), said.get("comment")]
        cells += [said.get("recommendation")]
        measured = (
            [heights.by, *heights.heights_mm, heights.loss, heights.height_loss_class]
            if heights
            else [""] * 6
        )
        row = [
            scan,
            line.level,
            line.model_level,
            line.model_grade,
            line.model,
            *cells,
            *measured,
            name,
            at,
        ]
        writer.writerow([_cell(value) for value in row])
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def verse_zip(
    folder: DataFolder, scan_id: str, view: ScanView, reading: Reading, out: Path
) -> None:
    """Write CT, mask, centers and fracture table as VerSe's, under the reader's level names.

    Parameters
    ----------
    out : Path
        The zip to write. Names in it are made from the scan's id alone.
    """
    series = f"reader{scan_id}"
    ct_path, labels = folder.input(scan_id, "ct"), folder.input(scan_id, "labels")
    assert ct_path is not None
    ct = read_scan(ct_path)
    with TemporaryDirectory(dir=out.parent) as made:
        root = Path(made)
        raw, derived = root / "rawdata" / f"sub-{series}", root / "derivatives" / f"sub-{series}"
        raw.mkdir(parents=True)
        derived.mkdir(parents=True)
        write_nifti(raw / f"sub-{series}_ct.nii.gz", ct.array, ct.affine)
        write_centroids(derived / f"sub-{series}_seg-vert_ctd.json", _centers(view, reading), ct)
        if labels is not None:
            mask = read_mask(labels)
            array = moved(mask.array, reading.shift)
            write_nifti(derived / f"sub-{series}_seg-vert_msk.nii.gz", array, mask.affine)
        lines = lines_of(view, reading)
        (root / "fracture-table.csv").write_text(_table(series, lines))
        (root / CORRECTIONS_FILE).write_text(dumped(corrections(view, lines)))
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(p for p in root.rglob("*") if p.is_file()):
                archive.write(path, path.relative_to(root).as_posix())


def corrections(view: ScanView, lines: Sequence[Line]) -> dict[str, Any]:
    """Return what the model and the reader call each vertebra, without anybody's name.

    ``train --add`` takes it beside the VerSe files: the hash says whose scan of a cohort it is.
    """
    return {
        "schema": CORRECTIONS_SCHEMA,
        "ct_sha256": view.described["source"]["sha256"],
        "models": [
            {k: m[k] for k in ("name", "version", "sha256")} for m in view.described["models"]
        ],
        "vertebrae": [
            {"level": line.level, "model": line.model_grade, "reader": final_grade(line)}
            for line in lines
        ],
    }


def _centers(view: ScanView, reading: Reading) -> list[Vertebra]:
    return [
        Vertebra(VertebraLevel(reading.shown_level(one["level"])), tuple(one["centroid_mm"]))
        for one in view.levels
    ]


def moved(labels: np.ndarray, shift: int) -> np.ndarray:
    """Rename the labels of a mask by the reader's shift."""
    table = np.arange(int(labels.max()) + 1, dtype=np.uint8)
    for level in VertebraLevel:
        if level.verse_label < len(table):
            table[level.verse_label] = VertebraLevel(shifted(level.value, shift)).verse_label
    return table[labels]


def _table(series: str, lines: Sequence[Line]) -> str:
    cells = {}
    for line in lines:
        grade = final_grade(line)
        if grade is None:
            continue
        cells[f"{line.level}_fx-g"] = grade.removeprefix("G")
        cells[f"{line.level}_fx-s"] = str(_SHAPES[_shape(line, grade)])
    grades = [value for key, value in cells.items() if key.endswith("-g")]
    row = {
        "verse_ID": series,
        "subject_ID": series,
        "dataset": "training",
        "CT_image_series": "1 of 1",
        "N_vertebrae": len(lines),
        "foreign_material": 0,
        "N_Fx": sum(grade != "0" for grade in grades),
        **cells,
    }
    stream = io.StringIO()
    names = [*COLUMNS, *(key for key in cells if key not in COLUMNS)]
    writer = csv.DictWriter(stream, names, restval="")
    writer.writeheader()
    writer.writerow(row)
    return stream.getvalue()


def _shape(line: Line, grade: str) -> str:
    """Return the shape that a reader named, else the one that the heights say."""
    if grade == "G0":
        return "none"
    if line.word is not None and line.word.shape is not None:
        return line.word.shape
    return line.heights.shape if line.heights is not None else "none"


def final_grade(line: Line) -> str | None:
    """Return the Genant grade that a reader's word comes to; None where there is none."""
    word = line.word
    if word is None or word.verdict == "not assessable":
        return None
    if word.verdict == "deformity":
        return "G0"
    if word.verdict == "grade":
        return word.grade
    return line.agreed_grade


def dumped(content: dict[str, Any]) -> str:
    """Write JSON for a download."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
