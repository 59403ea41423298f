"""Where each addressed prototype belongs: targets on the crop from what a fracture moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.models.heads.parts import BROKEN, INTACT

SIXTHS = 6
_FRONT = 3  # the anterior half: sixths 3, 4 and 5
BAND_MM = 3.0


@dataclass(frozen=True, eq=False)
class PartTargets:
    """What prototypes addressed to parts are to show in one batch.

    Parameters
    ----------
    broken : Tensor, shape (N, 4, *E)
        Evidence of each part, weighed by how far the endplate moved there, 0 to 1.
    intact : Tensor, shape (N, 3, *E)
        Bands at the endplates and the bone between them.
    known : Tensor of bool, shape (N,)
        Whether it is known what the fracture moved, or that nothing did.
    """

    broken: Tensor
    intact: Tensor
    known: Tensor


def part_targets(
    part: Tensor, body: Tensor, evidence: Tensor, displacement_mm: Tensor
) -> PartTargets:
    """Lay out the parts of a batch on its crops.

    Parameters
    ----------
    part : Tensor, shape (N, *E)
        Endplate and sixth of the depth, 0 to 12, as cohorts store it.
    body, evidence : Tensor, shape (N, *E)
        0 or 1.
    displacement_mm : Tensor, shape (N, 12)
        Of the superior, then the inferior endplate by sixths; NaN where unknown.
    """
    known = torch.isfinite(displacement_mm).all(dim=1)
    moved = torch.nan_to_num(displacement_mm, nan=0.0)
    severity = moved / moved.amax(dim=1, keepdim=True).clamp_min(0.5)
    table = F.pad(severity, (1, 0))
    codes = part.long()
    weight = torch.gather(table, 1, codes.flatten(1)).view_as(evidence) * evidence
    sixth = (codes - 1) % SIXTHS
    superior, front = (codes > 0) & (codes <= SIXTHS), sixth >= _FRONT
    inferior = codes > SIXTHS
    where = (superior & front, superior & ~front, inferior & front, inferior & ~front)
    broken = torch.stack([weight * here for here in where], dim=1)
    inner = eroded(body, round(BAND_MM))
    band = body * (1 - inner)
    ends = (superior & (sixth >= 0), inferior)
    intact = torch.stack([*(band * end for end in ends), inner], dim=1)
    assert broken.shape[1] == len(BROKEN)
    assert intact.shape[1] == len(INTACT)
    return PartTargets(broken, intact, known)


def eroded(body: Tensor, rows: int) -> Tensor:
    """Take ``rows`` samples off the upper and lower border of masks (N, rows, columns)."""
    outside = (1 - body)[:, None]
    grown = F.max_pool2d(outside, (2 * rows + 1, 1), stride=1, padding=(rows, 0))
    return 1 - grown[:, 0]


def parts_of_body(body: np.ndarray) -> np.ndarray:
    """Tell endplates and sixths of the depth from the mask of a body alone.

    Parameters
    ----------
    body : ndarray, shape (rows, columns)
        Nonzero in the body; row 0 cranial, column 0 anterior.

    Returns
    -------
    ndarray of uint8, same shape
        1 to 6 in the upper half, posterior to anterior, 7 to 12 in the lower one; 0 outside.

    Notes
    -----
    The body's frame: its center, and its axes from the second moments of the mask; the
    antero-posterior one is the axis nearer to the rows. A body taller than it is deep would
    have them mixed up, were they sorted by length.
    """
    codes = np.zeros(body.shape, np.uint8)
    index = np.argwhere(body > 0)
    if len(index) < 2:
        return codes
    offset = index - index.mean(axis=0)
    axes = np.linalg.eigh(offset.T @ offset)[1].T
    depth = axes[int(np.argmax(np.abs(axes[:, 1])))]
    depth = depth * np.sign(depth[1] or 1.0)
    across = np.array([depth[1], -depth[0]])  # downwards: rows grow caudally
    behind = offset @ depth
    low, high = np.quantile(behind, [0.01, 0.99])
    t = 1 - (behind - low) / max(high - low, 1e-6)
    sixth = np.clip(np.floor(t * SIXTHS), 0, SIXTHS - 1)
    lower = offset @ across > 0
    codes[tuple(index.T)] = 1 + sixth + SIXTHS * lower
    return codes
