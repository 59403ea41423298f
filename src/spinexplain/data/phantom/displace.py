"""The displacement field of a simulated fracture, in the frame of the vertebra's body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from spinexplain.data.phantom.displaced import BEYOND_MM, BEYOND_T, SIXTHS
from spinexplain.data.phantom.fracture import FracturePlan, fracture_body
from spinexplain.data.phantom.presets import Fractures
from spinexplain.data.phantom.shape import Collapse, plain_body
from spinexplain.spine.body import Body

_DISC_MM = 6.0  # how far beyond an endplate the soft disc takes up what the endplate does
_SIDE_REACH = 1.8  # the body's own deformation fades out to this multiple of its half width
_EVIDENCE_MM = 2.0
_BAND_MM = (2.0, 0.8, 3.0, 7.0)  # thickness of an impacted band: start, per mm lost, least, most


@dataclass(frozen=True, eq=False)
class Displacement:
    """The displacement of one fracture, in the frame of its body.

    ``h`` runs cranial, ``a`` anterior, ``r`` right, mm from the body's center.
    """

    body: Body
    upper: Collapse
    lower: Collapse
    back_mm: float
    depth_mm: float
    half_width_mm: float
    top_mm: np.ndarray
    bottom_mm: np.ndarray
    rim_up_mm: float
    rim_down_mm: float
    tilt: float

    def to_local(self, xyz_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return h, a, r of points in the patient."""
        local = (xyz_mm - self.body.center_mm) @ self.body.axes.T
        return -local[..., 0], -local[..., 1], -local[..., 2]

    def to_world(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        """Return the patient's RAS+ mm of points h, a, r."""
        return np.stack([-h, -a, -r], axis=-1) @ self.body.axes + self.body.center_mm

    def endplates(self, a: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the heights of the upper and the lower endplate before the fracture."""
        row = (-a - self.body.v_mm[0]) / (self.body.v_mm[1] - self.body.v_mm[0])
        column = (-r - self.body.u_mm[0]) / (self.body.u_mm[1] - self.body.u_mm[0])
        at = np.stack([row.ravel(), column.ravel()])
        top = ndi.map_coordinates(self.top_mm, at, order=1, mode="nearest")
        bottom = ndi.map_coordinates(self.bottom_mm, at, order=1, mode="nearest")
        return top.reshape(a.shape), bottom.reshape(a.shape)

    def moved(self, a: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the upper and the lower endplate move towards the middle."""
        t = np.clip((a + self.back_mm) / self.depth_mm, 0.0, 1.0)
        side = np.clip(r / self.half_width_mm, -1.0, 1.0)
        return self.upper.depth(t, side), self.lower.depth(t, side)

    def source(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (h, a) where the points of the fractured patient came from."""
        top, bottom = self.endplates(a, r)
        up, down = self.moved(a, r)
        shift = self.rim_up_mm + self.rim_down_mm + self.tilt * (a + self.back_mm)
        shift = np.maximum(shift - self.tilt * self.depth_mm / 2, 0.0)
        before = (bottom - _DISC_MM, bottom, top, top + _DISC_MM)
        after = (
            before[0],
            np.maximum(bottom + down - self.rim_down_mm, before[0] + 1.0),
            top - up - self.rim_down_mm,
            before[3] - shift,
        )
        inside = _piecewise(h, after, before) - h
        tall = before[3] - before[0]
        spread = shift * _smooth((h - before[0] + 0.25 * tall) / (1.5 * tall - shift))
        share = self._own_share(a, r)
        moved = share * inside + (1 - share) * spread
        lean = self.tilt * np.maximum(h - after[3], 0.0)
        return h + moved, a - lean

    def _own_share(self, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        t = (a + self.back_mm) / self.depth_mm
        side = np.abs(r) / self.half_width_mm
        fade = _SIDE_REACH - 1.05
        return (_smooth((t + 0.3) / 0.3) * _smooth((_SIDE_REACH - t) / fade)) * _smooth(
            (_SIDE_REACH - side) / fade
        )

    def evidence(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        """Return where endplates were displaced (2 mm deep) and height was lost."""
        found = np.zeros(h.shape, bool)
        for face, amount in self._faces(h, a, r):
            found |= (face > -_EVIDENCE_MM) & (face < amount) & (amount > 0.8)
        return found & self._within(a, r)

    def parts(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        """Return endplate and sixth of the depth, 1 to 12, as sheets hold it; 0 elsewhere."""
        (above, up), (below, down) = self._faces(h, a, r)
        t = (a + self.back_mm) / self.depth_mm
        sixth = np.clip(np.floor(t * SIXTHS), 0, SIXTHS - 1)
        codes = 1 + sixth + np.where(above >= below, 0, SIXTHS)
        near = (above < up + BEYOND_MM) & (below < down + BEYOND_MM)
        near &= (np.abs(t - 0.5) < 0.5 + BEYOND_T) & (np.abs(r) < 1.15 * self.half_width_mm)
        return np.where(near, codes, 0).astype(np.uint8)

    def displacement_mm(self) -> tuple[float, ...]:
        """Return how far the superior, then the inferior endplate moved, by sixths."""
        t = np.linspace(0.01, 0.99, 10 * SIXTHS)
        moved = [plate.depth(t, np.zeros(t.size)) for plate in (self.upper, self.lower)]
        means = [plate.reshape(SIXTHS, -1).mean(axis=1) for plate in moved]
        return tuple(round(float(x), 3) for x in np.concatenate(means))

    def impacted(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        """Return how often the density of a column is added at each point.

        Along a column the values integrate to the height lost (mm): times the body's mean
        density they are the bone that went missing with it, packed under the endplates.
        """
        start, slope, least, most = _BAND_MM
        added = np.zeros(h.shape)
        for face, amount in self._faces(h, a, r):
            band = np.clip(start + slope * amount, least, most)
            depth = np.clip(-face / band, 0.0, 1.0)
            added += np.where(face < 0, amount * (1 + np.cos(np.pi * depth)) / band, 0.0)
        return added * self._within(a, r)

    def _faces(
        self, h: np.ndarray, a: np.ndarray, r: np.ndarray
    ) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Return the distance beyond each fractured endplate, and how far it moved, mm."""
        top, bottom = self.endplates(a, r)
        up, down = self.moved(a, r)
        above = h - (top - up - self.rim_down_mm)
        below = (bottom + down - self.rim_down_mm) - h
        return (above, up), (below, down)

    def _within(self, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        t = (a + self.back_mm) / self.depth_mm
        side = r / self.half_width_mm
        return np.logical_and(t > -0.02, t < 1.02) & (np.abs(side) < 1.0)


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _piecewise(
    h: np.ndarray, knots: tuple[np.ndarray, ...], values: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Interpolate linearly between knots that differ per point; shifted alike beyond them."""
    result = h + np.where(h < knots[0], values[0] - knots[0], values[-1] - knots[-1])
    for k in range(len(knots) - 1):
        span = np.maximum(knots[k + 1] - knots[k], 1e-3)
        here = np.logical_and(h >= knots[k], h < knots[k + 1])
        along = values[k] + (h - knots[k]) / span * (values[k + 1] - values[k])
        result = np.where(here, along, result)
    return result


def displacement_of(rng: np.random.Generator, body: Body, plan: FracturePlan) -> Displacement:
    """Draw the displacement that takes the planned loss from a measured body."""
    outline = body.outline
    rows = np.abs(body.u_mm) <= 5.0
    front = -float(np.median(body.v_mm[np.argmax(outline[:, rows], axis=0)]))
    depth = front + body.wall_mm
    own = _heights(body, front)
    width = float(np.ptp(body.u_mm[outline.any(axis=0)]))
    model = plain_body(depth, width, own)
    broken = fracture_body(rng, Fractures(bulge_mm=(0.0, 0.0)), model, own, plan)
    upper, lower = broken.upper.collapse, broken.lower.collapse
    assert upper is not None
    assert lower is not None
    wedged = upper.anterior + lower.anterior - upper.posterior - lower.posterior
    return Displacement(
        body=body,
        upper=upper,
        lower=lower,
        back_mm=body.wall_mm,
        depth_mm=depth,
        half_width_mm=width / 2,
        top_mm=_filled(-body.cranial_mm, outline),
        bottom_mm=_filled(-body.caudal_mm, outline),
        rim_up_mm=_rim(upper),
        rim_down_mm=_rim(lower),
        tilt=float(rng.uniform(0.1, 0.4)) * max(wedged, 0.0) / depth,
    )


def predicted_loss(field: Displacement) -> float:
    """Return the largest loss over the bands of depth in which heights are measured.

    Each antero-posterior line of the middle third has its own front wall: towards the sides
    a band lies further back.
    """
    body = field.body
    columns = np.flatnonzero(np.abs(body.u_mm) <= field.half_width_mm / 3)
    front = -body.v_mm[np.argmax(body.outline[:, columns], axis=0)]
    losses = []
    for low, high in ((0.08, 0.17), (0.42, 0.58), (0.83, 0.92)):
        t = np.linspace(low, high, 5)[:, None]
        a = t * (front + field.back_mm) - field.back_mm
        r = np.broadcast_to(-body.u_mm[columns], a.shape)
        (top, bottom), (up, down) = field.endplates(a, r), field.moved(a, r)
        losses.append(float((up + down).mean() / (top - bottom).mean()))
    return max(losses)


def _rim(collapse: Collapse) -> float:
    return 0.4 * (collapse.anterior + collapse.posterior) + 0.2 * collapse.middle


def _heights(body: Body, front: float) -> tuple[float, float, float]:
    """Return anterior, middle and posterior height before the fracture, mm."""
    tall = np.where(body.outline, body.caudal_mm - body.cranial_mm, np.nan)
    middle = np.abs(body.u_mm) <= max(5.0, np.ptp(body.u_mm) / 12)
    t = (body.wall_mm - body.v_mm) / (front + body.wall_mm)
    picks = [np.abs(t - at) <= 0.06 for at in (0.875, 0.5, 0.125)]
    anterior, mid, posterior = (float(np.nanmedian(tall[np.ix_(p, middle)])) for p in picks)
    return anterior, mid, posterior


def _filled(plate: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Continue an endplate beyond its edge and smooth it lightly."""
    known = np.isfinite(plate) & ndi.binary_erosion(outline)
    nearest = ndi.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return ndi.gaussian_filter(plate[tuple(nearest)], 1.2)
