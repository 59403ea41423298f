import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import ConfigError, ShapeError
from spinexplain.explainers.dissection.thresholds import TailFilter, kept_count


def _oracle(values, quantile):
    """The smallest t among the values with P(a > t) <= 1 - quantile, by trying them all."""
    n = len(values)
    for t in np.sort(values):
        if np.sum(values > t) <= round(n * (1 - quantile), 9):
            return t, np.sum(values > t) / n
    raise AssertionError


def _stream(values, quantile, sizes, located=True):
    samples, _, cells = values.shape
    stream = TailFilter(samples * cells, quantile, located)
    start = 0
    for size in sizes:
        stream.add(values[start : start + size])
        start += size
    return stream.finish()


@given(
    seed=st.integers(0, 2**16),
    samples=st.integers(1, 30),
    units=st.integers(1, 4),
    cells=st.integers(1, 9),
    quantile=st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.995]),
    kind=st.sampled_from(["normal", "sparse", "few", "descending", "constant"]),
    located=st.booleans(),
)
def test_thresholds_are_those_of_the_oracle(seed, samples, units, cells, quantile, kind, located):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(samples, units, cells)).astype(np.float32)
    if kind == "sparse":
        values = np.maximum(values - 1.5, 0)
    elif kind == "few":
        values = np.round(values)
    elif kind == "descending":
        values = -np.sort(-values, axis=0)
    elif kind == "constant":
        values[:] = 0
    sizes = rng.multinomial(samples, np.full(4, 0.25)).tolist()
    tails = _stream(values, quantile, [size for size in sizes if size], located)
    for unit in range(units):
        threshold, mass = _oracle(values[:, unit].ravel(), quantile)
        assert tails.thresholds[unit] == threshold
        assert tails.mass[unit] == pytest.approx(mass, abs=1e-12)
        if located:
            places, found = tails.of_unit(unit)
            flat = values[:, unit].ravel()
            np.testing.assert_array_equal(places, np.flatnonzero(flat > threshold))
            np.testing.assert_array_equal(found, flat[places])


def test_a_long_stream_is_cut_again_and_again(monkeypatch):
    monkeypatch.setattr("spinexplain.explainers.dissection.thresholds._VALUES_AT_ONCE", 64)
    monkeypatch.setattr("spinexplain.explainers.dissection.thresholds._UNITS_AT_ONCE", 2)
    rng = np.random.default_rng(1)
    values = np.cumsum(rng.normal(size=(400, 5, 8)).astype(np.float32), axis=0)
    tails = _stream(values, 0.99, [37] * 10 + [30])
    for unit in range(5):
        threshold, _ = _oracle(values[:, unit].ravel(), 0.99)
        assert tails.thresholds[unit] == threshold
        assert len(tails.of_unit(unit)[0]) == 32


def test_a_sparse_unit_has_threshold_zero_and_says_what_share_it_reaches():
    values = np.zeros((10, 2, 10), np.float32)
    values[0, 0, :3] = 5  # 3 of 100, where 5 of 100 were wanted
    tails = _stream(values, 0.95, [10])
    assert tails.thresholds.tolist() == [0, 0]
    assert tails.mass.tolist() == [0.03, 0]


def test_the_count_that_is_kept_does_not_suffer_from_rounding():
    assert kept_count(10, 0.9) == 2  # 10 * (1 - 0.9) is 0.99999...
    assert kept_count(200, 0.995) == 2
    assert kept_count(199, 0.995) == 1


def test_bad_calls_say_what_is_wrong():
    for quantile in (0, 1, 1.5):
        with pytest.raises(ConfigError, match="between 0 and 1"):
            TailFilter(10, quantile)
    with pytest.raises(ConfigError, match="no activation"):
        TailFilter(0)
    stream = TailFilter(4)
    stream.add(np.zeros((1, 2, 2)))
    with pytest.raises(ShapeError, match="expected 4"):
        stream.finish()
    with pytest.raises(ShapeError, match="expected 2 units"):
        stream.add(np.zeros((1, 3, 2)))
    with pytest.raises(ShapeError, match="bring 8 values"):
        stream.add(np.zeros((3, 2, 2)))
