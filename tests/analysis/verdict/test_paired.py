"""Paired differences and the range of a line, where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.figures import COUNTED, spine_counts, verdict_figures
from spinexplain.analysis.verdict.fit import fit_weighing
from spinexplain.analysis.verdict.paired import AREA, line_range, paired_differences
from spinexplain.findings.verdict import BORDERLINE, NO_SUSPICION, SUSPECTED, Verdict


def spines(n=20, levels=4):
    rows = [
        (("hard", "verse-like")[k % 2], f"s{k}", k < n // 2, 0 if k < n // 2 or i else 2 + k % 2)
        for k in range(n)
        for i in range(levels)
    ]
    return pd.DataFrame(rows, columns=["group", "subject", "normal", "grade"])


def saying(grades, right):
    """One that suspects the broken ones, or one that suspects nobody."""
    states = [SUSPECTED if right and g >= 2 else NO_SUSPICION for g in grades]
    return [
        Verdict(state, base=float(g) if right else 1.0)
        for state, g in zip(states, grades, strict=True)
    ]


def test_one_that_finds_all_against_one_that_finds_none():
    table = spines()
    found = paired_differences(
        table, saying(table["grade"], True), saying(table["grade"], False), draws=200
    )
    assert set(found) == {*COUNTED, AREA}
    assert found["g2_suspected"] == {"difference": 1.0, "low": 1.0, "high": 1.0}
    assert found["false_alarm_spines"] == {"difference": 0.0, "low": 0.0, "high": 0.0}
    assert found["mild_unsuspicious"]["difference"] is None
    assert found[AREA]["difference"] == pytest.approx(0.5)


def test_a_chance_difference_has_an_interval_around_nothing():
    table = spines(40)
    rng = np.random.default_rng(3)
    sides = [
        [Verdict(SUSPECTED if rng.random() < 0.5 else BORDERLINE) for _ in range(len(table))]
        for _ in range(2)
    ]
    found = paired_differences(table, *sides, draws=300)["g2_suspected"]
    assert found["low"] < 0 < found["high"]
    again = paired_differences(table, *sides, draws=300)["g2_suspected"]
    assert found == again
    assert (
        found["difference"]
        == -paired_differences(table, *sides[::-1])["g2_suspected"]["difference"]
        or found["difference"] == 0
    )


def test_counts_by_spine_add_up_to_the_figures():
    table = spines()
    states = pd.Series([v.state for v in saying(table["grade"], True)], index=table.index)
    by_spine, figures = spine_counts(table, states), verdict_figures(table, states)
    assert len(by_spine) == figures["spines"] == 20
    for name in COUNTED:
        assert figures[name] == [by_spine[name].sum(), by_spine[f"{name}_of"].sum()]


def test_a_line_of_few_normal_spines_is_less_sure():
    widths = []
    for n in (40, 400):
        table = spines(n)
        # normal spines evenly spread, so that only their number differs
        table["heights"] = np.where(
            table["normal"], np.arange(len(table)) // 4 / (n / 2) - 2.0, 1.0 * table["grade"]
        )
        weighing = fit_weighing(table, ("heights",))
        found = line_range(table, weighing, table, draws=200)
        assert found["again"] == weighing.suspected
        assert found["low"] <= found["line"] <= found["high"]
        low, at, high = (pair[0] for pair in found["alarms"])
        assert low >= at >= high
        assert at == int(0.05 * n // 2)
        widths.append((found["high"] - found["low"]) / weighing.weights["heights"])
    assert widths[0] > 2 * widths[1]
