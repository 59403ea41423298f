import numpy as np
import pytest

from spinexplain.config.tasks import TASKS
from spinexplain.reproduce.dissection.evidence import Units
from spinexplain.reproduce.dissection.shortcut import exposure


def units_of_four(enabled):
    """Two fractured and two healthy vertebrae; 1 % of the crops is mark.

    Unit 0 has 10 % of its mask there, unit 1 has 5 %, unit 2 nothing, unit 3 all but is silent.
    """
    inside, mask = np.array([10.0, 5.0, 0.0, 1.0]), np.array([100.0, 100.0, 100.0, 1.0])
    once = np.array([[1.0], [1.0], [0.0], [0.0]])
    return Units(
        enabled=enabled,
        ranked=np.array([True, True, True, False]),
        positive=np.array([True, True, False, False]),
        subjects=np.arange(4),
        inside=once * inside,
        mask=once * mask,
        evidence=once[:, 0] * 10,
        crop=once[:, 0] * 1000,
    )


def test_units_on_the_mark_and_silenced_are_counted_by_hand():
    before = np.array([[2, 0, 2, 9], [2, 2, 2, 9], [0, 0, 2, 9], [0, 0, 2, 9]], float)
    after = np.array([[0, 0, 2, 9], [0, 2, 2, 9], [0, 0, 2, 9], [0, 0, 2, 9]], float)
    found = exposure(
        units_of_four(before > 1),
        {"marked": before, "plain": after},
        np.ones(4),
        marked=np.array([True, True, False, False]),
    )
    assert found["on_mark"] == 1
    assert found["lift"] == pytest.approx(5.0)
    assert found["silenced"] == 1
    # By contrast: unit 0 (1), unit 1 (0.5), unit 2 (0); the silent one is left out.
    assert found["by_rank"] == [[1.0, 0.5, 1.0], [0.0, 0.5, 1.0]]
    assert found["enabled"] == pytest.approx([2.5 / 3, 1.5 / 3])
    assert found["units"] == 4


def test_marks_lie_in_front_of_most_fractured_vertebrae(tmp_path):
    from spinexplain.explainers.dissection.samples import select_samples
    from spinexplain.reproduce.dissection.networks import SHEETS
    from spinexplain.reproduce.dissection.shortcut import marked_inputs, marks_of
    from toy_dissection import write_toy_cohort

    cohort = write_toy_cohort(tmp_path / "c", grades=("G0", "G2") * 20)
    samples = select_samples(cohort, SHEETS, TASKS["g0-g2-g3"])
    marks = marks_of(samples)
    marked = marks.any(axis=(1, 2))
    assert marked[samples.positive].mean() > 0.7
    assert marked[~samples.positive].mean() < 0.3
    body_front = (samples.side - 32) / 2
    assert np.argwhere(marks)[:, 2].max() < body_front
    plain = marked_inputs(samples, np.zeros_like(marks))
    found = (marked_inputs(samples, marks) - plain).abs().amax(dim=(1, 2, 3)).numpy() > 0
    assert np.array_equal(found, marked)
