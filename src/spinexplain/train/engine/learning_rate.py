"""How the learning rate runs over a phase."""

from __future__ import annotations

import numpy as np

from spinexplain.config.training import PhaseSettings


def learning_rate_factor(settings: PhaseSettings, step: int, steps_before: int = 0) -> float:
    """Return the factor on the base learning rate.

    Parameters
    ----------
    settings : PhaseSettings
        A cosine warms up over its first twentieth.
    step : int
        Of this phase.
    steps_before : int
        Of the same phase in earlier rounds.

    Notes
    -----
    ProtoPNet's code steps its schedule before the epoch instead of after it, so that the
    first decay comes one epoch early; ``decay_early_steps`` does the same.

    Examples
    --------
    >>> learning_rate_factor(PhaseSettings(steps=100, decay="step"), 99)
    0.01
    """
    done = step / max(settings.steps, 1)
    warm = min((step + 1) / max(0.05 * settings.steps, 1), 1.0)
    if settings.decay == "cosine":
        return warm * 0.5 * (1 + float(np.cos(np.pi * done)))
    if settings.decay == "step":
        if settings.decay_every_steps == 0:
            return round(0.1 ** int(3 * done), 6)
        counted = steps_before + step + settings.decay_early_steps
        return float(0.1 ** (counted // settings.decay_every_steps))
    return 1.0
