"""The graded vertebrae as a DICOM segmentation on the CT's own grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.dicom_out.codes import code
from spinexplain.dicom_out.result_context import (
    CREATOR,
    MODEL_NAME,
    ResultContext,
    in_source_order,
)
from spinexplain.types import LabelMap

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription


@dataclass(frozen=True)
class OwnMask:
    """A mask that the package's own localizer painted.

    Parameters
    ----------
    version : str
        Of the localizer.
    names_certain : bool
        Whether the names of the vertebrae are; a person's first level makes them so.
    """

    version: str
    names_certain: bool


def segmentation(
    context: ResultContext, labels: LabelMap, own: OwnMask | None = None
) -> Segmentation | None:
    """Make a binary segmentation with one segment a graded vertebra.

    Parameters
    ----------
    context : ResultContext
    labels : LabelMap
        VerSe labels on the grid of the CT. Nothing is interpolated.
    own : OwnMask, optional
        Where the mask came from no one else: its segments are bodies, not whole vertebrae, and
        say so, as they say that a name is uncertain.

    Returns
    -------
    highdicom.seg.Segmentation or None
        None where no graded vertebra has a voxel. The tracking UID of a segment is that of the
        vertebra's measurements in the structured report.
    """
    from highdicom.seg import Segmentation

    levels = [
        one.level
        for one in context.statement.vertebrae
        if (labels.array == one.level.verse_label).any()
    ]
    if not levels:
        return None
    title, described = ("VERTEBRAE", "Vertebrae graded for fracture")
    if own is not None:
        title, described = ("BODIES", "Vertebral bodies, painted by software, unchecked")
    made = Segmentation(
        source_images=list(context.references.headers),
        pixel_array=in_source_order(_renumbered(labels, levels), context.references),
        segmentation_type="BINARY",
        segment_descriptions=[
            _description(context, number, level, own)
            for number, level in enumerate(levels, start=1)
        ],
        content_label=title,
        content_description=described,
        content_creator_name=CREATOR,
        **context.identifiers("segmentation"),
        **context.equipment(),
    )
    fixed_dimension_uid(made, context.uid("segmentation", "dimensions"))
    context.finish(made)
    return made


def fixed_dimension_uid(made: object, uid: str) -> None:
    """Replace the random UID of a multi-frame image's dimensions by a deterministic one."""
    made.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid  # type: ignore[attr-defined]
    for item in made.DimensionIndexSequence:  # type: ignore[attr-defined]
        item.DimensionOrganizationUID = uid


def _renumbered(labels: LabelMap, levels: list[VertebraLevel]) -> np.ndarray:
    """Number the vertebrae from 1 in cranio-caudal order; everything else is background."""
    table = np.zeros(max(int(labels.array.max()), 28) + 1, np.uint8)
    for number, level in enumerate(levels, start=1):
        table[level.verse_label] = number
    return table[labels.array]


def _description(
    context: ResultContext, number: int, level: VertebraLevel, own: OwnMask | None
) -> SegmentDescription:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    return SegmentDescription(
        segment_number=number,
        segment_label=_label(level, own),
        segmented_property_category=code("object", "anatomical_structure").concept,
        segmented_property_type=code("level", level.value).concept,
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=MODEL_NAME if own is None else f"{MODEL_NAME} localizer",
            family=code("object", "artificial_intelligence").concept,
            version=context.software_version if own is None else own.version,
        ),
        tracking_uid=tracking_uid(context, level),
        tracking_id=level.value,
    )


def _label(level: VertebraLevel, own: OwnMask | None) -> str:
    """Name a segment.

    Examples
    --------
    >>> _label(VertebraLevel.L1, None), _label(VertebraLevel.L1, OwnMask("1", False))
    ('L1', 'L1 body, name uncertain')
    """
    if own is None:
        return level.value
    return f"{level.value} body" + ("" if own.names_certain else ", name uncertain")


def tracking_uid(context: ResultContext, level: VertebraLevel) -> str:
    """Return the UID that ties a vertebra's segment to its measurements."""
    return context.uid("vertebra", level.value)
