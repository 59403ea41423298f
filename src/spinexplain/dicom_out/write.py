"""All DICOM objects of a result, written to a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.dicom_out.result_context import MANUFACTURER, ResultContext, digest_of
from spinexplain.dicom_out.segmentation import OwnMask
from spinexplain.dicom_out.statement import ScanStatement, statement_of
from spinexplain.errors import FileFormatError
from spinexplain.findings.scan import ScanFindings
from spinexplain.io.dicom_references import DicomReferences
from spinexplain.io.quiet import quiet_dicom
from spinexplain.types import Explanation, LabelMap

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"


@dataclass(frozen=True, eq=False)
class DicomResult:
    """What DICOM objects are made from.

    Parameters
    ----------
    findings : ScanFindings
    references : DicomReferences
        Of the series that ``findings.volume`` was read from.
    labels : LabelMap or None
        VerSe labels on the grid of the CT; no segmentation without them.
    with_pdf : bool
        Whether to print the findings as an encapsulated PDF, which needs WeasyPrint.
    own_mask : OwnMask, optional
        Where the own localizer painted ``labels``.
    statement : ScanStatement, optional
        What to say instead of what follows from the findings: a reader's finalized result.
    replaced : tuple of pydicom Dataset
        Structured reports of earlier results that this one replaces.
    made_at : datetime, optional
        Now by default.
    """

    findings: ScanFindings
    references: DicomReferences
    labels: LabelMap | None = None
    with_pdf: bool = False
    own_mask: OwnMask | None = None
    statement: ScanStatement | None = None
    replaced: tuple[Dataset, ...] = ()
    made_at: datetime | None = None


def dicom_objects(result: DicomResult, context: ResultContext) -> dict[str, Dataset]:
    """Make the objects of a result.

    Parameters
    ----------
    result : DicomResult
    context : ResultContext
        Of this result, from :func:`context_of`.

    Returns
    -------
    dict of str to pydicom Dataset
        By file name without ending: ``structured-report``; ``segmentation`` where there is a
        mask; ``evidence`` where a suspicious vertebra is explained; ``key-image-1`` and on, and
        their ``key-note``; ``report`` where a PDF is wanted.

    Raises
    ------
    GeometryError
        If the volume does not lie on the lattice of the series.
    """
    from spinexplain.dicom_out.encapsulated_pdf import encapsulated_pdf
    from spinexplain.dicom_out.evidence_map import evidence_map, painted_evidence
    from spinexplain.dicom_out.key_images import key_images, key_note
    from spinexplain.dicom_out.key_pictures import key_pictures
    from spinexplain.dicom_out.print_page import print_pdf
    from spinexplain.dicom_out.segmentation import segmentation
    from spinexplain.dicom_out.structured_report import structured_report

    findings = result.findings
    result.references.check_volume(findings.volume)
    made: dict[str, Dataset | None] = {"structured-report": structured_report(context)}
    if result.labels is not None:
        made["segmentation"] = segmentation(context, result.labels, result.own_mask)
    heat = painted_evidence(_explanations(findings, context.statement), findings.volume)
    if heat is not None:
        made["evidence"] = evidence_map(context, heat)
    pictures = key_pictures(findings, context.statement)
    images = key_images(context, pictures)
    made |= {f"key-image-{number}": image for number, image in enumerate(images, start=1)}
    made["key-note"] = key_note(context, images)
    if result.with_pdf:
        pdf = print_pdf(findings, context.statement, pictures)
        made["report"] = encapsulated_pdf(context, pdf, "spinexplain report")
    return {name: dataset for name, dataset in made.items() if dataset is not None}


def context_of(result: DicomResult) -> ResultContext:
    """Return what the objects of a result share, with the digest that decides their UIDs."""
    from spinexplain.ui.pages import software_version

    statement = result.statement or statement_of(result.findings)
    version = software_version()
    parts = [statement.identity().encode(), version.encode()]
    parts += [one.sop_instance_uid.encode() for one in result.references.slices]
    parts += [str(one.SOPInstanceUID).encode() for one in result.replaced]
    if result.labels is not None:
        parts.append(np.ascontiguousarray(result.labels.array).tobytes())
    return ResultContext(
        references=result.references,
        statement=statement,
        digest=digest_of(parts),
        software_version=version,
        made_at=result.made_at or datetime.now(),
        replaced=result.replaced,
    )


def write_dicom(result: DicomResult, folder: Path) -> list[Path]:
    """Write the objects of a result and its FHIR bundle into an existing folder.

    Returns
    -------
    list of Path
        The DICOM files, then the FHIR file.
    """
    from spinexplain.dicom_out.fhir import write_fhir

    with quiet_dicom():
        context = context_of(result)
        objects = dicom_objects(result, context)
        paths = []
        for name, dataset in objects.items():
            path = folder / f"{name}.dcm"
            dataset.save_as(path, enforce_file_format=True)
            paths.append(path)
    return [*paths, write_fhir(context, objects, folder / "fhir.json")]


def read_replaced(folder: Path) -> tuple[Dataset, ...]:
    """Read the structured report of an earlier result, which a new one shall replace.

    Parameters
    ----------
    folder : Path
        What ``grade --dicom-out`` wrote.

    Raises
    ------
    FileFormatError
        If the folder holds no structured report of ours.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    path = folder / "structured-report.dcm"
    try:
        found = dcmread(path)
    except (OSError, InvalidDicomError):
        raise FileFormatError(
            f"{path}: no readable DICOM file; expected the structured report of the result to "
            "replace. Give the folder that --dicom-out wrote."
        ) from None
    if found.SOPClassUID != _COMPREHENSIVE_3D_SR or found.get("Manufacturer") != MANUFACTURER:
        raise FileFormatError(
            f"{path}: is no structured report of spinexplain; expected the result to replace. "
            "Give the folder that --dicom-out wrote."
        )
    return (found,)


def _explanations(findings: ScanFindings, statement: ScanStatement) -> list[Explanation]:
    suspicious = {one.level for one in statement.suspicious}
    return [
        item.assessments[0].explanation
        for item in findings.vertebrae
        if item.vertebra.level in suspicious
        and item.assessments
        and item.assessments[0].explanation is not None
    ]
