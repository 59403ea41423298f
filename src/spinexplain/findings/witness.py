"""What speaks for or against a fracture of one vertebra, each as one number.

A network speaks by the log odds it gives to a fracture, averaged over slightly other centers;
the heights by how far the loss that most of the body shows lies over the border between mild
and moderate. Weights that were fitted before that was measured hear the loss of the middle
third, in units of its uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.spine.height_loss import loss_sd
from spinexplain.types import Grading, Heights

PROTOTYPES, DETECTOR, HEIGHTS = "prototypes", "detector", "heights"
WITNESSES = (PROTOTYPES, DETECTOR, HEIGHTS)
LARGEST_MARGIN = 8.0
"""Log odds beyond this say nothing more: a softmax is not that sure of anything."""

BORDER_LOSS = 0.225
"""Half way from mild to moderate as readers grade, between 20 and 25 %."""
LARGEST_HEIGHT_UNITS = 4.0
BROAD = "_broad"
"""Ending of a weight's name that the heights' broad loss is multiplied with."""
BROAD_UNIT = 0.06
"""Points of broad loss a unit: about how far it spreads among unfractured bodies."""
SMALLEST_SD = 0.05
"""Natural variation alone: no loss is known better, however narrow its interval."""
SEVERE_GRADE = 3
SEVERE = "_severe"
"""A network speaks twice: for a fracture, and (name with this ending) for a severe one."""


@dataclass(frozen=True)
class Witness:
    """One voice.

    Parameters
    ----------
    name : str
        ``"prototypes"`` (a network on sheets), ``"detector"`` (a network on boxes) or
        ``"heights"``.
    value : float
        Log odds of a fracture as the network gives them, or the heights' units; positive
        speaks for a fracture.
    spread : float
        Standard deviation of ``value`` over the poses; 0 for heights.
    weights_sha256 : str
        Of the network that speaks; empty for heights.
    severe : float or None
        A network's log odds of a severe fracture, over the poses; None where it has no such
        class.
    broad : float or None
        The heights' units by the loss that most of the body shows; None of a network.
    """

    name: str
    value: float
    spread: float = 0.0
    weights_sha256: str = ""
    severe: float | None = None
    broad: float | None = None


def margin(probabilities: Sequence[float], is_fracture: Sequence[bool]) -> float:
    """Return a grading's log odds of fracture, at most 8 either way.

    Parameters
    ----------
    probabilities : sequence of float
        One a class, summing to 1.
    is_fracture : sequence of bool
        Whether the class is a fracture.

    Examples
    --------
    >>> round(margin([0.5, 0.3, 0.2], [False, True, True]), 6)
    0.0
    """
    for_it = sum(p for p, yes in zip(probabilities, is_fracture, strict=True) if yes)
    against = sum(p for p, yes in zip(probabilities, is_fracture, strict=True) if not yes)
    odds = np.log(max(for_it, 1e-12)) - np.log(max(against, 1e-12))
    return float(np.clip(odds, -LARGEST_MARGIN, LARGEST_MARGIN))


def network_witness(
    name: str, gradings: Sequence[Grading], weights_sha256: str = ""
) -> Witness | None:
    """Let a network speak by its gradings of one vertebra at several poses.

    Parameters
    ----------
    name : str
        ``"prototypes"`` or ``"detector"``.
    gradings : sequence of Grading
        One a pose.
    weights_sha256 : str
        Of the network.

    Returns
    -------
    Witness or None
        None without gradings.
    """
    if not gradings:
        return None
    task = gradings[0].task
    kinds = [name != task.healthy for name in task.classes]
    margins = [margin(one.probabilities, kinds) for one in gradings]
    severe = [task.genant(name) == SEVERE_GRADE for name in task.classes]
    return Witness(
        name,
        float(np.mean(margins)),
        float(np.std(margins)),
        weights_sha256,
        float(np.mean([margin(one.probabilities, severe) for one in gradings]))
        if any(severe)
        else None,
    )


def heights_witness(heights: Heights | None) -> Witness | None:
    """Let the measured heights speak.

    Returns
    -------
    Witness or None
        See :func:`loss_witness`; the standard deviation is that of the loss interval, which
        holds natural variation. None where nothing was measured.
    """
    if heights is None:
        return None
    return loss_witness(heights.loss, loss_sd(heights.loss_interval), heights.broad_loss)


def loss_witness(loss: float, sd: float, broad_loss: float | None = None) -> Witness:
    """Let a height loss of known standard deviation speak.

    Parameters
    ----------
    loss, sd : float
        Of the middle third.
    broad_loss : float, optional
        What most of the body shows; where unknown, ``loss`` stands for it.

    Returns
    -------
    Witness
        ``value`` is ``(loss - 0.225) / sd`` and ``broad`` is ``(broad_loss - 0.225) / 0.06``,
        each at most 4 either way; both rise with the loss.

    Examples
    --------
    >>> loss_witness(0.325, 0.05).value
    2.0
    >>> round(loss_witness(0.325, 0.05, broad_loss=0.165).broad, 6)
    -1.0
    """
    broad = loss if broad_loss is None else broad_loss
    return Witness(
        HEIGHTS,
        _limited((loss - BORDER_LOSS) / max(sd, SMALLEST_SD)),
        broad=_limited((broad - BORDER_LOSS) / BROAD_UNIT),
    )


def _limited(units: float) -> float:
    return float(np.clip(units, -LARGEST_HEIGHT_UNITS, LARGEST_HEIGHT_UNITS))


def spoken_values(witnesses: Sequence[Witness]) -> dict[str, float]:
    """Return what the witnesses say, by the names that weights are given to.

    Of heights whose broad loss is unknown, their value stands for it.

    Examples
    --------
    >>> spoken_values([Witness("heights", 1.0, broad=0.5)])
    {'heights': 1.0, 'heights_broad': 0.5}
    """
    values: dict[str, float] = {}
    for one in witnesses:
        broad = one.value if one.broad is None and one.name == HEIGHTS else one.broad
        said = {"": one.value, SEVERE: one.severe, BROAD: broad}
        values |= {one.name + end: value for end, value in said.items() if value is not None}
    return values
