"""The curves that the levels network reads along in training, with the errors that they have.

A scan is read twice: along the curve that the stage before found, and once more along a curve
through centers that were moved onto painted bodies. Names come from the second reading.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from spinexplain.geometry import Curve, fit_curve
from spinexplain.localizer.refine import through_centers
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.fields import SeenBox

_CAUDAL = np.array([0.0, 0.0, -1.0])
_KNOT_MM = 12.0
_LOST_MM = 30.0  # a curve this far from a center follows another thing than the spine
_MOVED_MM, _READ_MM = 1.0, 2.5  # errors of centers on painted bodies, and of those only read
_MISSED = 0.05
_STEP_MM = 2.0
_LEAST_DOWNWARD = 0.4  # a section cannot be laid along a curve that runs sideways


def disturbed_curve(body: DrawnBody, seen: SeenBox, rng: np.random.Generator) -> Curve:
    """Return a person's curve within the field of view, with smooth random errors.

    Errors have a spread of up to 8 mm and change over 30 to 100 mm.
    """
    true = fit_curve(body.centers_mm, _CAUDAL)
    s = np.arange(0.0, true.length_mm, _KNOT_MM)
    s = s[seen.holds(true.at(s))]
    if len(s) < 3:
        s = np.linspace(0.0, true.length_mm, 4)
    points = true.at(s)
    for axis in (0, 1):
        slow = gaussian_filter1d(rng.normal(0, 1, len(s) + 20), rng.uniform(2.0, 6.0))[10:-10]
        slow /= max(float(slow.std()), 0.2)
        points[:, axis] += slow * rng.uniform(0.0, 6.0) + rng.normal(0, 3.0)
    return fit_curve(points, _CAUDAL)


def settled_curve(body: DrawnBody, seen: SeenBox, curve: Curve, rng: np.random.Generator) -> Curve:
    """Lay a curve through centers in view, as inference does before it reads once more.

    Parameters
    ----------
    body : DrawnBody
    seen : SeenBox
    curve : Curve
        Of the first reading; beyond the outermost centers the new one goes on as this.
    rng : numpy.random.Generator

    Returns
    -------
    Curve
        Through every second thoracic and lumbar center and all others, a few of them missed;
        those on bodies are 1 mm off along each axis, the others 2.5 mm. It is ``curve`` itself
        where fewer than two centers are in view, where one lies 30 mm beside it (a curve that
        lost the spine does not come back), or where the new one would run sideways.
    """
    at = np.flatnonzero(seen.holds(body.centers_mm))
    if len(at) < 2 or _lost(curve, body.centers_mm[at]):
        return curve
    graded = np.array([body.levels[k][0] in "TL" for k in at])
    bodies = np.flatnonzero(graded)
    kept = np.union1d(np.flatnonzero(~graded), np.r_[bodies[::2], bodies[-1:]])
    there = kept[rng.random(len(kept)) >= _MISSED]
    kept = there if len(there) > 1 else kept
    if len(kept) < 2:
        return curve
    spread = np.where(graded[kept], _MOVED_MM, _READ_MM)[:, None]
    moved = body.centers_mm[at[kept]] + spread * rng.normal(0, 1, (len(kept), 3))
    new = through_centers(curve, moved)
    downward = new.tangent(np.arange(0.0, new.length_mm, _STEP_MM)) @ _CAUDAL
    return new if downward.min() > _LEAST_DOWNWARD else curve


def _lost(curve: Curve, centers_mm: np.ndarray) -> bool:
    away = np.linalg.norm(curve.at(curve.nearest(centers_mm)) - centers_mm, axis=1)
    return bool(away.max() > _LOST_MM)
