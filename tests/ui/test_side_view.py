import datetime
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from spinexplain.report.html import prepare_page, render
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.types import SideEvidence, SideReliability
from spinexplain.ui.pictures import Album
from spinexplain.ui.side_view import view_sides

KNOWN = SideReliability(
    "placement", (8.0, 12.0), 0.6, 0.9, 0.8, 0.95, 80, 0.75, 0.97, 0.1, 40, heights=1.0
)


@pytest.fixture
def sided(lumbar):
    """Findings whose second vertebra is graver on the patient's left."""
    item = lumbar.vertebrae[1]
    maps = tuple(np.full(item.patch.array.shape, k, np.float32) for k in range(1, 6))
    sides = SideEvidence((-12.0, -8.0, 0.0, 8.0, 12.0), (0.5, 0.7, 2.0, 2.4, 2.6), maps, 1.9, 0.6)
    item = replace(item, assessments=(replace(item.assessments[0], sides=sides),))
    models = (replace(lumbar.models[0], sides=KNOWN), *lumbar.models[1:])
    vertebrae = (lumbar.vertebrae[0], item, *lumbar.vertebrae[2:])
    return replace(lumbar, vertebrae=vertebrae, models=models)


def test_panes_run_from_the_patients_right_to_the_left(sided):
    found = view_sides(sided.vertebrae[1], sided, Album())
    assert found.key == "left"
    assert (found.left, found.right) == (pytest.approx(2.5), pytest.approx(0.6))
    assert [(one.side, one.offset_mm, one.grade) for one in found.panes] == [
        ("right", 8.0, 0.7),
        ("middle", 0.0, 2.0),
        ("left", 8.0, 2.4),
    ]
    assert found.offsets == ("8", "12")
    assert found.reliability == KNOWN


def test_nothing_is_shown_where_nothing_was_asked(lumbar):
    assert view_sides(lumbar.vertebrae[1], lumbar, Album()) is None


def test_the_card_says_the_side_and_how_far_to_believe_it(sided):
    say = load_catalogue()
    html = unescape(render(prepare_page(sided, say, datetime.date(2026, 1, 2)), say))
    assert say("sides.left") in html
    assert "is 2.5 on the left and 0.6 on the right" in html
    assert "the mean of sheets 8 and 12 mm beside the middle" in html
    assert "in 90 % of 80 one-sided fractures" in html
