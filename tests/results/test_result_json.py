import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import FileFormatError
from spinexplain.findings.scan import Assessment
from spinexplain.results.result import Result
from spinexplain.results.result_json import read_result, result_of, write_result
from spinexplain.results.result_schema import read_schema

OLD = Path(__file__).parents[1] / "data" / "results" / "lumbar-two-models.json"
CONTRACT = {
    "level", "verse_label", "centroid_mm", "grade", "probabilities", "heights", "agreement",
    "flags", "explanation",
}  # fmt: skip


def content_of(findings, paths):
    return result_of(findings, paths).content()


def _check(result):
    jsonschema.validate(result, read_schema(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("scan", ["lumbar", "thoracic", "healthy", "two_models"])
def test_every_variant_of_findings_fits_the_schema(scan, request, tmp_path):
    path = write_result(request.getfixturevalue(scan), tmp_path)
    assert path.name == "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    _check(result)
    assert all(vertebra.keys() >= CONTRACT for vertebra in result["vertebrae"])


def test_the_schema_itself_is_valid():
    jsonschema.Draft202012Validator.check_schema(read_schema())


def test_the_contract_s_own_example_fits_the_schema():
    evidence = {
        "name": "G2 prototype 1", "class": "G2", "score": 1.9,
        "terms": {"similarity": 1.6, "connection": 1.19},
        "heatmap": "heatmaps/L1_G2-prototype-1.nii.gz",
        "exemplars": [{"subject": "a", "level": "L2", "grade": "G2", "synthetic": True}],
    }  # fmt: skip
    vertebra = {
        "level": "L1", "verse_label": 20, "centroid_mm": [1.0, 2.0, 3.0], "grade": "G2",
        "probabilities": {"G0": 0.1, "G2": 0.7, "G3": 0.2},
        "heights": {
            "anterior_mm": 21.0, "middle_mm": 24.0, "posterior_mm": 27.0,
            "expected_mm": [27, 27, 28], "loss": 0.22, "loss_interval": [0.15, 0.29],
            "class": 1, "shape": "wedge",
        },
        "agreement": True, "flags": ["thick_slices"],
        "explanation": {
            "method": "prototypes", "score_name": "contribution to the logit",
            "evidence": [evidence],
        },
    }  # fmt: skip
    model = {
        "name": "a", "version": "1", "sha256": "0" * 64, "classes": ["G0", "G2", "G3"],
        "trained_on": "b",
    }  # fmt: skip
    source = {"name": "c", "sha256": "f" * 64, "shape": [122, 101, 112], "spacing_mm": [3, 3, 3]}
    _check(
        {"schema": "spinexplain/result/1", "ct": source, "models": [model], "vertebrae": [vertebra]}
    )


def test_values_come_through(lumbar):
    result = content_of(lumbar, {(VertebraLevel.L1, 0, 0): "heatmaps/L1_a.nii.gz"})
    l1 = result["vertebrae"][1]
    assert (l1["level"], l1["verse_label"], l1["grade"]) == ("L1", 20, "G2")
    assert l1["probabilities"] == {"G0": 0.08, "G2": 0.67, "G3": 0.25}
    assert l1["heights"]["loss"] == 0.31
    assert l1["heights"]["class"] == 2
    assert l1["agreement"] is True
    assert result["vertebrae"][3]["agreement"] is False
    evidence = l1["explanation"]["evidence"]
    assert evidence[0]["heatmap"] == "heatmaps/L1_a.nii.gz"
    assert {item["heatmap"] for item in evidence[1:]} == {None}
    terms = evidence[0]["terms"]
    assert terms["similarity"] * terms["connection"] == pytest.approx(evidence[0]["score"])
    assert evidence[0]["exemplars"][0]["synthetic"] is True


def test_a_level_that_is_not_assessable_has_no_grade_no_scores_no_evidence(lumbar, graded_as):
    l5 = content_of(lumbar, {})["vertebrae"][-1]
    assert (l5["grade"], l5["probabilities"], l5["explanation"]) == (None, {}, None)
    assert l5["flags"] == ["not_assessable: touches_border"]
    refused = graded_as(lumbar.vertebrae[1], None, "thick_slices", "metal")
    l1 = content_of(replace(lumbar, vertebrae=(refused,)), {})["vertebrae"][0]
    assert (l1["grade"], l1["probabilities"], l1["agreement"]) == (None, {}, None)
    assert l1["flags"] == ["thick_slices", "not_assessable: metal"]


def test_a_second_models_refusal_does_not_erase_the_first(two_models):
    item = two_models.vertebrae[1]
    beside = replace(item, assessments=(item.assessments[0], Assessment.refused("not my level")))
    l1 = content_of(replace(two_models, vertebrae=(beside,)), {})["vertebrae"][0]
    assert (l1["grade"], l1["flags"]) == ("G2", ["thick_slices"])
    (other,) = l1["other_models"]
    assert (other["grade"], other["probabilities"], other["explanation"]) == (None, {}, None)
    assert other["agreement_with_first"] is None


def test_the_other_models_stand_beside_the_first(two_models):
    l1 = content_of(two_models, {(VertebraLevel.L1, 1, 0): "heatmaps/u.nii.gz"})["vertebrae"][1]
    assert l1["grade"] == "G2"
    (other,) = l1["other_models"]
    assert other["model"] == "unet3d-dissected"
    assert other["probabilities"] == {"no fracture": 0.42, "fracture": 0.58}
    assert other["explanation"]["evidence"][0]["heatmap"] == "heatmaps/u.nii.gz"


def test_one_model_has_no_others(lumbar):
    assert all("other_models" not in v for v in content_of(lumbar, {})["vertebrae"])


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("level", "S1"),
        ("grade", None),
        ("probabilities", {}),
        ("centroid_mm", [1.0, 2.0]),
        ("flags", [""]),
        ("surplus", 1),
    ],
)
def test_the_schema_refuses_what_the_contract_does_not_allow(lumbar, change, value):
    result = content_of(lumbar, {})
    result["vertebrae"][0][change] = value
    with pytest.raises(jsonschema.ValidationError):
        _check(result)
    with pytest.raises(ValidationError):
        Result.model_validate_json(json.dumps(result))


def test_a_heatmap_path_can_not_leave_its_folder(lumbar):
    with pytest.raises(ValidationError, match="heatmap"):
        result_of(lumbar, {(VertebraLevel.L1, 0, 0): "heatmaps/../../x.nii.gz"})


def test_nothing_is_left_behind_when_the_findings_do_not_fit(lumbar, tmp_path):
    broken = replace(lumbar, source=replace(lumbar.source, sha256="not a hash"))
    with pytest.raises(ValidationError, match="sha256"):
        write_result(broken, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scan", ["lumbar", "thoracic", "two_models"])
def test_what_is_written_is_read_back_and_written_alike(scan, request, tmp_path):
    findings = request.getfixturevalue(scan)
    path = write_result(findings, tmp_path)
    result = read_result(tmp_path)
    assert result == read_result(path) == result_of(findings, {})
    assert result.content() == json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("older", ["draft", "other_models"])
def test_a_file_without_the_later_keys_is_read_and_stays_without(lumbar, tmp_path, older):
    content = content_of(lumbar, {})
    for vertebra in content["vertebrae"]:
        vertebra.pop(older, None)
    content["models"][0].pop("runtime")
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content))
    _check(content)
    assert read_result(path).content() == content


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "the file is not as the schema"),
        ("[]", "the file is not as the schema"),
        ('{"schema": "spinexplain/result/9"}', "schema is not as the schema"),
    ],
)
def test_what_is_no_result_is_refused_by_name(tmp_path, text, words):
    path = tmp_path / "result.json"
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_result(path)
    path.write_text(text)
    with pytest.raises(FileFormatError, match=words):
        read_result(path)


def test_a_file_of_the_first_writer_still_fits_and_is_written_with_the_same_bytes():
    """Written before there were types: the lumbar example by two models."""
    text = OLD.read_text("utf-8")
    _check(json.loads(text))
    again = json.dumps(read_result(OLD).content(), indent=1, ensure_ascii=False)
    assert again + "\n" == text
