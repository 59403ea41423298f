"""``result.json``: the findings for machines, in the schema ``spinexplain/result/1``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from spinexplain.findings.draft import Draft, draft_of
from spinexplain.findings.model_agreement import model_agreement
from spinexplain.findings.rules import agreement, grade_of, not_assessable_reason
from spinexplain.findings.scan import Assessment, ScanFindings, ScanSource, VertebraFindings
from spinexplain.io.files import atomic_file
from spinexplain.results.heatmaps import HeatmapKey
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import Evidence, Exemplar, Explanation, Heights, ModelInfo, Patch

SCHEMA = "spinexplain/result/1"

_MM_DIGITS = 3
_SCORE_DIGITS = 6


def write_result(
    findings: ScanFindings, out: Path, heatmap_paths: Mapping[HeatmapKey, str] | None = None
) -> Path:
    """Write ``result.json``, checked against its schema.

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
    jsonschema.ValidationError
        If the findings do not fit the schema: a fault of the program, never of its user.
    """
    content = result_of(findings, heatmap_paths or {})
    jsonschema.validate(content, read_schema(), cls=jsonschema.Draft202012Validator)
    path = Path(out) / "result.json"
    with atomic_file(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``result.json`` that is shipped with the package.

    Examples
    --------
    >>> read_schema()["properties"]["schema"]["const"]
    'spinexplain/result/1'
    """
    folder = resources.files("spinexplain.results") / "schema"
    schema: dict[str, Any] = json.loads((folder / "result-1.json").read_text(encoding="utf-8"))
    return schema


def result_of(findings: ScanFindings, heatmap_paths: Mapping[HeatmapKey, str]) -> dict[str, Any]:
    """Turn findings into the content of ``result.json``."""
    return {
        "schema": SCHEMA,
        "ct": _source(findings.source),
        "models": [_model(model) for model in findings.models],
        "vertebrae": [
            _vertebra(item, findings.models, heatmap_paths) for item in findings.vertebrae
        ],
    }


def _source(source: ScanSource) -> dict[str, Any]:
    return {
        "name": source.name,
        "sha256": source.sha256,
        "shape": [int(size) for size in source.shape],
        "spacing_mm": _rounded(source.spacing_mm, _SCORE_DIGITS),
    }


def _model(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "sha256": model.sha256,
        "classes": list(model.classes),
        "trained_on": model.trained_on,
        "runtime": model.runtime,
    }


def _vertebra(
    findings: VertebraFindings,
    models: Sequence[ModelInfo],
    heatmap_paths: Mapping[HeatmapKey, str],
) -> dict[str, Any]:
    level = findings.vertebra.level
    assessments = findings.assessments or (Assessment(None, None),)
    if not_assessable_reason(findings) is not None:
        assessments = (Assessment(None, None),) * len(assessments)
    opinions = []
    for position, assessment in enumerate(assessments):
        paths = {
            key[2]: path for key, path in heatmap_paths.items() if key[:2] == (level, position)
        }
        opinions.append(_opinion(assessment, paths))
    first = opinions[0]
    content = {
        "level": level.value,
        "verse_label": level.verse_label,
        "centroid_mm": _rounded(findings.vertebra.centroid_mm, _MM_DIGITS),
        "grade": first["grade"],
        "probabilities": first["probabilities"],
        "heights": None if findings.heights is None else _heights(findings.heights),
        "agreement": agreement(grade_of(findings), findings.heights),
        "flags": list(findings.flags),
        "explanation": first["explanation"],
        "draft": _draft(draft_of(findings, models, load_catalogue())),
    }
    if len(opinions) > 1:
        named = zip(models[1:], opinions[1:], strict=True)
        content["other_models"] = [
            {
                "model": model.name,
                **opinion,
                "agreement_with_first": _agreement(assessments[0], assessment, findings.patch),
            }
            for (model, opinion), assessment in zip(named, assessments[1:], strict=True)
        ]
    return content


def _draft(draft: Draft | None) -> dict[str, Any] | None:
    if draft is None:
        return None
    phrases = [{"text": phrase.text, "rests_on": phrase.rests_on} for phrase in draft.phrases]
    return {"status": "draft", "language": "en", "text": draft.text, "phrases": phrases}


def _agreement(first: Assessment, other: Assessment, sheet: Patch) -> dict[str, Any] | None:
    found = model_agreement(first, other, sheet)
    if found is None:
        return None
    overlap = found.evidence_overlap
    return {
        "fracture": found.fracture,
        "grade": found.grade,
        "evidence_overlap": None if overlap is None else round(overlap, _SCORE_DIGITS),
    }


def _opinion(assessment: Assessment, paths: Mapping[int, str]) -> dict[str, Any]:
    grading = assessment.grading
    if grading is None:
        return {"grade": None, "probabilities": {}, "explanation": None}
    scores = _rounded(grading.probabilities, _SCORE_DIGITS)
    explanation = assessment.explanation
    return {
        "grade": grading.grade,
        "probabilities": dict(zip(grading.classes, scores, strict=True)),
        "explanation": None if explanation is None else _explanation(explanation, paths),
    }


def _explanation(explanation: Explanation, paths: Mapping[int, str]) -> dict[str, Any]:
    return {
        "method": explanation.method,
        "score_name": explanation.score_name,
        "evidence": [
            _evidence(item, paths.get(rank)) for rank, item in enumerate(explanation.evidence)
        ],
    }


def _evidence(item: Evidence, heatmap: str | None) -> dict[str, Any]:
    return {
        "name": item.name,
        "class": item.class_name,
        "score": round(float(item.score), _SCORE_DIGITS),
        "terms": {name: round(float(value), _SCORE_DIGITS) for name, value in item.terms.items()},
        "heatmap": heatmap,
        "exemplars": [_exemplar(exemplar) for exemplar in item.exemplars],
    }


def _exemplar(exemplar: Exemplar) -> dict[str, Any]:
    return {
        "subject": exemplar.subject,
        "level": exemplar.level,
        "grade": exemplar.grade,
        "synthetic": bool(exemplar.synthetic),
    }


def _heights(heights: Heights) -> dict[str, Any]:
    return {
        "anterior_mm": round(float(heights.anterior_mm), _MM_DIGITS),
        "middle_mm": round(float(heights.middle_mm), _MM_DIGITS),
        "posterior_mm": round(float(heights.posterior_mm), _MM_DIGITS),
        "expected_mm": _rounded(heights.expected_mm, _MM_DIGITS),
        "loss": round(float(heights.loss), _SCORE_DIGITS),
        "loss_interval": _rounded(heights.loss_interval, _SCORE_DIGITS),
        "class": int(heights.height_loss_class),
        "shape": heights.shape,
    }


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
