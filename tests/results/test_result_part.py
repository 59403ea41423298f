"""Parts of a result refuse what their schema does not name, and numbers that are none."""

import math

import pytest
from pydantic import ValidationError

from spinexplain.results.result_part import LevelName, ResultPart, Share


class Example(ResultPart):
    level: LevelName
    share: Share


def test_a_part_keeps_what_fits_and_does_not_change():
    part = Example(level="T13", share=1)
    assert part.model_dump() == {"level": "T13", "share": 1.0}
    with pytest.raises(ValidationError):
        part.share = 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "T14", "share": 0.5},
        {"level": "L1", "share": 1.1},
        {"level": "L1", "share": math.nan},
        {"level": "L1", "share": 0.5, "more": 1},
    ],
)
def test_unknown_keys_levels_and_numbers_are_refused(wrong):
    with pytest.raises(ValidationError):
        Example(**wrong)
