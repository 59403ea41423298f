import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ConfigError
from spinexplain.train.engine.sampling import (
    balanced_epoch,
    balanced_rows,
    balanced_step,
    batch_rows,
    crops_per_class,
    part_rows,
    part_shares,
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


def moved_on(upper, lower):
    return [upper] * 6 + [lower] * 6


def test_every_side_of_every_grade_is_drawn_alike():
    """Two superior, one inferior, one of both; a rare class; twins take from the healthy."""
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 2, 0])
    moved = np.array(
        [moved_on(0, 0)] * 3
        + [moved_on(1, 0), moved_on(1, 0), moved_on(0, 1), moved_on(1, 1), moved_on(np.nan, 0)]
        + [moved_on(0, 0)]
    )
    twins = np.array([False] * 8 + [True])
    shares = part_shares(labels, moved, twins, 0.2)
    assert shares.sum() == pytest.approx(1)
    assert shares[8] == pytest.approx(0.2)
    assert shares[:3] == pytest.approx(0.1)
    assert shares[3:5] == pytest.approx(0.25 / 3 / 2)
    assert shares[5:7] == pytest.approx(0.25 / 3)
    assert shares[7] == pytest.approx(0.25)


def test_rows_of_a_step_depend_on_key_and_step_alone():
    shares = part_shares(np.array([0] * 30 + [1] * 10), np.full((40, 12), np.nan), NO_TWINS, 0.1)
    rows = part_rows(shares, 8, (3, 1), 5)
    assert rows.tolist() == part_rows(shares, 8, (3, 1), 5).tolist()
    assert rows.tolist() != part_rows(shares, 8, (3, 1), 6).tolist()
    assert len(set(rows.tolist())) == 8


NO_TWINS = np.zeros(40, bool)


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


def test_balanced_sampling_shows_every_class_equally_often_and_every_row():
    labels = np.array([0] * 12 + [1] * 4 + [2] * 2)
    epoch = np.concatenate([balanced_rows(labels, 6, step, (0, 1))[0] for step in range(3)])
    assert np.bincount(labels[epoch]).tolist() == [6, 6, 6]
    assert set(epoch[labels[epoch] > 0]) == set(range(12, 18))
    assert balanced_rows(labels, 6, 3, (0, 1))[1] == 1
