"""Batches of the levels network: sections along curves as the stage before finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spinexplain.geometry import Curve, apply_affine
from spinexplain.localizer.section import (
    BEYOND_MM,
    STEP_MM,
    SectionPlanes,
    part_of,
    section_frame,
    section_planes,
)
from spinexplain.models.localizing import (
    CENTER,
    DISC,
    LEVELS,
    OFFSETS,
    SECTION_SHAPE,
    as_densities,
)
from spinexplain.train.engine.journal import Terms
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.chain_loss import ChainLoss, TrueChain, true_chain
from spinexplain.train.localizer.contrast import changed_contrast
from spinexplain.train.localizer.fields import AIR_HU, USUAL, FieldShares, SeenBox, draw_seen
from spinexplain.train.localizer.level_curves import disturbed_curve, settled_curve
from spinexplain.train.localizer.level_targets import UNKNOWN, LevelTargets, level_targets
from spinexplain.train.localizer.vessels import with_tubes
from spinexplain.types import Volume

POSITIONS = 128
"""Positions of a training section: 256 mm."""

LONG_POSITIONS, LONG_EVERY = 256, 3
"""Every third batch holds half as many sections of double length, as whole trunks give."""

_KEY = 32
_LEFT = 2
_LEVELS = 1.5  # weight of the levels in the loss; at .7 names lagged behind centers
_LEVELS_NAMED, _NAMING = 0.75, 0.7  # of the levels, and of the naming where it counts, too


@dataclass(frozen=True)
class SeenSections:
    """What sections are drawn.

    Parameters
    ----------
    settled : float
        Share of the sections that lie along a curve that was moved onto bodies, as in the
        second reading; see :func:`~spinexplain.train.localizer.level_curves.settled_curve`.
    shares : FieldShares
        Fields of view.
    """

    settled: float = 0.0
    shares: FieldShares = USUAL


USUAL_SECTIONS = SeenSections()
SHORT_SECTIONS = SeenSections(settled=0.6, shares=FieldShares(0.1, short=0.45, narrow=0.4))
"""For a training that is to read short parts, along curves as the second reading has them."""

_Row = tuple[Tensor, LevelTargets, TrueChain | None]


@dataclass(frozen=True, eq=False)
class FoundCurve:
    """A curve that the stage before found in a scan of a person.

    Parameters
    ----------
    seen : SeenBox
        What the scan showed.
    curve : Curve
    """

    seen: SeenBox
    curve: Curve


@dataclass(frozen=True, eq=False)
class LevelBatch:
    """Sections and the truth along them.

    Parameters
    ----------
    densities : Tensor of float32, shape (N, 1, S, 56, 60)
    center, disc : Tensor of float32, shape (N, S)
    offsets_cm : Tensor of float32, shape (N, 3, S)
    taught : Tensor of bool, shape (N, S)
    level : Tensor of int64, shape (N, S)
    chains : tuple of TrueChain or None, length N
    """

    densities: Tensor
    center: Tensor
    disc: Tensor
    offsets_cm: Tensor
    taught: Tensor
    level: Tensor
    chains: tuple[TrueChain | None, ...]


@dataclass(frozen=True, eq=False)
class LevelBatches:
    """Draws the sections of a step, by seed and step alone.

    Parameters
    ----------
    bodies : sequence of DrawnBody
    found : mapping of str to sequence of FoundCurve
        By the name of a person: what the stage before found. Half of the sections of such a
        person lie along one of these, the others along the true curve with random errors.
    batch : int
    seed : int
    sections : SeenSections
    """

    bodies: Sequence[DrawnBody]
    found: Mapping[str, Sequence[FoundCurve]]
    batch: int
    seed: int
    sections: SeenSections = USUAL_SECTIONS

    def load(self, step: int, part: tuple[int, int], device: torch.device) -> LevelBatch:
        """Return this process's part of a step's batch."""
        count, positions = _size(self.batch, step)
        rows = [self._row(step, key, positions) for key in range(count)[part[0] :: part[1]]]
        truth = [row[1] for row in rows]
        stacked = {
            name: torch.from_numpy(np.stack([getattr(one, name) for one in truth])).to(device)
            for name in ("center", "disc", "offsets_cm", "taught", "level")
        }
        densities = torch.stack([row[0] for row in rows])[:, None].to(device)
        return LevelBatch(densities, **stacked, chains=tuple(row[2] for row in rows))

    def names(self, step: int) -> list[str]:
        """Name the persons of a step's batch."""
        return [self._body(step, key)[0].name for key in range(_size(self.batch, step)[0])]

    def _body(self, step: int, key: int) -> tuple[DrawnBody, np.random.Generator]:
        rng = np.random.default_rng([self.seed, _KEY, step, key])
        return self.bodies[int(rng.integers(len(self.bodies)))], rng

    def _row(self, step: int, key: int, positions: int) -> _Row:
        body, rng = self._body(step, key)
        known = self.found.get(body.name, ())
        if known and rng.random() < 0.5:
            chosen = known[int(rng.integers(len(known)))]
            curve, seen = chosen.curve, chosen.seen
        else:
            seen = _seen(body, rng, self.sections.shares)
            curve = disturbed_curve(body, seen, rng)
        if self.sections.settled and rng.random() < self.sections.settled:
            curve = settled_curve(body, seen, curve, rng)
        return _section(body, curve, seen, positions, rng)


def _size(batch: int, step: int) -> tuple[int, int]:
    """Return how many sections a step has, and how many positions each."""
    if batch % 2 or step % LONG_EVERY != LONG_EVERY - 1:
        return batch, POSITIONS
    return batch // 2, LONG_POSITIONS


def _seen(body: DrawnBody, rng: np.random.Generator, shares: FieldShares) -> SeenBox:
    shape = np.array(body.whole.array.shape) - 1.0
    ends = apply_affine(body.whole.affine, np.stack([np.zeros(3), shape]))
    return draw_seen(rng, body.centers_mm, ends[0], ends[1], shares)


def _section(
    body: DrawnBody, curve: Curve, seen: SeenBox, positions: int, rng: np.random.Generator
) -> _Row:
    """Sample a section of some positions somewhere along a curve, with its truth."""
    step = STEP_MM * float(np.exp(rng.normal(0, 0.06)))
    low, high = -BEYOND_MM, curve.length_mm + BEYOND_MM - positions * step
    start = rng.uniform(min(low, high), max(low, high))
    frame = section_frame(curve, float(start), positions, step)
    planes = section_planes(frame)
    hu = _sampled(body.fine, planes)
    shown = planes.inside(seen.low_mm, seen.high_mm)
    visible = shown[:, SECTION_SHAPE[0] // 2, SECTION_SHAPE[1] // 2]
    truth = level_targets(frame, body.levels, body.centers_mm, visible)
    chain = true_chain(frame, body.levels, body.centers_mm, visible)
    hu = changed_contrast(with_tubes(hu, planes.points(), body.centers_mm, rng), rng)
    hu = torch.where(torch.from_numpy(shown), hu, torch.tensor(AIR_HU))
    densities = torch.from_numpy(as_densities(hu.numpy()))
    if rng.random() < 0.5:
        densities = densities.flip(2)
        truth.offsets_cm[_LEFT] *= -1.0
    return densities, truth, chain


def _sampled(volume: Volume, planes: SectionPlanes) -> Tensor:
    """Sample HU along a section; a little faster than inference does it."""
    planes = planes.mapped(np.linalg.inv(volume.affine))
    box = part_of(volume.array.shape, *planes.ends())
    part = torch.from_numpy(np.array(volume.array[box], np.float32))
    if min(part.shape) < 2:
        return torch.full((len(planes.start), *SECTION_SHAPE), AIR_HU)
    scale = 2.0 / (np.array(part.shape) - 1.0)
    start = np.array([side.start for side in box])
    normal = np.diag([*scale, 1.0])
    normal[:3, 3] = -start * scale - 1.0
    grid = torch.from_numpy(planes.mapped(normal[[2, 1, 0, 3]]).points())[None]
    return F.grid_sample((part - AIR_HU)[None, None], grid, align_corners=True)[0, 0] + AIR_HU


def level_loss(answer: Tensor, batch: LevelBatch, naming: ChainLoss | None = None) -> Terms:
    """Return the loss of the levels network.

    Parameters
    ----------
    answer : Tensor, shape (N, 33, S)
    batch : LevelBatch
    naming : ChainLoss, optional
        Without it a level counts at each position alone.

    Returns
    -------
    dict
        ``total`` and its parts: cross-entropies of centers and discs, mean distance of the
        offsets (cm), cross-entropy of the levels, and that of the naming.
    """
    answer = answer.float()
    center = _bump_loss(answer[:, CENTER], batch.center) * 3.0
    disc = _bump_loss(answer[:, DISC], batch.disc) * 2.0
    missed = (answer[:, OFFSETS] - batch.offsets_cm).abs() * batch.taught[:, None]
    offsets = missed.sum() / (batch.taught.sum() + 1.0)
    levels = F.cross_entropy(
        answer[:, LEVELS], batch.level, ignore_index=UNKNOWN, reduction="sum"
    ) / ((batch.level != UNKNOWN).sum() + 1.0)
    total = center + disc + 2.0 * offsets
    parts = {"center": center, "disc": disc, "offsets": offsets, "levels": levels}
    if naming is None:
        return {"total": total + _LEVELS * levels, **parts}
    named = naming(answer, batch.chains)
    total = total + _LEVELS_NAMED * levels + _NAMING * named
    return {"total": total, **parts, "naming": named}


def _bump_loss(logits: Tensor, bumps: Tensor) -> Tensor:
    each = F.binary_cross_entropy_with_logits(logits, bumps, reduction="none")
    return (each * (1.0 + 3.0 * bumps)).mean()
