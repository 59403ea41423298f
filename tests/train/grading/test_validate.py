import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.config.tasks import derived_task
from spinexplain.evaluate.grading import grading_figures
from spinexplain.train.grading.validate import figures_of, predict, validate

NAMES = ("G0", "G2", "G3")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12))
def test_training_chooses_by_the_f1_that_evaluation_reports(pairs):
    """Absent classes too: few vertebrae often lack one."""
    labels, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    scores = np.eye(3)[predicted]
    evaluated = grading_figures(labels, scores, derived_task(NAMES)).class_average_f1
    assert figures_of(scores, labels, NAMES)["f1"] == evaluated


def test_a_class_that_is_not_there_costs_nothing():
    scores = np.eye(3)[[0, 0, 1]]
    assert figures_of(scores, np.array([0, 0, 1]), NAMES)["f1"] == 1
    assert figures_of(scores, np.array([0, 0, 2]), NAMES)["f1"] == pytest.approx(1 / 3)


def test_figures_of_a_fixed_prediction(toy_set, toy_config, monkeypatch):
    data, config = toy_set(n=6), toy_config()  # G0 G2 G3 G0 G2 G3
    logits = np.eye(3)[[0, 1, 1, 0, 0, 2]]
    monkeypatch.setattr("spinexplain.train.grading.validate.predict", lambda *_: logits)
    figures = validate(None, data, config)
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert (figures["recall_G0"], figures["recall_G2"], figures["recall_G3"]) == (1, 0.5, 0.5)


def test_prediction_keeps_the_order_over_batches(toy_set, toy_config):
    import torch

    class MeanOfCrop(torch.nn.Module):
        def forward(self, x):
            return x[:, :1].mean(dim=(2, 3)).repeat(1, 3)

    data, config = toy_set(n=70), toy_config()
    out = predict(MeanOfCrop(), data, config)
    assert out.shape == (70, 3)
    single = np.concatenate(
        [predict(MeanOfCrop(), data.take(np.array([i])), config) for i in (0, 65, 69)]
    )
    np.testing.assert_allclose(out[[0, 65, 69]], single, atol=1e-6)
