"""``result.json``: the findings for machines, in the schema ``spinexplain/result/1``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from spinexplain.errors import FileFormatError
from spinexplain.findings.agreement import AGREE, DISAGREE, agreement
from spinexplain.findings.bone_density import bone_density, density_words
from spinexplain.findings.draft import Draft, draft_of
from spinexplain.findings.grade_set import GradeSet
from spinexplain.findings.model_agreement import model_agreement
from spinexplain.findings.rules import (
    grade_set_of,
    grading_of,
    not_assessable_reason,
    verdict_of,
)
from spinexplain.findings.scan import Assessment, ScanFindings, ScanSource, VertebraFindings
from spinexplain.findings.set_words import set_words
from spinexplain.io.files import atomic_file
from spinexplain.io.scan_facts import ScanFacts
from spinexplain.localizer.located import Naming
from spinexplain.localizer.own import Found
from spinexplain.results.explanation_json import explanation_of, sides_of
from spinexplain.results.heatmaps import HeatmapKey
from spinexplain.results.result import (
    SCHEMA,
    Result,
    ResultAgreement,
    ResultBoneDensity,
    ResultDensity,
    ResultDeparture,
    ResultDraft,
    ResultExplanation,
    ResultGradeSet,
    ResultHeights,
    ResultLocalizer,
    ResultMissingLevels,
    ResultModel,
    ResultNaming,
    ResultOpinion,
    ResultPhrase,
    ResultSource,
    ResultStudy,
    ResultVerdict,
    ResultVertebra,
    Shape,
)
from spinexplain.results.result_inputs import inputs_of
from spinexplain.spine.checks.presence import missing_levels
from spinexplain.spine.density import Density
from spinexplain.spine.quality import TOUCHES_BORDER
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import (
    Grading,
    Heights,
    ModelInfo,
    Patch,
)

FILE = "result.json"

_NO_MODEL = "no model was asked"
_NAMINGS = 5
_MM_DIGITS = 3
_SCORE_DIGITS = 6


def write_result(
    findings: ScanFindings, out: Path, heatmap_paths: Mapping[HeatmapKey, str] | None = None
) -> Path:
    """Write ``result.json``, checked against its types.

    Parameters
    ----------
    findings : ScanFindings
    out : Path
        An existing folder.
    heatmap_paths : mapping, optional
        What :func:`spinexplain.results.heatmaps.write_heatmaps` returned; ``heatmap`` is
        null where it names none.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    pydantic.ValidationError
        If the findings do not fit the schema: a fault of the program, never of its user.
    """
    content = result_of(findings, heatmap_paths or {}).content()
    path = Path(out) / FILE
    with atomic_file(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_result(path: str | Path) -> Result:
    """Read what :func:`write_result` wrote.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that ``grade`` wrote.

    Raises
    ------
    FileFormatError
        If there is no such file, or it is no result of this schema.
    """
    file = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        return Result.model_validate_json(file.read_bytes())
    except OSError as error:
        raise FileFormatError(
            f"{file}: cannot be read ({error.strerror}); expected a {FILE}. Check the path."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"]) or "the file"
        raise FileFormatError(
            f"{file}: {where} is not as the schema {SCHEMA} says ({first['msg']}). Grade the scan "
            "again with this version."
        ) from None


def result_of(findings: ScanFindings, heatmap_paths: Mapping[HeatmapKey, str]) -> Result:
    """Turn findings into the content of ``result.json``."""
    return Result(
        schema=SCHEMA,
        ct=_source(findings.source),
        models=tuple(_model(model) for model in findings.models),
        vertebrae=tuple(
            _vertebra(item, findings.models, heatmap_paths) for item in findings.vertebrae
        ),
        missing_levels=_missing_levels(findings),
        **({} if findings.found is None else {"localizer": _localizer(findings.found)}),
        study=_study(findings.source.facts),
        inputs=inputs_of(findings),
        bone_density=_bone_density(findings),
    )


def _study(facts: ScanFacts) -> ResultStudy:
    return ResultStudy(
        study_date=facts.study_date,
        series=facts.series,
        kernel=facts.kernel,
        thickness_mm=facts.thickness_mm,
        age=facts.age,
        sex=cast(Any, facts.sex),
        phantom=facts.phantom,
        kv=facts.kv,
        contrast_agent=facts.contrast,
    )


def _bone_density(findings: ScanFindings) -> ResultBoneDensity | None:
    found = bone_density(findings)
    if found is None:
        return None
    return ResultBoneDensity(
        level=found.level,
        trabecular_hu=round(found.hu, 1),
        kv=found.kv,
        contrast=cast(Any, found.contrast),
        contrast_from=cast(Any, found.contrast_from),
        aorta_hu=None if found.aorta_hu is None else round(found.aorta_hu, 1),
        words=density_words(found, load_catalogue()),
    )


def _localizer(found: Found) -> ResultLocalizer:
    known = found.localization
    return ResultLocalizer(
        version=found.info.version,
        sha256=found.info.sha256,
        certain=known.certain,
        landmarks=known.landmarks,
        namings=tuple(_naming(naming) for naming in known.namings[:_NAMINGS]),
        given_first_level=None if found.given_level is None else found.given_level.value,
        cut=tuple(v.level.value for v in found.vertebrae if TOUCHES_BORDER in v.flags),
    )


def _naming(naming: Naming) -> ResultNaming:
    return ResultNaming(
        levels=tuple(None if level is None else level.value for level in naming.levels),
        probability=round(min(naming.probability, 1.0), _SCORE_DIGITS),
    )


def _missing_levels(findings: ScanFindings) -> ResultMissingLevels:
    found = missing_levels(findings.volume, [item.vertebra for item in findings.vertebrae])
    return ResultMissingLevels(
        not_in_view=tuple(level.value for level in found.not_in_view),
        unlabeled=tuple(level.value for level in found.unlabeled),
        absent=tuple(level.value for level in found.absent),
    )


def _source(source: ScanSource) -> ResultSource:
    x, y, z = (int(size) for size in source.shape)
    return ResultSource(
        name=source.name,
        sha256=source.sha256,
        shape=(x, y, z),
        spacing_mm=_three(source.spacing_mm, _SCORE_DIGITS),
    )


def _model(model: ModelInfo) -> ResultModel:
    return ResultModel(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        classes=model.classes,
        trained_on=model.trained_on,
        runtime=model.runtime,
    )


def _vertebra(
    findings: VertebraFindings,
    models: Sequence[ModelInfo],
    heatmap_paths: Mapping[HeatmapKey, str],
) -> ResultVertebra:
    level = findings.vertebra.level
    assessments = findings.assessments or (Assessment.refused(_NO_MODEL),)
    first = assessments[0]
    explained = [
        explanation_of(one.explanation, _paths(heatmap_paths, findings, position))
        for position, one in enumerate(assessments)
    ]
    draft, density = draft_of(findings, models, load_catalogue()), findings.density
    others = [
        _opinion(model, one, explanation, first, findings.patch)
        for model, one, explanation in zip(models[1:], assessments[1:], explained[1:], strict=True)
    ]
    return ResultVertebra(
        level=level.value,
        verse_label=level.verse_label,
        centroid_mm=_three(findings.vertebra.centroid_mm, _MM_DIGITS),
        grade=_grade(first.grading),
        probabilities=_probabilities(first.grading),
        heights=None if findings.heights is None else _heights(findings.heights),
        verdict=_verdict(findings),
        agreement={AGREE: True, DISAGREE: False}.get(
            agreement(grading_of(findings), findings.heights) or ""
        ),
        flags=_flags(findings),
        density=None if density is None else _density(density),
        explanation=explained[0],
        sides=sides_of(first.sides),
        draft=None if draft is None else _draft(draft),
        # Absent, not empty, where there is one model.
        **({"other_models": tuple(others)} if others else {}),
    )


def _verdict(findings: VertebraFindings) -> ResultVerdict:
    verdict = verdict_of(findings)
    return ResultVerdict(
        state=cast(Any, verdict.state),
        severity=cast(Any, verdict.severity),
        possible=verdict.possible,
        reason=verdict.reason,
        base=round(verdict.base, _SCORE_DIGITS),
        log_odds={term.witness: round(term.log_odds, _SCORE_DIGITS) for term in verdict.terms},
        spread=round(verdict.spread, _SCORE_DIGITS),
        suspected_from=round(verdict.suspected, _SCORE_DIGITS),
        borderline_from=round(verdict.borderline, _SCORE_DIGITS),
        calibrated=verdict.calibrated,
        agreement=cast(Any, agreement(grading_of(findings), findings.heights)),
        grade_set=_grade_set(grade_set_of(findings)),
    )


def _grade_set(found: GradeSet | None) -> ResultGradeSet | None:
    if found is None:
        return None
    return ResultGradeSet(
        grades=cast(Any, found.grades),
        coverage=found.coverage,
        words=set_words(found, load_catalogue()),
        out_of_range=tuple(
            ResultDeparture(
                term=one.term,
                value=round(one.value, _MM_DIGITS),
                low=round(one.low, _MM_DIGITS),
                high=round(one.high, _MM_DIGITS),
            )
            for one in found.departures
        ),
    )


def _density(density: Density) -> ResultDensity:
    return ResultDensity(trabecular_hu=round(density.hu, 1), placed_by=cast(Any, density.placed_by))


def _paths(
    heatmap_paths: Mapping[HeatmapKey, str], findings: VertebraFindings, position: int
) -> dict[int, str]:
    """Return the heat maps of one model by the rank of the evidence."""
    own = (findings.vertebra.level, position)
    return {key[2]: path for key, path in heatmap_paths.items() if key[:2] == own}


def _flags(findings: VertebraFindings) -> tuple[str, ...]:
    """Return the quality flags and, where the first model refuses, its reason."""
    reason = not_assessable_reason(findings)
    return (*findings.flags, *(() if reason is None else (f"not_assessable: {reason}",)))


def _grade(grading: Grading | None) -> str | None:
    return None if grading is None else grading.grade


def _probabilities(grading: Grading | None) -> dict[str, float]:
    if grading is None:
        return {}
    return dict(zip(grading.classes, _rounded(grading.probabilities, _SCORE_DIGITS), strict=True))


def _opinion(
    model: ModelInfo,
    assessment: Assessment,
    explanation: ResultExplanation | None,
    first: Assessment,
    sheet: Patch,
) -> ResultOpinion:
    return ResultOpinion(
        model=model.name,
        grade=_grade(assessment.grading),
        probabilities=_probabilities(assessment.grading),
        explanation=explanation,
        agreement_with_first=_agreement(first, assessment, sheet),
    )


def _draft(draft: Draft) -> ResultDraft:
    phrases = tuple(
        ResultPhrase(text=phrase.text, rests_on=phrase.rests_on) for phrase in draft.phrases
    )
    return ResultDraft(status="draft", language="en", text=draft.text, phrases=phrases)


def _agreement(first: Assessment, other: Assessment, sheet: Patch) -> ResultAgreement | None:
    found = model_agreement(first, other, sheet)
    if found is None:
        return None
    overlap = found.evidence_overlap
    return ResultAgreement(
        fracture=found.fracture,
        grade=found.grade,
        evidence_overlap=None if overlap is None else round(overlap, _SCORE_DIGITS),
    )


def _heights(heights: Heights) -> ResultHeights:
    low, high = _rounded(heights.loss_interval, _SCORE_DIGITS)
    return ResultHeights(
        anterior_mm=round(float(heights.anterior_mm), _MM_DIGITS),
        middle_mm=round(float(heights.middle_mm), _MM_DIGITS),
        posterior_mm=round(float(heights.posterior_mm), _MM_DIGITS),
        expected_mm=_three(heights.expected_mm, _MM_DIGITS),
        loss=round(float(heights.loss), _SCORE_DIGITS),
        loss_interval=(low, high),
        reference="neighbors and norm",
        own_posterior_loss=round(float(heights.own_posterior_loss), _SCORE_DIGITS),
        broad_loss=None
        if heights.broad_loss is None
        else round(float(heights.broad_loss), _SCORE_DIGITS),
        **{"class": int(heights.height_loss_class)},
        shape=cast(Shape, heights.shape),
    )


def _three(values: Sequence[float], digits: int) -> tuple[float, float, float]:
    x, y, z = _rounded(values, digits)
    return x, y, z


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
