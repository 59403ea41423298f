"""Agreement of grade and heights has three values, and width never improves it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.heights import heights_of
from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS, derived_task
from spinexplain.findings.agreement import AGREE, COMPATIBLE, DISAGREE, agreement
from spinexplain.types import Grading, Vertebra

ORDER = (DISAGREE, COMPATIBLE, AGREE)


def called(grade):
    """A grading of that class, by the task that knows it."""
    tasks = [derived_task((grade, "other")), TASKS["fracture"], TASKS["g0-g1-g2-g3"]]
    task = [one for one in tasks if grade in one.classes][-1]
    scores = tuple(float(name == grade) for name in task.classes)
    return Grading(Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0)), task, scores)


@pytest.mark.parametrize(
    ("name", "loss", "interval", "expected"),
    [
        ("G0", 0.05, (0.0, 0.1), AGREE),
        ("G0", 0.24, (0.22, 0.26), COMPATIBLE),  # class 1 never agrees with G0
        ("G0", 0.26, (0.1, 0.42), DISAGREE),
        ("G2", 0.30, (0.26, 0.34), AGREE),
        ("G2", 0.30, (0.05, 0.55), COMPATIBLE),
        ("G3", 0.39, (0.31, 0.47), COMPATIBLE),
        ("fracture", 0.10, (0.0, 0.5), DISAGREE),
    ],
)
def test_by_hand(name, loss, interval, expected):
    assert agreement(called(name), heights_of(loss, interval)) == expected


def test_there_is_no_answer_without_both():
    assert agreement(None, heights_of(0.3)) is None
    assert agreement(called("G2"), None) is None
    assert agreement(called("osteolysis"), heights_of(0.3)) is None


@given(
    st.sampled_from(["G0", "G1", "G2", "G3", "fracture", "no fracture"]),
    st.floats(-0.2, 0.8),
    st.floats(0, 0.3),
    st.floats(0, 0.3),
)
def test_a_wider_interval_never_makes_it_better(name, loss, reach, more):
    narrow = heights_of(loss, (loss - reach, loss + reach))
    wide = replace(narrow, loss_interval=(loss - reach - more, loss + reach + more))
    assert ORDER.index(agreement(called(name), wide)) <= ORDER.index(
        agreement(called(name), narrow)
    )
