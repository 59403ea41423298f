"""What results say about a scan, apart from how DICOM and FHIR write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError
from spinexplain.findings.agreement import AGREE, DISAGREE, agreement
from spinexplain.findings.rules import grading_of, verdict_of
from spinexplain.findings.scan import ScanFindings, VertebraFindings
from spinexplain.types import Heights, ModelInfo

FRACTURE = "fracture suspected"
MILD_LOSS = "mild height loss"
BORDERLINE = "borderline"
NO_SUSPICION = "no suspicion"
DEFORMITY = "deformity rather than fracture?"
NOT_ASSESSABLE = "not assessable"
STATES = (FRACTURE, MILD_LOSS, BORDERLINE, NO_SUSPICION, DEFORMITY, NOT_ASSESSABLE)
SEVERITIES = ("mild", "moderate", "severe")
_DIGITS = 6


@dataclass(frozen=True)
class ModelOpinion:
    """What one model says about one vertebra.

    Parameters
    ----------
    model : ModelInfo
    grade : str
        The class with the highest score.
    scores : tuple of (str, float)
        Class and score, 0 to 1.
    """

    model: ModelInfo
    grade: str
    scores: tuple[tuple[str, float], ...]

    @property
    def top(self) -> float:
        """The score of the grade."""
        return dict(self.scores)[self.grade]


@dataclass(frozen=True)
class HeightStatement:
    """Measured heights of one vertebral body.

    Parameters
    ----------
    anterior_mm, middle_mm, posterior_mm : float
    loss : float
        Relative height loss, 0 to 1.
    loss_interval : tuple of 2 floats
    shape : str
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``.
    """

    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    loss: float
    loss_interval: tuple[float, float]
    shape: str


@dataclass(frozen=True)
class Verdict:
    """What a vertebra is called.

    Parameters
    ----------
    state : str
        One of ``STATES``.
    severity : str or None
        One of ``SEVERITIES`` where a fracture is suspected.

    Raises
    ------
    ConfigError
        If state or severity is none of those.
    """

    state: str
    severity: str | None = None

    def __post_init__(self) -> None:
        for what, value, known in (
            ("state", self.state, STATES),
            ("severity", self.severity, (None, *SEVERITIES)),
        ):
            if value not in known:
                raise ConfigError(
                    f"verdict has the {what} {value!r}; expected one of "
                    f"{', '.join(str(one) for one in known if one)}."
                )

    @property
    def words(self) -> str:
        """The verdict in words.

        Examples
        --------
        >>> Verdict("fracture suspected", "severe").words
        'fracture suspected, severe'
        """
        return ", ".join(part for part in (self.state, self.severity) if part)


@dataclass(frozen=True)
class ReaderSigns:
    """What a reader says of a vertebra besides the verdict, in words that have codes.

    Parameters
    ----------
    acuity : str or None
    shape : str or None
        ``"none"``, ``"wedge"``, ``"biconcave"`` or ``"crush"``.
    deformity : str or None
        Kind of a deformity that is no fracture.
    signs : tuple of str
    """

    acuity: str | None = None
    shape: str | None = None
    deformity: str | None = None
    signs: tuple[str, ...] = ()

    @property
    def said(self) -> list[tuple[str, str, str]]:
        """Return question, table of the answer's code and answer of everything that is said.

        Examples
        --------
        >>> ReaderSigns(acuity="acute", signs=("retropulsion",)).said
        [('acuity', 'acuity', 'acute'), ('sign', 'sign', 'retropulsion')]
        """
        single = (
            ("acuity", "acuity", self.acuity),
            ("reader_shape", "shape", self.shape),
            ("deformity", "deformity", self.deformity),
        )
        found = [(asked, table, answer) for asked, table, answer in single if answer]
        return found + [("sign", "sign", sign) for sign in self.signs]


@dataclass(frozen=True)
class VertebraStatement:
    """What results say about one vertebra.

    Parameters
    ----------
    level : VertebraLevel
    center_mm : tuple of 3 floats
        Center of the vertebral body, RAS+ mm.
    verdict : Verdict
    opinions : tuple of ModelOpinion
        Of the models that gave a grade.
    heights : HeightStatement or None
    agreement : bool or None
        Whether grade and heights agree; None where one is missing.
    refusals : tuple of (ModelInfo, str)
        The models that gave no grade, and why.
    reader : Verdict or None
        What a reader made of it.
    signs : ReaderSigns
        What a reader said besides.
    """

    level: VertebraLevel
    center_mm: tuple[float, float, float]
    verdict: Verdict
    opinions: tuple[ModelOpinion, ...]
    heights: HeightStatement | None
    agreement: bool | None
    refusals: tuple[tuple[ModelInfo, str], ...] = ()
    reader: Verdict | None = None
    signs: ReaderSigns = ReaderSigns()

    @property
    def refusal(self) -> str:
        """Why no model gave a grade; empty where one did."""
        if self.opinions:
            return ""
        return "; ".join(dict.fromkeys(reason for _, reason in self.refusals))

    @property
    def final(self) -> Verdict:
        """The reader's verdict where there is one, else the machine's."""
        return self.reader or self.verdict


@dataclass(frozen=True)
class Finalization:
    """Who finalized a result, and when.

    Parameters
    ----------
    reader : str
        Name as DICOM writes it, e.g. ``"Roe^Richard"``.
    organization : str
    at : datetime
    """

    reader: str
    organization: str
    at: datetime


@dataclass(frozen=True)
class ScanStatement:
    """What results say about a scan.

    Parameters
    ----------
    models : tuple of ModelInfo
    vertebrae : tuple of VertebraStatement
        In cranio-caudal order.
    finalization : Finalization or None
        None as long as no reader finalized it: the result is research, unverified.
    remarks : tuple of str
        What the reader wrote, which no code says: finding and addenda.
    """

    models: tuple[ModelInfo, ...]
    vertebrae: tuple[VertebraStatement, ...]
    finalization: Finalization | None = None
    remarks: tuple[str, ...] = ()

    @property
    def suspicious(self) -> tuple[VertebraStatement, ...]:
        """Vertebrae with a suspected fracture."""
        return tuple(one for one in self.vertebrae if one.final.state == FRACTURE)

    @property
    def status(self) -> str:
        """``"research, unverified"``, or ``"research, verified"`` once a reader finalized it."""
        return "research, verified" if self.finalization else "research, unverified"

    def identity(self) -> str:
        """Return what makes a result the same result, as one text.

        Models, places, verdicts, grades, remarks and who finalized them. Scores and heights are
        left out: they follow from these and the scan, and their last digits from the machine.
        """
        rows = [
            [
                one.level.value,
                [round(value, 1) for value in one.center_mm],
                one.verdict.words,
                [(opinion.model.sha256, opinion.grade) for opinion in one.opinions],
                one.reader.words if one.reader else None,
                *([one.signs.said] if one.signs.said else []),
            ]
            for one in self.vertebrae
        ]
        final = self.finalization
        by = [final.reader, final.organization, final.at.isoformat()] if final else None
        parts = [[model.sha256 for model in self.models], rows, by]
        return json.dumps([*parts, self.remarks] if self.remarks else parts)


def statement_of(findings: ScanFindings) -> ScanStatement:
    """Say what was found about a scan.

    Examples
    --------
    >>> Verdict(NO_SUSPICION).words
    'no suspicion'
    """
    return ScanStatement(
        findings.models, tuple(_vertebra(item, findings.models) for item in findings.vertebrae)
    )


def finalized(
    statement: ScanStatement,
    finalization: Finalization,
    verdicts: Mapping[VertebraLevel, Verdict] | None = None,
) -> ScanStatement:
    """Return a statement as a reader finalizes it.

    Parameters
    ----------
    statement : ScanStatement
    finalization : Finalization
    verdicts : mapping, optional
        The reader's verdict by level; a level left out is agreed with.

    Raises
    ------
    ConfigError
        If a level is not in the scan.
    """
    verdicts = verdicts or {}
    levels = {one.level for one in statement.vertebrae}
    if strangers := [level.value for level in verdicts if level not in levels]:
        raise ConfigError(
            f"the reader has a verdict on {strangers[0]}, which is not in this result; expected "
            f"some of {', '.join(one.level.value for one in statement.vertebrae)}."
        )
    read = tuple(
        replace(one, reader=verdicts.get(one.level, one.verdict)) for one in statement.vertebrae
    )
    return replace(statement, vertebrae=read, finalization=finalization)


def _vertebra(item: VertebraFindings, models: tuple[ModelInfo, ...]) -> VertebraStatement:
    x, y, z = (round(float(value), 3) for value in item.vertebra.centroid_mm)
    return VertebraStatement(
        level=item.vertebra.level,
        center_mm=(x, y, z),
        verdict=_verdict(item),
        opinions=_opinions(item, models),
        heights=None if item.heights is None else _heights(item.heights),
        agreement={AGREE: True, DISAGREE: False}.get(
            agreement(grading_of(item), item.heights) or ""
        ),
        refusals=tuple(
            (model, assessment.refusal)
            for model, assessment in zip(models, item.assessments, strict=True)
            if assessment.refusal is not None
        ),
    )


def _verdict(item: VertebraFindings) -> Verdict:
    """Take over the verdict of the report, in the words of DICOM results."""
    verdict = verdict_of(item)
    return Verdict(verdict.state, verdict.severity)


def _opinions(item: VertebraFindings, models: tuple[ModelInfo, ...]) -> tuple[ModelOpinion, ...]:
    return tuple(
        ModelOpinion(
            model,
            assessment.grading.grade,
            tuple(
                (name, round(float(score), _DIGITS))
                for name, score in zip(
                    assessment.grading.classes, assessment.grading.probabilities, strict=True
                )
            ),
        )
        for model, assessment in zip(models, item.assessments, strict=True)
        if assessment.grading is not None
    )


def _heights(heights: Heights) -> HeightStatement:
    low, high = heights.loss_interval
    return HeightStatement(
        anterior_mm=round(float(heights.anterior_mm), 3),
        middle_mm=round(float(heights.middle_mm), 3),
        posterior_mm=round(float(heights.posterior_mm), 3),
        loss=round(float(heights.loss), _DIGITS),
        loss_interval=(round(float(low), _DIGITS), round(float(high), _DIGITS)),
        shape=heights.shape,
    )
