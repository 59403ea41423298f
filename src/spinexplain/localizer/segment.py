"""Masks of vertebral bodies, painted in oriented crops and laid on one grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import BoxFrame, apply_affine
from spinexplain.localizer.body_frame import body_frame
from spinexplain.localizer.networks import Network
from spinexplain.models.localizing import as_densities
from spinexplain.spine.quality import BODY_CUT, BODY_RAGGED, BODY_UNSURE, BODY_UPPER_THORACIC
from spinexplain.spine.resample import resample_affine
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import LabelMap, Vertebra, Volume

COARSEST_MM = 1.25
"""The mask's grid is that of the scan, divided until no voxel is longer than this."""

EXTRA_SD_MM = 1.1
"""Standard deviation that heights from these masks have beyond those from a given mask."""

_INSIDE = 0.5
_SHARE_SURE = 0.9  # mean probability inside the mask
_SHARE_SMOOTH = 0.9  # of the mask that is left when it is opened by a ball
_SHARE_WHOLE = 0.97  # of the mask that lies inside the scan
_TOO_FINE = frozenset({VertebraLevel.T1, VertebraLevel.T2, VertebraLevel.T3})
_MARGIN = 2  # voxels around the crops
_AT_ONCE = 2
_RIM = 2  # voxels


@dataclass(frozen=True, eq=False)
class PaintedBodies:
    """Bodies that the localizer painted.

    Parameters
    ----------
    labels : LabelMap of uint8
        VerSe labels, bodies only, on the scan's grid or a division of it, cut to the spine.
    doubts : mapping of VertebraLevel to str
        Quality flag of each body whose mask is not good enough to measure heights on.
    """

    labels: LabelMap
    doubts: Mapping[VertebraLevel, str]

    def measurable(self) -> LabelMap:
        """Return the mask without the bodies in doubt."""
        doubted = [level.verse_label for level in self.doubts]
        kept = np.where(np.isin(self.labels.array, doubted), 0, self.labels.array)
        return LabelMap(kept.astype(np.uint8), self.labels.affine)


@dataclass(frozen=True, eq=False)
class PaintedCrop:
    """What the body network answers to one oriented crop.

    Parameters
    ----------
    vertebra : Vertebra
        The crop is set on its center.
    frame : BoxFrame
    share : ndarray of float32, shape (40, 48, 48)
        Probability of the body; 0 outside the one nearest to the middle.
    """

    vertebra: Vertebra
    frame: BoxFrame
    share: np.ndarray


def paint_bodies(
    volume: Volume,
    vertebrae: Sequence[Vertebra],
    network: Network,
    coarsest_mm: float = COARSEST_MM,
) -> PaintedBodies:
    """Paint the body of every thoracic and lumbar vertebra.

    Parameters
    ----------
    volume : Volume
        HU, on any grid.
    vertebrae : sequence of Vertebra
        Centers of the whole scan; they give the crops' axes.
    network : callable
        See :class:`~spinexplain.models.body_network.BodyNetwork`.
    coarsest_mm : float
        Voxels of the scan longer than this are divided for the mask.

    Returns
    -------
    PaintedBodies

    Notes
    -----
    Each crop is read by itself.
    """
    return laid_together(volume, painted_crops(volume, vertebrae, network), coarsest_mm)


def painted_crops(
    volume: Volume, vertebrae: Sequence[Vertebra], network: Network
) -> list[PaintedCrop]:
    """Ask the network for the body of every thoracic and lumbar vertebra.

    Parameters
    ----------
    volume : Volume
        HU, on any grid.
    vertebrae : sequence of Vertebra
        Centers of the whole scan; they give the crops' axes.
    network : callable
    """
    graded = [vertebra for vertebra in vertebrae if vertebra.level.is_graded]
    frames = [body_frame(vertebrae, vertebra) for vertebra in graded]
    shares = body_shares(volume, frames, network)
    return [PaintedCrop(*one) for one in zip(graded, frames, shares, strict=True)]


def laid_together(
    volume: Volume, crops: Sequence[PaintedCrop], coarsest_mm: float = COARSEST_MM
) -> PaintedBodies:
    """Lay painted crops on one grid.

    Parameters
    ----------
    volume : Volume
    crops : sequence of PaintedCrop
        At least one.
    coarsest_mm : float
        Voxels of the scan longer than this are divided for the mask.

    Notes
    -----
    Where the masks of neighbors meet, the higher probability wins.
    """
    affine, shape = _grid(volume, [crop.frame for crop in crops], coarsest_mm)
    best = np.full(shape, _INSIDE, np.float32)
    labels = np.zeros(shape, np.uint8)
    for crop in crops:
        _lay(crop, affine, best, labels)
    doubts = {
        crop.vertebra.level: doubt for crop in crops if (doubt := _doubt(crop, volume)) is not None
    }
    return PaintedBodies(LabelMap(labels, affine), doubts)


def body_shares(volume: Volume, frames: Sequence[BoxFrame], network: Network) -> list[np.ndarray]:
    """Ask the network for the body in the middle of each crop.

    Parameters
    ----------
    volume : Volume
        HU, on any grid.
    frames : sequence of BoxFrame
        The crops, of ``BODY_SHAPE``.
    network : callable

    Returns
    -------
    list of ndarray of float32, shape (40, 48, 48)
        A crop: the probability of the one body that is nearest to the middle; 0 elsewhere.

    Notes
    -----
    Crops are asked in pairs: for one alone torch takes a way of convolving that is twice as slow
    (a rule of its own by the size of the input). The answers are the same.
    """
    shares: list[np.ndarray] = []
    for start in range(0, len(frames), _AT_ONCE):
        crops = [sample_volume(volume, frame)[0] for frame in frames[start : start + _AT_ONCE]]
        logits = network(as_densities(np.stack(crops))[:, None])[:, 0]
        shares += [body_share(one) for one in logits]
    return shares


def body_share(logits: np.ndarray) -> np.ndarray:
    """Return the probability of the body at a crop's middle from logits; 0 off that body."""
    share = 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))
    return np.where(_at_center(share), share, 0.0).astype(np.float32)


def _at_center(share: np.ndarray) -> np.ndarray:
    """Keep the connected part that holds most of the crop's middle, and its soft rim."""
    parts, count = ndimage.label(share > _INSIDE)
    if count == 0:
        return np.ones(share.shape, bool)
    middle = tuple(slice(n // 3, n - n // 3) for n in share.shape)
    sizes = np.bincount(parts[middle].ravel(), minlength=count + 1)
    sizes[0] = 0
    chosen = parts == int(np.argmax(sizes))
    others = (parts > 0) & ~chosen
    kept = np.zeros(share.shape, bool)
    for box in ndimage.find_objects(chosen.view(np.uint8)):
        wide = tuple(slice(max(side.start - _RIM, 0), side.stop + _RIM) for side in box)
        kept[wide] = ndimage.binary_dilation(chosen[wide], iterations=_RIM) & ~others[wide]
    return kept


def _grid(
    volume: Volume, frames: Iterable[BoxFrame], coarsest_mm: float
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Divide the scan's grid and cut it to the crops; return its affine and shape."""
    parts = np.ceil(np.array(volume.spacing_mm) / coarsest_mm - 1e-6).clip(1).astype(int)
    fine = volume.affine @ np.diag([*(1.0 / parts), 1.0])
    fine[:3, 3] = apply_affine(volume.affine, (1.0 / parts - 1.0) / 2.0)
    last = np.array(volume.array.shape) * parts - 1
    corners = np.vstack([frame.to_mm(_corners(frame.shape)) for frame in frames])
    index = apply_affine(np.linalg.inv(fine), corners)
    low = np.clip(np.floor(index.min(axis=0)).astype(int) - _MARGIN, 0, last)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + _MARGIN, 0, last)
    fine[:3, 3] = apply_affine(fine, low.astype(float))
    x, y, z = (high - low + 1).tolist()
    return fine, (x, y, z)


def _corners(shape: Sequence[int]) -> np.ndarray:
    return np.array(np.meshgrid(*[(0, n - 1) for n in shape]), dtype=float).reshape(3, -1).T


def _lay(crop: PaintedCrop, affine: np.ndarray, best: np.ndarray, labels: np.ndarray) -> None:
    """Sample a crop at the mask's voxels; take it where it is the surest so far."""
    corners = apply_affine(np.linalg.inv(affine), crop.frame.to_mm(_corners(crop.frame.shape)))
    last = np.array(labels.shape) - 1
    low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, last)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, last)
    box = tuple(slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    matrix = crop.frame.axes @ affine[:3, :3] / crop.frame.spacing_mm
    offset = crop.frame.to_patch(apply_affine(affine, low.astype(float)))
    x, y, z = (high - low + 1).tolist()
    share, _ = resample_affine(crop.share, matrix, offset, (x, y, z), 0.0)
    surer = share > best[box]
    best[box] = np.where(surer, share, best[box])
    labels[box] = np.where(surer, crop.vertebra.level.verse_label, labels[box])


def _doubt(crop: PaintedCrop, volume: Volume) -> str | None:
    """Return the flag that says why a body's mask cannot be measured, or None."""
    if crop.vertebra.level in _TOO_FINE:
        return BODY_UPPER_THORACIC
    if not is_sure(crop):
        return BODY_UNSURE
    if not is_whole(crop, volume):
        return BODY_CUT
    inside = crop.share > _INSIDE
    smooth = ndimage.binary_opening(inside, ndimage.generate_binary_structure(3, 1), iterations=2)
    return BODY_RAGGED if smooth.sum() < _SHARE_SMOOTH * inside.sum() else None


def is_sure(crop: PaintedCrop) -> bool:
    """Say whether there is a body in the crop, and the network is sure of it."""
    inside = crop.share > _INSIDE
    return bool(inside.any()) and float(crop.share[inside].mean()) >= _SHARE_SURE


def is_whole(crop: PaintedCrop, volume: Volume) -> bool:
    """Say whether the painted body lies inside the scan by more than a voxel."""
    points = painted_points(crop, volume)
    last = np.array(volume.array.shape) - 1.0
    return float(np.all((points >= 0.5) & (points <= last - 0.5), axis=1).mean()) >= _SHARE_WHOLE


def painted_points(crop: PaintedCrop, volume: Volume) -> np.ndarray:
    """Return where the samples of a painted body lie, in voxels of the scan, shape (n, 3)."""
    inside = np.argwhere(crop.share > _INSIDE).astype(float)
    return apply_affine(np.linalg.inv(volume.affine), crop.frame.to_mm(inside))
