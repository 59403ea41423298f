import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.tasks import TASKS
from spinexplain.errors import ShapeError
from spinexplain.types import Grading, Vertebra

L1 = Vertebra(VertebraLevel.L1, (0.0, 0.0, 0.0))


def test_a_grading_has_one_probability_a_class_and_the_most_probable_grade():
    assert Grading(L1, TASKS["g0-g2-g3"], (0.1, 0.7, 0.2)).grade == "G2"
    with pytest.raises(ShapeError, match="got 1"):
        Grading(L1, TASKS["fracture"], (1.0,))


def test_what_is_no_healthy_class_is_a_fracture():
    said = [Grading(L1, TASKS["g0-g2-g3"], odds) for odds in ((0.6, 0.1, 0.3), (0.3, 0.1, 0.6))]
    assert [one.is_fracture for one in said] == [False, True]
