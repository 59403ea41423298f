import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from spinexplain.train.grading.validate import class_average_f1, predict, validate


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_f1_equals_scikit_learn(pairs):
    predicted, labels = (np.array(column) for column in zip(*pairs, strict=True))
    slow = f1_score(labels, predicted, labels=[0, 1, 2], average="macro", zero_division=0)
    assert class_average_f1(predicted, labels, 3) == pytest.approx(slow)


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
