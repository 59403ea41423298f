"""Sheets parallel to that of a vertebra: the same view, further to the left and right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spinexplain.geometry import SheetFrame
from spinexplain.spine.reformat import sample_patch
from spinexplain.types import Patch, Volume


def sheets_beside(volume: Volume, patch: Patch, offsets_mm: Sequence[float]) -> list[Patch]:
    """Sample sheets parallel to a vertebra's own, straight from the CT.

    Parameters
    ----------
    volume : Volume
    patch : Patch
        A 2-D patch on a :class:`~spinexplain.geometry.SheetFrame`.
    offsets_mm : sequence of float
        Towards the patient's left; 0 is the patch itself.

    Returns
    -------
    list of Patch
        In the order of ``offsets_mm``; each keeps the vertebra and its center.
    """
    return [_beside(volume, patch, float(offset)) for offset in offsets_mm]


def _beside(volume: Volume, patch: Patch, offset_mm: float) -> Patch:
    if not offset_mm:
        return patch
    assert isinstance(patch.frame, SheetFrame)
    frame = replace(patch.frame, offset_mm=patch.frame.offset_mm + offset_mm)
    return sample_patch(volume, patch.vertebra, frame)
