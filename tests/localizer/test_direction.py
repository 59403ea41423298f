from dataclasses import replace

import numpy as np
import pytest

from fixtures.drawn_bodies import block_scan, bright_levels, centers_of
from spinexplain.geometry import fit_curve
from spinexplain.localizer.centers import AlongSpine
from spinexplain.localizer.direction import (
    BACK_TO_FRONT,
    UPSIDE_DOWN,
    direction_doubt,
    doubt_of,
)
from spinexplain.localizer.reading import read_spine

INSIDE = np.r_[np.ones(30, bool), np.zeros(10, bool)]


def seen(sure, center):
    levels = np.full((40, 28), (1 - sure) / 27)
    levels[:, 3] = sure
    bumps = np.tile([center, *[0.1] * 4], 8)
    return AlongSpine(bumps, bumps, np.zeros((40, 3)), levels)


@pytest.mark.parametrize(
    ("sure", "turned", "center", "doubt"),
    [
        (0.8, 0.6, 0.95, None),
        (0.6, 0.8, 0.95, UPSIDE_DOWN),
        (0.7, 0.72, 0.95, None),
        (0.5, 0.5, 0.5, BACK_TO_FRONT),
    ],
)
def test_what_is_clearer_the_other_way_round_is_doubted(sure, turned, center, doubt):
    assert doubt_of(seen(sure, center), seen(turned, center), INSIDE) == doubt


def test_nothing_in_the_scan_is_no_doubt():
    assert doubt_of(seen(0.5, 0.1), seen(0.9, 0.1), np.zeros(40, bool)) is None


def test_the_section_is_read_from_foot_to_head():
    centers = centers_of()
    scan = block_scan(centers, 2.0, np.array([50.0, 50.0, 20.0]))
    curve = fit_curve(np.array(list(centers.values())), np.array([0.0, 0, -1]))
    plain, asked = bright_levels(), []

    def noting(x):
        asked.append(x)
        return plain(x)

    reading = read_spine(scan, curve, noting)
    assert direction_doubt(reading, noting) is None
    np.testing.assert_array_equal(asked[-1], asked[-2][:, :, ::-1])
    sure = replace(reading.seen, levels=np.eye(28)[reading.seen.levels.argmax(axis=1)])
    count = len(asked)
    assert direction_doubt(replace(reading, seen=sure), noting) is None
    assert len(asked) == count  # what is clear as it is is not read again
    unsure = replace(reading.seen, levels=np.full_like(reading.seen.levels, 1 / 28))
    assert direction_doubt(replace(reading, seen=unsure), plain) == UPSIDE_DOWN
    hidden = replace(sure, center=np.full_like(reading.seen.center, 0.4))
    assert direction_doubt(replace(reading, seen=hidden), plain) == BACK_TO_FRONT
