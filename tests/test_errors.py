import inspect
import re

import pytest

from spinexplain import errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if kind is not errors.SpinexplainError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_caught_as_one_the_user_can_act_on(kind):
    with pytest.raises(errors.SpinexplainError, match="what to do"):
        raise kind("what to do")


def test_the_module_draws_every_error_and_no_other():
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__)
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS)


def test_a_wrong_shape_is_a_value_error_for_callers_who_know_only_numpy():
    assert issubclass(errors.ShapeError, ValueError)
