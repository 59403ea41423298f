from writers import trained_on

ROW = {"before": 0.9, "after": 0.95, "more": [0.05, 0.01, 0.08], "blind": 0.2}
KIND = {"count": 80, "on_spine": ROW, "held": ROW}
CONTENT = {
    "versions": {"before": "3.1", "after": "4"},
    "near_mm": 12.0,
    "curve": {"preset": "wide-test", "seed": 8, "persons": 16, "usual": KIND, "small": KIND},
    "body": {
        "presets": ["one", "two"],
        "seed": 12,
        "persons": 24,
        "count": 300,
        "dice": ROW,
        "away_mm": {"before": 1.5, "after": 1.0, "more": [-0.5, -0.7, -0.3], "blind": 4.0},
        "none": {"before": 0.02, "after": 0.01, "more": [-0.01, -0.02, 0.0], "blind": 0.0},
    },
}


def test_paths_stand_by_kind_of_piece():
    lines = trained_on.curve(CONTENT)
    assert lines[0].endswith("`wide-test` (seed 8), within 12 mm of the spine's middle:")
    assert lines[-2] == (
        "| short, narrow, with bright tubes (80) | of the spine's planes the path lies on "
        "| 90.0 % | 95.0 % | +5.0 (+1.0 to +8.0) | 20.0 % |"
    )
    assert len(lines) == 8


def test_bodies_stand_in_their_own_units():
    lines = trained_on.body(CONTENT)
    assert "| version 3.1 | version 4 |" in lines[2]
    assert "| overlap (Dice) | 0.900 | 0.950 | +0.050 (+0.010 to +0.080) | 0.200 |" in lines
    assert (
        "| from the true body's middle, mm | 1.50 | 1.00 | -0.50 (-0.70 to -0.30) | 4.00 |" in lines
    )
    assert lines[-1] == "| nothing painted | 2.0 % | 1.0 % | -1.0 (-2.0 to +0.0) | 0.0 % |"
