"""Explanations in ``result.json``: evidence, its terms, what it is like, and the graver side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from spinexplain.results.result import (
    ResultEvidence,
    ResultExemplar,
    ResultExplanation,
    ResultSides,
)
from spinexplain.types import Evidence, Exemplar, Explanation, SideEvidence

_SCORE_DIGITS = 6


def explanation_of(
    explanation: Explanation | None, paths: Mapping[int, str]
) -> ResultExplanation | None:
    """Lay an explanation out for ``result.json``.

    Parameters
    ----------
    explanation : Explanation or None
    paths : mapping of int to str
        Where the heat map of a rank lies, relative to the report.
    """
    if explanation is None:
        return None
    return ResultExplanation(
        method=explanation.method,
        score_name=explanation.score_name,
        evidence=tuple(
            _evidence(item, paths.get(rank)) for rank, item in enumerate(explanation.evidence)
        ),
    )


def sides_of(found: SideEvidence | None) -> ResultSides | None:
    """Lay the graver side out for ``result.json``; None where it was not asked."""
    if found is None:
        return None
    return ResultSides(
        side=cast(Any, found.side),
        difference=round(found.difference, _SCORE_DIGITS),
        least_difference=found.least,
        offsets_mm=found.offsets_mm,
        expected_grades=tuple(round(grade, _SCORE_DIGITS) for grade in found.grades),
    )


def _evidence(item: Evidence, heatmap: str | None) -> ResultEvidence:
    return ResultEvidence(
        name=item.name,
        **{"class": item.class_name},
        score=round(float(item.score), _SCORE_DIGITS),
        terms={name: round(float(value), _SCORE_DIGITS) for name, value in item.terms.items()},
        heatmap=heatmap,
        exemplars=tuple(_exemplar(exemplar) for exemplar in item.exemplars),
    )


def _exemplar(exemplar: Exemplar) -> ResultExemplar:
    source = exemplar.provenance
    return ResultExemplar(
        subject=source.subject,
        level=source.level,
        grade=source.grade,
        synthetic=bool(source.synthetic),
    )
