"""The fracture table of a phantom data set, in the format of VerSe'19's."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spinexplain.io.files import atomic_file

_LEVELS = (*(f"T{i}" for i in range(1, 13)), *(f"L{i}" for i in range(1, 7)))
COLUMNS = (
    "verse_ID",
    "subject_ID",
    "dataset",
    "age_ct",
    "CT_device",
    "Res",
    "BMD",
    "DXA T-value",
    "CT_image_series",
    "N_vertebrae",
    "foreign_material",
    "N_Fx",
    *(f"{level}_fx-g" for level in _LEVELS),
    *(f"{level}_fx-s" for level in _LEVELS),
)
_T13 = ("T13_fx-g", "T13_fx-s")  # the official table has no such level
_SHAPE_CODES = {"none": 0, "wedge": 1, "biconcave": 2, "crush": 3}
_SPLITS = ("training", "training", "validation public", "test secret")  # VerSe's 80:40:40


def write_fracture_csv(path: str | Path, truths: Sequence[dict[str, Any]]) -> None:
    """Write one row a subject in the 48 columns of the official table.

    Parameters
    ----------
    path : path
    truths : sequence of dict
        Truth documents in subject order; levels out of view stay blank, foreign material
        is ``x``. Every fourth subject is for validation, every fourth for testing, by its own
        number. Two more columns hold T13 where anybody has one.
    """
    rows = [_row(truth) for truth in truths]
    has_t13 = any(_T13[0] in row for row in rows)
    with (
        atomic_file(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.DictWriter(stream, (*COLUMNS, *_T13) if has_t13 else COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)


def write_participants(path: str | Path, truths: Sequence[dict[str, Any]]) -> None:
    """Write BIDS's table of participants: sex, stature in cm, extra levels.

    Parameters
    ----------
    path : path
    truths : sequence of dict
        Truth documents in subject order.
    """
    with (
        atomic_file(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(("participant_id", "sex", "height", "extra_levels"))
        for truth in truths:
            patient = truth["patient"]
            extra = ",".join(patient["extra_levels"]) or "n/a"
            row = (f"sub-{truth['subject']}", patient["sex"], patient["stature_cm"], extra)
            writer.writerow(row)


def _split_of(subject: str) -> str:
    """Return the split of ``"phantom0001"``, whoever else is in the table."""
    return _SPLITS[(int(subject.removeprefix("phantom")) - 1) % len(_SPLITS)]


def _row(truth: dict[str, Any]) -> dict[str, object]:
    cells: dict[str, object] = {}
    for vertebra in truth["vertebrae"]:
        level, foreign = vertebra["level"], vertebra["foreign_material"]
        cells[f"{level}_fx-g"] = "x" if foreign else vertebra["grade"]
        cells[f"{level}_fx-s"] = "x" if foreign else _SHAPE_CODES[vertebra["shape"]]
    grades = [value for key, value in cells.items() if key.endswith("-g")]
    return {
        "verse_ID": truth["subject"],
        "subject_ID": truth["subject"],
        "dataset": _split_of(truth["subject"]),
        "age_ct": "",
        "CT_device": "",
        "Res": round(max(truth["spacing_mm"]), 3),
        "BMD": 0,
        "DXA T-value": "n/a",
        "CT_image_series": "1 of 1",
        "N_vertebrae": len(truth["levels_in_view"]),
        "foreign_material": grades.count("x"),
        "N_Fx": sum(grade in (1, 2, 3) for grade in grades),
        **cells,
    }
