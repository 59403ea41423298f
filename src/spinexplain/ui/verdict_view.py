"""The verdict prepared for drawing: its words, and how its log odds add up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spinexplain.findings.summary import grade_of_severity, severity_words
from spinexplain.findings.verdict import (
    BORDERLINE,
    DEFORMITY,
    MILD,
    NO_SUSPICION,
    SUSPECTED,
    VERDICT_KEYS,
    Verdict,
)
from spinexplain.texts.catalogue import Catalogue
from spinexplain.ui.tokens import BORDERLINE_STYLE, DEFORMITY_STYLE, GradeStyle, grade_style

LARGEST_LOG_ODDS = 12.0
"""Where the axis of the terms ends, either way."""


@dataclass(frozen=True)
class TermBar:
    """One term of the log odds as a bar: where it starts and ends, in percent of the axis."""

    words: str
    log_odds: float
    start: float
    width: float


@dataclass(frozen=True)
class VerdictView:
    """What a page shows of a verdict.

    Parameters
    ----------
    key : str
        Names the state in style sheets.
    words : str
        The state, with its severity.
    short : str
        The same for the narrow column of a table.
    style : GradeStyle
        Its chip, on the map and wherever a vertebra is named.
    terms : tuple of TermBar
        The base first, each beginning where the one before ends.
    log_odds, spread : float
    suspected, borderline : float
        The lines, in log odds.
    lines_percent : tuple of 2 floats
        Where the lower and the upper line stand on the axis.
    total_percent, zero_percent : float
    calibrated : bool
    """

    key: str
    words: str
    short: str
    style: GradeStyle
    terms: tuple[TermBar, ...]
    log_odds: float
    spread: float
    suspected: float
    borderline: float
    lines_percent: tuple[float, float]
    total_percent: float
    zero_percent: float
    calibrated: bool


def view_verdict(verdict: Verdict, say: Catalogue) -> VerdictView:
    """Prepare a verdict for drawing."""
    key = VERDICT_KEYS[verdict.state]
    words = say(f"verdict.{key}")
    short = say(f"verdict.short.{key}")
    if verdict.state == SUSPECTED:
        short = say("verdict.with_severity", words=short, severity=severity_words(verdict, say))
        words = say("verdict.with_severity", words=words, severity=severity_words(verdict, say))
    return VerdictView(
        key=key,
        words=words,
        short=short,
        style=verdict_style(verdict),
        terms=_bars(verdict, say),
        log_odds=verdict.log_odds,
        spread=verdict.spread,
        suspected=verdict.suspected,
        borderline=verdict.borderline,
        lines_percent=(axis_percent(verdict.borderline), axis_percent(verdict.suspected)),
        total_percent=axis_percent(verdict.log_odds),
        zero_percent=axis_percent(0.0),
        calibrated=verdict.calibrated,
    )


def verdict_style(verdict: Verdict) -> GradeStyle:
    """Return the chip of a verdict.

    A suspected fracture has the color of its severity, with a question mark where that is only
    possible; a mild height loss that of G1, and no suspicion that of G0.

    Examples
    --------
    >>> verdict_style(Verdict(SUSPECTED, severity="moderate", possible=True)).letters
    'G2?'
    >>> verdict_style(Verdict(BORDERLINE)).letters, verdict_style(Verdict(NO_SUSPICION)).key
    ('?', 'g0')
    """
    if verdict.state == SUSPECTED:
        style = grade_style(grade_of_severity(verdict.severity))
        return replace(style, letters=f"{style.letters}?") if verdict.possible else style
    if verdict.state == MILD:
        return replace(grade_style("G1"), letters="mild")
    fixed = {BORDERLINE: BORDERLINE_STYLE, DEFORMITY: DEFORMITY_STYLE}
    return fixed.get(verdict.state, grade_style("G0" if verdict.state == NO_SUSPICION else None))


def axis_percent(log_odds: float) -> float:
    """Place log odds on the axis, 0 to 100.

    Examples
    --------
    >>> axis_percent(0.0), axis_percent(6.0), axis_percent(99.0)
    (50.0, 75.0, 100.0)
    """
    share = (log_odds + LARGEST_LOG_ODDS) / (2 * LARGEST_LOG_ODDS)
    return round(100 * min(max(share, 0.0), 1.0), 2)


def _bars(verdict: Verdict, say: Catalogue) -> tuple[TermBar, ...]:
    if not verdict.terms:
        return ()
    steps = [("base", verdict.base), *((one.witness, one.log_odds) for one in verdict.terms)]
    bars, reached = [], 0.0
    for name, log_odds in steps:
        ends = sorted((axis_percent(reached), axis_percent(reached + log_odds)))
        width = round(ends[1] - ends[0], 2)
        bars.append(TermBar(say(f"verdict.{name}"), log_odds, ends[0], width))
        reached += log_odds
    return tuple(bars)
