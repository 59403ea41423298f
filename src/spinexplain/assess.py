"""The main job on arrays: a CT and its vertebrae in, graded and explained vertebrae out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.spine.localize import localize, match_grid
from spinexplain.spine.morphometry import measure
from spinexplain.spine.quality import not_assessable_reason, quality_flags
from spinexplain.spine.reformat import overview_frame, reformat, sample_volume
from spinexplain.types import (
    Assessment,
    Explanation,
    Heights,
    LabelMap,
    Patch,
    ScanFindings,
    ScanSource,
    Vertebra,
    VertebraFindings,
    Volume,
)

if TYPE_CHECKING:
    from spinexplain.models.grader import Grader

SHIPPED_MODEL = "protoverse-phantom"

Stage = Callable[[str], AbstractContextManager[None]]
"""Called with the name of each stage; the stage runs inside the context it returns."""


def _unobserved(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def grade(
    volume: Volume,
    *,
    labels: LabelMap | None = None,
    centroids: Sequence[Vertebra] | None = None,
    models: Sequence[str | Grader] = (SHIPPED_MODEL,),
    source: ScanSource | None = None,
    settings: Mapping[str, str] | None = None,
    stage: Stage = _unobserved,
) -> ScanFindings:
    """Grade every thoracic and lumbar vertebra of a CT and say why.

    Parameters
    ----------
    volume : Volume
        The CT in HU.
    labels : LabelMap, optional
        VerSe-labelled vertebra mask; on another grid it is resampled (nearest). Without
        it there are no heights: they are absent, not guessed.
    centroids : sequence of Vertebra, optional
        Body centres; win over the mask's where both are given.
    models : sequence of str or Grader
        Names of shipped models, folders of model bundles, or loaded graders.
    source : ScanSource, optional
        What ``result.json`` says about the CT.
    settings : mapping of str to str, optional
        Shown at the foot of the report.
    stage : callable, optional
        Observes the stages ``localize``, ``heights``, ``quality``, ``reformat``,
        ``load model``, ``grade`` and ``explain``, for progress or timing.

    Returns
    -------
    ScanFindings
        Vertebrae in cranio-caudal order.

    Raises
    ------
    LabelError
        If neither labels nor centroids are given, or no thoracic or lumbar level is there.
    """
    if not models:
        raise ConfigError("models is empty; expected at least one model to grade with.")
    with stage("localize"):
        if labels is not None:
            labels = match_grid(labels, volume)
        vertebrae = localize(volume, labels=labels, centroids=centroids)
        graded = _graded_levels(vertebrae)
    with stage("heights"):
        heights = measure(labels, vertebrae) if labels is not None else {}
    with stage("quality"):
        flags = quality_flags(volume, vertebrae, labels)
    with stage("reformat"):
        sheets = _sheets(volume, vertebrae, graded)
        overview = _overview(volume, vertebrae, graded)
    with stage("load model"):
        graders = [_grader(model) for model in models]
    assessed = [_assess(g, volume, vertebrae, graded, flags, stage) for g in graders]
    return ScanFindings(
        source=source or ScanSource("CT", "", _shape(volume), volume.spacing_mm),
        volume=volume,
        models=tuple(grader.info for grader in graders),
        vertebrae=tuple(
            _findings(sheet, heights.get(sheet.vertebra.level), row, flags)
            for sheet, row in zip(sheets, zip(*assessed, strict=True), strict=True)
        ),
        overview=overview,
        settings=dict(settings or {}),
    )
