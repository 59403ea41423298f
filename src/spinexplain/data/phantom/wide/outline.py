"""The outline of head, neck, trunk and hips, and of the cavities inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.wide.landmarks import Landmarks

# level number: half width of the skin, skin before and behind the front of the spine;
# half width of the cavity, cavity before and behind it (mm, mean person).
_ROWS = np.array(
    [
        (-18.0, 20, 20, 5, 0, 0, 0),
        (-16.5, 62, 60, 72, 0, 0, 0),
        (-12.0, 75, 98, 96, 0, 0, 0),
        (-8.5, 76, 100, 94, 0, 0, 0),
        (-7.0, 74, 98, 82, 0, 0, 0),
        (-5.5, 64, 88, 72, 0, 0, 0),
        (-4.0, 58, 60, 70, 0, 0, 0),
        (-1.5, 70, 54, 74, 0, 0, 0),
        (-0.5, 110, 50, 80, 34, 24, 6),
        (0.3, 150, 54, 82, 50, 34, 36),
        (1.5, 182, 66, 86, 74, 50, 46),
        (2.5, 186, 80, 88, 94, 62, 52),
        (4.5, 172, 100, 90, 113, 80, 56),
        (7.5, 160, 120, 90, 126, 100, 58),
        (9.5, 156, 126, 92, 129, 108, 58),
        (11.5, 150, 124, 96, 125, 108, 56),
        (13.5, 146, 112, 102, 116, 95, 50),
        (15.5, 152, 106, 108, 118, 86, 40),
        (17.0, 166, 106, 108, 108, 82, 30),
        (19.0, 178, 106, 116, 66, 76, 40),
        (22.0, 184, 102, 124, 50, 62, 44),
        (26.0, 178, 86, 120, 4, 4, -4),
        (31.0, 176, 80, 114, 0, 0, 0),
    ]
)
_LAST_FRONT = 16.5
_WALL_MM = 15.0  # least muscle between skin fat and a cavity


@dataclass(frozen=True, eq=False)
class Outline:
    """Cross-sections by height: rounded boxes around their middle; mm.

    Parameters
    ----------
    z : ndarray, shape (K,), ascending
    x : ndarray, shape (K,)
        Middle of the body.
    skin, cavity : ndarray, shape (K, 3)
        Half width, y of the front, y of the back.
    fat_mm : ndarray, shape (K,)
        Under the skin.
    diaphragm_z : float
        Height of its dome's edge at the spine.
    """

    z: np.ndarray
    x: np.ndarray
    skin: np.ndarray
    cavity: np.ndarray
    fat_mm: np.ndarray
    diaphragm_z: float

    def radii(self, z: np.ndarray, cavity: bool) -> tuple[np.ndarray, ...]:
        """Return middle x, middle y, half width and half depth at heights."""
        table = self.cavity if cavity else self.skin
        x, half, front, back = (
            np.interp(z, self.z, v).astype(np.float32) for v in (self.x, *table.T)
        )
        return (
            x,
            (front + back) / 2,
            np.maximum(half, 0.5),
            np.maximum((front - back) / 2, 0.5),
        )

    def around(self, angle: np.ndarray, z: np.ndarray, beyond_mm: float) -> np.ndarray:
        """Return points on the cavity's wall; ``angle`` 0 behind, pi / 2 right, pi in front.

        Returns
        -------
        ndarray, shape (N, 3)
            RAS+ mm, ``beyond_mm`` outside the cavity.
        """
        x, y, half, deep = self.radii(z, cavity=True)
        s, c = np.sin(angle), np.cos(angle)
        rho = rounded(np.abs(s), np.abs(c))
        across, along = (half + beyond_mm) * s / rho, -(deep + beyond_mm) * c / rho
        return np.stack([x + across, y + along, z], axis=1)


def rounded(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return 1 on the edge of a shape between ellipse and box, from shares of its half axes."""
    return 0.7 * np.sqrt(a * a + b * b) + 0.3 * np.maximum(a, b)


def draw_outline(rng: np.random.Generator, marks: Landmarks) -> Outline:
    """Draw how wide, deep and fat one person is."""
    number, size = _ROWS[:, 0], marks.size
    width, deep = rng.uniform(0.84, 1.14), rng.uniform(0.82, 1.14)
    chest = np.array([width, deep, rng.uniform(0.9, 1.1)])
    belly = rng.uniform(0.75, 1.75)
    low = np.clip((number - 8) / 4, 0, 1) * np.clip((20 - number) / 3, 0, 1)
    z = np.array([marks.height(n) for n in number])
    # The sacrum leaves backwards; belly and seat do not follow it.
    front = np.array([marks.point(min(n, _LAST_FRONT), 0, 0)[1] for n in number])
    cavity = _ROWS[:, 4:] * chest * size
    cavity[:, 0] *= 1 + 0.12 * low * (belly - 1)
    cavity[:, 1] *= 1 + 0.45 * low * (belly - 1)
    fat = rng.uniform(4, 22) * (1 + low * rng.uniform(0.0, 1.4))
    fat = np.where(number < 0, 0.35 * fat, fat)
    skin = _ROWS[:, 1:4] * np.array([1.0, 1.0, rng.uniform(0.92, 1.06)]) * size
    skin[:, 0] *= np.where(number > 0.5, (1 + width) / 2, 1.0)
    least = cavity + (_WALL_MM * size + fat)[:, None]
    inner = cavity[:, :1] > 0
    skin = np.where(inner, np.maximum(skin, least), skin)
    order = np.argsort(z)
    cavity_at = np.stack([cavity[:, 0], front + cavity[:, 1], front - cavity[:, 2]], axis=1)
    skin_at = np.stack([skin[:, 0], front + skin[:, 1], front - skin[:, 2]], axis=1)
    x = np.array([marks.point(n, 0, 0)[0] for n in number])
    return Outline(
        z=z[order],
        x=x[order],
        skin=skin_at[order],
        cavity=cavity_at[order],
        fat_mm=fat[order],
        diaphragm_z=marks.height(float(rng.uniform(8.3, 11.3))),
    )
