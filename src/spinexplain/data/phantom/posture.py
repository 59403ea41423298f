"""Draws how a spine stands: discs, kyphosis, lordosis, scoliosis, tilt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinexplain.data.phantom.anatomy import NORMS
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.shape import Body
from spinexplain.data.phantom.spine import Posture, rim_plane

_LEVEL_MM = 28.0  # about, from one body to the next
_MOST_LEAN_DEG = 62.0  # of T1; more is drawn only by fractures that add to it


def draw_posture(rng: np.random.Generator, preset: Preset, bodies: tuple[Body, ...]) -> Posture:
    """Draw discs and curvature, leaning as a whole by the drawn tilt at L3."""
    g = preset.geometry
    n = len(bodies)
    size = np.array([b.depth for b in bodies]) / NORMS["depth"]
    disc = NORMS["disc"] * size * rng.uniform(*g.disc) * rng.uniform(0.85, 1.15, n)
    disc = np.where(rng.random(n) < g.narrowed_disc, disc * rng.uniform(0.15, 0.6, n), disc)
    disc = np.where(rng.random(n) < g.block, 0.1, np.maximum(disc, 0.5))
    kyphosis, lordosis = rng.uniform(*g.kyphosis), rng.uniform(*g.lordosis)
    thoracic = np.array([b.name[0] == "T" for b in bodies])
    flex = np.where(thoracic, NORMS["disc_flex"] + (kyphosis - 1) * 2.6, NORMS["disc_flex"])
    lumbar = np.array([b.name[0] == "L" or b.name == "T12" for b in bodies])
    flex = np.where(lumbar, NORMS["disc_flex"] * lordosis, flex)
    flex = np.deg2rad(flex + rng.normal(0, g.flex_jitter_deg, n))
    slip = np.where(rng.random(n) < 0.06, rng.normal(0, 2.5, n), rng.normal(0, 0.4, n))
    reach = np.arange(n) / n
    bend = rng.uniform(*g.scoliosis_mm) * rng.random()
    bow = bend * np.sin(2 * np.pi * (reach * rng.uniform(0.6, 1.8) + rng.random()))
    roll = -np.gradient(bow) / _LEVEL_MM + rng.normal(0, 0.012, n)
    lean = np.deg2rad(rng.uniform(*g.tilt_deg))
    sideways = np.deg2rad(rng.uniform(*g.roll_deg))  # of the whole patient, to one side
    side = bow + np.tan(sideways) * _LEVEL_MM * (n / 2 - np.arange(n))
    roll = roll + sideways
    posture = Posture(
        disc=disc,
        flex=flex,
        slip_mm=slip,
        side_mm=side,
        roll=roll,
        yaw=rng.normal(0, 0.03, n) + bow * rng.uniform(-0.01, 0.01),
        tilt=0.0,
        kyphosis_share=float(rng.uniform(*preset.fractures.kyphosis_share)),
    )
    at_l3 = angle_at(bodies, posture, "L3")
    excess = lean + angle_at(bodies, posture, "T1") - at_l3 - np.deg2rad(_MOST_LEAN_DEG)
    if excess > 0:
        posture = replace(posture, flex=flex - excess / thoracic.sum() * thoracic)
    return replace(posture, tilt=float(lean - at_l3))


def angle_at(bodies: tuple[Body, ...], posture: Posture, name: str) -> float:
    """Return the lean of a body when the lowest one stands upright."""
    angle = 0.0
    for k in range(len(bodies) - 1, [body.name for body in bodies].index(name), -1):
        _, low = rim_plane(bodies[k].lower, bodies[k].depth, 0.0, False)
        _, top = rim_plane(bodies[k].upper, bodies[k].depth, 0.0, False)
        angle += float(posture.flex[k]) / 2 - low - top + float(posture.flex[k - 1]) / 2
    return angle
