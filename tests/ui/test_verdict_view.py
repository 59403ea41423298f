"""The terms of a verdict as bars that join."""

import pytest

from spinexplain.findings.verdict import NO_SUSPICION, STATES, SUSPECTED, Term, Verdict
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.verdict_view import axis_percent, verdict_style, view_verdict

SAY = load_catalogue()


def test_bars_join_and_end_at_the_total():
    terms = (Term("prototypes", 3.0, 2.4, 0.2), Term("heights", -1.0, -1.2, 0.0))
    view = view_verdict(Verdict(SUSPECTED, "moderate", base=0.6, terms=terms), SAY)
    assert [bar.log_odds for bar in view.terms] == [0.6, 2.4, -1.2]
    assert view.terms[1].start == pytest.approx(view.terms[0].start + view.terms[0].width)
    assert view.terms[2].start == pytest.approx(axis_percent(1.8))
    assert view.total_percent == pytest.approx(axis_percent(1.8))


def test_words():
    severe = view_verdict(Verdict(SUSPECTED, "severe"), SAY)
    assert (severe.words, severe.short) == ("fracture suspected, severe", "suspected, severe")
    possible = Verdict(SUSPECTED, "severe", possible=True)
    assert view_verdict(possible, SAY).words == "fracture suspected, possibly severe"
    assert view_verdict(Verdict(NO_SUSPICION), SAY).words == "no suspicion"
    assert view_verdict(Verdict(NO_SUSPICION), SAY).terms == ()


def test_every_verdict_has_a_chip_and_only_grades_look_like_grades():
    chips = {state: verdict_style(Verdict(state, severity="severe")) for state in STATES}
    assert [chips[state].letters for state in STATES] == ["G3", "?", "Df?", "mild", "G0", "\u2013"]
    assert len({chip.key for chip in chips.values()}) == len(STATES)


def test_a_suspected_fracture_without_severity_is_called_one():
    assert verdict_style(Verdict(SUSPECTED)).letters == "Fx"
