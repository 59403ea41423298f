"""How many vertebrae the next study needs, by simulating it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

_RUNS = 400
_GRID = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240)
_ENDS = 0.02


@dataclass(frozen=True)
class Setting:
    """What a simulated study is like.

    Parameters
    ----------
    real, foil : float
        Probability of yes to a piece of real evidence, and of a foil.
    readers, pieces : int
    page_sd, reader_sd : float
        Spread of pages and of readers, in log odds of yes.
    """

    real: float
    foil: float
    readers: int = 2
    pieces: int = 3
    page_sd: float = 0.0
    reader_sd: float = 0.0


def power(setting: Setting, cases: int, seed: int, runs: int = _RUNS, level: float = 0.05) -> float:
    """Return the chance that a study shows the difference between real evidence and foils.

    Every case is shown once with real evidence and once with a foil to every reader. The
    difference of the shares of yes, mean over readers, is tested over cases (paired t).

    Parameters
    ----------
    setting : Setting
    cases : int
        Vertebrae, of as many patients.
    seed : int
    runs : int
        Simulated studies.
    level : float
        Two-sided.

    Examples
    --------
    >>> power(Setting(0.8, 0.8), 30, seed=0) < 0.1 < 0.9 < power(Setting(0.9, 0.3), 30, seed=0)
    True
    """
    rng = np.random.default_rng([seed, 67, cases])
    spread = np.hypot(setting.page_sd, setting.reader_sd)
    shape = (runs, cases, setting.readers)
    reader = rng.normal(0, setting.reader_sd, (runs, 1, setting.readers))
    shares = []
    for chance in (setting.real, setting.foil):
        page = rng.normal(0, setting.page_sd, (runs, cases, 1))
        # Averaged over the spread, a log odds shrinks; widened first, the mean stays put.
        middle = logit(np.clip(chance, _ENDS, 1 - _ENDS)) * np.sqrt(1 + 0.346 * spread**2)
        yes = rng.binomial(setting.pieces, expit(middle + page + reader), shape)
        shares.append(yes.mean(axis=2) / setting.pieces)
    apart = shares[0] - shares[1]
    error = apart.std(axis=1, ddof=1) / np.sqrt(cases)
    mean = apart.mean(axis=1)
    limit = student.ppf(1 - level / 2, cases - 1)
    return float(np.mean(np.abs(mean) > limit * error))


def power_curve(setting: Setting, seed: int, runs: int = _RUNS) -> list[tuple[int, float]]:
    """Return the power at several numbers of cases, up to where it is certain."""
    curve = []
    for cases in _GRID:
        curve.append((cases, power(setting, cases, seed, runs)))
        if curve[-1][1] > 0.99:
            break
    return curve


def cases_needed(curve: list[tuple[int, float]], least: float = 0.8) -> int | None:
    """Return the fewest cases of a curve with so much power; None where none has.

    Examples
    --------
    >>> cases_needed([(10, 0.5), (20, 0.9)]), cases_needed([(10, 0.1)])
    (20, None)
    """
    return next((cases for cases, found in curve if found >= least), None)


def spread_of(agreement: float) -> float:
    """Return the spread of pages in log odds behind an agreement above chance.

    A kappa k is taken as the intraclass correlation of a logistic model:
    sd^2 = k / (1 - k) * pi^2 / 3.

    Examples
    --------
    >>> round(spread_of(0.5), 2), spread_of(-0.2)
    (1.81, 0.0)
    """
    share = float(np.clip(agreement if np.isfinite(agreement) else 0.0, 0, 0.95))
    return float(np.sqrt(share / (1 - share) * np.pi**2 / 3))
