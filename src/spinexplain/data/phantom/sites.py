"""Where a fracture strikes: which endplate, which third of the depth, which side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.presets import Sites

THIRDS = ("anterior", "middle", "posterior", "whole")
_SHAPE_OF = {"anterior": "wedge", "middle": "biconcave", "posterior": "posterior", "whole": "crush"}
_ALONE, _BOTH, _CRUSHED = (0.9, 1.0), (0.4, 0.6), (0.38, 0.62)


@dataclass(frozen=True)
class Site:
    """Where one fracture strikes.

    Parameters
    ----------
    third : str
        ``"anterior"``, ``"middle"``, ``"posterior"`` or ``"whole"``.
    upper_share : float
        Share of the lost height that the superior endplate gives way by, 0 to 1.
    lean : float
        Relative change of the displacement from the middle to the right side.
    telling : bool
        Whether impaction, step, buckled walls are drawn at the endplate that broke.
    """

    third: str
    upper_share: float
    lean: float
    telling: bool

    @property
    def shape(self) -> str:
        """Name of the loss profile."""
        return _SHAPE_OF[self.third]


def is_placed(sites: Sites) -> bool:
    """Whether a preset says where fractures strike.

    Examples
    --------
    >>> is_placed(Sites()), is_placed(Sites(endplates=(1, 1, 0)))
    (False, True)
    """
    return sum(sites.endplates) > 0


def draw_site(rng: np.random.Generator, sites: Sites) -> Site:
    """Draw where a fracture strikes, by the shares of a preset.

    A crush of the whole depth takes both endplates: seen alone it does not show which of
    them gave way.
    """
    third = THIRDS[_one_of(rng, sites.thirds)]
    plate = _one_of(rng, sites.endplates)
    share = float(rng.uniform(*_ALONE))
    if plate == 1:
        share = 1 - share
    elif plate == 2:
        share = float(rng.uniform(*_BOTH))
    if third == "whole":
        share = float(rng.uniform(*_CRUSHED))
    sided, lean = rng.random() < sites.one_sided, float(rng.uniform(*sites.lean))
    lean = lean if sided else float(rng.uniform(-0.15, 0.15))
    if rng.random() < 0.5:
        lean = -lean
    return Site(third, share, lean, bool(rng.random() < sites.telling))


def _one_of(rng: np.random.Generator, shares: tuple[float, ...]) -> int:
    return int(rng.choice(len(shares), p=np.array(shares) / sum(shares)))


def site_profile(rng: np.random.Generator, site: Site, loss: float) -> tuple[float, float, float]:
    """Return the height loss wanted at anterior, middle and posterior, as shares.

    Outside the third that is struck at most two thirds of the loss remain.
    """
    near, far = rng.uniform(0.25, 0.65), rng.uniform(0.0, 0.15)
    if site.third == "anterior":
        return loss, loss * near, loss * far
    if site.third == "posterior":
        return loss * far, loss * near, loss
    if site.third == "middle":
        return loss * rng.uniform(0.0, 0.4), loss, loss * rng.uniform(0.0, 0.35)
    return loss * rng.uniform(0.8, 1.0), loss, loss * rng.uniform(0.78, 1.0)
