import pytest

from spinexplain.node.rules import RULES, checks, facts_of, refusal
from spinexplain.node.settings import RuleSettings

GOOD = {
    "Modality": "CT",
    "SliceThickness": "1.5",
    "PatientAge": "070Y",
    "BodyPartExamined": "CHEST",
    "ConvolutionKernel": "Br40d\\3",
    "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
    "Manufacturer": "Maker",
}


def _refusal(instances=100, rules=None, **tags):
    return refusal(checks(facts_of(GOOD | tags, instances), rules or RuleSettings()))


def test_a_usual_series_is_taken():
    assert _refusal() == ""


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ({"Modality": "MR"}, "modality"),
        ({"Manufacturer": "spinexplain"}, "own_result"),
        ({"ImageType": "ORIGINAL\\PRIMARY\\LOCALIZER"}, "scout"),
        ({"SliceThickness": "5.0"}, "thickness"),
        ({"SliceThickness": ""}, "thickness"),
        ({"BodyPartExamined": "HEAD"}, "body_part"),
        ({"PatientAge": "049Y"}, "age"),
        ({"PatientAge": "011M"}, "age"),
    ],
)
def test_each_rule_refuses(tags, rule):
    assert _refusal(**tags) == rule


def test_too_few_instances():
    assert _refusal(instances=19) == "instances"


@pytest.mark.parametrize(
    ("rules", "kernel", "refused"),
    [
        ({"kernels": ["BR"]}, "Br40d", False),
        ({"kernels": ["BR"]}, "Hr60", True),
        ({"kernels": ["BR"]}, "", True),
        ({"not_kernels": ["lung"]}, "LUNG", True),
        ({"not_kernels": ["lung"]}, "STANDARD", False),
    ],
)
def test_kernels(rules, kernel, refused):
    assert (_refusal(rules=RuleSettings(**rules), ConvolutionKernel=kernel) == "kernel") == refused


@pytest.mark.parametrize(
    ("born", "study", "years"),
    [
        ("19500601", "20200531", 69),
        ("19500601", "20200601", 70),
        ("", "20200601", None),
        ("20300101", "20200601", None),
        ("19xx0601", "20200601", None),
    ],
)
def test_age_from_dates(born, study, years):
    tags = {"PatientAge": "", "PatientBirthDate": born, "StudyDate": study}
    assert facts_of(GOOD | tags, 100).age_years == years


def test_unknown_age_as_the_settings_say():
    unknown = {"PatientAge": ""}
    assert _refusal(**unknown) == ""
    assert _refusal(rules=RuleSettings(unknown_age="refuse"), **unknown) == "age"
    assert _refusal(rules=RuleSettings(min_age=0), **unknown) == ""


def test_every_rule_says_what_it_found():
    found = checks(facts_of(GOOD, 100), RuleSettings())
    assert len(found) == len(RULES)
    assert all(check.words for check in found)
    assert len({check.rule for check in found}) == len(RULES)
