import numpy as np
import pytest
import torch

from spinexplain.config.training import PhaseSettings
from spinexplain.train.grading.fit import (
    Phase,
    balanced_rows,
    batch_rows,
    learning_rate_factor,
    load_batch,
    rows_of_step,
)


def test_an_epoch_visits_every_row_at_most_once_and_epochs_differ():
    first = [batch_rows(10, 3, step, (1, 2)) for step in range(3)]
    rows = np.concatenate([r for r, _ in first])
    assert len(set(rows)) == 9
    assert {epoch for _, epoch in first} == {0}
    again, epoch = batch_rows(10, 3, 3, (1, 2))
    assert epoch == 1
    assert again.tolist() != first[0][0].tolist()


def test_rows_are_a_function_of_key_and_step_alone():
    one, two, other = (batch_rows(50, 8, 4, key)[0].tolist() for key in ((1, 2), (1, 2), (1, 3)))
    assert one == two
    assert one != other


def test_a_batch_larger_than_the_set_is_the_whole_set():
    rows, epoch = batch_rows(5, 32, 2, (0, 0))
    assert sorted(rows) == [0, 1, 2, 3, 4]
    assert epoch == 2


def test_cosine_warms_up_and_ends_near_zero():
    settings = PhaseSettings(steps=100, decay="cosine")
    factors = [learning_rate_factor(settings, step) for step in range(100)]
    assert factors[0] == pytest.approx(0.2)
    assert max(factors) > 0.95
    assert factors[-1] < 1e-3
    assert np.all(np.diff(factors[10:]) < 0)


def test_step_decay_divides_by_ten_after_each_third():
    settings = PhaseSettings(steps=90, decay="step")
    assert [learning_rate_factor(settings, s) for s in (29, 30, 59, 60)] == [1, 0.1, 0.1, 0.01]


def test_constant_rate_stays():
    settings = PhaseSettings(steps=90, decay="none")
    assert {learning_rate_factor(settings, s) for s in (0, 50, 89)} == {1.0}


def test_a_batch_carries_labels_and_known_height_losses(toy_set, toy_config):
    data, config = toy_set(), toy_config()
    data = type(data)(**{**vars(data), "height_loss": np.linspace(0, 0.5, len(data))})
    phase = Phase("warm", 1, config.warm, [], lambda batch: {}, masks=True)
    batch = load_batch(data, config, phase, step=0)
    rows, _ = batch_rows(len(data), 16, 0, (config.seed, 1))
    assert batch.labels.tolist() == np.searchsorted([0, 2, 3], data.grades[rows]).tolist()
    np.testing.assert_allclose(batch.height_loss, data.height_loss[rows], rtol=1e-6)
    assert batch.x.shape == (16, 3, 32, 32)
    assert batch.crops.target is not None
    blind = Phase("warm", 1, config.warm, [], lambda batch: {})
    assert load_batch(data, config, blind, step=0).crops.target is None


def test_balanced_sampling_shows_every_class_equally_often_and_every_row():
    labels = np.array([0] * 12 + [1] * 4 + [2] * 2)
    epoch = np.concatenate([balanced_rows(labels, 6, step, (0, 1))[0] for step in range(3)])
    assert np.bincount(labels[epoch]).tolist() == [6, 6, 6]
    assert set(epoch[labels[epoch] > 0]) == set(range(12, 18))
    assert balanced_rows(labels, 6, 3, (0, 1))[1] == 1


def test_balanced_rows_are_augmented_anew_each_time_they_are_shown(toy_set, toy_config):
    data, config = toy_set(n=12), toy_config(sampling="balanced")
    phase = Phase("warm", 1, config.warm, [], lambda batch: {})
    keys = [rows_of_step(data, config, phase, step).epoch for step in range(5)]
    assert len(set(keys)) == 5
    one, two = (load_batch(data, config, phase, step=3) for _ in range(2))
    assert torch.equal(one.x, two.x)


def test_decay_by_steps_counts_earlier_rounds_and_may_come_early():
    settings = PhaseSettings(steps=20, decay="step", decay_every_steps=15)
    assert [learning_rate_factor(settings, s) for s in (0, 14, 15)] == pytest.approx([1, 1, 0.1])
    assert learning_rate_factor(settings, 9, steps_before=20) == pytest.approx(0.1)
    assert learning_rate_factor(settings, 10, steps_before=20) == pytest.approx(0.01)
    early = settings.model_copy(update={"decay_early_steps": 3})
    assert [learning_rate_factor(early, s) for s in (11, 12)] == pytest.approx([1, 0.1])
