"""Targets say whether they are met."""

import json
from pathlib import Path

from writers.verdict import WITNESSES, compared_table, limits_table
from writers.verdict_bars import (
    bars,
    bars_of_opponents,
    bars_of_scanners,
    beside_heights,
    unsure_elsewhere,
)
from writers.verdict_coverage import _unlike_line, coverage_tables, missed_words
from writers.verdict_targets import NEW_PERSONS, ROWS, TARGETS, target_words

from writers import verdict

RESULTS = Path(__file__).parents[2] / "docs" / "results" / "verdict.json"


def test_a_missed_target_says_so():
    figures = {"together": {"false_alarm_spines": [2, 9], "g3_noticed": [36, 36]}}
    assert target_words("hard", "false_alarm_spines", figures) == "at most 10 %: missed"
    assert target_words("hard", "g3_noticed", figures) == "at least 97 %"
    assert target_words("shifted-scanner", "g3_noticed", figures) == ""


def test_every_target_is_met_or_missed():
    lines = bars(json.loads(RESULTS.read_text("utf-8")))
    held_to = sum(len(TARGETS[preset]) for preset in (*TARGETS, *NEW_PERSONS.values()))
    assert sum(line.startswith("* ") for line in lines) == held_to + len(TARGETS["hard"])
    text = "\n".join(lines)
    assert "**Met (" in text
    assert "**Missed (" in text


def test_another_scanner_is_held_to_the_same_persons_in_every_figure():
    familiar = {key: [10, 10] for key in ROWS} | {"false_alarm_spines": [5, 10]}
    other = familiar | {
        "g2_suspected": [8, 10],
        "g2_noticed": [9, 10],
        "false_alarm_spines": [1, 10],
    }
    tested = {"shifted-scanner": {"together": other}, "familiar-scanner": {"together": familiar}}
    found = bars_of_scanners(tested)
    assert [kept for _, kept in found] == [True, False, False, True, True, True]
    assert "40 points fewer than the same persons have" in found[0][0]
    assert "(8/10 against 10/10), at most 5 points worse" in found[1][0]
    coverage = {"shifted-scanner": {"beyond": 3, "vertebrae": 40}}
    words = unsure_elsewhere({"tested": tested, "coverage": coverage})
    assert "Of 2 moderate fractures that are not suspected on `shifted-scanner`, 1 are" in words
    assert words.endswith("borderline; 3 of 40 vertebrae are called unlike the scans of the fit.")
    assert unsure_elsewhere({"tested": tested}).endswith("1 are borderline.")


def test_grades_whose_sets_hold_too_seldom_are_named():
    def group(**covered):
        return {"sets": {"covered": covered}}

    words = missed_words({"a": group(G0=[95, 100], G1=[70, 100]), "b": group(G2=[8, 9], G3=[0, 0])})
    assert words.startswith("**2 of 3 pairs of group and grade are held in fewer than 90 of 100**")
    assert "`a` G1 70/100; `b` G2 8/9" in words
    assert words.endswith("By more than chance explains: `a` G1 70/100.")
    assert "All 1 pairs" in missed_words({"a": group(G0=[95, 100])})


def test_misses_and_the_ceiling_stand_side_by_side():
    assert "make verdict" in limits_table({})[0]
    one = {
        "missed_near": [3, 4],
        "found_near": [1, 4],
        "false_alarms": 2,
        "alarm_look_alikes": {"osteophyte": 1, "endplate_pit": 2, "none": 0},
        "oracle_line": 0.25,
        "oracle_false_alarm_spines": [1, 10],
        "oracle_g2_suspected": [5, 10],
    }
    lines = limits_table({"limits": {"hard": one}})
    assert lines[0].endswith("is 0.250.")
    assert "| 2: endplate pit 2, osteophyte 1 |" in lines[-1]
    assert {line.count("|") for line in lines[2:]} == {7}


def test_a_group_by_the_mask_alone_says_nothing_of_routes():
    figures = {key: [1, 2] for key in ROWS} | {"spines": 3}
    lines = verdict.tested_tables({"tested": {"hard-new": dict.fromkeys(WITNESSES, figures)}})
    assert not any("same verdict" in line for line in lines)
    assert "at least 75 %: missed" in "\n".join(lines)


def test_sets_stand_beside_their_opponents():
    assert "make verdict" in coverage_tables({})[0]
    one = {"covered": {f"G{n}": [9, 10] for n in range(4)}, "sizes": {"1": 30, "2": 10}}
    found = dict.fromkeys(("sets", "not_widened", "by_score", "constant"), one)
    group = {"vertebrae": 40, "beyond": 3, "terms": {"noise_hu": 3, "slice_mm": 0}, **found}
    counts = {"vertebrae": 40, "spines": 5, "presets": ["a", "b"], "grades": {"0": 40}}
    point = {"sets_fitted_on": counts, "calibrated_on": counts}
    content = {"coverage": {"hard": group}, "calibration": {"operating_point": point}}
    text = "\n".join(coverage_tables(content))
    assert "calibrated on 40 vertebrae (G0 40) of 5 spines of a and b" in text
    assert "3 of them unlike the scans of the fit (by noise_hu 3)" in text
    assert "| G2 | 90 % (" in text
    assert "| grades in a set, mean | 1.25 | 1.25 | 1.25 | 1.25 |" in text


def test_both_networks_stand_side_by_side():
    assert "make verdict" in compared_table({})[0]
    figures = {key: [1, 2] for key in ROWS}
    tested = {"hard": dict.fromkeys(WITNESSES, figures)}
    models = {
        name: {"model": {"name": name, "version": "1"}, "tested": tested} for name in ("a", "b")
    }
    lines = compared_table({"tested": tested, "compared": models})
    assert lines[0].startswith(
        "Of 1 groups, `a` suspects fewer moderate fractures than `b`, alone in 0"
    )
    assert lines[4].startswith(
        "| | a 1, alone | a 1, with heights | b 1, alone | b 1, with heights"
    )
    assert len(lines) == 6 + len(ROWS)
    assert {line.count("|") for line in lines[4:]} == {8}


def test_what_widening_is_worth_is_said():
    def group(sets, plain):
        one = {"sets": {"covered": {"G0": sets}}, "not_widened": {"covered": {"G0": plain}}}
        return {"shifted-scanner": {"vertebrae": 100, "beyond": 9, **one}}

    little, much = (_unlike_line(group([n, 100], [80, 100]))[0] for n in (81, 95))
    assert "do not repair" in little
    assert "hold 1 true grades more" in little
    assert "do repair" in much
    assert _unlike_line({}) == []


def test_the_cheap_opponent_is_counted_beside():
    better = {key: [9, 10] for key in ROWS}
    worse = {key: [8, 10] for key in ROWS}
    tested = {
        "hard": {"together": better, "heights": worse},
        "other": {"together": worse, "heights": better},
        "same": {"together": better, "heights": better},
        "more": {"together": better, "heights": worse},
    }
    words = beside_heights(tested)
    assert "in 4 groups" in words
    assert "moderate fractures suspected in 2, fewer in 1" in words


def test_every_route_has_a_row_of_counts():
    figures = {key: [1, 2] for key in ROWS} | {"spines": 3}
    lines = verdict.by_route(dict.fromkeys(verdict.ROUTES, figures))
    assert lines[0].startswith("| the 3 of them taken by every route |")
    assert lines[3].startswith("| centers alone, bodies painted | 1/2 |")
    assert len({line.count("|") for line in lines}) == 1


def test_bars_that_opponents_meet_are_counted():
    best = {key: [0, 9] if side == "most" else [9, 9] for key, (_, side) in TARGETS["hard"].items()}
    worst = {
        key: [9, 9] if side == "most" else [0, 9] for key, (_, side) in TARGETS["hard"].items()
    }
    tested = {"hard": {"together": best, "heights": worst, "network": best}}
    words = bars_of_opponents(tested)
    assert words == (
        "Of the 6 bars within one group both together meet 6, heights alone 0, the network alone 6."
    )
