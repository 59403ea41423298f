"""The evidence as a DICOM parametric map on the CT's grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.dicom_out.codes import code
from spinexplain.dicom_out.result_context import CREATOR, ResultContext, in_source_order
from spinexplain.dicom_out.segmentation import fixed_dimension_uid
from spinexplain.spine.paint import paint_back
from spinexplain.types import Explanation, Volume

if TYPE_CHECKING:
    from highdicom import VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping
    from pydicom.dataset import Dataset

_LARGEST_FULL_GRID_BYTES = 256 * 2**20


def painted_evidence(explanations: Sequence[Explanation], volume: Volume) -> np.ndarray | None:
    """Paint the strongest piece of evidence of each explanation on the CT's voxels.

    Parameters
    ----------
    explanations : sequence of Explanation
        Of the vertebrae to show, all by one model.
    volume : Volume
        The CT; only its lattice is used.

    Returns
    -------
    ndarray of float32, shape (X, Y, Z), or None
        Where two pieces overlap, the larger value; 0 elsewhere. None without evidence.
    """
    strongest = [one for one in explanations if one.evidence]
    if not strongest:
        return None
    full = np.zeros(volume.array.shape, np.float32)
    for one in strongest:
        painted = paint_back(one.evidence[0].heatmap, one.patch.frame, volume)
        start = np.rint(np.linalg.inv(volume.affine) @ painted.affine[:, 3])[:3].astype(int)
        part = tuple(slice(a, a + n) for a, n in zip(start, painted.array.shape, strict=True))
        np.maximum(full[part], painted.array, out=full[part])
    return full


def evidence_map(
    context: ResultContext, heat: np.ndarray, full_grid_bytes: int = _LARGEST_FULL_GRID_BYTES
) -> ParametricMap:
    """Make a parametric map of the evidence.

    Parameters
    ----------
    context : ResultContext
    heat : ndarray of float32, shape (columns, rows, slices)
        On the lattice of the CT.
    full_grid_bytes : int
        A larger map is cut to the slices that hold evidence: every slice keeps its own
        position, but viewers that take for granted that a map covers the CT misplace it.

    Notes
    -----
    highdicom sorts frames downwards along the slice normal, and dcmqi (3D Slicer) stacks them
    upwards in file order, which shows the map upside down. So frames are put in ascending
    order here; highdicom reads them by position either way.
    """
    from highdicom.pm import ParametricMap

    first, last = _slices_kept(heat, full_grid_bytes)
    sources = list(context.references.headers)
    pixels = in_source_order(heat, context.references)
    if not context.references.is_multiframe:
        sources, pixels = sources[first:last], pixels[first:last]
    made = ParametricMap(
        source_images=sources,
        pixel_array=np.ascontiguousarray(pixels, np.float32),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_mapping(heat)],
        voi_lut_transformations=[_window(heat)],
        content_label="EVIDENCE",
        content_description="Where the strongest evidence of each suspicious vertebra lies",
        content_creator_name=CREATOR,
        content_qualification="RESEARCH",
        **context.identifiers("evidence"),
        **context.equipment(),
    )
    made.BodyPartExamined = "SPINE"
    _add_anatomy(made)
    _ascending(made)
    fixed_dimension_uid(made, context.uid("evidence", "dimensions"))
    context.finish(made)
    return made


def _slices_kept(heat: np.ndarray, full_grid_bytes: int) -> tuple[int, int]:
    if heat.nbytes <= full_grid_bytes:
        return 0, heat.shape[2]
    used = np.flatnonzero(heat.any(axis=(0, 1)))
    return int(used[0]), int(used[-1]) + 1


def _window(heat: np.ndarray) -> VOILUTTransformation:
    """Show from zero to the highest value; the plain function allows no width below one."""
    from highdicom import VOILUTTransformation

    top = max(float(heat.max()), 1e-6)
    return VOILUTTransformation(
        window_center=top / 2, window_width=top, voi_lut_function="LINEAR_EXACT"
    )


def _mapping(heat: np.ndarray) -> RealWorldValueMapping:
    from highdicom.pm import RealWorldValueMapping

    return RealWorldValueMapping(
        lut_label="EVIDENCE",
        lut_explanation="Class activation",
        unit=code("unit", "1").concept,
        value_range=(0.0, max(float(heat.max()), 1e-6)),
        slope=1.0,
        intercept=0.0,
        quantity_definition=code("object", "class_activation").concept,
    )


def _add_anatomy(made: Dataset) -> None:
    """Say which part of the body the frames show; dcmqi needs it."""
    from pydicom.dataset import Dataset

    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = [Dataset()]
    anatomy.AnatomicRegionSequence[0].update(code("object", "spine").concept)
    made.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [anatomy]


def _ascending(made: Dataset) -> None:
    """Put the frames in ascending order along the normal of row and column."""
    shared, frames = made.SharedFunctionalGroupsSequence[0], made.PerFrameFunctionalGroupsSequence
    axes = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3))
    normal = np.cross(*axes.astype(float))
    corners = [frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames]
    order = np.argsort(np.array(corners, float) @ normal, kind="stable")
    stored = np.frombuffer(made.FloatPixelData, "<f4").reshape(len(frames), -1)
    made.FloatPixelData = stored[order].tobytes()
    made.PerFrameFunctionalGroupsSequence = [frames[k] for k in order]
    for number, frame in enumerate(made.PerFrameFunctionalGroupsSequence, start=1):
        values = frame.FrameContentSequence[0].DimensionIndexValues
        frame.FrameContentSequence[0].DimensionIndexValues = (
            number if isinstance(values, int) else [number] * len(values)
        )
