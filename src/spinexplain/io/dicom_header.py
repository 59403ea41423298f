"""What one DICOM file says about its series and its slices, nothing that names anyone.

Only the tags listed here are ever read; names and birth dates of patients are not even parsed, so
that they cannot reach a message, a log or a file name. Age, sex and study date are read for the
head of a report alone, by :func:`study_values`; of the patient's identifier only a keyed hash
comes out, by :func:`patient_key`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from spinexplain.errors import FileFormatError
from spinexplain.io.dicom_slices import SliceHeader, slices_of
from spinexplain.io.dicom_values import UnusableError, numbers_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT Image Storage
    "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT Image Storage
)
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
HEAD_BYTES = 132  # preamble and magic
_TAGS = (
    "AcquisitionNumber",
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "HighBit",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "ImageType",
    "Modality",
    "ModalityLUTSequence",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "PixelPaddingRangeLimit",
    "PixelPaddingValue",
    "PerFrameFunctionalGroupsSequence",
    "PixelRepresentation",
    "PixelSpacing",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "Rows",
    "SOPClassUID",
    "SamplesPerPixel",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SharedFunctionalGroupsSequence",
    "SliceThickness",
)
_STUDY_TAGS = (
    "ContrastBolusAgent",
    "ConvolutionKernel",
    "KVP",
    "PatientAge",
    "PatientSex",
    "SeriesDescription",
    "SeriesNumber",
    "SharedFunctionalGroupsSequence",
    "SliceThickness",
    "StudyDate",
)
MODALITIES = frozenset(
    [
        "CT",
        "MR",
        "PT",
        "NM",
        "US",
        "CR",
        "DX",
        "DR",
        "MG",
        "XA",
        "RF",
        "SR",
        "SEG",
        "PR",
        "KO",
        "OT",
        "SC",
        "REG",
        "DOC",
        "PX",
        "IO",
        "ES",
        "XC",
        "SM",
        "ECG",
        "RTSTRUCT",
        "RTPLAN",
        "RTDOSE",
        "RTIMAGE",
        "RWV",
        "BMD",
    ]
)


@dataclass(frozen=True)
class FileHeader:
    """What one file says about its series.

    Parameters
    ----------
    source : int
        Number of the file in the listing.
    name : str
        File name without folders.
    series_uid, series_number, description, modality : str
    kind : str
        Name of the SOP class, e.g. ``"CT Image Storage"``; empty where it is missing or unknown.
    is_ct : bool
        Whether it is of one of the CT image classes.
    thickness_mm : float or None
    transfer_syntax : str
    slices : tuple of SliceHeader
        Empty where ``problem`` says why.
    problem : str
        Why the file cannot be part of a CT volume; empty if it can.
    """

    source: int
    name: str
    series_uid: str
    series_number: str
    description: str
    modality: str
    kind: str
    is_ct: bool
    thickness_mm: float | None
    transfer_syntax: str
    slices: tuple[SliceHeader, ...]
    problem: str

    @property
    def deflated(self) -> bool:
        """Whether the whole data set is compressed with deflate."""
        return self.transfer_syntax == _DEFLATED


def looks_like_dicom(head: bytes) -> bool:
    """Whether the first ``HEAD_BYTES`` of a file start a DICOM data set, with or without preamble.

    Examples
    --------
    >>> looks_like_dicom(bytes(128) + b"DICM"), looks_like_dicom(b"{}")
    (True, False)
    """
    if head[128:132] == b"DICM":
        return True
    # Without a preamble the first element is of group 0002 or 0008 with a small number.
    return len(head) == HEAD_BYTES and head[:2] in (b"\x02\x00", b"\x08\x00") and head[3] == 0


def read_header(stream: BinaryIO, source: int, name: str) -> FileHeader | None:
    """Read the header of one DICOM file, or None for a DICOMDIR.

    Parameters
    ----------
    stream : binary file
        At its start, which :func:`looks_like_dicom`.
    source : int
        Number of the file in the listing.
    name : str
        File name, for messages.

    Returns
    -------
    FileHeader or None
        None for DICOMDIR.

    Raises
    ------
    FileFormatError
        If it starts as DICOM but cannot be parsed.
    """
    dataset = _parsed(stream, name)
    try:
        header = _file_header(dataset, source, name)
    except Exception as error:  # values are converted on access: any error can come
        raise _damaged(name, type(error).__name__) from None
    if header is not None and not header.series_uid and (header.is_ct or not header.kind):
        raise _damaged(name, "no Series Instance UID")  # cut short: never lose a slice silently
    return header


def study_values(stream: BinaryIO) -> dict[str, object]:
    """Read what a file says about its study, for the head of a report.

    Parameters
    ----------
    stream : binary file
        At its start.

    Returns
    -------
    dict of str to text
        By keyword; what is missing or cannot be read is left out. Kernel and thickness of an
        enhanced CT come from what all its frames share.
    """
    from pydicom import dcmread

    try:
        dataset = dcmread(
            stream, stop_before_pixels=True, force=True, specific_tags=list(_STUDY_TAGS)
        )
    except Exception:  # the voxels' reader says what is wrong with the file
        return {}
    said = {tag: _text(dataset, tag) for tag in _STUDY_TAGS if not tag.endswith("Sequence")}
    for keyword, group in (
        ("ConvolutionKernel", "CTReconstructionSequence"),
        ("SliceThickness", "PixelMeasuresSequence"),
    ):
        said[keyword] = said[keyword] or _shared_text(dataset, group, keyword)
    return {keyword: text for keyword, text in said.items() if text}


def patient_key(stream: BinaryIO, secret: bytes) -> str:
    """Say whether two files are of one patient, without saying of whom.

    Parameters
    ----------
    stream : binary file
        At its start.
    secret : bytes
        Without it nobody can try identifiers until one fits.

    Returns
    -------
    str
        Sixteen hexadecimal digits of a keyed hash (HMAC-SHA-256) of the identifier and who issued
        it; empty where the file has none.
    """
    from pydicom import dcmread

    tags = ["PatientID", "IssuerOfPatientID"]
    try:
        dataset = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=tags)
    except Exception:  # the voxels' reader says what is wrong with the file
        return ""
    number, issuer = (_text(dataset, tag) for tag in tags)
    said = f"{issuer}\n{number}".encode()
    return hmac.new(secret, said, "sha256").hexdigest()[:16] if number else ""


def _shared_text(dataset: Dataset, group: str, keyword: str) -> str:
    try:
        return _text(dataset.SharedFunctionalGroupsSequence[0][group][0], keyword)
    except Exception:  # values are converted on access: any error can come
        return ""


def _parsed(stream: BinaryIO, name: str) -> Dataset:
    from pydicom import dcmread

    try:
        return dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
    except Exception as error:  # on broken bytes pydicom raises almost any class
        raise _damaged(name, type(error).__name__) from None


def _damaged(name: str, reason: str) -> FileFormatError:
    return FileFormatError(
        f"{name}: starts like a DICOM file but cannot be parsed ({reason}); "
        "expected a whole file. Export the series again."
    )


def _file_header(dataset: Dataset, source: int, name: str) -> FileHeader | None:
    from pydicom.uid import UID

    meta = dataset.file_meta
    kind = str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or "")
    if kind == _DIRECTORY_CLASS:
        return None
    header = partial(
        FileHeader,
        source=source,
        name=name,
        series_uid=_text(dataset, "SeriesInstanceUID"),
        series_number=_text(dataset, "SeriesNumber"),
        description=_text(dataset, "SeriesDescription"),
        modality=_modality(dataset),
        kind=UID(kind).name if UID(kind).name != kind else "",
        is_ct=kind in CT_CLASSES,
        thickness_mm=_thickness(dataset),
        transfer_syntax=str(meta.get("TransferSyntaxUID") or _guessed_syntax(dataset)),
    )
    try:
        return header(slices=slices_of(dataset, source, _modality(dataset)), problem="")
    except UnusableError as reason:
        return header(slices=(), problem=str(reason))
    except Exception as error:  # one odd value spoils its own series, not the whole folder
        return header(slices=(), problem=f"a value that cannot be read ({type(error).__name__})")


def _guessed_syntax(dataset: Dataset) -> str:
    implicit, _ = dataset.original_encoding
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"


def _text(dataset: Dataset, keyword: str) -> str:
    """Return a value as one printable line of at most 64 characters."""
    try:
        value = dataset.get(keyword)
    except Exception:  # values are converted on access: any error can come
        value = None
    text = " ".join(str("" if value is None else value).split())
    return "".join(char for char in text if char.isprintable())[:64]


def _thickness(dataset: Dataset) -> float | None:
    try:
        found = numbers_of(dataset, "SliceThickness", 1)
    except UnusableError:  # only shown to people
        return None
    return found[0] if found else None


def _modality(dataset: Dataset) -> str:
    """Return the modality if it is one of DICOM's codes: free text may hold a patient's name."""
    found = _text(dataset, "Modality")
    return found if found in MODALITIES or not found else "unknown"
