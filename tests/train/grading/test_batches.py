import numpy as np
import torch

from spinexplain.train.engine.loop import Phase
from spinexplain.train.engine.sampling import batch_rows
from spinexplain.train.grading.batches import CropBatches


def test_a_batch_carries_labels_and_known_height_losses(toy_set, toy_config):
    data, config = toy_set(), toy_config()
    data = type(data)(**{**vars(data), "height_loss": np.linspace(0, 0.5, len(data))})
    phase = Phase("warm", 1, config.warm, [], lambda batch: {})
    batch = CropBatches(data, config, phase, masks=True).load(step=0)
    rows, _ = batch_rows(len(data), 16, 0, (config.seed, 1))
    assert batch.labels.tolist() == np.searchsorted([0, 2, 3], data.grades[rows]).tolist()
    np.testing.assert_allclose(batch.height_loss, data.height_loss[rows], rtol=1e-6)
    assert batch.x.shape == (16, 3, 32, 32)
    assert batch.crops.target is not None
    assert CropBatches(data, config, phase).load(step=0).crops.target is None


def test_balanced_rows_are_augmented_anew_each_time_they_are_shown(toy_set, toy_config):
    data, config = toy_set(n=12), toy_config(sampling="balanced")
    phase = Phase("warm", 1, config.warm, [], lambda batch: {})
    batches = CropBatches(data, config, phase)
    keys = [batches.rows_of_step(step).epoch for step in range(5)]
    assert len(set(keys)) == 5
    one, two = (batches.load(step=3) for _ in range(2))
    assert torch.equal(one.x, two.x)


def test_the_parts_of_two_processes_are_the_batch_of_one(toy_set, toy_config):
    data, config = toy_set(), toy_config()
    batches = CropBatches(data, config, Phase("warm", 1, config.warm, [], lambda batch: {}))
    whole = batches.load(2)
    parts = [batches.load(2, (number, 2)) for number in range(2)]
    for number, part in enumerate(parts):
        assert part.labels.tolist() == whole.labels.tolist()[number::2]
        assert part.everyone.tolist() == whole.labels.tolist()
    assert len(batches.names(2)) == len(whole.labels)
