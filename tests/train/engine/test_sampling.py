import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ConfigError
from spinexplain.train.engine.sampling import (
    balanced_epoch,
    balanced_step,
    crops_per_class,
    steps_per_epoch,
)

LABELS = np.array([0] * 13 + [1] * 3)


@given(
    counts=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    per_class=st.integers(1, 15),
    seed=st.integers(0, 99),
    epoch=st.integers(0, 99),
)
def test_every_class_comes_equally_often_and_no_row_twice_before_all_once(
    counts, per_class, seed, epoch
):
    labels = np.repeat(np.arange(len(counts)), counts)
    rows, copies = balanced_epoch(labels, per_class, seed, epoch)
    assert np.bincount(labels[rows]).tolist() == [per_class] * len(counts)
    for k, count in enumerate(counts):
        times = np.bincount(rows, minlength=len(labels))[labels == k]
        assert times.max() - times.min() <= 1
        assert times.sum() == per_class
        assert times.max() == -(-per_class // count)
    assert len({(r, c) for r, c in zip(rows.tolist(), copies.tolist(), strict=True)}) == len(rows)


def test_an_epoch_is_a_function_of_seed_and_epoch_alone():
    one, again = (balanced_epoch(LABELS, 8, 1, 2)[0].tolist() for _ in range(2))
    assert one == again
    assert one != balanced_epoch(LABELS, 8, 1, 3)[0].tolist()
    assert one != balanced_epoch(LABELS, 8, 2, 2)[0].tolist()


def test_undersampling_shows_all_rows_over_the_epochs():
    seen = {row for epoch in range(20) for row in balanced_epoch(LABELS, 3, 0, epoch)[0].tolist()}
    assert seen == set(range(16))


def test_sizes_of_an_epoch():
    assert crops_per_class(LABELS, "rarest") == 3
    assert crops_per_class(LABELS, "mean") == 8
    with pytest.raises(ConfigError, match='expected "rarest" or "mean"'):
        crops_per_class(LABELS, "most")


@pytest.mark.parametrize("batch", [2, 3, 5, 16, 100])
def test_steps_of_an_epoch_together_are_the_epoch(batch):
    steps = steps_per_epoch(LABELS, 8, batch)
    parts = [balanced_step(LABELS, 8, batch, 7, 2 * steps + k) for k in range(steps)]
    assert {part.epoch for part in parts} == {2}
    sizes = [len(part.index) for part in parts]
    assert 2 <= min(sizes) <= max(sizes) <= batch
    rows, copies = balanced_epoch(LABELS, 8, 7, 2)
    assert np.concatenate([part.index for part in parts]).tolist() == rows.tolist()
    assert np.concatenate([part.copies for part in parts]).tolist() == copies.tolist()
