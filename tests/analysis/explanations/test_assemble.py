import numpy as np
import pytest

from spinexplain.analysis.explanations.assemble import (
    bench_facts,
    foreign_row,
    panels_of,
    prior_rows,
    reliability_of,
    scoring_of,
)


@pytest.fixture(scope="module")
def scoring(drawn):
    return scoring_of(drawn.bench, seed=0, draws=100)


def test_panels_are_best_median_and_worst(scoring, oracle_maps):
    maps = oracle_maps.copy()
    rows = scoring.opponents.rows
    maps[rows[0]] = 1 - maps[rows[0]]
    best, median, worst = panels_of(scoring, maps)
    assert (best.title, median.title, worst.title) == ("best", "median", "worst")
    assert best.share >= median.share >= worst.share == 0
    assert worst.name.startswith(str(scoring.bench.subjects[rows[0]]))


def test_facts_of_the_bench(scoring, drawn):
    facts = bench_facts(scoring)
    assert facts["vertebrae"] == len(drawn.bench)
    assert facts["ceiling"]["endplate"] == 1.0
    assert 0.5 < facts["ceiling"]["third"] <= 1.0
    assert sum(facts["grades"].values()) == len(drawn.bench)
    assert facts["true_parts"]["endplate"]["superior"] == int(
        (drawn.bench.truth["endplate"] == 0).sum()
    )


def test_every_prior_has_a_row(scoring):
    rows = prior_rows(scoring)
    assert {row["prior"] for row in rows} == set(scoring.opponents.example)
    uniform = next(row for row in rows if row["prior"] == "uniform")
    assert uniform["placement"]["endplate"] == pytest.approx(0.5)
    assert uniform["localization"]["top_share"]["low"] is not None


def test_reliability_is_told_only_where_it_was_measured(scoring, oracle_maps):
    row, _ = foreign_row(scoring, "mine", oracle_maps)
    told = reliability_of(row)
    assert told["endplate"]["value"] == 1.0
    assert told["fractures"] == int((scoring.bench.truth["endplate"] >= 0).sum())
    assert told["equally_convincing"] is None
    assert reliability_of({**row, "placement": {}}) is None
    alarms = {"usefulness": {"equally_convincing": 0.25, "false_alarms": 8}}
    assert reliability_of({**row, **alarms})["equally_convincing"] == 0.25
    assert np.isfinite(told["endplate"]["low"])
