import json
from dataclasses import replace
from datetime import datetime

import pytest

from spinexplain.dicom_out.fhir import bundle
from spinexplain.dicom_out.statement import (
    Finalization,
    ReaderSigns,
    finalized,
    statement_of,
)
from spinexplain.dicom_out.write import context_of, dicom_objects


@pytest.fixture(scope="session")
def content(written):
    return json.loads((written() / "fhir.json").read_text(encoding="utf-8"))


def _of_type(content, kind):
    return [e["resource"] for e in content["entry"] if e["resource"]["resourceType"] == kind]


def test_fhir_resources_accepts_it(content):
    from fhir.resources.R4B.bundle import Bundle

    parsed = Bundle.model_validate(content)
    assert json.loads(parsed.model_dump_json())["entry"][0]["resource"]["status"] == "preliminary"


def test_one_observation_a_vertebra(content):
    observations = _of_type(content, "Observation")
    sites = [one["bodySite"]["coding"][0]["display"] for one in observations]
    assert sites == ["T12 vertebra", "L1 vertebra", "L2 vertebra"]
    said = [one["valueCodeableConcept"]["text"] for one in observations]
    assert said == ["no suspicion", "fracture suspected, moderate", "not assessable"]
    numbers = {
        part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"]
        for part in observations[1]["component"]
        if "valueQuantity" in part
    }
    assert numbers["HEIGHT-LOSS"] == pytest.approx(31.0)
    assert numbers["SCORE-G2"] == pytest.approx(0.67)


def test_the_report_names_results_study_and_priority(content):
    (report,) = _of_type(content, "DiagnosticReport")
    known = {entry["fullUrl"] for entry in content["entry"]}
    assert {one["reference"] for one in report["result"]} <= known
    assert report["imagingStudy"][0]["reference"] in known
    assert report["meta"]["tag"][0]["code"] == "urgent"
    assert "L1: fracture suspected, moderate" in report["conclusion"]
    assert "Not for diagnostic use" in report["conclusion"]
    (study,) = _of_type(content, "ImagingStudy")
    assert study["identifier"][0]["value"] == "urn:oid:1.2.826.0.1.3680043.8.498.11"
    modalities = sorted(one["modality"]["code"] for one in study["series"])
    assert modalities == ["DOC", "KO", "OT", "OT", "SEG", "SR"]


def test_it_names_the_patient_by_identifier_alone(content):
    text = json.dumps(content, ensure_ascii=False)
    assert "P-17" in text
    for private in ("M\u00fcller", "J\u00f6rg", "19500102", "1950-01-02"):
        assert private not in text


def test_a_finalized_report_is_final_and_a_replacing_one_corrected(cases, result, written):
    final = Finalization("Roe^Richard", "Clinic", datetime(2026, 1, 2))
    read = finalized(statement_of(cases("HFS").findings), final)
    first = result(statement=read)
    context = context_of(first)
    objects = dicom_objects(first, context)
    (report,) = _of_type(bundle(context, objects), "DiagnosticReport")
    assert report["status"] == "final"
    again = result(statement=read, replaced=(objects["structured-report"],))
    (report,) = _of_type(bundle(context_of(again), {}), "DiagnosticReport")
    assert report["status"] == "corrected"


def test_what_a_reader_says_besides_has_codes(cases, result):
    statement = statement_of(cases("HFS").findings)
    signs = ReaderSigns("acute", "wedge", None, ("endplate breach", "vacuum cleft"))
    first = replace(statement.vertebrae[0], signs=signs)
    said = replace(statement, vertebrae=(first, *statement.vertebrae[1:]))
    assert said.identity() != statement.identity()
    one, other, *_ = _of_type(bundle(context_of(result(statement=said)), {}), "Observation")
    codes = [
        (part["code"]["coding"][0]["code"], part["valueCodeableConcept"]["coding"][0])
        for part in one["component"]
        if "valueCodeableConcept" in part
    ]
    assert ("ACUITY", "385315009", "http://snomed.info/sct") in [
        (asked, answer["code"], answer["system"]) for asked, answer in codes
    ]
    assert [answer["code"] for asked, answer in codes if asked == "SIGN"] == [
        "SIGN-ENDPLATE",
        "SIGN-VACUUM",
    ]
    assert "ACUITY" not in json.dumps(other)
