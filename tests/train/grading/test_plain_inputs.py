from dataclasses import replace

import numpy as np
import torch

from spinexplain.models.inputs import batch_size
from spinexplain.train.grading.plain_inputs import (
    inputs_in_batches,
    plain_batches,
    plain_inputs,
    row_batches,
)


def test_every_row_comes_once_and_in_order(toy_config):
    spec = toy_config().input
    index = np.arange(batch_size(spec) + 3)[::-1]
    batches = list(row_batches(index, spec))
    assert [len(rows) for rows in batches] == [batch_size(spec), 3]
    np.testing.assert_array_equal(np.concatenate(batches), index)


def test_inputs_come_with_their_rows_and_crops(toy_set, toy_config):
    data, spec = toy_set(6), toy_config().input
    ((rows, x, crops),) = inputs_in_batches(data, np.array([4, 1]), spec)
    assert rows.tolist() == [4, 1]
    assert torch.equal(x, plain_inputs(data, rows, crops, spec))
    assert torch.equal(x, *plain_batches(data, np.array([4, 1]), spec))
    (straight,) = plain_batches(data, np.arange(6), spec)
    assert torch.equal(x, straight[[4, 1]])


def test_held_features_stand_for_the_crops(toy_set, toy_config):
    held = replace(toy_set(6), features=np.arange(12, dtype=np.float32).reshape(6, 2))
    (features,) = plain_batches(held, np.array([5, 0]), toy_config().input)
    assert features.tolist() == [[10, 11], [0, 1]]
