"""The table of an archive: one row a vertebra and one a scan, written last of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.io.files import atomic_file
from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.outcome import GRADED, Outcome, outcome_of, scan_folder

if TYPE_CHECKING:
    import pandas as pd


def write_index(scans: Sequence[ArchiveScan], out: Path) -> tuple[Path, Path]:
    """Write ``scans.parquet`` and ``vertebrae.parquet`` from the folders of the scans.

    Parameters
    ----------
    scans : sequence of ArchiveScan
    out : Path

    Returns
    -------
    tuple of two Path
    """
    scan_rows: list[dict[str, Any]] = []
    vertebra_rows: list[dict[str, Any]] = []
    for scan in scans:
        outcome = outcome_of(out, scan.name)
        if outcome is None:
            continue
        if outcome.state != GRADED:
            scan_rows.append(_refused_row(scan, outcome))
            continue
        result, facts = (_content(scan_folder(out, scan.name) / f) for f in _FILES)
        scan_rows.append(_scan_row(scan, result, facts))
        vertebra_rows += [_vertebra_row(scan, row, facts) for row in result["vertebrae"]]
    return (
        _written(scan_rows, SCAN_COLUMNS, out / "scans.parquet"),
        _written(vertebra_rows, VERTEBRA_COLUMNS, out / "vertebrae.parquet"),
    )


_FILES = ("result.json", "facts.json")
SCAN_COLUMNS = {
    "name": "string",
    "state": "string",
    "reason": "string",
    "words": "string",
    "age": "Int64",
    "sex": "string",
    "sha256": "string",
    "spacing_x_mm": "Float64",
    "spacing_y_mm": "Float64",
    "spacing_z_mm": "Float64",
    "seconds": "Float64",
    "model_sha256": "string",
}
VERTEBRA_COLUMNS = {
    "name": "string",
    "level": "string",
    "age": "Int64",
    "sex": "string",
    "grade": "string",
    "fractured": "boolean",
    "score": "Float64",
    "loss": "Float64",
    "height_loss_class": "Int64",
    "agreement": "boolean",
    "body_hu": "Float64",
}


def read_index(out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the tables of scans and vertebrae.

    Raises
    ------
    FileFormatError
        If there are none, or they cannot be read.
    """
    import pandas as pd

    from spinexplain.errors import FileFormatError

    try:
        return pd.read_parquet(out / "scans.parquet"), pd.read_parquet(out / "vertebrae.parquet")
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{out}: has no readable scans.parquet and vertebrae.parquet "
            f"({type(error).__name__}); expected the folder that batch wrote. Run batch first."
        ) from None


def _content(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _refused_row(scan: ArchiveScan, outcome: Outcome) -> dict[str, Any]:
    return {
        "name": scan.name,
        "state": outcome.state,
        "reason": outcome.reason,
        "words": outcome.words,
        "age": scan.age,
        "sex": scan.sex,
    }


def _scan_row(scan: ArchiveScan, result: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    spacing = result["ct"]["spacing_mm"]
    return {
        "name": scan.name,
        "state": GRADED,
        "age": facts["age"],
        "sex": facts["sex"],
        "sha256": result["ct"]["sha256"],
        "seconds": facts["seconds"],
        "model_sha256": result["models"][0]["sha256"],
    } | {f"spacing_{axis}_mm": value for axis, value in zip("xyz", spacing, strict=True)}


def _vertebra_row(scan: ArchiveScan, row: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    heights = row["heights"] or {}
    return {
        "name": scan.name,
        "level": row["level"],
        "age": facts["age"],
        "sex": facts["sex"],
        "grade": row["grade"],
        "fractured": facts["fractured"].get(row["level"]),
        "score": max(row["probabilities"].values(), default=None),
        "loss": heights.get("loss"),
        "height_loss_class": heights.get("class"),
        "agreement": row["agreement"],
        "body_hu": facts["body_hu"].get(row["level"]),
    }


def _written(rows: list[dict[str, Any]], columns: dict[str, str], path: Path) -> Path:
    import pandas as pd

    table = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    with atomic_file(path) as temporary:
        table.to_parquet(temporary, index=False)
    return path
