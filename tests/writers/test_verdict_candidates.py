"""The page says first whether anything is taken up."""

from writers.verdict_candidates import lines_of, written


def gain(value, low, high):
    return {"value": 0.8 + value, "gain": value, "low": low, "high": high}


def content(taken=False):
    now = {name: gain(0.0, 0.0, 0.0) for name in ("suspected", "over_lines")}
    other = {"suspected": gain(0.06, 0.01, 0.1), "over_lines": gain(0.05, 0.01, 0.1)}
    ways = {"as it is": {**now, "taken_up": False}, "rising curves": {**other, "taken_up": taken}}
    part = {"spines": 60, "normal_spines": 22, "moderate": 70, "ways": ways}
    return {"networks": ["a"], "planned": 60, "stored": part, "drawn": part}


def test_nothing_taken_up_is_said_first():
    lines = lines_of(content())
    assert lines[0].startswith("**Nothing is taken up")
    assert "For 1 of 1 ways on 60 spines and 1 of 1 ways on 60 spines that is undecided" in lines[0]
    assert "| as it is | 80.0 % | – | 80.0 % | – |" in lines
    assert (
        "| rising curves | 86.0 % | +6.0 (+1.0 to +10.0) | 85.0 % | +5.0 (+1.0 to +10.0) |" in lines
    )


def test_what_is_taken_up_is_named():
    assert "rising curves" in lines_of(content(taken=True))[0]


def test_a_page_without_results_says_how_to_make_them(tmp_path):
    page = "<!-- candidates: begin -->\n<!-- candidates: end -->"
    assert "spinexplain reproduce verdict-candidates" in written(page, tmp_path)
