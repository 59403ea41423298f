"""The simulated scheduler against what one can do on paper."""

import pytest
from writers.archive_scale import simulate


def test_one_worker_reads_then_computes():
    assert simulate(10, 1, 3.0, 100.0, 1e9, 50.0) == pytest.approx(10 * (2 + 3))


def test_many_workers_are_bound_by_the_storage():
    """1000 workers, 1000 scans of 100 bytes through 1000 bytes a second: 100 s, then 3 s."""
    assert simulate(1000, 1000, 3.0, 100.0, 1000.0, 1e9) == pytest.approx(103)


def test_plenty_of_storage_scales_evenly():
    one = simulate(100, 1, 3.0, 100.0, 1e9, 50.0)
    assert simulate(100, 10, 3.0, 100.0, 1e9, 50.0) == pytest.approx(one / 10)


def test_workers_that_start_apart_share_the_storage():
    """Two workers, three scans: 200 bytes at 100 a second, compute 1 s, then one alone."""
    assert simulate(3, 2, 1.0, 100.0, 100.0, 1e9) == pytest.approx(2 + 1 + 1 + 1)
