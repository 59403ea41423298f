"""Published heights of normal vertebral bodies, T1 to L5.

Sources
-------
Posterior heights and endplate depths
    Panjabi MM et al., Thoracic human vertebrae: quantitative three-dimensional anatomy,
    Spine 1991;16:888-901 (doi 10.1097/00007632-199108000-00006) and Human lumbar
    vertebrae, Spine 1992;17:299-306 (doi 10.1097/00007632-199203000-00010): means of 12
    spines, VBHp and EPDu. The lumbar heights were checked against a second listing of the
    published table; the thoracic heights and the depths were not.
Sagittal wedging, T9-L5
    Masharawi Y et al., Eur Spine J 2010;19:768-773 (doi 10.1007/s00586-009-1256-6),
    table 1: 120 women and 120 men, aged 20-80; mean of both sexes.
Anterior to posterior ratio, T2
    Egwu OA et al., J Anat Soc India 2019;68:110-118 (doi 10.4103/JASI.JASI_8_19): 16.93
    and 17.59 mm. T1 is taken as T2; T3-T8 are interpolated from T2 to T9.

What these give agrees with other samples: L5 1.165 (CT of 196 lumbar spines: 30.3 / 26.3
mm = 1.152; Cook WH, Baker JF, Int J Spine Surg 2021;15:1072-1081), T9 0.90 (Egwu: 0.92),
T11-L2 0.87, 0.89, 0.92, 0.96 (MRI of 120 volunteers: 0.91, 0.91, 0.88, 0.91). They
describe how heights change from level to level; a person's own size and shape comes from
that person's unfractured levels.
"""

from __future__ import annotations

import numpy as np

from spinexplain.anatomy import VertebraLevel

# level: posterior height mm, depth of the upper endplate mm (Panjabi 1991, 1992)
_PANJABI = {
    "T1": (14.1, 18.5),
    "T2": (15.6, 19.6),
    "T3": (15.7, 22.7),
    "T4": (16.2, 23.3),
    "T5": (16.2, 24.3),
    "T6": (17.4, 26.0),
    "T7": (18.2, 27.4),
    "T8": (18.7, 27.9),
    "T9": (19.3, 29.3),
    "T10": (20.2, 30.5),
    "T11": (21.3, 31.9),
    "T12": (22.7, 32.8),
    "L1": (23.8, 34.1),
    "L2": (24.3, 34.6),
    "L3": (23.8, 35.2),
    "L4": (24.1, 35.5),
    "L5": (22.9, 34.7),
}
# level: sagittal wedging in degrees of women and men, positive when lower anterior
# (Masharawi 2010)
_MASHARAWI = {
    "T9": (2.8, 4.8),
    "T10": (2.6, 3.8),
    "T11": (4.6, 5.4),
    "T12": (3.5, 4.9),
    "L1": (2.6, 4.1),
    "L2": (0.7, 2.6),
    "L3": (-1.1, 1.3),
    "L4": (-3.1, -0.7),
    "L5": (-7.8, -4.6),
}
_EGWU_T2_RATIO = 16.93 / 17.59

# Middle over mean of anterior and posterior height. The same at every level, so it drops
# out of a comparison with neighbors; measured by this package on the unfractured levels
# of the two bundled whole-vertebra masks (median of 11).
CONCAVITY = 0.93

# Where heights are measured: shares of the depth from the anterior wall.
SITE_DEPTHS = (0.125, 0.5, 0.875)


def _wall_heights_mm() -> dict[str, tuple[float, float]]:
    """Return the (anterior, posterior) height of each level at the walls."""
    ratios = {"T1": _EGWU_T2_RATIO, "T2": _EGWU_T2_RATIO}
    for level, angles in _MASHARAWI.items():
        posterior, depth = _PANJABI[level]
        ratios[level] = 1.0 - depth * np.tan(np.radians(np.mean(angles))) / posterior
    for number in range(3, 9):
        ratios[f"T{number}"] = float(np.interp(number, (2, 9), (ratios["T2"], ratios["T9"])))
    return {
        level: (float(ratios[level] * posterior), posterior)
        for level, (posterior, _) in _PANJABI.items()
    }


def _site_heights_mm(anterior: float, posterior: float) -> np.ndarray:
    front, _, back = SITE_DEPTHS
    middle = CONCAVITY * (anterior + posterior) / 2
    slope = posterior - anterior
    return np.array([anterior + front * slope, middle, anterior + back * slope])


def _norms() -> dict[VertebraLevel, np.ndarray]:
    walls = _wall_heights_mm()
    norms = {VertebraLevel(name): _site_heights_mm(*heights) for name, heights in walls.items()}
    norms[VertebraLevel.T13] = (norms[VertebraLevel.T12] + norms[VertebraLevel.L1]) / 2
    norms[VertebraLevel.L6] = norms[VertebraLevel.L5]
    return norms


_NORMS = _norms()


def norm_heights_mm(level: VertebraLevel) -> np.ndarray | None:
    """Return the published (anterior, middle, posterior) height of a level, mm.

    Parameters
    ----------
    level : VertebraLevel

    Returns
    -------
    ndarray, shape (3,), or None
        At 12.5 %, 50 % and 87.5 % of the body's depth; None for cervical levels. T13 is
        taken halfway between T12 and L1, L6 as L5.

    Examples
    --------
    >>> norm_heights_mm(VertebraLevel.L1).round(1)
    array([22.1, 21.2, 23.6])
    """
    norm = _NORMS.get(level)
    return None if norm is None else norm.copy()


def norm_depth_mm(level: VertebraLevel) -> float | None:
    """Return the published depth of a level's upper endplate; None for cervical levels.

    T13 is taken as T12 and L6 as L5.

    Examples
    --------
    >>> norm_depth_mm(VertebraLevel.L1)
    34.1
    """
    name = {"T13": "T12", "L6": "L5"}.get(level.value, level.value)
    return _PANJABI[name][1] if name in _PANJABI else None
