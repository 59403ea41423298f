from pathlib import Path

import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.reproduce import accuracy
from spinexplain.reproduce.real_scans import real_scan

DATA = Path(__file__).parents[1] / "data"


def test_a_simulated_fracture_has_the_loss_that_was_asked_for(monkeypatch):
    monkeypatch.setattr(accuracy, "SHAPES", ("wedge",))
    monkeypatch.setattr(accuracy, "LOSSES", (0.33,))
    (row,) = accuracy.warped("crop", real_scan(DATA, "crop"), VertebraLevel.L3)
    assert (row["scan"], row["level"], row["shape"]) == ("crop", "L3", "wedge")
    assert row["measured"] == pytest.approx(0.33, abs=0.03)


def test_a_scan_is_cut_to_a_level_in_place():
    scan = real_scan(DATA, "lumbar")
    volume, labels = accuracy.cut_out(scan.volume, scan.simulation_mask, VertebraLevel.L3)
    assert volume.array.size < scan.volume.array.size / 4
    found = labels.array == VertebraLevel.L3.verse_label
    whole = scan.simulation_mask.array == VertebraLevel.L3.verse_label
    assert found.sum() == whole.sum()


def test_losses_of_a_phantom_are_those_planted(demo_scan):
    rows = accuracy.losses(demo_scan, 0)
    planted = {fact.level for fact in demo_scan.truth if fact.grade}
    assert {row["level"] for row in rows} == planted
    assert all(abs(row["planted"] - row["measured"]) < 0.08 for row in rows)


def test_every_plan_names_grades_of_graded_levels():
    for plan in accuracy.PLANS:
        assert all(VertebraLevel(level).is_graded for level in plan)
        assert set(plan.values()) <= {1, 2, 3}
