"""The scan in words: what was graded, what was not, what is suspected, what to mind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import GENANT_GRADES
from spinexplain.findings.agreement import DISAGREE, agreement
from spinexplain.findings.bone_density import bone_density, density_words
from spinexplain.findings.naming import naming_words
from spinexplain.findings.rules import (
    SUSPICIOUS_HEIGHT_LOSS_CLASS,
    first_grading,
    grading_of,
    models_agree,
    not_assessable_reason,
    verdict_of,
    worst_first,
)
from spinexplain.findings.scan import ScanFindings, VertebraFindings
from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD,
    SUSPECTED,
    VERDICT_KEYS,
    Verdict,
)
from spinexplain.io.scan_flags import (
    COMPUTED_VALUES,
    ORIENTATION_UNKNOWN,
    RESCALE_ASSUMED,
    SFORM_QFORM_DIFFER,
    SLICES_ODD,
)
from spinexplain.spine.checks.discs import DISC_IN_LABEL
from spinexplain.spine.checks.mask import CUT_BY_MASK
from spinexplain.spine.checks.pieces import LABEL_IN_PIECES, ODD_LABEL_SIZE, SEVERAL_BONES
from spinexplain.spine.checks.placement import NOT_ON_BONE
from spinexplain.spine.checks.presence import missing_levels
from spinexplain.spine.checks.proportions import ODD_PROPORTIONS
from spinexplain.spine.quality import BODY_UNSURE, GANTRY_TILT, NOT_HOUNSFIELD, tilt_degrees
from spinexplain.texts.catalogue import Catalogue
from spinexplain.types import ModelInfo, Volume

_SCAN_FLAGS = (
    ORIENTATION_UNKNOWN,
    SFORM_QFORM_DIFFER,
    RESCALE_ASSUMED,
    SLICES_ODD,
    COMPUTED_VALUES,
)
_LABEL_FLAGS = (
    SEVERAL_BONES,
    ODD_LABEL_SIZE,
    LABEL_IN_PIECES,
    DISC_IN_LABEL,
    NOT_ON_BONE,
    CUT_BY_MASK,
    BODY_UNSURE,
)


@dataclass(frozen=True)
class Suspect:
    """A suspected fracture in the headline."""

    level: str
    anchor: str
    grade: str
    words: str


@dataclass(frozen=True)
class Summary:
    """The headline, and the sentences under it in order of weight.

    ``headline`` introduces the suspects, or says why there are none: nothing suspected is
    not the same as nothing graded.
    """

    headline: str
    suspects: tuple[Suspect, ...]
    warnings: tuple[str, ...]
    coverage: tuple[str, ...]
    caveats: tuple[str, ...]


def summarize(scan: ScanFindings, say: Catalogue) -> Summary:
    """Say in words what a graded scan shows."""
    spine = [item for item in scan.vertebrae if item.vertebra.level.is_graded]
    suspects = tuple(_suspect(item, say) for item in _suspected(spine))
    return Summary(
        headline=_headline(spine, suspects, say),
        suspects=suspects,
        warnings=tuple(_warnings(scan, spine, say)),
        coverage=tuple(_coverage(scan, spine, say)),
        caveats=tuple(_caveats(scan, spine, say)),
    )


def training_lines(models: Sequence[ModelInfo], say: Catalogue) -> list[str]:
    """Say of each model in one line what it was trained on, and that this proves nothing.

    Models that were trained on synthetic spines alone share a line.
    """
    lines = [
        say("summary.trained_synthetic")
        if model.synthetic_only
        else say("summary.trained_on", model=model.name, trained_on=model.trained_on.rstrip("."))
        for model in models
    ]
    return list(dict.fromkeys(lines))


def _headline(
    spine: Sequence[VertebraFindings], suspects: Sequence[Suspect], say: Catalogue
) -> str:
    if suspects:
        return say("summary.suspected", count=len(suspects))
    graded = any(first_grading(item) is not None for item in spine)
    return say("summary.nothing_suspected" if graded else "summary.none_graded")


def slice_spacing_mm(volume: Volume) -> float:
    """Return the voxel spacing along the array axis that runs most nearly cranio-caudal."""
    direction = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    return volume.spacing_mm[int(np.argmax(np.abs(direction[2])))]


def _suspected(spine: Sequence[VertebraFindings]) -> list[VertebraFindings]:
    """Return the vertebrae whose verdict suspects a fracture, worst first."""
    found = [item for item in spine if verdict_of(item).state == SUSPECTED]
    return sorted(found, key=worst_first)


def _suspect(item: VertebraFindings, say: Catalogue) -> Suspect:
    verdict, level = verdict_of(item), item.vertebra.level.value
    grade = grade_of_severity(verdict.severity)
    return Suspect(level, f"level-{level}", grade, severity_words(verdict, say))


def severity_words(verdict: Verdict, say: Catalogue) -> str:
    """Say how severe a suspected fracture is; *possible* where the loss contradicts it."""
    if verdict.severity is None:
        return say("severity.none")
    words = say(f"severity.{verdict.severity}")
    return say("severity.possible", words=words) if verdict.possible else words


def grade_of_severity(severity: str | None) -> str:
    """Return the Genant grade of a severity, as chips are colored; ``"fracture"`` for none."""
    return {"mild": "G1", "moderate": "G2", "severe": "G3"}.get(severity or "", "fracture")


def _others(spine: Sequence[VertebraFindings], say: Catalogue) -> Iterable[str]:
    """Name the levels of every verdict between a suspected fracture and none."""
    for state in (BORDERLINE, DEFORMITY, MILD):
        levels = [item.vertebra.level for item in spine if verdict_of(item).state == state]
        if levels:
            yield say(f"summary.verdict.{VERDICT_KEYS[state]}", levels=say.levels(levels))


def _coverage(
    scan: ScanFindings, spine: Sequence[VertebraFindings], say: Catalogue
) -> Iterable[str]:
    """Say which levels any model graded, which are missing and why, which none graded."""
    graded = [item.vertebra.level for item in spine if first_grading(item) is not None]
    if graded:
        levels = say.levels(graded)
        yield say("summary.graded", levels=levels, graded=len(graded), count=len(spine))
    missing = missing_levels(scan.volume, [item.vertebra for item in spine])
    for reason in ("not_in_view", "unlabeled", "absent"):
        levels = getattr(missing, reason)
        if levels:
            yield say(f"summary.{reason}", levels=say.levels(levels))
    for item in spine:
        why = not_assessable_reason(item)
        if why is not None and first_grading(item) is None:
            words = say.or_raw(f"flag.{why}", why)
            yield say("summary.not_assessable", level=item.vertebra.level.value, reason=words)


def _warnings(
    scan: ScanFindings, spine: Sequence[VertebraFindings], say: Catalogue
) -> Iterable[str]:
    if scan.source.facts.phantom:
        yield say("summary.phantom")
    if scan.found is not None:
        yield from naming_words(scan.found, say, scan.settings.get("next_command", ""))
    if any(NOT_HOUNSFIELD in item.flags for item in spine):
        yield say("summary.not_hounsfield", lowest=f"{scan.volume.array.min():g}")
    yield from _others(spine, say)
    yield from (say(f"summary.{flag}") for flag in scan.volume.flags if flag in _SCAN_FLAGS)
    if any(ODD_PROPORTIONS in item.flags for item in spine):
        yield say("summary.odd_proportions")
    for flag in _LABEL_FLAGS:
        levels = [item.vertebra.level for item in spine if flag in item.flags]
        if levels:
            yield say("summary.check_label", levels=say.levels(levels), reason=say.flag(flag))
    lost = [
        say("summary.height_loss", level=item.vertebra.level.value, percent=f"{loss:.0f}")
        for item, loss in _height_losses(spine)
    ]
    if lost:
        yield say("summary.by_heights", list=say.listed(lost))
    apart = [
        item.vertebra.level
        for item in spine
        if agreement(grading_of(item), item.heights) == DISAGREE
    ]
    if apart:
        yield say("summary.disagree", levels=say.levels(apart))
    split = [item.vertebra.level for item in spine if models_agree(item) is False]
    if split:
        yield say("summary.models_disagree", levels=say.levels(split))


def _height_losses(spine: Sequence[VertebraFindings]) -> Iterable[tuple[VertebraFindings, float]]:
    for item in spine:
        heights = item.heights
        if heights is not None and heights.height_loss_class >= SUSPICIOUS_HEIGHT_LOSS_CLASS:
            yield item, 100 * heights.loss


def _settled(scan: ScanFindings, levels: Sequence[VertebraLevel], say: Catalogue) -> Iterable[str]:
    moved = list(scan.moved_mm.values())
    if moved:
        usual, most = f"{np.median(moved):.1f}", f"{max(moved):.1f}"
        key = "summary.settled_by_mask" if scan.settled is None else "summary.settled"
        yield say(key, usual=usual, most=most)
    unsettled = () if scan.settled is None else scan.settled.unsettled
    stayed = [level for level in levels if level in unsettled]
    if stayed:
        yield say("summary.not_settled", levels=say.levels(stayed))


def _caveats(
    scan: ScanFindings, spine: Sequence[VertebraFindings], say: Catalogue
) -> Iterable[str]:
    for model in scan.models:
        missing = [grade for grade in GENANT_GRADES if grade not in model.classes]
        if missing == list(GENANT_GRADES):
            yield say("summary.no_severity", model=model.name)
        elif missing:
            named = [say("summary.grade_named", words=say(f"grade.{g}"), grade=g) for g in missing]
            yield say("summary.cannot_output", model=model.name, grades=say.listed(named))
    unmeasured = [item.vertebra.level for item in spine if item.heights is None]
    own = scan.found or scan.settled
    if len(unmeasured) == len(spine):
        yield say("summary.no_heights" if own is None else "summary.no_heights_own")
    elif unmeasured:
        yield say("summary.some_heights", levels=say.levels(unmeasured))
    if own is not None and len(unmeasured) < len(spine):
        yield say("summary.own_mask")
    yield from _settled(scan, [item.vertebra.level for item in spine], say)
    names = scan.settings.get("level_names", "")
    yield say("summary.level_names", source=names) if names else say("summary.level_names_unknown")
    found = bone_density(scan)
    if found is not None:
        yield density_words(found, say)
    yield say("summary.slices", mm=f"{slice_spacing_mm(scan.volume):.3g}")
    if any(GANTRY_TILT in item.flags for item in spine):
        yield say("summary.gantry_tilt", degrees=f"{tilt_degrees(scan.volume):.1f}")
