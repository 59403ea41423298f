"""What a cohort holds: its arrays, the columns of its index, and the version of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

COHORT_SCHEMA = "spinexplain/cohort/1"

MARGIN_SHAPE_2D = (144, 144)
MARGIN_SHAPE_3D = (112, 112, 112)
SPACING_MM = 1.0

GRADES = ("G0", "G1", "G2", "G3")
FOREIGN_MATERIAL = "x"
SPLITS = ("training", "validation", "test")


@dataclass(frozen=True)
class Kind:
    """One array of a cohort: a patch per vertebra."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    meaning: str

    @property
    def is_patch(self) -> bool:
        """Whether it holds HU (the others hold labels)."""
        return self.name.startswith("patches")


_MEANINGS = {
    "patches": ("int16", "HU"),
    "labels": ("uint8", "VerSe label of the vertebra at each sample"),
    "body": ("uint8", "VerSe label where the sample lies in a vertebral body, else 0"),
    "evidence": ("uint8", "1 where the fracture changed the bone (known for phantoms only)"),
    "shortcut": ("uint8", "1 where a planted artefact betrays the grade (phantoms only)"),
    "part": ("uint8", "endplate and sixth of the depth of the vertebra, 1 to 12 (phantoms only)"),
}

KINDS = {
    f"{stem}_{suffix}": Kind(f"{stem}_{suffix}", shape, dtype, meaning)
    for suffix, shape in (("2d", MARGIN_SHAPE_2D), ("3d", MARGIN_SHAPE_3D))
    for stem, (dtype, meaning) in _MEANINGS.items()
}


def index_schema() -> pa.Schema:
    """Return the columns of the index, one row a vertebra.

    Examples
    --------
    >>> index_schema().field("grade").type
    DataType(string)
    """
    import pyarrow as pa

    text, number, numbers = pa.string(), pa.float64(), pa.list_(pa.float64())
    columns = {
        "subject": text,
        "series": text,
        "level": text,
        "grade": text,
        "ratings": pa.list_(text),
        "shape": text,
        "loss": number,
        "measured_loss": number,
        "measured_loss_sd": number,
        "measured_broad_loss": number,
        "displacement_mm": numbers,
        "split": text,
        "fold": pa.int16(),
        "flags": pa.list_(text),
        "twin_id": text,
        "healthy_twin": pa.bool_(),
        "synthetic": pa.bool_(),
        "seed": pa.int64(),
        "centroid_mm": numbers,
        "native_spacing_mm": numbers,
        "scan_shape": numbers,
        "scan_affine": numbers,
        "sheet_knots_mm": numbers,
        "sheet_s_center_mm": number,
        "sheet_y_center_mm": number,
        "box_center_mm": numbers,
        "box_axes": numbers,
        "outside_2d": number,
        "outside_3d": number,
        "ct_sha256": text,
        "mask_sha256": text,
        "centroids_sha256": text,
        "kinds": pa.list_(text),
        "shard": text,
        "position": pa.int32(),
        "cohort_schema": text,
    }
    return pa.schema(list(columns.items()), metadata={"cohort_schema": COHORT_SCHEMA})
