"""Shapes that lose height without a fracture."""

from fixtures.heights import heights_of
from spinexplain.anatomy import VertebraLevel as Level
from spinexplain.findings.deformity import deformities, site_losses


def test_all_three_heights_alike_is_a_short_body():
    found = deformities({Level.T8: heights_of(losses=(0.2, 0.22, 0.18))})
    assert found == {Level.T8: "short_height"}


def test_a_wedge_or_a_severe_crush_is_not():
    assert deformities({Level.T8: heights_of(losses=(0.3, 0.2, 0.02))}) == {}
    assert deformities({Level.T8: heights_of(losses=(0.5, 0.5, 0.48))}) == {}


def test_three_wedges_in_a_row_and_not_two():
    wedge = heights_of(losses=(0.15, 0.08, 0.02))
    row = {Level.T7: wedge, Level.T8: wedge, Level.T9: wedge}
    assert set(deformities(row).values()) == {"scheuermann"}
    assert deformities({Level.T7: wedge, Level.T8: wedge}) == {}
    assert deformities({Level.T7: wedge, Level.T8: wedge, Level.T10: wedge}) == {}


def test_the_row_goes_on_from_t12_to_l1():
    wedge = heights_of(losses=(0.15, 0.08, 0.02))
    row = {Level.T11: wedge, Level.T12: wedge, Level.L1: wedge}
    assert len(deformities(row)) == 3


def test_a_pit_in_one_third_is_schmorl_like():
    high, low = (20.0, 19.0, 20.0), (20.0, 14.5, 20.0)
    body = heights_of(losses=(0.0, 0.25, 0.0), thirds={"left": high, "middle": low, "right": high})
    assert deformities({Level.L2: body}) == {Level.L2: "schmorl"}
    flat = heights_of(
        losses=(0.0, 0.25, 0.0), thirds=dict.fromkeys(("left", "middle", "right"), low)
    )
    assert deformities({Level.L2: flat}) == {}


def test_site_losses_by_hand():
    assert site_losses(heights_of(losses=(0.3, 0.2, 0.1))).round(3).tolist() == [0.3, 0.2, 0.1]
