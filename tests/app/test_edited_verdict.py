import dataclasses

import pytest

from app.conftest import act
from spinexplain.app.edited_heights import shown_heights
from spinexplain.app.edited_verdict import as_heights, verdict_with, verdict_words
from spinexplain.app.reading import Points, Reading
from spinexplain.findings.rules import verdict_of
from spinexplain.findings.witness import heights_witness


def pressed(view, level, share):
    """Points of a body whose anterior height is a share of what it is."""
    points = [
        [list(end) for end in line] for line in shown_heights(view.levels, level, Reading()).points
    ]
    (_, top), (_, bottom) = points[0]
    points[0][0][1] = bottom - share * (bottom - top)
    return Reading(heights={level: Points(points=points)})


def test_with_the_machines_heights_the_verdict_is_the_machines(view, lumbar):
    for item in lumbar.vertebrae:
        found, expected = (
            verdict_with(view.levels, item.vertebra.level.value, Reading()),
            verdict_of(item),
        )
        assert found.state == expected.state
        assert found.severity == expected.severity
        assert found.log_odds == pytest.approx(expected.log_odds, abs=0.02)  # heights are rounded


def test_what_follows_from_points_is_what_the_heights_witness_makes_of_them(view):
    reading = pressed(view, "L4", 0.5)
    heights = as_heights(shown_heights(view.levels, "L4", reading))
    before, after = (verdict_with(view.levels, "L4", one) for one in (Reading(), reading))
    term = next(one for one in after.terms if one.witness == "heights")
    assert term.value == heights_witness(heights).value
    assert after.log_odds > before.log_odds
    networks = [[t for t in v.terms if t.witness != "heights"] for v in (before, after)]
    assert networks[0] == networks[1]


def test_the_broad_loss_moves_as_the_drawn_loss_does(view):
    levels = [
        {**one, "heights": one["heights"] and {**one["heights"], "broad_loss": 0.02}}
        for one in view.levels
    ]
    stored = next(one for one in levels if one["level"] == "L4")["heights"]
    untouched, drawn = (
        shown_heights(levels, "L4", one) for one in (Reading(), pressed(view, "L4", 0.5))
    )
    assert as_heights(untouched).broad_loss == 0.02
    assert drawn.broad_loss - 0.02 == pytest.approx(drawn.loss - stored["loss"], abs=1e-4)
    assert as_heights(shown_heights(view.levels, "L4", Reading())).broad_loss is None


def test_more_loss_never_makes_a_verdict_milder(view):
    odds = [
        verdict_with(view.levels, "L4", pressed(view, "L4", share)).log_odds
        for share in (1, 0.8, 0.6)
    ]
    assert odds == sorted(odds)


def test_a_view_without_voices_has_no_verdict_to_follow(view):
    silent = [{key: value for key, value in one.items() if key != "voices"} for one in view.levels]
    assert verdict_with(silent, "L1", Reading()) is None
    assert verdict_words(silent, "L1", Reading()) == ""


def test_the_page_says_the_verdict_at_once_and_once_it_is_kept(server, ready, view):
    client = server.client()
    points = dataclasses.asdict(shown_heights(view.levels, "L4", Reading()))["points"]
    reading = pressed(view, "L4", 0.4)
    body = reading.heights["L4"].model_dump(mode="json", exclude={"heights_mm"})
    tried = client.post(f"/scans/{ready}/levels/L4/heights", json=body).json()
    assert tried["verdict"] == verdict_words(view.levels, "L4", reading) != ""
    same = client.post(f"/scans/{ready}/levels/L4/heights", json={"points": points}).json()
    assert same["verdict"] == view.level("L4")["words"]
    assert "With these heights" not in client.get(f"/scans/{ready}/levels/L4").text
    act(client, ready, "heights", "L4", body)
    assert (
        f"With these heights: {tried['verdict']}." in client.get(f"/scans/{ready}/levels/L4").text
    )
