"""Batches of the curve network: pieces of whole fields, as scans of all sizes show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.geometry import apply_affine
from spinexplain.localizer.coarse import WHOLE_MM
from spinexplain.models.localizing import as_densities
from spinexplain.train.engine.journal import Terms
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.contrast import changed_contrast
from spinexplain.train.localizer.fields import AIR_HU, SMALL, USUAL, FieldShares, draw_seen
from spinexplain.train.localizer.vessels import SHARE, with_tubes

SHAPE = (80, 64, 88)
"""Voxels of a piece: 320 x 256 x 352 mm."""


@dataclass(frozen=True)
class SeenPieces:
    """What scans the pieces look like.

    Parameters
    ----------
    fields : FieldShares
    tubes : float
        Share of the pieces with bright tubes beside the spine.
    """

    fields: FieldShares = USUAL
    tubes: float = SHARE


USUAL_PIECES = SeenPieces()
SMALL_PIECES = SeenPieces(SMALL, tubes=0.5)
"""Nearly half of them short, more of them narrow, and half of them with tubes."""

_KEY = 31
_SPINE_WEIGHT = 4.0


@dataclass(frozen=True, eq=False)
class CurveBatch:
    """Pieces and what they show.

    Parameters
    ----------
    densities : Tensor of float32, shape (N, 1, *SHAPE)
    regions : Tensor of int64, shape (N, *SHAPE)
    """

    densities: Tensor
    regions: Tensor


@dataclass(frozen=True, eq=False)
class CurveBatches:
    """Draws the pieces of a step, by seed and step alone.

    Parameters
    ----------
    bodies : sequence of DrawnBody
    batch : int
    seed : int
    pieces : SeenPieces
    """

    bodies: Sequence[DrawnBody]
    batch: int
    seed: int
    pieces: SeenPieces = USUAL_PIECES

    def load(self, step: int, part: tuple[int, int], device: torch.device) -> CurveBatch:
        """Return this process's part of a step's batch."""
        keys = range(self.batch)[part[0] :: part[1]]
        pieces = [self._piece(step, key) for key in keys]
        return CurveBatch(
            torch.stack([piece[0] for piece in pieces])[:, None].to(device),
            torch.stack([piece[1] for piece in pieces]).to(device),
        )

    def names(self, step: int) -> list[str]:
        """Name the persons of a step's batch."""
        return [self._body(step, key)[0].name for key in range(self.batch)]

    def _body(self, step: int, key: int) -> tuple[DrawnBody, np.random.Generator]:
        rng = np.random.default_rng([self.seed, _KEY, step, key])
        return self.bodies[int(rng.integers(len(self.bodies)))], rng

    def _piece(self, step: int, key: int) -> tuple[Tensor, Tensor]:
        body, rng = self._body(step, key)
        hu, regions = seen_piece(body, rng, self.pieces)
        densities = torch.from_numpy(as_densities(hu.numpy()))
        if rng.random() < 0.5:
            densities, regions = densities.flip(0), regions.flip(0)
        return densities, regions


def seen_piece(
    body: DrawnBody, rng: np.random.Generator, pieces: SeenPieces = USUAL_PIECES
) -> tuple[Tensor, Tensor]:
    """Draw a piece of a person as a scan with a random field of view shows it.

    Returns
    -------
    Tensor of float32, shape (80, 64, 88)
        HU; air beyond the field of view.
    Tensor of int64, shape (80, 64, 88)
        Regions; background there.
    """
    volume = body.whole
    ends = apply_affine(volume.affine, np.array([[0.0] * 3, np.array(volume.array.shape) - 1.0]))
    seen = draw_seen(rng, body.centers_mm, ends[0], ends[1], pieces.fields)
    center, turn = _pose(rng, seen.low_mm, seen.high_mm, body.centers_mm)
    back = np.linalg.inv(volume.affine)
    grid = np.stack(np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in SHAPE], indexing="ij"), -1)
    mm = grid.astype(np.float32) @ (turn.T * WHOLE_MM).astype(np.float32) + center
    at = torch.from_numpy(apply_affine(back, mm).astype(np.float32))
    size = torch.tensor(volume.array.shape, dtype=torch.float32)
    normal = (at / (size - 1) * 2 - 1).flip(-1)[None]
    hu = torch.from_numpy(np.array(volume.array, np.float32))[None, None]
    kinds = torch.from_numpy(np.array(body.regions, np.float32))[None, None]
    there = torch.from_numpy(seen.holds(mm))
    sampled = F.grid_sample(hu - AIR_HU, normal, align_corners=True)[0, 0] + AIR_HU
    regions = F.grid_sample(kinds, normal, mode="nearest", align_corners=True)[0, 0]
    sampled = changed_contrast(with_tubes(sampled, mm, body.centers_mm, rng, pieces.tubes), rng)
    sampled = torch.where(there, sampled, torch.tensor(AIR_HU))
    return sampled, torch.where(there, regions, torch.tensor(0.0)).long()


def _pose(
    rng: np.random.Generator, low: np.ndarray, high: np.ndarray, centers_mm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw where the middle of a piece lies, and how it is turned and scaled."""
    inside = centers_mm[(centers_mm >= low).all(axis=1) & (centers_mm <= high).all(axis=1)]
    around = inside[int(rng.integers(len(inside)))] if len(inside) else (low + high) / 2
    if rng.random() < 0.15:
        around = rng.uniform(low, high)
    reach = np.array([90.0, 70.0, 110.0])
    center = around + rng.uniform(-reach, reach)
    turn = np.eye(3) * float(np.exp(rng.normal(0, 0.1)))
    for axis, spread in enumerate((10.0, 7.0, 7.0)):
        turn = turn @ _rotation(axis, float(np.deg2rad(rng.normal(0, spread))))
    return center, turn


def _rotation(axis: int, angle: float) -> np.ndarray:
    i, j = [k for k in range(3) if k != axis]
    turn = np.eye(3)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn


def curve_loss(logits: Tensor, regions: Tensor) -> Terms:
    """Return the loss of the curve network: cross-entropy, and overlap of the whole spine.

    Parameters
    ----------
    logits : Tensor, shape (N, 4, *S)
    regions : Tensor of int64, shape (N, *S)

    Returns
    -------
    dict
        ``total``, ``regions`` (voxels of the spine count fourfold) and ``overlap`` (1 less
        the Dice coefficient of spine against background).
    """
    logits = logits.float()
    weight = 1.0 + (_SPINE_WEIGHT - 1.0) * (regions > 0)
    each = F.cross_entropy(logits, regions, reduction="none") * weight
    spine = 1.0 - logits.softmax(1)[:, 0]
    truth = (regions > 0).float()
    overlap = 1.0 - (2.0 * (spine * truth).sum() + 1.0) / (spine.sum() + truth.sum() + 1.0)
    cross = each.mean() * 10.0
    return {"total": cross + overlap, "regions": cross, "overlap": overlap}
