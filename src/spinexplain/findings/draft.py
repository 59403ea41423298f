"""Pre-filled findings: a short draft for each suspicious vertebra, for a reader to complete.

Guidance asks for the words *vertebral fracture* with level and grade, and for none of the
words that leave it open whether there is one; :data:`FORBIDDEN` are never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.findings.agreement import DISAGREE, agreement
from spinexplain.findings.model_agreement import evidence_share
from spinexplain.findings.rules import (
    SUSPICIOUS_HEIGHT_LOSS_CLASS,
    grading_of,
    models_agree,
    verdict_of,
)
from spinexplain.findings.scan import VertebraFindings
from spinexplain.findings.verdict import BORDERLINE, SUSPECTED, Verdict
from spinexplain.texts.catalogue import Catalogue
from spinexplain.types import (
    HEIGHT_NAMES,
    Evidence,
    Explanation,
    Heights,
    ModelInfo,
    Patch,
    UnitDetail,
)

_GENANT_NUMBERS = {"mild": 1, "moderate": 2, "severe": 3}
FORBIDDEN = ("collapse", "wedging", "deformity", "deformities", "loss of height")

LARGEST_Q = 0.05
"""The q value below which a unit counts as tied to fracture."""

_NEAR_MM, _LEAST_SHARE, _CLEARLY_MORE = 6.0, 0.25, 2.0
_UNIT_NUMBER = re.compile(r"\bunits?\W*\d", re.IGNORECASE)


@dataclass(frozen=True)
class Phrase:
    """A part of a draft and what it rests on.

    Parameters
    ----------
    before : str
        Punctuation that joins it to the phrase before.
    text : str
    rests_on : str or None
        Where in the vertebra's part of ``result.json`` its evidence is, e.g.
        ``"explanation/evidence/0"``; None for what the reader must add.
    anchor : str or None
        The id of the same in the page.
    """

    before: str
    text: str
    rests_on: str | None
    anchor: str | None


@dataclass(frozen=True)
class Draft:
    """A finding that nobody has confirmed."""

    phrases: tuple[Phrase, ...]

    @property
    def text(self) -> str:
        """The whole draft."""
        return "".join(phrase.before + phrase.text for phrase in self.phrases)


def draft_of(
    findings: VertebraFindings, models: Sequence[ModelInfo], say: Catalogue
) -> Draft | None:
    """Draft the finding of a suspicious vertebra.

    Parameters
    ----------
    findings : VertebraFindings
    models : sequence of ModelInfo
        Of the scan.
    say : Catalogue

    Returns
    -------
    Draft or None
        None unless the verdict suspects a fracture or is borderline, or a height loss is 25 %
        or more.

    Notes
    -----
    The words follow the verdict: a severity that the measured loss contradicts is only
    *possible*, and the draft says by what. The endplate is named where the evidence clearly
    favors one.
    """
    verdict, heights = verdict_of(findings), findings.heights
    if verdict.state not in (SUSPECTED, BORDERLINE) and not _low(heights):
        return None
    position = _speaker(findings)
    anchor = f"level-{findings.vertebra.level.value}"
    phrases = [_lead(findings, verdict, anchor, say)]
    details = list(_details(findings, position, anchor, say))
    phrases += [
        Phrase(": " if number == 0 else ", ", detail.text, detail.rests_on, detail.anchor)
        for number, detail in enumerate(details)
    ]
    if agreement(grading_of(findings), heights) == DISAGREE:
        phrases.append(Phrase(". ", say("draft.disagree"), "agreement", anchor))
    if models_agree(findings) is False:
        phrases.append(Phrase(". ", say("draft.models_disagree"), "other_models", anchor))
    phrases.append(Phrase(". ", say("draft.reader"), None, None))
    return Draft(tuple(phrases))


def permitted(text: str) -> bool:
    """Whether a text has no unit's number and no word that must not stand for a fracture.

    Examples
    --------
    >>> permitted("abnormal endplate"), permitted("Wedging of the body"), permitted("unit 22")
    (True, False, False)
    """
    return not (_UNIT_NUMBER.search(text) or any(word in text.casefold() for word in FORBIDDEN))


def endplate(explanation: Explanation, heights: Heights, sheet: Patch) -> str | None:
    """Say which endplate the evidence lies at.

    Parameters
    ----------
    explanation : Explanation
    heights : Heights
        Its landmarks say where the endplates are.
    sheet : Patch

    Returns
    -------
    str or None
        ``"superior"``, ``"inferior"`` or ``"both"``; None where less than a quarter of the
        evidence lies within 6 mm of either.
    """
    share = evidence_share(explanation, sheet)
    if share is None:
        return None
    ends = np.asarray(sheet.frame.to_patch(heights.landmarks_mm))[..., :2]
    upper, lower = (_near_line(share, ends[:, side], sheet) for side in (0, 1))
    if upper + lower < _LEAST_SHARE:
        return None
    if upper >= _CLEARLY_MORE * lower:
        return "superior"
    return "inferior" if lower >= _CLEARLY_MORE * upper else "both"


def _near_line(share: np.ndarray, points: np.ndarray, sheet: Patch) -> float:
    """Return the share of evidence near a line through points (row, column)."""
    order = np.argsort(points[:, 1])
    rows, columns = points[order, 0], points[order, 1]
    across = np.arange(share.shape[1])
    line = np.interp(across, columns, rows)
    off = np.abs(np.arange(share.shape[0])[:, None] - line) * sheet.frame.spacing_mm
    margin = _NEAR_MM / sheet.frame.spacing_mm
    inside = (across >= columns[0] - margin) & (across <= columns[-1] + margin)
    return float(share[(off <= _NEAR_MM) & inside].sum())


def _speaker(findings: VertebraFindings) -> int | None:
    """Return the position of the first model that suspects a fracture."""
    for position, assessment in enumerate(findings.assessments):
        grading = assessment.grading
        if grading is not None and grading.is_fracture:
            return position
    return None


def _low(heights: Heights | None) -> bool:
    return heights is not None and heights.height_loss_class >= SUSPICIOUS_HEIGHT_LOSS_CLASS


def _lead(findings: VertebraFindings, verdict: Verdict, anchor: str, say: Catalogue) -> Phrase:
    level, heights = findings.vertebra.level.value, findings.heights
    shape = heights.shape if heights is not None and heights.shape != "none" else None
    suffix = "" if shape is None else say("draft.shape", shape=say(f"shape.{shape}"))
    if verdict.state == BORDERLINE:
        text = say("draft.borderline", level=level, shape=suffix)
    elif verdict.state != SUSPECTED:
        assert heights is not None
        text = say("draft.by_heights", level=level, number=heights.height_loss_class, shape=suffix)
        return Phrase("", text, "heights", f"{anchor}-heights")
    elif verdict.severity is None:
        first = "" if shape is None else say("draft.shape_first", shape=say(f"shape.{shape}"))
        text = say("draft.ungraded", level=level, shape=first)
    else:
        text = _graded(verdict, level, suffix, heights, say)
    return Phrase("", text, "verdict", anchor)


def _graded(
    verdict: Verdict, level: str, shape: str, heights: Heights | None, say: Catalogue
) -> str:
    number = _GENANT_NUMBERS[verdict.severity or "mild"]
    words = say(f"severity.{verdict.severity}")
    if not verdict.possible or heights is None:
        return say("draft.graded", words=words, level=level, number=number, shape=shape)
    percent = f"{100 * heights.loss:.0f}".replace("-", "\N{MINUS SIGN}")
    return say(
        "draft.possible", words=words, level=level, number=number, shape=shape, percent=percent
    )


def _details(
    findings: VertebraFindings, position: int | None, anchor: str, say: Catalogue
) -> Iterator[Phrase]:
    heights = findings.heights
    if heights is not None:
        yield Phrase("", _height_words(heights, say), "heights", f"{anchor}-heights")
    explanation = None if position is None else findings.assessments[position].explanation
    if position is None or explanation is None or not explanation.evidence:
        return
    where, at = f"{_opinion(position)}explanation/evidence", f"{anchor}-evidence"
    place = None if heights is None else endplate(explanation, heights, findings.patch)
    if place is not None:
        yield Phrase("", say(f"draft.endplate.{place}"), where, at if position == 0 else anchor)
    for rank, item in enumerate(explanation.evidence):
        if _readers_word(item):
            text = say("draft.pattern", name=item.name)
            yield Phrase("", text, f"{where}/{rank}", at if position == 0 else anchor)
            return


def _readers_word(unit: Evidence) -> bool:
    """Whether a unit tied to fracture has a readers' name that may stand in a finding."""
    known = unit.detail
    if not isinstance(known, UnitDetail):
        return False
    agreed = known.named and 2 * known.meaningful > known.raters
    tied = known.contrast > 0 and known.q < LARGEST_Q
    return agreed and tied and permitted(unit.name)


def _opinion(position: int) -> str:
    """Return where in a vertebra of ``result.json`` a model's opinion is."""
    return "" if position == 0 else f"other_models/{position - 1}/"


def _height_words(heights: Heights, say: Catalogue) -> str:
    measured = (heights.anterior_mm, heights.middle_mm, heights.posterior_mm)
    shares = [m / e if e > 0 else 1.0 for m, e in zip(measured, heights.expected_mm, strict=True)]
    least = int(np.argmin(shares))
    low, high = heights.loss_interval
    change = f"{round(-100 * heights.loss):+d}".replace("-", "\N{MINUS SIGN}")
    return say(
        f"draft.height.{HEIGHT_NAMES[least]}",
        mm=f"{measured[least]:.0f}",
        expected=f"{heights.expected_mm[least]:.0f}",
        change="0" if round(100 * heights.loss) == 0 else change,
        half=f"{50 * (high - low):.0f}",
    )
