import pytest

from writers import own_verdicts


def row(scan, level, named, given, placed, own, moved=None, masked=None, bare=None):
    return {
        "scan": scan,
        "level": level,
        "grade": 3 if given == "borderline" else 0,
        "named": named,
        "away_mm": 1.0 if named else None,
        "given": given,
        "moved": moved or given,
        "placed": placed,
        "own": own,
        "masked": masked or given,
        "bare": bare if bare is not None else own,
    }


@pytest.fixture
def found():
    none, edge, suspected = "no suspicion", "borderline", "fracture suspected"
    return {
        "version": "2",
        "model": "protoverse-phantom",
        "presets": ["hard", "wide-test"],
        "phantoms": 2,
        "moved_mm": 2.0,
        "rows": [
            row("hard 0", "L1", "L1", none, none, none),
            row("hard 0", "L2", "L2", edge, none, none, moved=suspected),
            row("wide-test 1", "T12", "L1", none, none, suspected, bare=none),
            row("wide-test 1", "L1", "", none, "", ""),
        ],
    }


def test_shares_by_preset_and_suspicions_more_and_fewer(found):
    lines = own_verdicts.table(found)
    assert lines[2].endswith("| 75.0 % | 0.0 % | 50.0 % | 100.0 % | 1, 0 |")  # moved
    assert lines[4].endswith("| 25.0 % | 0.0 % | 50.0 % | 0.0 % | 1, 0 |")  # own
    assert lines[6].startswith("| bare CT")
    assert lines[6].endswith("| 50.0 % | 0.0 % | 50.0 % | 50.0 % | 0, 0 |")


def test_a_verdict_that_never_says_anything_agrees_where_nothing_is_said_alone(found):
    rows = found["rows"]
    assert own_verdicts.spoken(rows, "moved", "given") == [rows[1]]
    assert own_verdicts.spoken(rows, "own", "given") == rows[1:]


def test_each_difference_has_one_reason(found):
    assert [own_verdicts.reason(one) for one in found["rows"]] == [
        "",
        "place",
        "name",
        "no center within 10 mm",
    ]
    words = own_verdicts.reasons(found)
    assert "3 verdicts differ: 1 where no center" in words
    assert "1.0 mm from the given ones in the median; of the 0 more than 3 mm away 0" in words
    assert "2 of 4 levels have their right name" in words


def test_how_many_lie_beside_the_line(found):
    assert own_verdicts.edges(found).startswith("Of the 2 that are there and differ, 1 are")


def test_a_silent_verdict_stands_beside(found):
    row = own_verdicts.silent_row(found)
    assert row.startswith("| always *no suspicion* | given centers, no mask |")
    assert row.endswith("| 75.0 % | 0.0 % | 50.0 % | 100.0 % | 0, 0 |")


def test_what_is_said_stands_by_true_grade(found):
    lines = own_verdicts.by_grade(found["rows"])
    assert lines[4].startswith("| 0 | 3 | given centers with the given mask | 0.0 % | 0.0 % |")
    assert lines[6] == "| 0 | 3 | bare CT | 0.0 % | 0.0 % | 66.7 % | 33.3 % |"
    assert lines[8] == "| 3 | 1 | given centers, no mask | 0.0 % | 100.0 % | 0.0 % | 0.0 % |"
    assert len(lines) == 10
