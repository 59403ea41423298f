import numpy as np
import pytest

from spinexplain.train.grading.export_inputs import calibration_of
from spinexplain.train.grading.plain_inputs import inputs_in_batches


@pytest.mark.parametrize(("at_most", "rows"), [(1000, range(12)), (3, [0, 6, 11]), (1, [0])])
def test_inputs_are_the_networks_for_rows_spread_over_the_set(toy_set, toy_config, at_most, rows):
    data, spec = toy_set(12), toy_config().input
    found = calibration_of(data, spec, "toy", at_most)
    assert found.name == "toy"
    expected = [x.numpy() for _, x, _ in inputs_in_batches(data, np.array(rows), spec)]
    np.testing.assert_array_equal(found.inputs, np.concatenate(expected))
