import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from spinexplain.study.answers import Answer, AnswerFile
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.reading_gain import reading_figures
from spinexplain.study.tally import tally
from study.conftest import opened


def _said(study, key, reader, grade, suspicion):
    """Answers of one reader by functions of (true grade, stage, place)."""
    answers = []
    for place, item in enumerate(study.items):
        known = key.items[item.id]
        if known.foil or known.repeat_of:
            continue
        true = key.cases[known.case].grade
        for name, value in (
            ("grade", grade(true, item.stage, place)),
            ("suspicion", suspicion(true, item.stage, place)),
        ):
            answers.append(Answer(item=item.id, piece=0, question=name, value=value, at="2026"))
    return AnswerFile(study=study.id, reader=reader, source="app", answers=tuple(answers))


def test_a_reader_whom_evidence_puts_right(written):
    study, key = opened(written(unaided=True, cases=30, foils=3, repeats=2))
    file = _said(
        study,
        key,
        1,
        lambda true, stage, _: true if stage == "aided" else "G0",
        lambda true, stage, place: float(90 if stage == "aided" and true != "G0" else place % 50),
    )
    found = tally(study, key, [file])
    rows = {row["figure"]: row for row in reading_figures(found, 0, draws=50)}
    assert rows["sensitivity"]["first_value"] == 0
    assert rows["sensitivity"]["second_value"] == rows["specificity"]["second_value"] == 1
    assert rows["sensitivity"]["difference"]["value"] == 1
    pages = [p for p in found.pages if p.stage == "unaided"]
    scores = [found.said[1][(p.item, 0, "suspicion")] for p in pages]
    expected = roc_auc_score([p.grade != "G0" for p in pages], scores)
    assert rows["auc"]["first_value"] == pytest.approx(expected)
    assert rows["auc"]["second_value"] == 1


def test_there_is_nothing_to_compare_without_unaided_pages(written):
    study, key = opened(written(cases=4))
    assert reading_figures(tally(study, key, simulate(study, key, Panel(), 0)), 0) == []


def test_simulated_readers_gain(written):
    study, key = opened(written(unaided=True, cases=60, foils=0, repeats=0))
    rows = reading_figures(tally(study, key, simulate(study, key, Panel(), 0)), 0, draws=50)
    gains = [row["difference"]["value"] for row in rows if row["figure"] == "auc"]
    assert len(gains) == 2
    assert np.mean(gains) > 0


def test_several_arms_are_compared_with_none_and_with_each_other(written):
    """In a crossover every reader meets a vertebra without and with each arm."""
    study, key = opened(written(unaided=True, cases=30, foils=0, repeats=0, arms=("x", "y")))
    file = _said(
        study,
        key,
        1,
        lambda true, stage, place: true if _arm(study, key, place) == "x" else "G0",
        lambda true, stage, place: 50.0,
    )
    rows = reading_figures(tally(study, key, [file]), 0, draws=50)
    found = {(r["first"], r["second"]): r for r in rows if r["figure"] == "sensitivity"}
    values = {pair: row["difference"]["value"] for pair, row in found.items()}
    assert values == {("without", "x"): 1, ("without", "y"): 0, ("x", "y"): -1}


def _arm(study, key, place):
    return key.items[study.items[place].id].arm
