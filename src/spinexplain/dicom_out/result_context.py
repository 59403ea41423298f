"""What all objects of one result share: the CT, deterministic UIDs, series, equipment, status."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.dicom_out.codes import declare_scheme
from spinexplain.dicom_out.statement import ScanStatement
from spinexplain.io.dicom_references import DicomReferences

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MANUFACTURER = "spinexplain"
MODEL_NAME = "spinexplain"
CREATOR = "Software^spinexplain"  # a person name, as DICOM wants one
SERIES_STEP = 10
_LPS_OF_RAS = np.array([-1.0, -1.0, 1.0])

# Kind of object: series number of the first version, what the series description calls it.
KINDS = {
    "segmentation": (9001, "vertebrae"),
    "evidence": (9002, "evidence map"),
    "key-images": (9003, "key images"),
    "key-note": (9004, "key object note"),
    "report": (9005, "structured report"),
    "pdf": (9006, "report"),
}


@dataclass(frozen=True, eq=False)
class ResultContext:
    """What all objects of one result share.

    Parameters
    ----------
    references : DicomReferences
        The CT.
    statement : ScanStatement
    digest : str
        Hash of everything the objects are made from; it decides their UIDs, so that the same
        result has the same instances and another one has others.
    software_version : str
    made_at : datetime
    replaced : tuple of pydicom Dataset
        The structured reports of the result that this one replaces; empty for the first.
    """

    references: DicomReferences
    statement: ScanStatement
    digest: str
    software_version: str
    made_at: datetime
    replaced: tuple[Dataset, ...] = ()

    def uid(self, *what: str) -> str:
        """Return the UID of a part of this result: the same parts have the same UID."""
        from pydicom.uid import generate_uid

        parts = (self.references.series_uid, self.digest, *what)
        return str(generate_uid(entropy_srcs=["\n".join(parts)]))

    @property
    def revision(self) -> int:
        """0 for the first result of a scan, 1 for its first correction, and so on."""
        numbers = [int(one.SeriesNumber) - KINDS["report"][0] for one in self.replaced]
        return max((number // SERIES_STEP + 1 for number in numbers), default=0)

    def identifiers(self, kind: str, instance: int = 1) -> dict[str, Any]:
        """Return series and instance of an object, as highdicom's constructors take them."""
        return {
            "series_instance_uid": self.uid(kind),
            "series_number": KINDS[kind][0] + SERIES_STEP * self.revision,
            "sop_instance_uid": self.uid(kind, str(instance)),
            "instance_number": instance,
            "series_description": self.series_description(kind),
            "manufacturer": MANUFACTURER,
        }

    def equipment(self) -> dict[str, Any]:
        """Return what derived images say about what made them."""
        return {
            "manufacturer_model_name": MODEL_NAME,
            "software_versions": self.software_version,
            "device_serial_number": self.digest[:16],
        }

    def series_description(self, kind: str) -> str:
        """Name a series with its status; a correction says that it replaces another."""
        again = ", corrected" if self.replaced else ""
        return f"spinexplain {KINDS[kind][1]} ({self.statement.status}{again})"

    def finish(self, dataset: Dataset) -> Dataset:
        """Set what is the same in every object: times, character set, coding scheme."""
        dataset.SpecificCharacterSet = "ISO_IR 192"
        day, time = self.made_at.strftime("%Y%m%d"), self.made_at.strftime("%H%M%S")
        for prefix in ("Content", "InstanceCreation", "Series"):
            setattr(dataset, f"{prefix}Date", day)
            setattr(dataset, f"{prefix}Time", time)
        if "DateOfSecondaryCapture" in dataset:
            dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = day, time
        for equipment in dataset.get("ContributingEquipmentSequence", []):
            equipment.ContributionDateTime = day + time
        declare_scheme(dataset)
        return dataset


def digest_of(parts: Iterable[bytes]) -> str:
    """Hash parts in order, each with its length, so that no two lists look alike.

    Examples
    --------
    >>> digest_of([b"ab", b"c"]) == digest_of([b"a", b"bc"])
    False
    """
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.hexdigest()


def lps(point_mm: Iterable[float]) -> np.ndarray:
    """Turn RAS+ mm into DICOM's LPS mm.

    Examples
    --------
    >>> lps((1.0, 2.0, 3.0)).tolist()
    [-1.0, -2.0, 3.0]
    """
    return _LPS_OF_RAS * np.asarray(list(point_mm), dtype=float)


def in_source_order(array: np.ndarray, references: DicomReferences) -> np.ndarray:
    """Order a volume's slices as the source images list them, as rows and columns.

    Parameters
    ----------
    array : ndarray, shape (columns, rows, slices)
        On the lattice of the CT.

    Returns
    -------
    ndarray, shape (frames, rows, columns)
        One frame a header, or one a frame of the multi-frame source; zero where a frame is
        not part of the volume.
    """
    planes = array.transpose(2, 1, 0)
    if not references.is_multiframe:
        return np.ascontiguousarray(planes)
    frames = np.zeros((int(references.headers[0].NumberOfFrames), *planes.shape[1:]), array.dtype)
    for k, one in enumerate(references.slices):
        assert one.frame is not None
        frames[one.frame - 1] = planes[k]
    return frames
