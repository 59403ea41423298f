from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ModelError
from spinexplain.explainers.dissection.explain import (
    DissectionExplainer,
    explain_dissection,
    relevant_maps,
    unit_title,
)
from spinexplain.explainers.dissection.names import NAMES_SCHEMA, RaterNames
from spinexplain.findings.assess import explain
from spinexplain.geometry import BoxFrame, SheetFrame, fit_curve
from spinexplain.types import Patch, Vertebra


def _patch(dissected, sample):
    """Return a vertebra of the cohort as a patch, as `grade` would make it."""
    array = dissected.samples.crops(np.array([sample]))[0]
    vertebra = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))
    if array.ndim == 3:
        return Patch(vertebra, array, BoxFrame(np.zeros(3), -np.eye(3)[::-1], array.shape, 1.0))
    line = fit_curve(np.array([[0.0, 0.0]]), np.array([0.0, -1.0]))
    return Patch(vertebra, array, SheetFrame(line, 0.0, 0.0, array.shape, 1.0))


@pytest.mark.parametrize("axes", [2, 3])
def test_relevance_is_eq_2_and_the_same_as_in_the_dissection(request, known_grader, axes):
    dissected = request.getfixturevalue({2: "known_dissected", 3: "known_dissected_3d"}[axes])
    d, patch = dissected.dissection, _patch(dissected, 1)
    found = explain_dissection(known_grader(axes), patch, "fracture", d)
    relevance = dissected.activity.relevance()[1]
    assert [item.score for item in found.evidence] == sorted(
        (item.score for item in found.evidence), reverse=True
    )
    for item in found.evidence:
        unit = item.detail.unit
        assert item.score == pytest.approx(relevance[unit], rel=1e-5)
        assert item.detail.rank == d.statistics.rank[unit]
        assert item.heatmap.shape == patch.array.shape
        assert item.heatmap.max() > 0
        assert item.exemplars
        assert all(exemplar.provenance.grade != "G0" for exemplar in item.exemplars)
        assert item.exemplars[0].array.shape == item.exemplars[0].heatmap.shape
    assert {item.detail.unit for item in found.evidence} == set(np.flatnonzero(relevance))


def test_the_map_lies_on_the_fracture(known_dissected, known_grader):
    d, patch = known_dissected.dissection, _patch(known_dissected, 1)
    item = explain_dissection(known_grader(), patch, "fracture", d).evidence[0]
    rows, _ = np.nonzero(item.heatmap > 0.5 * item.heatmap.max())
    assert 16 <= rows.min() <= rows.max() < 32
    assert item.class_name == "fracture"


def test_a_vertebra_without_active_units_has_no_evidence(known_dissected, known_grader):
    d = known_dissected.dissection
    air = replace(_patch(known_dissected, 0), array=np.full((64, 64), -1000, np.float32))
    assert explain_dissection(known_grader(), air, "no fracture", d).evidence == ()


def test_silent_units_stay_silent(known_dissected, known_grader):
    d = known_dissected.dissection
    lowered = replace(d, thresholds=np.full_like(d.thresholds, -1))
    maps = relevant_maps(known_grader(), _patch(known_dissected, 1), lowered)
    assert not maps[3].any()  # constant 1, above any threshold, but set aside


def test_units_are_called_what_raters_call_them(known_dissected, known_grader):
    d = known_dissected.dissection
    said = [{"unit": 0, "name": "abnormal endplate", "meaningful": True}]
    content = {"schema": NAMES_SCHEMA, "key": d.key, "rater": "A", "names": said}
    named = replace(d, names=(RaterNames.model_validate(content),))
    found = explain_dissection(known_grader(), _patch(known_dissected, 1), "fracture", named)
    item = next(e for e in found.evidence if e.detail.unit == 0)
    assert item.name == "abnormal endplate"
    assert (item.detail.raters, item.detail.meaningful) == (1, 1)
    assert unit_title(named, 2) == "Unit 2"


def test_another_model_and_another_class_are_refused(known_dissected, known_grader):
    d, patch, grader = known_dissected.dissection, _patch(known_dissected, 1), known_grader()
    other = replace(grader, info=replace(grader.info, sha256="b2" * 32))
    with pytest.raises(ModelError, match="Units mean nothing in another network"):
        explain_dissection(other, patch, "fracture", d)
    with pytest.raises(ModelError, match='no class "G2"'):
        explain_dissection(grader, patch, "G2", d)
    with pytest.raises(ModelError, match="Dissect the model again"):
        explain_dissection(grader, patch, "fracture", replace(d, layer="layers.0"))


def test_explain_takes_an_explainer_bound_to_its_dissection(known_dissected, known_grader):
    d, patch = known_dissected.dissection, _patch(known_dissected, 1)
    found = explain(known_grader(), patch, method=DissectionExplainer(d))
    assert (found.method, found.target) == ("dissection", "fracture")
    assert len(DissectionExplainer(d, count=1)(known_grader(), patch, "fracture").evidence) == 1
