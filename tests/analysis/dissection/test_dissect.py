from dataclasses import replace

import numpy as np
import pytest

from spinexplain.analysis.dissection.dissect import dissect
from spinexplain.errors import ConfigError, ModelError
from spinexplain.progress import Steps


def _settings(settings, **changes):
    return replace(settings, layer="layers", **changes)


def test_units_known_by_construction_are_found_out(known_dissected):
    """Bright fractures, bone everywhere, a mark: each unit is told for what it is."""
    d = known_dissected.dissection
    bright, zero, _bone, constant, mark = range(5)
    assert d.states.tolist() == ["ranked", "silent", "ranked", "silent", "sparse"]
    assert d.statistics.rank[[zero, constant]].tolist() == [0, 0]
    assert d.statistics.rank[bright] == 1
    assert d.statistics.auc_max[bright] == 1
    assert d.overlap.of("superior_endplate", "lift").argmax() == bright
    assert d.overlap.of("evidence")[bright] > 0.3
    assert d.overlap.of("shortcut", "lift").argmax() == mark
    assert d.overlap.of("shortcut", "inside")[mark] == 2 * 2 / (8 * 8)  # it straddles four cells
    assert d.overlap.of("evidence")[mark] == 0
    assert d.mass[mark] < 0.05
    assert d.thresholds[mark] == 0
    assert d.facts["positives"] == 16
    assert d.facts["true_positives"] == 16
    assert d.facts["false_positives"] == 0


def test_the_batch_does_not_matter(known_dissected, known_grader, known_plan):
    cohort = known_dissected.samples.cohort
    other = dissect(known_grader(), cohort, _settings(known_plan, batch=24)).dissection
    d = known_dissected.dissection
    np.testing.assert_allclose(other.thresholds, d.thresholds, atol=1e-5)
    np.testing.assert_allclose(other.statistics.contrast, d.statistics.contrast, atol=1e-5)
    np.testing.assert_allclose(other.overlap.iou, d.overlap.iou, atol=1e-5)
    np.testing.assert_array_equal(other.statistics.rank, d.statistics.rank)
    np.testing.assert_array_equal(other.statistics.rank_high, d.statistics.rank_high)


def test_boxes_are_dissected_like_sheets(known_dissected_3d):
    d = known_dissected_3d.dissection
    assert d.grid.cells == (8, 8, 8)
    assert d.statistics.rank[0] == 1
    assert d.overlap.of("evidence")[0] > 0.2


def test_progress_counts_to_the_end(known_dissected, known_grader, known_plan):
    seen = {}
    dissect(
        known_grader(),
        known_dissected.samples.cohort,
        _settings(known_plan),
        Steps(lambda what, done, total: seen.update({what: (done, total)})),
    )
    assert set(seen) == {"dissect", "pictures", "overlap", "effects"}
    assert all(done == total for done, total in seen.values())


def test_an_unknown_layer_is_refused_before_anything_is_run(known_cohort, known_grader, tmp_path):
    cohort = known_cohort(tmp_path / "c", grades=("G0",))
    with pytest.raises(ModelError, match=r'no layer "layer"; expected one of layers, layers\.0'):
        dissect(known_grader(), cohort, _settings_of("layer"))
    with pytest.raises(ConfigError, match="no fractured"):
        dissect(known_grader(), cohort, _settings_of("layers"))


def test_a_layer_after_pooling_is_refused(known_dissected, known_grader):
    with pytest.raises(ModelError, match="before pooling"):
        dissect(known_grader(), known_dissected.samples.cohort, _settings_of("pooled"))


def _settings_of(layer):
    from spinexplain.analysis.dissection.dissect import DissectionPlan

    return DissectionPlan(layer=layer)


def test_the_top_units_are_silenced(known_dissected):
    """The logits of the toy follow its first unit alone."""
    d = known_dissected.dissection
    assert d.effects[d.top(1)[0]] > 0.5
    measured = np.isfinite(d.effects)
    assert set(np.flatnonzero(measured)) <= set(d.top(3))
    assert np.allclose(np.delete(d.effects, d.top(1)[0])[measured[1:]], 0)
