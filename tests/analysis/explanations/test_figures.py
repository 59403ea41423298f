"""A perfect explainer, a blind one and an inverted one, made by hand."""

import numpy as np
import pytest

from spinexplain.analysis.explanations.assemble import scoring_of
from spinexplain.analysis.explanations.figures import (
    explainer_figures,
    interval_json,
    map_figures,
)
from spinexplain.config.tasks import TASKS
from spinexplain.evaluate.bootstrap import Interval

TASK = TASKS["g0-g2-g3"]


@pytest.fixture(scope="module")
def scoring(drawn):
    return scoring_of(drawn.bench, seed=0, draws=100)


def chunk_of(bench, maps, strengths, twin_strengths, called):
    """Stored arrays of a model that is sure of what it calls."""
    n = len(bench)
    logits = np.tile([4.0, 0.0, -1.0], (n, 1))
    logits[called] = [0.0, 4.0, -1.0]
    return {
        "maps": maps,
        "first": maps,
        "twin_maps": np.zeros_like(maps),
        "strengths": strengths,
        "twin_strengths": np.where(bench.twin_of >= 0, twin_strengths, np.nan),
        "logits": logits,
        "twin_logits": np.tile([4.0, 0.0, -1.0], (n, 1)),
        "targets": np.ones(n, int),
        "curves": np.full((n, 3, 2, 5), np.nan, np.float32),
        "shifted": np.full(n, np.nan),
        "noisy": np.full(n, np.nan),
        "seconds": np.ones(n),
    }


def test_a_perfect_map(scoring, oracle_maps):
    found = map_figures(scoring, oracle_maps)
    assert found["placement"]["endplate"]["value"] == 1.0
    assert found["placement"]["endplate"]["gain"]["value"] == pytest.approx(0.5, abs=0.1)
    assert found["placement"]["third"]["recalls"][1] == 1.0
    assert found["localization"]["energy_inside"]["value"] == 1.0
    assert found["localization"]["energy_inside"]["gain"]["low"] > 0
    assert found["regions"]["neighbors"]["energy_inside"] < 0.1
    assert "evidence" not in found["regions"]


def test_a_blind_map_gains_nothing(scoring, drawn):
    blind = np.tile(np.random.default_rng(0).random((112, 112)), (len(drawn.bench), 1, 1))
    found = map_figures(scoring, blind.astype(np.float32))
    for question in ("endplate", "third"):
        assert found["placement"][question]["gain"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["localization"]["top_share"]["gain"]["high"] < 0


def test_twins_and_alarms_by_hand(scoring, drawn, oracle_maps):
    bench, n = drawn.bench, len(drawn.bench)
    called = bench.fractured.copy()
    alarms = np.flatnonzero(bench.grades == "G0")[:2]
    called[alarms] = True
    strengths = np.where(bench.fractured, 2.0, 1.0)
    strengths[alarms[0]] = 3.0
    chunk = chunk_of(bench, oracle_maps, strengths, np.ones(n), called)
    found = explainer_figures(scoring, chunk, TASK)
    assert found["twin"]["falls"] == 1.0
    assert found["twin"]["relative_fall"] == 0.5
    assert found["twin"]["auc"] == 1.0
    assert found["twin"]["change_inside"] == pytest.approx(1.0)
    assert found["usefulness"]["false_alarms"] == 2
    assert found["usefulness"]["equally_convincing"] == 0.5
    assert found["usefulness"]["found"] == int(bench.fractured.sum())
    # One of two alarms is stronger than all fractures, one weaker.
    assert found["usefulness"]["error_auc"]["value"] == pytest.approx(0.5)
    # Both alarms apart, every normal vertebra is as strong as its fractured neighbor's half.
    beside = (bench.grades == "G0") & np.isin(bench.subjects, bench.subjects[bench.fractured])
    assert 0 < found["neighbors"]["pairs"] == int(beside.sum())
    if not beside[alarms].any():
        assert found["neighbors"]["value"] == 1.0
    assert found["faithfulness"] == {}
    assert found["seconds"] == 1.0


def test_curves_by_hand(scoring, drawn, oracle_maps):
    bench, n = drawn.bench, len(drawn.bench)
    chunk = chunk_of(bench, oracle_maps, np.ones(n), np.ones(n), bench.fractured)
    rows = np.flatnonzero(bench.fractured)
    chunk["curves"][rows, 1, 0] = [1, 0, 0, 0, 0]
    chunk["curves"][rows, 1, 1] = [0, 1, 1, 1, 1]
    blur = explainer_figures(scoring, chunk, TASK)["faithfulness"]["blur"]
    assert (blur["deletion"], blur["insertion"], blur["gap"]["value"]) == (0.125, 0.875, 0.75)


def test_neighbors_of_one_scan(scoring, drawn, oracle_maps):
    """Two vertebrae of one scan, the upper fractured: it must be stronger."""
    from dataclasses import replace

    rows = [
        int(np.flatnonzero(drawn.bench.fractured)[0]),
        int(np.flatnonzero(~drawn.bench.fractured)[0]),
    ]
    levels = np.array(drawn.bench.levels)
    levels[rows] = ["T12", "L1"]
    series = np.array([f"scan{k}" for k in range(len(levels))])
    series[rows] = "one"
    subjects = np.array(drawn.bench.subjects)
    subjects[rows] = "one person"
    bench = replace(drawn.bench, levels=levels, series=series, subjects=subjects)
    strengths = np.zeros(len(bench))
    strengths[rows[0]] = 1.0
    chunk = chunk_of(bench, oracle_maps, strengths, np.zeros(len(bench)), bench.fractured)
    found = explainer_figures(replace(scoring, bench=bench), chunk, TASK)
    assert found["neighbors"]["pairs"] == 1
    assert found["neighbors"]["value"] is None  # one pair: the lower one is never fractured


def test_no_number_is_null():
    told = interval_json(Interval(float("nan"), float("nan"), 0.5, "why"))
    assert told == {"value": None, "low": None, "high": 0.5, "note": "why"}
