"""DICOM series written slice by slice from a volume that the test knows."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

PATIENT = "DOE^JANE"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
EXPLICIT = "1.2.840.10008.1.2.1"


@dataclass
class Written:
    """A series to write: its volume, and how to store it."""

    array: np.ndarray  # (columns, rows, slices), HU
    affine: np.ndarray  # index to RAS+ mm
    slope: float = 1.0
    intercept: float = -1024.0
    signed: bool = False
    bits: int = 16
    syntax: str = EXPLICIT
    uid: str = "1.2.3.4"
    number: int = 2
    tags: dict = field(default_factory=dict)

    def lps(self) -> np.ndarray:
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine

    def stored(self, k: int) -> np.ndarray:
        stored = np.rint((self.array[:, :, k].T - self.intercept) / self.slope)
        return stored.astype(np.int16 if self.signed else np.uint16)


def ds_numbers(values) -> list:
    from pydicom.valuerep import DSfloat

    return [DSfloat(float(value), auto_format=True) for value in np.ravel(values)]


def patient_tags(dataset) -> None:
    """Plant the patient's name in every patient tag that takes text, and in some others."""
    from pydicom.datadict import DicomDictionary

    for tag, (vr, *_) in DicomDictionary.items():
        if tag >> 16 == 0x0010 and vr in ("PN", "LO", "SH", "LT", "ST", "UT", "UC"):
            dataset.add_new(tag, vr, PATIENT)
    for keyword in ("ReferringPhysicianName", "OperatorsName", "RequestingPhysician"):
        setattr(dataset, keyword, PATIENT)
    dataset.AccessionNumber = PATIENT
    dataset.StudyDescription = PATIENT
    dataset.AdditionalPatientHistory = PATIENT


def new_dataset(series: Written, kind: str = CT, instance: int = 1):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(kind)
    meta.MediaStorageSOPInstanceUID = UID(f"{series.uid}.{instance}")
    meta.TransferSyntaxUID = UID(EXPLICIT)
    dataset = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID = kind
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.SeriesInstanceUID = series.uid
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesNumber = series.number
    dataset.InstanceNumber = instance
    dataset.Modality = "CT"
    patient_tags(dataset)
    rows, columns = series.array.shape[1], series.array.shape[0]
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, series.bits, series.bits - 1
    dataset.PixelRepresentation = int(series.signed)
    return dataset


def slice_dataset(series: Written, k: int):
    """Return one classic CT slice of the volume, uncompressed."""
    lps = series.lps()
    dataset = new_dataset(series, instance=k + 1)
    dataset.ImagePositionPatient = ds_numbers(lps[:3, 2] * k + lps[:3, 3])
    lengths = np.linalg.norm(lps[:3, :2], axis=0)
    dataset.ImageOrientationPatient = ds_numbers((lps[:3, :2] / lengths).T)
    dataset.PixelSpacing = ds_numbers(lengths[::-1])
    dataset.SliceThickness = ds_numbers(np.linalg.norm(lps[:3, 2]))[0]
    dataset.RescaleSlope, dataset.RescaleIntercept = ds_numbers([series.slope, series.intercept])
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.PixelData = series.stored(k).tobytes()
    for keyword, value in series.tags.items():
        setattr(dataset, keyword, value)
    return dataset


def enhanced_dataset(series: Written, order):
    """Return one enhanced multi-frame CT that holds the slices in ``order``."""
    from pydicom.dataset import Dataset

    dataset = new_dataset(series, ENHANCED_CT)
    dataset.NumberOfFrames = len(order)
    shared, frames = Dataset(), []
    for k in order:
        one = slice_dataset(series, k)
        measures, plane, orientation, rescale = Dataset(), Dataset(), Dataset(), Dataset()
        measures.PixelSpacing = one.PixelSpacing
        plane.ImagePositionPatient = one.ImagePositionPatient
        orientation.ImageOrientationPatient = one.ImageOrientationPatient
        rescale.RescaleSlope, rescale.RescaleIntercept = one.RescaleSlope, one.RescaleIntercept
        rescale.RescaleType = "HU"
        frame = Dataset()
        frame.PlanePositionSequence = [plane]
        frame.PixelValueTransformationSequence = [rescale]
        frames.append(frame)
        shared.PixelMeasuresSequence = [measures]
        shared.PlaneOrientationSequence = [orientation]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.PixelData = b"".join(series.stored(k).tobytes() for k in order)
    return dataset


def save(dataset, path: Path, syntax: str = EXPLICIT) -> None:
    """Write a data set in any transfer syntax that can be encoded here."""
    from pydicom import dcmwrite
    from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

    uid = UID(syntax)
    if uid.is_compressed and uid != DeflatedExplicitVRLittleEndian:
        dataset.compress(uid, generate_instance_uid=False)
    else:
        dataset.file_meta.TransferSyntaxUID = uid
    if uid == ExplicitVRBigEndian:
        stored = np.frombuffer(dataset.PixelData, np.uint16)
        dataset.PixelData = stored.byteswap().tobytes()
        order = {"implicit_vr": False, "little_endian": False, "force_encoding": True}
        dcmwrite(path, dataset, **order)
    else:
        dataset.save_as(path, enforce_file_format=True)


@dataclass
class Writer:
    """What the tests use to make DICOM files."""

    Series = Written
    slice = staticmethod(slice_dataset)
    enhanced = staticmethod(enhanced_dataset)
    save = staticmethod(save)
    patient = PATIENT

    def folder(self, folder: Path, series: Written, rng=None, skip=()) -> Path:
        """Write the slices under names without order or extension, shuffled."""
        folder.mkdir(parents=True, exist_ok=True)
        order = np.arange(series.array.shape[2])
        (rng or np.random.default_rng(0)).shuffle(order)
        for name, k in enumerate(order):
            if k not in skip:
                save(slice_dataset(series, k), folder / f"I{series.number}{name}", series.syntax)
        return folder

    @staticmethod
    def volume(shape=(7, 6, 5), spacing=(0.7, 0.8, 2.0), seed=0, low=-1000, high=1500) -> Written:
        array = np.random.default_rng(seed).integers(low, high, shape).astype(np.int16)
        affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
        affine[:3, 3] = [100.0, 80.0, -300.0]
        return Written(array, affine)


@pytest.fixture(scope="session")
def dicom() -> Writer:
    """Writer of DICOM series."""
    return Writer()


@pytest.fixture(scope="session")
def jpeg_streams():
    """Encoders that write JPEG bit by bit."""
    path = Path(__file__).parent / "jpeg_streams.py"
    spec = importlib.util.spec_from_file_location("jpeg_streams", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
