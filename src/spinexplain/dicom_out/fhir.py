"""The findings as FHIR R4: a DiagnosticReport and one Observation a vertebra."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.dicom_out.codes import Code, code, grade_code, own_code
from spinexplain.dicom_out.result_context import MODEL_NAME, ResultContext
from spinexplain.dicom_out.statement import HeightStatement, VertebraStatement
from spinexplain.dicom_out.structured_report import NOT_FOR_DIAGNOSIS
from spinexplain.io.files import atomic_file

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "UCUM": "http://unitsofmeasure.org",
}
_OWN_SYSTEM = "urn:spinexplain:codes"
_PRIORITY_TAG = "urn:spinexplain:priority"
_UID_SYSTEM = "urn:dicom:uid"


def write_fhir(context: ResultContext, objects: Mapping[str, Dataset], path: Path) -> Path:
    """Write the findings as one FHIR R4 bundle.

    Parameters
    ----------
    context : ResultContext
    objects : mapping of str to pydicom Dataset
        The DICOM objects of the same result, which the report points at.
    path : Path
    """
    with atomic_file(path) as temporary:
        text = json.dumps(bundle(context, objects), indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def bundle(context: ResultContext, objects: Mapping[str, Dataset]) -> dict[str, Any]:
    """Return a collection of a DiagnosticReport, its Observations and the ImagingStudy.

    A result that no reader finalized is *preliminary*; ``meta.tag`` carries ``urgent`` where a
    fracture is suspected, so that a worklist can sort without reading on.
    """
    observations = [_observation(context, one) for one in context.statement.vertebrae]
    report = _report(context, observations)
    study = _study(context, objects)
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _moment(context),
        "entry": [
            {"fullUrl": f"urn:uuid:{one['id']}", "resource": one}
            for one in (report, *observations, study)
        ],
    }


def _report(context: ResultContext, observations: list[dict[str, Any]]) -> dict[str, Any]:
    suspected = context.statement.suspicious
    names = "; ".join(f"{one.level.value}: {one.final.words}" for one in suspected)
    return {
        "resourceType": "DiagnosticReport",
        "id": _uuid(context, "report"),
        "meta": {"tag": [{"system": _PRIORITY_TAG, "code": "urgent" if suspected else "routine"}]},
        "identifier": [{"system": _UID_SYSTEM, "value": f"urn:oid:{context.uid('report', '1')}"}],
        "status": _status(context),
        "category": [{"text": "Radiology"}],
        "code": _concept(code("object", "report")),
        "subject": _subject(context),
        "effectiveDateTime": _moment(context),
        "issued": _moment(context),
        "result": [{"reference": f"urn:uuid:{one['id']}"} for one in observations],
        "imagingStudy": [{"reference": f"urn:uuid:{_uuid(context, 'study')}"}],
        "conclusion": f"{names or 'No vertebral fracture suspected'}. {NOT_FOR_DIAGNOSIS}",
    }


def _status(context: ResultContext) -> str:
    if context.statement.finalization is None:
        return "preliminary"
    return "corrected" if context.replaced else "final"


def _observation(context: ResultContext, one: VertebraStatement) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": _uuid(context, one.level.value),
        # A level that the reader said nothing of is the machine's even in a finalized result.
        "status": "preliminary" if one.reader is None else _status(context),
        "code": _concept(code("question", "state")),
        "subject": _subject(context),
        "effectiveDateTime": _moment(context),
        "bodySite": _concept(code("level", one.level.value)),
        "device": {"display": f"{MODEL_NAME} {context.software_version}"},
        "valueCodeableConcept": _concept(code("state", one.final.state), one.final.words),
        "component": _components(one),
    }
    if one.refusal:
        made["note"] = [{"text": one.refusal}]
    return {key: value for key, value in made.items() if value != []}


def _components(one: VertebraStatement) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if one.final.severity:
        severity = _concept(code("severity", one.final.severity))
        found.append(_component(code("question", "severity"), valueCodeableConcept=severity))
    for question, table, answer in one.signs.said:
        concept = _concept(code(table, answer))
        found.append(_component(code("question", question), valueCodeableConcept=concept))
    for opinion in one.opinions:
        grade = _concept(grade_code(opinion.grade), f"{opinion.grade} by {opinion.model.name}")
        found.append(_component(code("question", "grade"), valueCodeableConcept=grade))
        for name, score in opinion.scores:
            asked = own_code("SCORE", name, f"Model score of {name}")
            found.append(_component(asked, valueQuantity=_quantity(score, "1")))
    return found + _height_components(one.heights)


def _height_components(heights: HeightStatement | None) -> list[dict[str, Any]]:
    if heights is None:
        return []
    rows = [
        ("anterior_mm", heights.anterior_mm, "mm"),
        ("middle_mm", heights.middle_mm, "mm"),
        ("posterior_mm", heights.posterior_mm, "mm"),
        ("loss", 100 * heights.loss, "%"),
        ("loss_low", 100 * heights.loss_interval[0], "%"),
        ("loss_high", 100 * heights.loss_interval[1], "%"),
    ]
    return [
        _component(code("measure", name), valueQuantity=_quantity(value, unit))
        for name, value, unit in rows
    ]


def _study(context: ResultContext, objects: Mapping[str, Dataset]) -> dict[str, Any]:
    series: dict[str, dict[str, Any]] = {}
    for one in objects.values():
        entry = series.setdefault(
            str(one.SeriesInstanceUID),
            {
                "uid": str(one.SeriesInstanceUID),
                "modality": {"system": _SYSTEMS["DCM"], "code": str(one.Modality)},
                "instance": [],
            },
        )
        kind = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{one.SOPClassUID}"}
        entry["instance"].append({"uid": str(one.SOPInstanceUID), "sopClass": kind})
    return {
        "resourceType": "ImagingStudy",
        "id": _uuid(context, "study"),
        "identifier": [{"system": _UID_SYSTEM, "value": f"urn:oid:{context.references.study_uid}"}],
        "status": "available",
        "subject": _subject(context),
        "series": list(series.values()),
    }


def _subject(context: ResultContext) -> dict[str, Any]:
    """Name the patient by the identifier of the CT alone."""
    number = str(context.references.headers[0].get("PatientID") or "")
    return {"identifier": {"value": number}} if number else {"display": "unknown patient"}


def _component(asked: Code, **value: Any) -> dict[str, Any]:
    return {"code": _concept(asked), **value}


def _concept(one: Code, text: str | None = None) -> dict[str, Any]:
    system = _SYSTEMS.get(one.scheme, _OWN_SYSTEM)
    coding = {"system": system, "code": one.value, "display": one.meaning}
    return {"coding": [coding], "text": text or one.meaning}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {
        "value": round(float(value), 4),
        "unit": unit,
        "system": _SYSTEMS["UCUM"],
        "code": unit,
    }


def _moment(context: ResultContext) -> str:
    return context.made_at.astimezone().isoformat(timespec="seconds")


def _uuid(context: ResultContext, *what: str) -> str:
    """Return a deterministic UUID: the same result has the same resources."""
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_OID, context.uid("fhir", *what)))
