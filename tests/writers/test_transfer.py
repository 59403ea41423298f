from writers.transfer import limits, page, parts, real


def test_without_results_the_page_says_how_to_get_them(tmp_path):
    assert "Not measured yet" in page.written("", tmp_path)


def test_outcomes_are_told_in_a_cell():
    found = {"refused": 1, "kept": 1, "called_fractured": 1, "n": 3}
    assert limits.outcome(found) == "1 G0, **1 fractured**, 1 not assessable"


def test_figures_are_written_with_counts_and_interval():
    share = {"value": 0.5, "low": 0.4, "high": 0.625, "hits": 1, "n": 2}
    assert parts.figure(share) == "50.0 % (40.0 to 62.5; 1/2)"
    assert parts.figure({**share, "low": None}) == "50.0 % (1/2)"
    assert parts.verdict(share, 0.6).endswith("missed")


def test_a_false_alarm_finds_no_fracture_for_nothing():
    found = {
        "as_is": [
            {"source": "lumbar", "level": "L1", "called": "G2"},
            {"source": "lumbar", "level": "L2", "called": "G0"},
        ],
        "simulated": {
            "by_level": [
                {"source": "lumbar", "level": "L1", "grade": 2, "hits": 8, "n": 8},
                {"source": "lumbar", "level": "L2", "grade": 2, "hits": 3, "n": 8},
            ]
        },
    }
    assert real.normal_before(found, 2) == "37.5 % (3/8)"
    assert real.normal_before(found, 3) == "–"
