import numpy as np
import pytest

from spinexplain.config.tasks import TASKS
from spinexplain.evaluate.calibration import reliability
from spinexplain.evaluate.figures import headline
from spinexplain.evaluate.grading import grading_figures
from spinexplain.evaluate.metrics import METRICS

TASK = TASKS["g0-g2-g3"]


def test_every_metric_is_the_figure_of_its_name():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(3, size=50), rng.dirichlet(np.ones(3), 50)
    found = {name: metric.of(labels, scores, TASK) for name, metric in METRICS.items()}
    expected = headline(labels, scores.argmax(axis=1), 3)
    expected["quadratic_kappa"] = grading_figures(labels, scores, TASK).quadratic_kappa
    expected["ece"] = reliability(labels, scores).ece
    expected["brier"] = np.mean(np.sum((scores - np.eye(3)[labels]) ** 2, axis=1))
    assert found == pytest.approx(expected)


def test_a_perfect_model_by_hand():
    labels = np.array([0, 1, 2])
    found = [METRICS[name].of(labels, np.eye(3), TASK) for name in METRICS]
    assert found == pytest.approx([1, 1, 1, 1, 0, 0])
