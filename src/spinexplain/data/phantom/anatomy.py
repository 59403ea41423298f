"""Mean sizes of the vertebrae by level, from published morphometry.

Sources
-------
- Thoracic: Panjabi MM et al., "Thoracic human vertebrae: quantitative three-dimensional
  anatomy", Spine 16(8):888-901, 1991.
- Lumbar: Panjabi MM et al., "Human lumbar vertebrae: quantitative three-dimensional
  anatomy", Spine 17(3):299-306, 1992.
- Cervical: Panjabi MM et al., "Cervical human vertebrae: quantitative three-dimensional
  anatomy of the middle and lower regions", Spine 16(8):861-869, 1991.

Posterior heights T1-L5 are those of the tables (the same as in :mod:`spinexplain.spine.norms`).
Everything else is rounded to the neighborhood of these sources or, where they are silent
(anterior to posterior ratios, disc heights and angles, sacrum), to common anatomy: a starting
point that the presets vary broadly, not a reference to measure patients by.
"""

from __future__ import annotations

import numpy as np

LEVEL_NAMES = (
    *("C5", "C6", "C7"),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 6)),
    *("S1", "S2", "S3"),
)
"""Bodies of a phantom spine from cranial to caudal; graded are T1 to L5."""

_ROWS = """
name depth width post ant_ratio disc disc_flex canal_d canal_w spin_len spin_h spin_deg ped_h ped_w
C5   16.5  19.0  11.5  0.98  5.0  -3.0  15.0 24.0 26.0  7.0 25  7.0  6.0
C6   17.0  21.0  11.0  0.98  5.0  -3.0  15.0 25.0 30.0  7.0 25  7.0  6.0
C7   17.5  23.0  13.0  0.97  5.0  -2.0  15.0 24.0 34.0  8.0 30  7.5  7.0
T1   19.0  26.0  14.1  0.97  4.2   0.5  16.4 21.8 36.0  9.0 35  9.6  8.5
T2   20.6  26.0  15.6  0.96  3.8   1.0  15.0 19.5 36.0  9.0 42 11.4  8.2
T3   23.0  25.0  15.7  0.95  3.5   1.0  15.5 18.3 36.0  9.0 48 11.9  6.8
T4   24.0  25.3  16.2  0.95  3.5   1.0  16.0 17.0 36.0  9.0 52 12.1  6.3
T5   25.0  26.0  16.2  0.94  3.6   1.0  16.2 17.0 38.0  9.0 55 11.9  6.0
T6   26.5  27.2  17.4  0.94  3.8   1.0  16.3 17.0 40.0  9.0 57 12.2  6.0
T7   28.0  28.4  18.2  0.94  4.2   0.8  16.0 17.2 40.0  9.5 57 12.1  6.0
T8   28.7  30.0  18.7  0.94  4.6   0.5  15.9 17.7 38.0 10.0 54 12.5  6.7
T9   30.0  31.8  19.3  0.95  5.0   0.2  15.7 17.9 35.0 10.5 45 13.9  7.7
T10  31.0  33.7  20.2  0.95  5.4   0.0  15.5 18.2 32.0 12.0 32 14.9  9.0
T11  31.9  37.0  21.3  0.94  6.0  -0.5  16.0 19.4 28.0 14.0 22 17.4  9.8
T12  33.1  40.5  22.7  0.93  6.8  -1.5  18.1 22.2 28.0 17.0 14 16.7  8.8
L1   34.7  42.2  23.8  0.92  8.0  -4.0  19.0 23.7 30.0 20.0 10 15.8  8.6
L2   34.8  44.0  24.3  0.97  9.0  -5.5  18.2 23.8 32.0 22.0  8 15.2  8.6
L3   35.0  46.0  23.8  1.01  10.0 -7.5  17.5 24.3 33.0 22.0  7 14.4 10.0
L4   34.7  48.0  24.1  1.05  10.5 -10.0 18.6 25.4 31.0 20.0  7 15.5 12.5
L5   34.0  48.3  22.9  1.15  10.0 -13.0 19.7 27.1 26.0 16.0 10 19.6 18.0
S1   28.0  46.0  27.0  1.10  1.2   4.0  16.0 28.0 12.0 18.0 15 20.0 20.0
S2   20.0  36.0  23.0  1.05  0.8   8.0  11.0 22.0 10.0 16.0 15 16.0 20.0
S3   14.0  30.0  20.0  1.05  0.8  12.0  8.0  18.0  8.0 14.0 15 14.0 18.0
"""


def _parse() -> dict[str, np.ndarray]:
    lines = [line.split() for line in _ROWS.strip().splitlines()]
    columns = np.array([[float(x) for x in row[1:]] for row in lines[1:]])
    return dict(zip(lines[0][1:], columns.T, strict=True))


NORMS = _parse()
"""Arrays over ``LEVEL_NAMES``: depth, width, posterior height (mm), anterior to posterior
ratio, height (mm) and flexion (degrees, lordosis negative) of the disc *below*, canal
depth and width, length, height and downward angle of the spinous process, pedicle height
and width."""

_UPPER_NECK = {
    name: dict(zip(NORMS, sizes, strict=True))
    for name, sizes in {
        "C2": (16.0, 18.0, 17.0, 1.05, 4.5, -2.0, 18.0, 24.0, 28.0, 12.0, 15.0, 8.0, 8.0),
        "C3": (16.0, 18.0, 11.5, 0.98, 4.8, -3.0, 16.0, 23.0, 22.0, 7.0, 25.0, 7.0, 6.0),
        "C4": (16.2, 18.5, 11.5, 0.98, 5.0, -3.0, 15.5, 23.5, 23.0, 7.0, 25.0, 7.0, 6.0),
    }.items()
}
"""Levels above ``LEVEL_NAMES``, which wide fields of view show; the keys of ``NORMS``."""

_BETWEEN = {"T13": ("T12", "L1", 0.5), "L6": ("L5", "S1", 0.1)}
EXTRA_LEVELS = tuple(_BETWEEN)
"""Levels that only some people have; T13 lies between T12 and L1, L6 between L5 and S1."""


def norms_of(names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the columns of ``NORMS`` for any levels; extra ones lie between their neighbors.

    Examples
    --------
    >>> norms_of(("T12", "T13", "L1"))["depth"]
    array([33.1, 33.9, 34.7])
    """
    if names == LEVEL_NAMES:
        return NORMS
    rows = [norm_of(name) for name in names]
    return {key: np.array([row[key] for row in rows]) for key in NORMS}


def norm_of(name: str) -> dict[str, float]:
    """Return the mean sizes of one level, by the names of ``NORMS``."""
    if name in _UPPER_NECK:
        return dict(_UPPER_NECK[name])
    above, below, share = _BETWEEN.get(name, (name, name, 0.0))
    i, j = LEVEL_NAMES.index(above), LEVEL_NAMES.index(below)
    return {key: float(v[i] + share * (v[j] - v[i])) for key, v in NORMS.items()}
