"""The main job on arrays: a CT and its vertebrae in, graded and explained vertebrae out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.errors import ConfigError, LabelError
from spinexplain.findings.deformity import deformities
from spinexplain.findings.scan import (
    Assessment,
    Comparison,
    ScanFindings,
    ScanSource,
    VertebraFindings,
)
from spinexplain.findings.sides import side_evidence
from spinexplain.findings.vertebrae import ScanVertebrae, scan_vertebrae
from spinexplain.progress import SILENT, Progress
from spinexplain.spine.aorta import aorta_hu
from spinexplain.spine.body_size import expected_body_heights_mm
from spinexplain.spine.density import densities
from spinexplain.spine.image_terms import image_terms, scan_terms
from spinexplain.spine.poses import POSES, posed_patches
from spinexplain.spine.quality import not_assessable_reason
from spinexplain.spine.reformat import (
    box_frame,
    overview_frame,
    reformat,
    sample_patch,
    sample_volume,
    sheet_frame,
)
from spinexplain.types import Explanation, Grading, LabelMap, Patch, Vertebra, Volume

if TYPE_CHECKING:
    from spinexplain.explainers.dissection.record import Dissection
    from spinexplain.explainers.registry import Explainer
    from spinexplain.localizer.own import Found
    from spinexplain.models.grader import Grader


def grade(
    volume: Volume,
    *,
    labels: LabelMap | None = None,
    centroids: Sequence[Vertebra] | None = None,
    body: LabelMap | None = None,
    first_level: VertebraLevel | str | None = None,
    found: Found | None = None,
    models: Sequence[str | Grader] = (DEFAULT_MODEL,),
    dissections: Sequence[Dissection] = (),
    source: ScanSource | None = None,
    settings: Mapping[str, str] | None = None,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> ScanFindings:
    """Grade every thoracic and lumbar vertebra of a CT and say why.

    Parameters
    ----------
    volume : Volume
        The CT in HU.
    labels : LabelMap, optional
        VerSe-labelled vertebra mask; on another grid it is resampled (nearest).
    centroids : sequence of Vertebra, optional
        Body centers; win over the mask's where both are given. They say which body is meant:
        each is moved to the body's middle. Without a mask the package's own localizer paints
        the bodies around them, and heights are measured on these. With neither, it finds the
        vertebrae as well.
    body : LabelMap, optional
        1 inside vertebral bodies, from a tool that separates bodies from arches. Centers and
        heights are then taken from it instead of from what is cut out of ``labels``.
    first_level : VertebraLevel or str, optional
        What the uppermost vertebra is, where a person knows better than the own localizer.
    found : Found, optional
        What the own localizer said of this scan before; it is not asked again.
    models : sequence of str or Grader
        Names of shipped models, folders of model bundles, or loaded graders.
    dissections : sequence of Dissection
        Each of one of the models, which is then explained by its units.
    source : ScanSource, optional
        What ``result.json`` says about the CT.
    settings : mapping of str to str, optional
        Shown at the foot of the report.
    device : str
        ``"cpu"`` or ``"cuda"``, for models that are loaded here.
    progress : Progress
        Hears the stages ``localize``, ``heights``, ``quality``, ``reformat``, ``load model``,
        ``grade`` and ``explain``.

    Returns
    -------
    ScanFindings
        Vertebrae in cranio-caudal order.

    Raises
    ------
    LabelError
        If no thoracic or lumbar level is there.
    ModelError
        If a dissection is of none of the models.
    ConfigError
        If there is no model, two dissections are of the same one, or a first level is given
        beside a mask or centroids.
    """
    if not models:
        raise ConfigError("models is empty; expected at least one model to grade with.")
    with progress.stage("localize"):
        spine = scan_vertebrae(volume, labels, centroids, body, first_level, found)
    measured = _measured(volume, spine, progress)
    with progress.stage("load model"):
        graders = [_loaded(model, device) for model in models]
    flags = {one.vertebra.level: one.flags for one in measured}
    assessed = [
        _assess(grader, volume, spine.vertebrae, flags, progress, explainer)
        for grader, explainer in zip(graders, _explainers(graders, dissections), strict=True)
    ]
    return ScanFindings(
        source=source or ScanSource("CT", "", _shape(volume), volume.spacing_mm),
        volume=volume,
        models=tuple(grader.info for grader in graders),
        vertebrae=tuple(
            replace(one, assessments=tuple(by_level[one.vertebra.level] for by_level in assessed))
            for one in measured
        ),
        overview=_overview(volume, spine.vertebrae),
        settings=dict(settings or {}),
        found=spine.found,
        settled=spine.settled,
        moved_mm=spine.moved_mm,
        aorta_hu=aorta_hu(volume, spine.vertebrae),
    )


def explain(
    grader: Grader,
    patch: Patch,
    target: str | None = None,
    method: str | Explainer | None = None,
) -> Explanation:
    """Say why a model leans towards a class on one patch.

    Parameters
    ----------
    grader : Grader
    patch : Patch
        Of the grader's own shape; see :func:`patches_for`.
    target : str, optional
        The class to explain; by default the one the model chose.
    method : str or Explainer, optional
        Name in ``EXPLAINERS``, or an explainer itself, such as a ``DissectionExplainer``;
        by default the grader's own.

    Raises
    ------
    ConfigError
        If there is no such method.
    ModelError
        If the method does not fit the model, or the model has no such class.
    """
    from spinexplain.explainers.registry import EXPLAINERS

    chosen = method or grader.explainer
    if isinstance(chosen, str) and chosen not in EXPLAINERS:
        raise ConfigError(
            f'there is no explainer "{chosen}"; expected one of {", ".join(sorted(EXPLAINERS))}.'
        )
    explainer = EXPLAINERS[chosen] if isinstance(chosen, str) else chosen
    return explainer(grader, patch, target or grader.grade([patch])[0].grade)


def compare(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    levels: Sequence[VertebraLevel],
    grader: Grader,
    beside: Grader | None = None,
) -> list[Comparison]:
    """Explain chosen vertebrae by prototypes and, for comparison, by class activation maps.

    Parameters
    ----------
    volume : Volume
    vertebrae : sequence of Vertebra
        All of the scan; together they give the spine's curve.
    levels : sequence of VertebraLevel
    grader : Grader
        A prototype model.
    beside : Grader, optional
        The model the maps are of, such as the plain classifier; by default ``grader``.

    Returns
    -------
    list of Comparison
        In the order of ``levels``.

    Raises
    ------
    LabelError
        If a level is not in the scan.
    ModelError
        If ``grader`` has no prototypes.
    """
    from spinexplain.explainers.cam_weights import CAM_METHODS

    other = beside or grader
    own = {p.vertebra.level: p for p in patches_for(grader, volume, vertebrae)}
    others = {p.vertebra.level: p for p in patches_for(other, volume, vertebrae)}
    if missing := [level.value for level in levels if level not in own]:
        raise LabelError(
            f"{', '.join(missing)} is not among the vertebrae of this scan; expected some of "
            f"{', '.join(level.value for level in own)}. Choose another level."
        )
    made = []
    for level in levels:
        grading, beside_grading = (
            grader.grade([own[level]])[0],
            other.grade([others[level]])[0],
        )
        target = grading.grade if grading.grade in other.classes else beside_grading.grade
        made.append(
            Comparison(
                model=grader.info,
                beside=other.info,
                grading=grading,
                beside_grading=beside_grading,
                prototypes=explain(grader, own[level], grading.grade, "prototypes"),
                maps=tuple(explain(other, others[level], target, m) for m in CAM_METHODS),
                reason=grader.not_assessable(own[level], own[level].vertebra.flags),
            )
        )
    return made


def patches_for(grader: Grader, volume: Volume, vertebrae: Sequence[Vertebra]) -> list[Patch]:
    """Reformat a CT into the patches a model expects, one per vertebra.

    Parameters
    ----------
    vertebrae : sequence of Vertebra
        All of the scan; together they give the spine's curve, and how large a body should
        be where the model wants its crops scaled to that.
    """
    spec = grader.spec
    side = round(spec.extent_mm)
    if spec.body_height_mm is None:
        return reformat(volume, vertebrae, kind=f"{spec.axes}d", shape=(side,) * spec.axes)
    heights = expected_body_heights_mm(vertebrae)
    patches = []
    for one in vertebrae:
        step_mm = heights[one.level] / spec.body_height_mm
        frame = (
            sheet_frame(vertebrae, one, (side, side), step_mm)
            if spec.axes == 2
            else box_frame(vertebrae, one, (side, side, side), step_mm)
        )
        patches.append(sample_patch(volume, one, frame))
    return patches


def _assess(
    grader: Grader,
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    flags: Mapping[VertebraLevel, tuple[str, ...]],
    progress: Progress,
    explainer: Explainer | None,
) -> dict[VertebraLevel, Assessment]:
    """Grade and explain each level, or say why not."""
    with progress.stage("reformat"):
        patches = [p for p in patches_for(grader, volume, vertebrae) if p.vertebra.level.is_graded]
    reasons = {
        patch.vertebra.level: not_assessable_reason(flags[patch.vertebra.level])
        or grader.not_assessable(patch, flags[patch.vertebra.level])
        for patch in patches
    }
    assessable = [patch for patch in patches if reasons[patch.vertebra.level] is None]
    with progress.stage("grade"):
        grader = _answered(grader, assessable)
        gradings = grader.grade(assessable)
        posed = _posed_gradings(grader, volume, assessable, gradings)
    with progress.stage("explain"):
        assessed = {
            patch.vertebra.level: Assessment(
                grading,
                explain(grader, patch, grading.grade, explainer),
                poses=poses,
                axes=grader.spec.axes,
                weights_sha256=grader.info.weights_sha256,
                sides=side_evidence(grader, volume, patch, grading),
            )
            for patch, grading, poses in zip(assessable, gradings, posed, strict=True)
        }
    return {
        level: assessed[level] if reason is None else Assessment.refused(reason)
        for level, reason in reasons.items()
    }


def _posed_gradings(
    grader: Grader, volume: Volume, patches: Sequence[Patch], gradings: Sequence[Grading]
) -> list[tuple[Grading, ...]]:
    """Ask a network on sheets from slightly other centers too; one on boxes only once."""
    if grader.spec.axes != 2:
        return [(grading,) for grading in gradings]
    others = [posed_patches(volume, patch, POSES[1:]) for patch in patches]
    found = iter(grader.grade([one for some in others for one in some]))
    return [
        (grading, *(next(found) for _ in some))
        for grading, some in zip(gradings, others, strict=True)
    ]


def _explainers(
    graders: Sequence[Grader], dissections: Sequence[Dissection]
) -> list[Explainer | None]:
    """Bind each dissection to its model; refuse one of no model at hand, and a second."""
    if not dissections:
        return [None] * len(graders)
    from spinexplain.explainers.dissection.explain import DissectionExplainer

    for dissection in dissections:
        if not any(dissection.fits(grader.info) for grader in graders):
            dissection.check_model(graders[0].info)
    fitting = [[one for one in dissections if one.fits(grader.info)] for grader in graders]
    for grader, found in zip(graders, fitting, strict=True):
        if len(found) > 1:
            layers = ", ".join(f'"{one.layer}"' for one in found)
            raise ConfigError(
                f'{len(found)} dissections of model "{grader.info.name}" were given (layers '
                f"{layers}); expected one. Choose which to explain it by."
            )
    return [DissectionExplainer(found[0]) if found else None for found in fitting]


def _answered(grader: Grader, patches: Sequence[Patch]) -> Grader:
    """Let an exported network run once for the grades and their explanations."""
    from spinexplain.models.grader import answered

    return answered(grader, patches)


def _overview(volume: Volume, vertebrae: Sequence[Vertebra]) -> Patch:
    graded = [vertebra for vertebra in vertebrae if vertebra.level.is_graded]
    frame = overview_frame(graded, volume)
    array, outside = sample_volume(volume, frame)
    return Patch(graded[len(graded) // 2], array, frame, outside)


def _loaded(model: str | Grader, device: str) -> Grader:
    if not isinstance(model, str):
        return model
    from spinexplain.models.bundle.store import load_grader

    return load_grader(model, device)


def _shape(volume: Volume) -> tuple[int, int, int]:
    x, y, z = volume.array.shape
    return x, y, z


def _measured(volume: Volume, spine: ScanVertebrae, progress: Progress) -> list[VertebraFindings]:
    """Find out what needs no model about every thoracic and lumbar vertebra."""
    with progress.stage("heights"):
        heights = spine.heights()
    with progress.stage("quality"):
        flags = spine.flags(volume)
        shapes = deformities(heights)
        bone = densities(volume, spine.vertebrae, heights)
    with progress.stage("reformat"):
        sheets = [s for s in reformat(volume, spine.vertebrae) if s.vertebra.level.is_graded]
        image = scan_terms(image_terms(sheet, volume.spacing_mm) for sheet in sheets)
    return [
        VertebraFindings(
            patch=sheet,
            heights=heights.get(sheet.vertebra.level),
            assessments=(),
            flags=flags[sheet.vertebra.level],
            deformity=shapes.get(sheet.vertebra.level),
            density=bone.get(sheet.vertebra.level),
            image=terms,
        )
        for sheet, terms in zip(sheets, image, strict=True)
    ]
