import datetime
from dataclasses import replace

import numpy as np
import pytest

from fixtures.scans import unit_detail
from spinexplain.config.tasks import derived_task
from spinexplain.findings.model_agreement import evidence_overlap, evidence_share, model_agreement
from spinexplain.findings.scan import Assessment
from spinexplain.report.html import prepare_page, render
from spinexplain.results.result_json import result_of
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import Evidence, Explanation, Grading


@pytest.fixture
def sheet(lumbar):
    return lumbar.vertebrae[1].patch


def _explained(sheet, *pieces):
    """Each piece: (first row, last row, score)."""
    evidence = []
    for top, bottom, score in pieces:
        heat = np.zeros(sheet.array.shape, np.float32)
        heat[top:bottom, 10:20] = 3
        evidence.append(Evidence("unit", "fracture", heat, score))
    return Explanation(sheet, "fracture", "m", "s", tuple(sorted(evidence, key=lambda e: -e.score)))


def _assessed(sheet, classes, scores, explanation=None):
    return Assessment(Grading(sheet.vertebra, derived_task(classes), scores), explanation)


def test_overlap_of_bands_by_hand(sheet):
    base = _explained(sheet, (20, 30, 1.0))
    assert evidence_overlap(base, base, sheet) == pytest.approx(1)
    assert evidence_overlap(base, _explained(sheet, (25, 35, 7.0)), sheet) == pytest.approx(0.5)
    assert evidence_overlap(base, _explained(sheet, (40, 50, 1.0)), sheet) == 0
    # a quarter of the second model's evidence lies on the first's
    mixed = _explained(sheet, (20, 30, 1.0), (50, 60, 3.0))
    assert evidence_overlap(base, mixed, sheet) == pytest.approx(0.25)


def test_evidence_against_does_not_count(sheet):
    share = evidence_share(_explained(sheet, (20, 30, 1.0), (40, 50, -2.0)), sheet)
    assert share.sum() == pytest.approx(1)
    assert share[40:50].sum() == 0
    assert evidence_share(_explained(sheet, (20, 30, -1.0)), sheet) is None
    nothing = Explanation(sheet, "fracture", "m", "s", ())
    assert evidence_overlap(nothing, _explained(sheet, (1, 2, 1.0)), sheet) is None


def test_units_tied_to_the_other_call_do_not_count(sheet):
    explanation = _explained(sheet, (20, 30, 2.0), (40, 50, 1.0))
    calm, broken = (replace(one, detail=unit_detail()) for one in explanation.evidence)
    units = replace(calm, class_name="no fracture"), broken
    share = evidence_share(replace(explanation, method="dissection", evidence=units), sheet)
    assert share[20:30].sum() == 0
    calm = replace(explanation, method="dissection", evidence=units, target="no fracture")
    assert evidence_share(calm, sheet)[20:30].sum() == pytest.approx(1)


def test_agreement_across_classes(sheet):
    three = _assessed(sheet, ("G0", "G2", "G3"), (0.1, 0.7, 0.2), _explained(sheet, (20, 30, 1.0)))
    two = _assessed(sheet, ("no fracture", "fracture"), (0.2, 0.8))
    calm = _assessed(sheet, ("G0", "G2", "G3"), (0.8, 0.1, 0.1))
    found = model_agreement(three, two, sheet)
    assert (found.fracture, found.grade, found.evidence_overlap) == (True, None, None)
    apart = model_agreement(three, calm, sheet)
    assert (apart.fracture, apart.grade) == (False, False)
    assert model_agreement(three, Assessment.refused("metal"), sheet) is None


def test_the_card_and_the_result_say_it(two_models):
    one = replace(two_models, vertebrae=two_models.vertebrae[1:2])
    content = result_of(one, {}).content()["vertebrae"][0]
    found = content["other_models"][0]["agreement_with_first"]
    assert found["fracture"] is True
    assert 0 <= found["evidence_overlap"] <= 1
    say = load_catalogue()
    page = render(prepare_page(one, say, datetime.date(2024, 1, 1)), say)
    assert "agrees on fracture" in page
    assert "of its evidence lies where" in page
