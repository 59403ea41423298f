"""Suggest what a unit responds to from where it lies: a start for raters, not a finding."""

from __future__ import annotations

from spinexplain.explainers.dissection.overlap import Overlap

_PARTS = (
    "superior_endplate",
    "inferior_endplate",
    "anterior_wall",
    "posterior_wall",
    "posterior_elements",
    "disc_above",
    "disc_below",
    "neighbors",
)
_LEAST_LIFT, _LEAST_SHARE, _MOST = 3.0, 0.15, 2
# A wall is thin: it can hold little of a unit and still be what the unit looks for.
_STRIKING_LIFT, _SLIGHT_SHARE = 10.0, 0.05
_WHOLE_LIFT, _WHOLE_SHARE = 1.2, 0.5


def suggested_regions(overlap: Overlap, unit: int) -> tuple[str, ...]:
    """Return the parts a unit's mask favors, strongest first; empty where none stands out.

    Parameters
    ----------
    overlap : Overlap
    unit : int

    Returns
    -------
    tuple of str
        At most two keys of ``REGIONS``: parts that hold at least 15 % of the unit's mask
        and three times as much as chance, or 5 % and ten times as much; ``"shortcut"`` alone
        where a planted mark does; the whole body or the surroundings where no part does but
        they hold most of it, and a fifth more than chance.

    Examples
    --------
    >>> import numpy as np
    >>> found = Overlap(("body", "disc_above"), *np.array([[[0.2, 0.1]], [[0.6, 0.3]], [[3, 9]]]))
    >>> suggested_regions(found, 0)
    ('disc_above',)
    """

    def of(region: str, what: str) -> float:
        return float(overlap.of(region, what)[unit])

    if "shortcut" in overlap.regions and of("shortcut", "lift") >= 2 * _LEAST_LIFT:
        return ("shortcut",)
    known = [name for name in _PARTS if name in overlap.regions]
    strong = [
        name
        for name in known
        if (of(name, "lift") >= _LEAST_LIFT and of(name, "inside") >= _LEAST_SHARE)
        or (of(name, "lift") >= _STRIKING_LIFT and of(name, "inside") >= _SLIGHT_SHARE)
    ]
    if strong:
        return tuple(sorted(strong, key=lambda name: -of(name, "lift"))[:_MOST])
    whole = [name for name in ("body", "beside_bone") if name in overlap.regions]
    return tuple(
        name
        for name in whole
        if of(name, "inside") >= _WHOLE_SHARE and of(name, "lift") >= _WHOLE_LIFT
    )[:1]
