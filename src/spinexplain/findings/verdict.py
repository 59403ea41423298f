"""One verdict a vertebra, from every witness that is there.

An additive model: the log odds of a fracture are a base and one term for each witness, so that
a page can show how they add up. What the log odds, their spread and the measured heights make
of a vertebra is the table of rules in :func:`judge`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.errors import ConfigError
from spinexplain.findings.weighing import VerdictCalibration, Weighing
from spinexplain.findings.witness import HEIGHTS, Witness, spoken_values
from spinexplain.spine.height_loss import CLASS_BOUNDS, height_loss_class

SUSPECTED = "fracture suspected"
MILD = "mild height loss"
BORDERLINE = "borderline"
NO_SUSPICION = "no suspicion"
DEFORMITY = "deformity rather than fracture?"
NOT_ASSESSABLE = "not assessable"
STATES = (SUSPECTED, BORDERLINE, DEFORMITY, MILD, NO_SUSPICION, NOT_ASSESSABLE)
"""Worst first, as pages list them; what cannot be assessed stands last."""

VERDICT_KEYS = {
    SUSPECTED: "suspected",
    BORDERLINE: "borderline",
    DEFORMITY: "deformity",
    MILD: "mild",
    NO_SUSPICION: "none",
    NOT_ASSESSABLE: "not_assessable",
}
"""State -> its key in the text catalogue and in style sheets."""

MILD_LOSS, MODERATE_LOSS = CLASS_BOUNDS[:2]
CONTRADICTED_POINTS = 0.05
"""How far a loss may lie outside a grade's band before the grade is only *possible*."""
_BANDS = {"mild": (0.20, 0.25), "moderate": (0.25, 0.40), "severe": (0.40, 1.0)}
_SEVERITIES = {1: "mild", 2: "moderate", 3: "severe"}


@dataclass(frozen=True)
class Term:
    """What one witness adds.

    Parameters
    ----------
    witness : str
    value : float
        As the witness gave it.
    log_odds : float
        What it adds to the log odds of a fracture.
    spread : float
        Standard deviation of ``log_odds`` over slightly other centers.
    """

    witness: str
    value: float
    log_odds: float
    spread: float


@dataclass(frozen=True)
class Verdict:
    """What a vertebra is called, and how that came about.

    Parameters
    ----------
    state : str
        One of :data:`STATES`.
    severity : str or None
        ``"mild"``, ``"moderate"`` or ``"severe"``, of a suspected fracture.
    possible : bool
        Whether the severity is in doubt, because the measured loss contradicts it.
    base : float
        Log odds before any witness.
    terms : tuple of Term
    spread : float
        Standard deviation of the log odds.
    suspected, borderline : float
        The lines that the log odds were held against.
    calibrated : bool
        Whether the weights were fitted to these very models.
    reason : str
        Key of the rule that decided.
    """

    state: str
    severity: str | None = None
    possible: bool = False
    base: float = 0.0
    terms: tuple[Term, ...] = ()
    spread: float = 0.0
    suspected: float = 0.0
    borderline: float = 0.0
    calibrated: bool = False
    reason: str = ""

    @property
    def log_odds(self) -> float:
        """The base and all terms together."""
        return self.base + sum(term.log_odds for term in self.terms)

    @property
    def rank(self) -> tuple[int, float]:
        """Sort key, worst first."""
        grade = {"severe": 0, "moderate": 1, "mild": 2}.get(self.severity or "", 3)
        return STATES.index(self.state) * 10 + grade, -self.log_odds


def judge(
    witnesses: Sequence[Witness],
    calibration: VerdictCalibration,
    loss: float | None = None,
    network_grade: int | None = None,
    deformity: str | None = None,
) -> Verdict:
    """Give the verdict on one vertebra.

    Parameters
    ----------
    witnesses : sequence of Witness
        Those that are there; none makes it *not assessable*.
    calibration : VerdictCalibration
    loss : float, optional
        The measured height loss.
    network_grade : int, optional
        Genant grade that a network gives to a fracture, 1 to 3.
    deformity : str, optional
        Which deformity the heights look like, see :mod:`spinexplain.findings.deformity`.

    Returns
    -------
    Verdict

    Notes
    -----
    The rules, the first that holds:

    1. no witness: *not assessable*;
    2. the log odds reach the line, and still do one spread lower: *fracture suspected*,
       unless the heights alone carry it, look like a deformity and every network speaks
       against a fracture: *deformity rather than fracture?*;
    3. one spread reaches the line, or the log odds reach the lower line, or one spread brings a
       network to even odds, whatever heights say: *borderline*;
    4. a loss of 25 % or more is not mild: *borderline*;
    5. a loss of 20 % or more: *mild height loss*;
    6. otherwise *no suspicion*.

    A loss only ever raises the log odds, so that more loss never makes a verdict milder.
    """
    if not witnesses:
        return Verdict(NOT_ASSESSABLE, reason="no_witness")
    weighing = calibration.weighing(
        [one.name for one in witnesses],
        {one.name: one.weights_sha256 for one in witnesses if one.name != HEIGHTS},
    )
    terms = tuple(_term(one, weighing) for one in witnesses)
    total = weighing.base + sum(term.log_odds for term in terms)
    spread = float(np.sqrt(sum(term.spread**2 for term in terms)))
    state, reason = _state(total, spread, weighing, terms, loss, deformity)
    severity, possible = _severity(loss, network_grade) if state == SUSPECTED else (None, False)
    return Verdict(
        state=state,
        severity=severity,
        possible=possible,
        base=weighing.base,
        terms=terms,
        spread=spread,
        suspected=weighing.suspected,
        borderline=weighing.borderline,
        calibrated=weighing.calibrated,
        reason=reason,
    )


def _term(one: Witness, weighing: Weighing) -> Term:
    """Add up what one witness says by every name that has a weight.

    Raises
    ------
    ConfigError
        If nothing that it says has a weight.
    """
    said = {k: v for k, v in spoken_values([one]).items() if k in weighing.weights}
    if not said:
        raise ConfigError(
            f"the calibration has weights for {', '.join(weighing.weights)}; expected one for "
            f"{one.name}. Run `make verdict`."
        )
    log_odds = sum(weighing.weights[name] * value for name, value in said.items())
    spread = weighing.weights.get(one.name, 0.0) * one.spread
    return Term(one.name, next(iter(said.values())), log_odds, spread)


def _state(
    total: float,
    spread: float,
    weighing: Weighing,
    terms: Sequence[Term],
    loss: float | None,
    deformity: str | None,
) -> tuple[str, str]:
    lost = loss is not None and loss >= MILD_LOSS
    if deformity is not None and total >= weighing.borderline and _networks_deny(terms):
        return DEFORMITY, f"deformity.{deformity}"
    if total - spread >= weighing.suspected:
        return SUSPECTED, "over_the_line"
    if total + spread >= weighing.suspected:
        return BORDERLINE, "spread_crosses_the_line"
    if total >= weighing.borderline:
        return BORDERLINE, "near_the_line"
    if _network_undecided(terms):
        return BORDERLINE, "network_undecided"
    if loss is not None and loss >= MODERATE_LOSS:
        return BORDERLINE, "moderate_loss"
    return (MILD, "mild_loss") if lost else (NO_SUSPICION, "under_the_line")


def _network_undecided(terms: Sequence[Term]) -> bool:
    networks = [term for term in terms if term.witness != HEIGHTS and term.log_odds]
    return any(term.log_odds + term.spread >= 0 for term in networks)


def _networks_deny(terms: Sequence[Term]) -> bool:
    # A network without weight, as an unknown detector beside sheets, has no say in it.
    networks = [term for term in terms if term.witness != HEIGHTS and term.log_odds]
    return bool(networks) and all(term.log_odds < 0 for term in networks)


def _severity(loss: float | None, network_grade: int | None) -> tuple[str | None, bool]:
    """Return the severity, and whether it is only possible.

    The measured loss names it where it is at least mild; a network's grade where nothing was
    measured. A grade whose band the loss misses by more than 5 points is only possible, and so
    is a severity under a loss of less than 20 %.
    """
    by_network = _SEVERITIES.get(network_grade or 0)
    if loss is None:
        return by_network, False
    by_loss = _SEVERITIES.get(height_loss_class(loss))
    if by_loss is None:
        return by_network, True
    if by_network is None or by_network == by_loss:
        return by_loss, False
    low, high = _BANDS[by_network]
    fits = low - CONTRADICTED_POINTS <= loss <= high + CONTRADICTED_POINTS
    return by_loss, not fits
