"""Which series are graded, and why one is not: rules that explain themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spinexplain.dicom_out.result_context import MANUFACTURER
from spinexplain.node.settings import RuleSettings


@dataclass(frozen=True)
class SeriesFacts:
    """What the rules look at; nothing that names a patient.

    Parameters
    ----------
    series_uid, study_uid : str
    modality, manufacturer, body_part, kernel : str
        Upper case; empty where the series does not say.
    image_type : tuple of str
    instances : int
    thickness_mm : float or None
    age_years : int or None
    """

    series_uid: str
    study_uid: str
    modality: str
    manufacturer: str
    body_part: str
    kernel: str
    image_type: tuple[str, ...]
    instances: int
    thickness_mm: float | None
    age_years: int | None


@dataclass(frozen=True)
class Check:
    """One rule applied to one series.

    Parameters
    ----------
    rule : str
        Its name, also the reason that metrics count.
    passed : bool
    words : str
        What was found and what was expected.
    """

    rule: str
    passed: bool
    words: str


def facts_of(tags: Mapping[str, object], instances: int) -> SeriesFacts:
    """Read the facts from the tags of one instance.

    Parameters
    ----------
    tags : mapping of str to value
        By DICOM keyword; values as text, multiple values joined by a backslash.
    instances : int
        Of the series.

    Examples
    --------
    >>> facts_of({"Modality": "CT", "PatientAge": "067Y"}, 100).age_years
    67
    """

    def text(keyword: str) -> str:
        value = tags.get(keyword)
        return "" if value is None else str(value).strip()

    return SeriesFacts(
        series_uid=text("SeriesInstanceUID"),
        study_uid=text("StudyInstanceUID"),
        modality=text("Modality").upper(),
        manufacturer=text("Manufacturer"),
        body_part=text("BodyPartExamined").upper(),
        kernel=text("ConvolutionKernel").upper(),
        image_type=tuple(text("ImageType").upper().split("\\")),
        instances=instances,
        thickness_mm=_number(text("SliceThickness")),
        age_years=_age(text("PatientAge"), text("PatientBirthDate"), text("StudyDate")),
    )


def checks(facts: SeriesFacts, rules: RuleSettings) -> list[Check]:
    """Apply every rule; a series is graded where all pass.

    Examples
    --------
    >>> facts = facts_of({"Modality": "CT", "SliceThickness": "5", "PatientAge": "060Y"}, 80)
    >>> [check.words for check in checks(facts, RuleSettings()) if not check.passed]
    ['slices of 5 mm, expected at most 3 mm']
    """
    return [rule(facts, rules) for rule in RULES]


def refusal(found: list[Check]) -> str:
    """Return the name of the first rule that refuses, or an empty text."""
    return next((check.rule for check in found if not check.passed), "")


def _modality(facts: SeriesFacts, rules: RuleSettings) -> Check:
    found = facts.modality or "none"
    return Check("modality", found == "CT", f"modality {found}, expected CT")


def _own_result(facts: SeriesFacts, rules: RuleSettings) -> Check:
    own = facts.manufacturer == MANUFACTURER
    return Check("own_result", not own, "made by this program" if own else "made by a scanner")


def _localizer(facts: SeriesFacts, rules: RuleSettings) -> Check:
    scout = "LOCALIZER" in facts.image_type
    return Check("scout", not scout, "a scout image" if scout else "no scout image")


def _instances(facts: SeriesFacts, rules: RuleSettings) -> Check:
    words = f"{facts.instances} instances, expected at least {rules.min_instances}"
    return Check("instances", facts.instances >= rules.min_instances, words)


def _thickness(facts: SeriesFacts, rules: RuleSettings) -> Check:
    if facts.thickness_mm is None:
        return Check("thickness", False, "no slice thickness given")
    words = f"slices of {facts.thickness_mm:g} mm, expected at most {rules.max_thickness_mm:g} mm"
    return Check("thickness", facts.thickness_mm <= rules.max_thickness_mm, words)


def _kernel(facts: SeriesFacts, rules: RuleSettings) -> Check:
    found = facts.kernel or "none given"
    starts = tuple(kernel.upper() for kernel in rules.kernels)
    excluded = tuple(kernel.upper() for kernel in rules.not_kernels)
    wanted = not starts or facts.kernel.startswith(starts)
    barred = bool(excluded) and facts.kernel.startswith(excluded)
    words = f"kernel {found}, expected {', '.join(rules.kernels) or 'any'}"
    words += f" but not {', '.join(rules.not_kernels)}" if rules.not_kernels else ""
    return Check("kernel", wanted and not barred, words)


def _body_part(facts: SeriesFacts, rules: RuleSettings) -> Check:
    if not facts.body_part or not rules.body_parts:
        return Check("body_part", True, f"body part {facts.body_part or 'not given'}")
    known = any(part.upper() in facts.body_part for part in rules.body_parts)
    words = f"body part {facts.body_part}, expected {', '.join(rules.body_parts)}"
    return Check("body_part", known, words)


def _age_rule(facts: SeriesFacts, rules: RuleSettings) -> Check:
    if rules.min_age == 0:
        return Check("age", True, "any age")
    if facts.age_years is None:
        return Check("age", rules.unknown_age == "take", f"age not given: {rules.unknown_age}")
    words = f"age {facts.age_years}, expected at least {rules.min_age}"
    return Check("age", facts.age_years >= rules.min_age, words)


RULES: tuple[Callable[[SeriesFacts, RuleSettings], Check], ...] = (
    _own_result,
    _modality,
    _localizer,
    _instances,
    _thickness,
    _kernel,
    _body_part,
    _age_rule,
)


def _number(text: str) -> float | None:
    try:
        return float(text.split("\\")[0])
    except ValueError:
        return None


def _age(age: str, born: str, study: str) -> int | None:
    """Return years from DICOM's age, or from birth and study date."""
    if match := re.fullmatch(r"(\d{3})Y", age):
        return int(match[1])
    if re.fullmatch(r"\d{3}[DWM]", age):
        return 0
    if not (re.fullmatch(r"\d{8}", born) and re.fullmatch(r"\d{8}", study)):
        return None
    years = int(study[:4]) - int(born[:4]) - (study[4:] < born[4:])
    return years if years >= 0 else None
