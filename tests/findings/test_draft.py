import json
from dataclasses import replace
from importlib import resources
from itertools import product

import numpy as np
import pytest

from fixtures.scans import unit_detail
from spinexplain.config.tasks import TASKS, derived_task
from spinexplain.findings.draft import FORBIDDEN, draft_of, endplate, permitted
from spinexplain.findings.scan import Assessment
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import Evidence, Explanation, Grading

SAY = load_catalogue()


def _level(scan, name):
    return next(item for item in scan.vertebrae if item.vertebra.level.value == name)


def _graded(item, classes, scores, explanation=None):
    grading = Grading(item.vertebra, derived_task(classes), scores)
    return replace(item, assessments=(Assessment(grading, explanation),))


def _band(item, rows, name="unit", **detail):
    """Evidence in a band of rows across the body."""
    heat = np.zeros(item.patch.array.shape, np.float32)
    middle = heat.shape[1] // 2
    heat[rows, middle - 15 : middle + 15] = 1
    evidence = Evidence(name, "G2", heat, 1.0, detail=unit_detail(**detail))
    return Explanation(item.patch, "G2", "dissection", "relevance", (evidence,))


def _endplate_rows(item):
    ends = np.asarray(item.patch.frame.to_patch(item.heights.landmarks_mm))[..., 0]
    return [slice(int(ends[:, side].min()), int(ends[:, side].max()) + 2) for side in (0, 1)]


def test_the_words_of_a_graded_fracture(lumbar):
    item = _level(lumbar, "L1")
    draft = draft_of(item, lumbar.models, SAY)
    assert draft.text.startswith("Suspected moderate vertebral fracture L1 (Genant 2, wedge): ")
    assert "anterior height " in draft.text
    assert "(−31 % ± 7)" in draft.text
    assert draft.text.endswith("Acuity, cause, posterior wall: reader to complete.")


def test_every_phrase_leads_to_its_evidence_but_the_readers(lumbar):
    draft = draft_of(_level(lumbar, "L1"), lumbar.models, SAY)
    assert draft.phrases[0].rests_on == "verdict"
    assert draft.phrases[1].rests_on == "heights"
    assert draft.phrases[-1].rests_on is None
    assert all(phrase.anchor for phrase in draft.phrases if phrase.rests_on)
    assert "".join(p.before + p.text for p in draft.phrases) == draft.text


def test_healthy_vertebrae_have_no_draft(lumbar):
    assert draft_of(_level(lumbar, "T12"), lumbar.models, SAY) is None


def test_a_loss_that_the_network_denies_says_so(lumbar):
    draft = draft_of(_level(lumbar, "L3"), lumbar.models, SAY)
    assert draft.text.startswith("Suspected moderate vertebral fracture L3 (Genant 2, biconcave)")
    assert "disagree: reader to judge" in draft.text


def test_heights_alone_are_never_turned_into_a_grade(lumbar):
    item = replace(_level(lumbar, "L3"), assessments=(Assessment.refused("metal"),))
    draft = draft_of(item, lumbar.models, SAY)
    assert draft.text.startswith("Possible vertebral fracture L3 by its measured heights")
    assert "Genant grade: reader to complete" in draft.text
    assert not any(f"Genant {number}" in draft.text for number in range(4))


def test_a_grade_that_the_loss_contradicts_is_only_possible(lumbar):
    item = _graded(_level(lumbar, "T12"), ("G0", "G2"), (1e-6, 1 - 1e-6))
    body = replace(item.heights, loss=0.17, loss_interval=(0.13, 0.21))
    text = draft_of(replace(item, heights=body), lumbar.models, SAY).text
    assert text.startswith("Suspected vertebral fracture T12, possibly moderate (Genant 2 possible")
    assert "but the measured loss is 17 %" in text


def test_a_detector_leaves_the_grade_to_the_reader(lumbar):
    item = _graded(_level(lumbar, "L1"), ("no fracture", "fracture"), (0.001, 0.999))
    item = replace(item, heights=None)
    text = draft_of(item, lumbar.models, SAY).text
    assert text.startswith("Suspected vertebral fracture L1 (Genant grade: reader to complete)")


def test_a_detectors_finding_takes_the_grade_of_the_model_beside_it(two_models):
    item = _level(two_models, "L1")
    detected = Grading(item.vertebra, TASKS["fracture"], (0.1, 0.9))
    graded = Grading(item.vertebra, TASKS["g0-g2-g3"], (0.1, 0.2, 0.7))
    item = replace(item, assessments=(Assessment(detected, None), Assessment(graded, None)))
    draft = draft_of(item, two_models.models, SAY)
    assert draft.text.startswith("Suspected vertebral fracture L1, possibly moderate (Genant 2 ")
    without = draft_of(replace(item, heights=None), two_models.models, SAY)
    assert without.text.startswith("Suspected severe vertebral fracture L1 (Genant 3)")


def test_the_second_model_may_be_the_one_that_suspects(two_models):
    item = _level(two_models, "L1")
    calm = Grading(item.vertebra, TASKS["g0-g2-g3"], (0.9, 0.05, 0.05))
    alarmed = Grading(item.vertebra, TASKS["fracture"], (0.1, 0.9))
    item = replace(item, assessments=(Assessment(calm, None), Assessment(alarmed, None)))
    draft = draft_of(item, two_models.models, SAY)
    assert draft.phrases[0].rests_on == "verdict"
    assert "Models disagree on fracture: reader to judge. Acuity" in draft.text
    assert draft.phrases[-2].rests_on == "other_models"


def test_without_heights_there_are_no_numbers(thoracic):
    draft = draft_of(_level(thoracic, "T6"), thoracic.models, SAY)
    assert draft.text.startswith("Suspected severe vertebral fracture T6 (Genant 3)")
    assert " mm" not in draft.text


def test_the_endplate_is_where_the_evidence_lies(lumbar):
    item = _level(lumbar, "L1")
    upper, lower = _endplate_rows(item)
    for rows, expected in ((upper, "superior"), (lower, "inferior")):
        assert endplate(_band(item, rows), item.heights, item.patch) == expected
        graded = _graded(item, ("G0", "G2"), (0.1, 0.9), _band(item, rows))
        assert f"{expected} endplate" in draft_of(graded, lumbar.models, SAY).text
    far = _band(item, slice(0, 6))
    assert endplate(far, item.heights, item.patch) is None


def test_readers_words_are_taken_up_where_they_find_them_meaningful(lumbar):
    item = _level(lumbar, "L1")
    rows = _endplate_rows(item)[0]

    def text(name, **detail):
        explanation = _band(item, rows, name, **detail)
        return draft_of(_graded(item, ("G0", "G2"), (0.1, 0.9), explanation), (), SAY).text

    found = {"raters": 2, "meaningful": 2, "named": True, "contrast": 0.5, "q": 0.01}
    named = "pattern named by readers: abnormal endplate"
    assert named in text("abnormal endplate", **found)
    assert named not in text("abnormal endplate", **found | {"meaningful": 1})
    assert named not in text("abnormal endplate", **found | {"contrast": -0.5})
    assert named not in text("abnormal endplate", **found | {"q": 0.2})  # by chance
    assert "Unit 22" not in text("Unit 22", **found | {"named": False})
    assert "collapse" not in text("endplate collapse", **found)
    assert "unit" not in text("like unit 14", **found)


def test_no_draft_ever_uses_a_word_that_leaves_it_open(lumbar):
    """Every phrase of the catalogue, and every draft that can be made of it."""
    folder = resources.files("spinexplain.texts") / "languages"
    for entry in folder.iterdir():
        strings = json.loads(entry.read_text("utf-8"))
        for key, words in strings.items():
            if key.startswith(("draft.", "grade.", "shape.")):
                assert permitted(words), key
    item = _level(lumbar, "L1")
    graders = [(("G0", "G1", "G2", "G3"), 4), (("no fracture", "fracture"), 2)]
    for (classes, count), shape in product(graders, ("none", "wedge", "biconcave", "crush")):
        for chosen in range(count):
            scores = tuple(float(i == chosen) for i in range(count))
            heights = replace(item.heights, shape=shape)
            draft = draft_of(replace(_graded(item, classes, scores), heights=heights), (), SAY)
            assert permitted(draft.text)
            assert "L1" in draft.text
            assert "vertebral fracture" in draft.text
            assert "Genant" in draft.text


@pytest.mark.parametrize("word", FORBIDDEN)
def test_forbidden_words_are_found_in_any_case(word):
    assert not permitted(f"Mild {word.upper()} here")
