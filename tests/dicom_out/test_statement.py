from dataclasses import replace
from datetime import datetime

import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import Task
from spinexplain.dicom_out.statement import (
    BORDERLINE,
    FRACTURE,
    NO_SUSPICION,
    NOT_ASSESSABLE,
    Finalization,
    Verdict,
    finalized,
    statement_of,
)
from spinexplain.errors import ConfigError
from spinexplain.findings.rules import verdict_of
from spinexplain.findings.scan import Assessment
from spinexplain.types import Grading

TASK = Task.of({grade: [grade] for grade in ("G0", "G2", "G3")})
L1, T12, L2 = (VertebraLevel(name) for name in ("L1", "T12", "L2"))


@pytest.fixture
def findings(cases):
    return cases("HFS").findings


def _changed(findings, index, **changes):
    rows = list(findings.vertebrae)
    rows[index] = replace(rows[index], **changes)
    return replace(findings, vertebrae=tuple(rows))


def _graded(findings, index, scores):
    vertebra = findings.vertebrae[index].vertebra
    return (Assessment(Grading(vertebra, TASK, scores), None),)


def test_verdicts_of_the_case(findings):
    t12, l1, l2 = statement_of(findings).vertebrae
    assert t12.verdict == Verdict(NO_SUSPICION)
    assert l1.verdict == Verdict(FRACTURE, "moderate")
    assert l2.verdict == Verdict(NOT_ASSESSABLE)
    assert l2.refusal == "touches_border"
    assert not l2.opinions
    assert l1.opinions[0].scores == (("G0", 0.08), ("G2", 0.67), ("G3", 0.25))
    assert l1.heights.loss == 0.31


@pytest.mark.parametrize(
    ("scores", "loss"), [((0.9, 0.1, 0.0), 0.05), ((0.9, 0.1, 0.0), 0.45), ((0.1, 0.1, 0.8), 0.45)]
)
def test_the_verdict_is_that_of_the_report(findings, scores, loss):
    heights = replace(
        findings.vertebrae[0].heights, loss=loss, loss_interval=(loss - 0.03, loss + 0.03)
    )
    changed = _changed(findings, 0, heights=heights, assessments=_graded(findings, 0, scores))
    expected = verdict_of(changed.vertebrae[0])
    found = statement_of(changed).vertebrae[0].verdict
    assert (found.state, found.severity) == (expected.state, expected.severity)


def test_one_model_that_refuses_does_not_silence_another(findings):
    second = replace(findings.models[0], name="second", sha256="1" * 64)
    row = findings.vertebrae[2]
    call = Assessment(Grading(row.vertebra, TASK, (0.1, 0.2, 0.7)), None)
    changed = _changed(findings, 2, assessments=(*row.assessments, call))
    changed = replace(changed, models=(*findings.models, second))
    rows = [replace(r, assessments=(r.assessments * 2)[:2]) for r in changed.vertebrae]
    one = statement_of(replace(changed, vertebrae=tuple(rows))).vertebrae[2]
    assert one.verdict == Verdict(FRACTURE, "severe")
    assert one.refusal == ""
    assert [(model.name, reason) for model, reason in one.refusals] == [
        ("protoverse-test", "touches_border")
    ]


def test_a_reader_has_the_last_word(findings):
    machine = statement_of(findings)
    final = Finalization("Roe^Richard", "Clinic", datetime(2026, 1, 2))
    read = finalized(machine, final, {L1: Verdict(BORDERLINE)})
    assert machine.status == "research, unverified"
    assert read.status == "research, verified"
    assert [one.level for one in machine.suspicious] == [L1]
    assert read.suspicious == ()
    assert {one.level: one.final.state for one in read.vertebrae}[L1] == BORDERLINE
    assert {one.level: one.verdict.state for one in read.vertebrae}[L1] == FRACTURE
    assert read.identity() != machine.identity()


def test_identity_ignores_the_last_digits_of_scores(findings):
    other = _changed(findings, 0, assessments=_graded(findings, 0, (0.9499999, 0.0300001, 0.02)))
    assert statement_of(other).identity() == statement_of(findings).identity()
    changed = _changed(findings, 0, assessments=_graded(findings, 0, (0.02, 0.95, 0.03)))
    assert statement_of(changed).identity() != statement_of(findings).identity()


def test_a_verdict_on_a_stranger_is_refused(findings):
    final = Finalization("Roe^Richard", "Clinic", datetime(2026, 1, 2))
    with pytest.raises(ConfigError, match=r"T5.*not in this result.*T12, L1, L2"):
        finalized(statement_of(findings), final, {VertebraLevel("T5"): Verdict(BORDERLINE)})


@pytest.mark.parametrize("wrong", [("broken",), (FRACTURE, "awful")])
def test_unknown_words_are_refused(wrong):
    with pytest.raises(ConfigError, match="expected one of"):
        Verdict(*wrong)
