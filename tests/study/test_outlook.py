from spinexplain.study.outlook import power_rows
from spinexplain.study.panel import Panel, simulate
from spinexplain.study.tally import tally
from study.conftest import opened


def _row(real, false):
    return {"question": "relevance", "reader": "all", "foil": "all", "real": real, "false": false}


def test_half_the_difference_needs_more_cases(written):
    study, key = opened(written())
    found = tally(study, key, simulate(study, key, Panel(), 0))
    questions = [study.question("relevance")]
    whole, half = power_rows(found, questions, [_row(0.8, 0.4)], 0)
    assert (whole["of_observed"], half["of_observed"]) == (1.0, 0.5)
    assert half["difference"] * 2 == whole["difference"]
    assert half["cases_for_80_percent"] > whole["cases_for_80_percent"]


def test_where_foils_do_as_well_there_is_nothing_to_plan_with(written):
    study, key = opened(written())
    found = tally(study, key, simulate(study, key, Panel(), 0))
    questions = [study.question("relevance")]
    assert power_rows(found, questions, [_row(0.6, 0.6)], 0) == []
    assert power_rows(found, questions, [], 0) == []
