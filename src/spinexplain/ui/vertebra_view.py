"""One vertebra prepared for drawing: as a line of the table, or as a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.findings.agreement import agreement
from spinexplain.findings.bone_density import may_be_impacted
from spinexplain.findings.deformity import site_losses
from spinexplain.findings.draft import Draft, draft_of
from spinexplain.findings.model_agreement import ModelAgreement, model_agreement
from spinexplain.findings.rules import (
    grade_of,
    grade_of_assessment,
    grade_set_of,
    grading_of,
    not_assessable_reason,
    suspicion,
    verdict_of,
)
from spinexplain.findings.scan import Assessment, ScanFindings, VertebraFindings
from spinexplain.findings.set_words import set_words
from spinexplain.texts.catalogue import Catalogue
from spinexplain.types import Heights, ModelInfo
from spinexplain.ui.evidence_view import ExplanationView, view_explanation
from spinexplain.ui.height_lines import HeightLine, bare_corner, ghost_outline, height_lines
from spinexplain.ui.pictures import Album, Picture
from spinexplain.ui.planes import planes_of
from spinexplain.ui.side_view import SidesView, view_sides
from spinexplain.ui.tokens import GradeStyle, grade_style
from spinexplain.ui.verdict_view import VerdictView, view_verdict

# The axis on which height loss is drawn, and where its classes begin.
LOSS_AXIS = (-0.1, 0.6)
LOSS_BANDS = (0.20, 0.25, 0.40)


@dataclass(frozen=True)
class ClassScore:
    """A model's score for one class; None for a Genant grade that the model does not know."""

    class_name: str
    style: GradeStyle
    value: float | None


@dataclass(frozen=True)
class HeightsView:
    """Heights of a body, with the places of its interval glyph in percent of the axis."""

    heights: Heights
    low: float
    high: float
    point: float
    class_words: str
    site_losses: tuple[float, float, float]


@dataclass(frozen=True)
class VertebraRow:
    """What the table says about one vertebra."""

    level: str
    anchor: str
    grade: str | None
    style: GradeStyle
    grade_words: str
    scores: tuple[ClassScore, ...]
    heights: HeightsView | None
    agreement: str | None
    verdict: VerdictView
    grade_set: str | None
    density: str | None
    flags: tuple[str, ...]
    reasons: tuple[str, ...]
    not_assessable: str | None


def _density(findings: VertebraFindings, say: Catalogue) -> str | None:
    if findings.density is None:
        return None
    placed = say(f"density.{findings.density.placed_by}")
    hu = f"{findings.density.hu:.0f}".replace("-", "\N{MINUS SIGN}")
    line = say("density.line", hu=hu, placed=placed)
    return f"{line} {say('density.impacted')}" if may_be_impacted(findings) else line


def _set_line(findings: VertebraFindings, say: Catalogue) -> str | None:
    found = grade_set_of(findings)
    return None if found is None else set_words(found, say)


@dataclass(frozen=True)
class OtherModel:
    """What a further model says about the same vertebra; its refusal where it gives no grade."""

    name: str
    style: GradeStyle
    scores: tuple[ClassScore, ...]
    explanation: ExplanationView | None
    agreement: ModelAgreement | None
    refusal: str | None


@dataclass(frozen=True)
class VertebraCard:
    """A vertebra opened: its pictures, its evidence, its heights.

    Parameters
    ----------
    row : VertebraRow
    picture : Picture
        The mid-sagittal sheet.
    pixel_mm : float
    explanation : ExplanationView or None
    lines : tuple of HeightLine
    ghost : str
        Outline of the expected body.
    corner : str
        Where the heights are written, see :func:`spinexplain.ui.height_lines.bare_corner`.
    left, right, coronal : Picture
    others : tuple of OtherModel
    draft : Draft or None
    sides : SidesView or None
    """

    row: VertebraRow
    picture: Picture
    pixel_mm: float
    explanation: ExplanationView | None
    lines: tuple[HeightLine, ...]
    ghost: str
    corner: str
    left: Picture
    right: Picture
    coronal: Picture
    others: tuple[OtherModel, ...]
    draft: Draft | None
    sides: SidesView | None = None


def view_row(
    findings: VertebraFindings, models: Sequence[ModelInfo], say: Catalogue
) -> VertebraRow:
    """Prepare one line of the table."""
    grade = grade_of(findings)
    level = findings.vertebra.level.value
    heights = findings.heights
    return VertebraRow(
        level=level,
        anchor=f"level-{level}",
        grade=grade,
        style=grade_style(grade),
        grade_words=say("grade.none") if grade is None else say.or_raw(f"grade.{grade}", grade),
        scores=() if grade is None else _scores(findings.assessments[0]),
        heights=None if heights is None else view_heights(heights, say),
        agreement=agreement(grading_of(findings), heights),
        verdict=view_verdict(verdict_of(findings), say),
        grade_set=_set_line(findings, say),
        density=_density(findings, say),
        flags=tuple(say.flag(flag) for flag in findings.flags),
        reasons=tuple(say(r.key, **r.values) for r in suspicion(findings, models)),
        not_assessable=not_assessable_reason(findings),
    )


def view_card(
    findings: VertebraFindings, scan: ScanFindings, album: Album, say: Catalogue, detail: int = 3
) -> VertebraCard:
    """Prepare the card of a vertebra and sample its other planes.

    Parameters
    ----------
    findings : VertebraFindings
    scan : ScanFindings
        The scan it belongs to.
    album : Album
        Takes the pictures.
    say : Catalogue
    detail : int
        Encoded pixels per sample; fewer make the page smaller.
    """
    patch = findings.patch
    heights = findings.heights
    lines = () if heights is None else height_lines(heights, patch.frame)
    planes = planes_of(scan, patch)
    explanation = findings.assessments[0].explanation if findings.assessments else None
    reliability = scan.models[0].evidence if scan.models else ()
    return VertebraCard(
        row=view_row(findings, scan.models, say),
        picture=album.add_ct(patch.array, detail),
        pixel_mm=patch.frame.spacing_mm,
        explanation=None
        if explanation is None
        else view_explanation(explanation, patch, album, reliability, detail),
        lines=lines,
        ghost=ghost_outline(lines) if lines else "",
        corner=bare_corner(patch.array),
        left=album.add_ct(planes.left, detail),
        right=album.add_ct(planes.right, detail),
        coronal=album.add_ct(planes.coronal, detail),
        others=_other_models(findings, scan.models, album, detail),
        draft=draft_of(findings, scan.models, say),
        sides=view_sides(findings, scan, album, detail),
    )


def view_heights(heights: Heights, say: Catalogue) -> HeightsView:
    """Place the height loss and its interval on the axis of the glyph."""
    low, high = (loss_percent(value) for value in heights.loss_interval)
    first, last = sorted(heights.class_range)
    key = "heights.class" if first == last else "heights.class_range"
    words = say(key, number=heights.height_loss_class, first=first, last=last)
    anterior, middle, posterior = (float(loss) for loss in site_losses(heights))
    return HeightsView(
        heights, low, high, loss_percent(heights.loss), words, (anterior, middle, posterior)
    )


def loss_percent(loss: float) -> float:
    """Place a relative height loss on the glyph's axis, 0 to 100.

    Examples
    --------
    >>> loss_percent(0.25)
    50.0
    """
    start, stop = LOSS_AXIS
    return min(max(round((loss - start) / (stop - start) * 100, 2), 0.0), 100.0)


def _scores(assessment: Assessment) -> tuple[ClassScore, ...]:
    grading = assessment.grading
    if grading is None:
        return ()
    known: dict[str, float | None] = dict(zip(grading.classes, grading.probabilities, strict=True))
    if set(known) & set(GENANT_GRADES):
        known = dict.fromkeys(GENANT_GRADES) | known
    return tuple(ClassScore(name, grade_style(name), value) for name, value in known.items())


def _other_models(
    findings: VertebraFindings, models: Sequence[ModelInfo], album: Album, detail: int
) -> tuple[OtherModel, ...]:
    pairs = list(zip(models, findings.assessments, strict=False))[1:]
    return tuple(
        OtherModel(
            name=model.name,
            style=grade_style(grade_of_assessment(assessment)),
            scores=_scores(assessment),
            explanation=None
            if assessment.explanation is None
            else view_explanation(
                assessment.explanation, findings.patch, album, model.evidence, detail
            ),
            agreement=model_agreement(findings.assessments[0], assessment, findings.patch),
            refusal=assessment.refusal,
        )
        for model, assessment in pairs
    )
