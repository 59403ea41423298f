"""The findings as a DICOM structured report after TID 1500, one point a vertebra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.dicom_out.codes import Code, code, grade_code, own_code
from spinexplain.dicom_out.result_context import MANUFACTURER, MODEL_NAME, ResultContext, lps
from spinexplain.dicom_out.segmentation import tracking_uid
from spinexplain.dicom_out.statement import HeightStatement, VertebraStatement
from spinexplain.io.dicom_references import DicomReferences
from spinexplain.types import ModelInfo

if TYPE_CHECKING:
    from highdicom import sr
    from pydicom.dataset import Dataset

NOT_FOR_DIAGNOSIS = (
    "Research result of software that is not a medical device. Not for diagnostic use. "
    "Heights are measured, grades and scores are a model's; neither replaces a reading."
)


def structured_report(context: ResultContext) -> sr.Comprehensive3DSR:
    """Make the structured report: a measurement group with a 3-D point for each vertebra.

    Parameters
    ----------
    context : ResultContext
        A result that a reader finalized is complete, final and verified; any other is partial
        and unverified. A correction names the report that it replaces.
    """
    from highdicom import sr

    images = images_at_vertebrae(context)
    content = sr.MeasurementReport(
        observation_context=_observers(context),
        procedure_reported=code("object", "report").concept,
        imaging_measurements=[_group(context, one) for one in context.statement.vertebrae],
        title=_title(),
        referenced_images=images,
    )[0]
    for text in (NOT_FOR_DIAGNOSIS, *context.statement.remarks):
        content.ContentSequence.append(_comment(text))
    made = sr.Comprehensive3DSR(
        evidence=images,
        content=content,
        previous_versions=list(context.replaced) or None,
        **context.identifiers("report"),
        **_verification(context),
    )
    made.ManufacturerModelName = MODEL_NAME
    made.SoftwareVersions = context.software_version
    if final := context.statement.finalization:
        # highdicom takes the moment of writing for that of the verification.
        moment = final.at.strftime("%Y%m%d%H%M%S%z")
        made.VerifyingObserverSequence[0].VerificationDateTime = moment
    context.finish(made)
    return made


def images_at_vertebrae(context: ResultContext) -> list[Dataset]:
    """Return the headers of the slices through the vertebrae's centers, each once, in order.

    An image library of every slice would be larger than all findings together.
    """
    references = context.references
    if references.is_multiframe:
        return [_as_single_frame(references)]
    to_voxel = np.linalg.inv(references.affine)
    last = len(references.slices) - 1
    depths = [to_voxel[2] @ [*one.center_mm, 1.0] for one in context.statement.vertebrae]
    nearest = sorted({int(np.clip(np.rint(depth), 0, last)) for depth in depths})
    return [references.headers[k] for k in nearest]


def _as_single_frame(references: DicomReferences) -> Dataset:
    """Describe a multi-frame image by its first frame, as the image library can take it."""
    from pydicom.dataset import Dataset

    header = Dataset(references.headers[0])
    axes = np.diag([-1.0, -1.0, 1.0]) @ references.affine[:3, :3]
    column_step, row_step, slice_step = np.linalg.norm(axes, axis=0).tolist()
    header.PixelSpacing = [row_step, column_step]
    header.SliceThickness = slice_step
    header.ImagePositionPatient = lps(references.affine[:3, 3]).tolist()
    header.ImageOrientationPatient = (axes[:, :2] / [column_step, row_step]).T.ravel().tolist()
    return header


def _title() -> Any:
    from pydicom.sr.codedict import codes

    return codes.DCM.ImagingMeasurementReport


def _comment(text: str) -> Any:
    from highdicom.sr import RelationshipTypeValues, TextContentItem

    return TextContentItem(
        name=code("object", "comment").concept,
        value=text,
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def _verification(context: ResultContext) -> dict[str, Any]:
    final = context.statement.finalization
    if final is None:
        return {"is_complete": False, "is_final": False, "is_verified": False}
    return {
        "is_complete": True,
        "is_final": True,
        "is_verified": True,
        "verifying_observer_name": final.reader,
        "verifying_organization": final.organization,
    }


def _observers(context: ResultContext) -> sr.ObservationContext:
    from highdicom import sr
    from pydicom.sr.codedict import codes

    device = sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=context.uid("device"),
            name=MODEL_NAME,
            manufacturer_name=MANUFACTURER,
            model_name=MODEL_NAME,
            serial_number=context.software_version,
        ),
    )
    final = context.statement.finalization
    if final is None:
        return sr.ObservationContext(observer_device_context=device)
    person = sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(
            name=final.reader, organization_name=final.organization
        ),
    )
    return sr.ObservationContext(observer_person_context=person, observer_device_context=device)


def _group(context: ResultContext, one: VertebraStatement) -> Any:
    from highdicom import sr

    software = sr.AlgorithmIdentification(MODEL_NAME, context.software_version)
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=tracking_uid(context, one.level), identifier=one.level.value
        ),
        referenced_region=sr.ImageRegion3D(
            "POINT",
            lps(one.center_mm)[None],
            frame_of_reference_uid=context.references.frame_of_reference_uid,
        ),
        finding_type=code("state", one.final.state).concept,
        finding_sites=[sr.FindingSite(code("level", one.level.value).concept)],
        measurements=[*_scores(one), *_heights(one.heights, software)] or None,
        qualitative_evaluations=[
            sr.QualitativeEvaluation(question.concept, answer.concept)
            for question, answer in evaluations(context, one)
        ],
    )


def evaluations(context: ResultContext, one: VertebraStatement) -> list[tuple[Code, Code]]:
    """Return what is said about a vertebra in words, as question and answer."""
    said = [("state", code("state", one.verdict.state))]
    if one.verdict.severity:
        said.append(("severity", code("severity", one.verdict.severity)))
    if one.heights is not None:
        said.append(("shape", code("shape", one.heights.shape)))
    if one.agreement is not None:
        said.append(("agreement", code("agreement", "yes" if one.agreement else "no")))
    if one.reader is not None:
        said.append(("reader_state", code("state", one.reader.state)))
        if one.reader.severity:
            said.append(("reader_severity", code("severity", one.reader.severity)))
        said += [(asked, code(table, answer)) for asked, table, answer in one.signs.said]
    said.append(("use", code("use", "read" if one.reader is not None else "research")))
    coded = [(code("question", question), answer) for question, answer in said]
    for opinion in one.opinions:
        asked = _question_to(context, "grade", opinion.model, "Grade chosen by")
        coded.append((asked, grade_code(opinion.grade)))
    for model, reason in one.refusals:
        asked = _question_to(context, "refusal", model, "Not assessable by")
        coded.append((asked, own_code("WHY", reason, reason.replace("_", " "))))
    return coded


def _question_to(context: ResultContext, question: str, model: ModelInfo, words: str) -> Code:
    """Ask a model; where there are several, by its name."""
    if len(context.statement.models) == 1:
        return code("question", question)
    return own_code(question[:6].upper(), model.name, f"{words} {model.name}")


def _scores(one: VertebraStatement) -> list[sr.Measurement]:
    """Return one number a class and model; the algorithm beside it names the model."""
    return [
        _measurement(
            own_code("SCORE", name, f"Model score of {name}"), score, "1", _algorithm(opinion.model)
        )
        for opinion in one.opinions
        for name, score in opinion.scores
    ]


def _algorithm(model: ModelInfo) -> sr.AlgorithmIdentification:
    from highdicom import sr

    return sr.AlgorithmIdentification(
        model.name,
        model.version,
        parameters=[f"sha256 {model.sha256}", f"trained on: {model.trained_on}"],
    )


def _heights(
    heights: HeightStatement | None, software: sr.AlgorithmIdentification
) -> list[sr.Measurement]:
    if heights is None:
        return []
    low, high = heights.loss_interval
    rows = [
        ("anterior_mm", heights.anterior_mm, "mm"),
        ("middle_mm", heights.middle_mm, "mm"),
        ("posterior_mm", heights.posterior_mm, "mm"),
        ("loss", 100 * heights.loss, "%"),
        ("loss_low", 100 * low, "%"),
        ("loss_high", 100 * high, "%"),
    ]
    return [
        _measurement(code("measure", name), value, unit, software)
        for name, value, unit in rows
        if np.isfinite(value)
    ]


def _measurement(
    name: Code, value: float, unit: str, algorithm: sr.AlgorithmIdentification
) -> sr.Measurement:
    """Return a number. Without its algorithm, a number on its own hides the report in OHIF."""
    from highdicom import sr

    return sr.Measurement(
        name=name.concept,
        value=round(float(value), 4),
        unit=code("unit", unit).concept,
        algorithm_id=algorithm,
    )
