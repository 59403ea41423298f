from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.ui.waterfall import side_by_side, waterfall


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=8))
def test_bars_lie_end_to_end_and_add_up(values):
    bars, total, zero = waterfall(values)
    assert bars[0].start == pytest.approx(zero)
    assert bars[-1].end == pytest.approx(total.end)
    assert total.value == pytest.approx(sum(values))
    for before, after in pairwise(bars):
        assert after.start == pytest.approx(before.end)
    assert all(-1e-9 <= edge <= 100 + 1e-9 for bar in bars for edge in (bar.start, bar.end))


@given(st.lists(st.floats(-9, 9).filter(lambda v: abs(v) > 1e-3), min_size=2, max_size=8))
def test_bars_are_as_long_as_their_values(values):
    bars, _, _ = waterfall(values)
    per_unit = [bar.width / abs(bar.value) for bar in bars]
    np.testing.assert_allclose(per_unit, per_unit[0], rtol=1e-6)


def test_scores_that_do_not_add_up_start_at_zero_each():
    bars, total, zero = side_by_side([2.0, -2.0])
    assert total is None
    assert [(bar.start, bar.end) for bar in bars] == [(zero, 100.0), (zero, 0.0)]
