"""The report as a PDF inside a DICOM object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spinexplain.dicom_out.codes import code
from spinexplain.dicom_out.result_context import MODEL_NAME, ResultContext

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_EXPLICIT = "1.2.840.10008.1.2.1"
_FROM_CT = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "IssuerOfPatientID",
    "OtherPatientIDsSequence",
    "PatientAge",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def encapsulated_pdf(context: ResultContext, pdf: bytes, title: str) -> Dataset:
    """Wrap a PDF as a DICOM object of the CT's study.

    Parameters
    ----------
    context : ResultContext
    pdf : bytes
    title : str
        Document title.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    identifiers = context.identifiers("pdf")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(_ENCAPSULATED_PDF)
    meta.MediaStorageSOPInstanceUID = UID(identifiers["sop_instance_uid"])
    meta.TransferSyntaxUID = UID(_EXPLICIT)
    made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID = _ENCAPSULATED_PDF
    made.SOPInstanceUID = identifiers["sop_instance_uid"]
    header = context.references.headers[0]
    for keyword in _FROM_CT:
        if keyword in header:
            setattr(made, keyword, header[keyword].value)
    made.SeriesInstanceUID = identifiers["series_instance_uid"]
    made.SeriesNumber = identifiers["series_number"]
    made.SeriesDescription = identifiers["series_description"]
    made.InstanceNumber = identifiers["instance_number"]
    made.Modality = "DOC"
    made.Manufacturer = identifiers["manufacturer"]
    made.ManufacturerModelName = MODEL_NAME
    made.SoftwareVersions = context.software_version
    made.ConversionType = "WSD"
    made.BurnedInAnnotation = "YES"
    made.AcquisitionDateTime = context.made_at.strftime("%Y%m%d%H%M%S")
    made.DocumentTitle = title
    made.ConceptNameCodeSequence = [code("object", "report").concept]
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)  # DICOM values have even lengths
    made.EncapsulatedDocumentLength = len(pdf)
    return context.finish(made)
