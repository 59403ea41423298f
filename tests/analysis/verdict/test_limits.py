"""What limits the verdict, on a table by hand."""

import pandas as pd
import pytest

from spinexplain.analysis.verdict.limits import limits
from spinexplain.findings.verdict import NO_SUSPICION, SUSPECTED


def spines(*rows):
    names = ["subject", "normal", "grade", "loss", "look_alikes"]
    return pd.DataFrame(rows, columns=names)


CHOSEN = spines(("a", True, 0, 0.10, ""), ("a", True, 0, 0.32, "endplate_pit"))
TESTED = spines(
    ("n", True, 0, 0.05, ""),
    ("n", True, 0, 0.35, "endplate_pit,osteophyte"),
    ("f", False, 2, 0.27, ""),
    ("f", False, 2, 0.38, ""),
)
SAID = pd.Series([SUSPECTED, SUSPECTED, NO_SUSPICION, SUSPECTED])


def test_misses_false_alarms_and_what_the_truth_would_reach():
    found = limits(CHOSEN, TESTED, SAID)
    assert (found["missed_near"], found["found_near"]) == ([1, 1], [0, 1])
    assert found["false_alarms"] == 2
    assert found["alarm_look_alikes"] == {"endplate_pit": 1, "osteophyte": 1, "none": 1}
    assert found["oracle_line"] == pytest.approx(0.32)
    assert found["oracle_false_alarm_spines"] == [1, 1]
    assert found["oracle_g2_suspected"] == [1, 2]
