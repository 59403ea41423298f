from writers.placement_ceiling import table


def test_every_question_stands_with_its_chance_and_every_seed():
    found = {
        "fractures": {"training": 900, "placement": 300},
        "asked": {"endplate": [50, 60], "third": [20, 30, 40]},
        "seeds": {
            "0": {"endplate": [0.9, 0.85, 0.95], "third": [0.8, 0.7, 0.9]},
            "1": {"endplate": [0.88, 0.8, 0.95], "third": [0.81, 0.7, 0.9]},
        },
    }
    lines = table(found).splitlines()
    assert lines[2] == (
        "| endplate, 1/2 | 110 of 300 | 0.90 (0.85 to 0.95) | 0.88 (0.80 to 0.95) |"
    )
    assert lines[3].startswith("| third, 1/3 | 90 of 300 | 0.80 (0.70 to 0.90) |")
    assert "900 fractures" in lines[-1]
