"""The page says first which bars no line meets."""

from writers.verdict_bounds import lines_of


def content(suspected, fitted, middle):
    ways = {
        "as_shipped": {"suspected": [60, 100], "alarms": [2, 30]},
        "best_line": {"suspected": [suspected, 100], "alarms": [3, 30]},
        "fitted": {"suspected": [fitted, 100], "alarms": [3, 30]},
        "heights": {"suspected": [50, 90], "alarms": [3, 30]},
    }
    least = {"middle_of_normal": [middle, 100], "g2_noticed": [91, 100], "line": 0.0}
    reasons = {"network_undecided": {"all": 3, "none": 3}, "deformity.short_height": {"all": 1}}
    alike = {"short_vertebral_height": [3, 20], "none": [1, 50]}
    bound = {"middle_reasons": reasons, "middle_look_alikes": alike}
    end = {"line": 0.5, "suspected": [70, 100], "alarms": [5, 30]}
    held = bound | {
        "ceilings": ways,
        "other_lines": {"low": end, "high": end | {"line": 2.0}},
        "least_middle": {"all_rules": least, "without_undecided": least},
    }
    own = {"middle_of_normal": [12, 100], "g2_noticed": [94, 100]}
    return {
        "bounds": {"hard": held, "shifted-scanner": bound},
        "tested": {"hard": {"together": own}},
    }


def test_a_bar_that_no_line_meets_is_said_first():
    lines = lines_of(content(74, 74, 7))
    assert lines[0].startswith("**Moderate fractures suspected: on `hard` no line on the weights")
    assert "still missed on `hard`" in lines[0]
    assert "no lower line that notices enough meets the bar on `hard`" in lines[0]


def test_a_miss_of_the_line_is_called_so():
    first = lines_of(content(80, 80, 5))[0]
    assert "on every group some line meets" in first
    assert "no lower line" not in first
    assert "missed on none of them" in lines_of(content(74, 76, 5))[0]


def test_a_bar_that_hangs_on_one_fracture_or_one_spine_is_said():
    assert "less than one fracture" not in "\n".join(lines_of(content(80, 80, 5)))
    near = content(75, 74, 5)
    near["bounds"]["hard"]["ceilings"]["best_line"]["alarms"] = [0, 9]
    text = "\n".join(lines_of(near))
    assert "On `hard` the best line meets the bar by less than one fracture." in text
    assert "one suspected spine of 9 already breaks the bar" in text
    assert "(on `hard` they do worse than those that ship)" in text
    assert "75.0 % (66 to 82; 75/100)" in text


def test_rules_and_look_alikes_have_their_words():
    text = "\n".join(lines_of(content(74, 74, 7)))
    assert (
        "| the network is in two minds | asks for a deformity | short vertebral height | none |"
        in text
    )
    assert "| shifted-scanner | 3 | 1 | 3/20 | 1/50 |" in text
    assert "95 % of lines lie from +0.50 to +2.00" in text
    assert "74 % (65 to 82; 74/100) [3/30]" in text
