import pytest

from writers import localizer


@pytest.fixture
def content():
    row = {
        "scans": 4, "bodies": 40, "refused": 0, "found": 0.975, "close": 0.95, "named": 0.9,
        "shifted": 0.97, "extra": 0.25, "right": 0.75, "ece": 0.041, "sure": 3, "sure_wrong": 1,
        "certain": 2, "certain_wrong": 0,
    }  # fmt: skip
    ways = dict.fromkeys(localizer.WAYS, row)
    real = {"bodies": 6, "found": 6, "close": 5, "named": 6, "probability": 0.987, "certain": True}
    real["next"] = [["T13", 0.01], ["none", 0.001]]
    return {
        "persons": 2,
        "version": "3",
        "before": "2.1",
        "preset": "wide-test",
        "seed": 9,
        "whole": 1,
        "phantoms": {"whole": ways, "crops": ways, "narrow": ways, "all": ways},
        "intervals": {
            group: {
                "named": [0.9, 0.81, 0.96],
                "more": [0.01, -0.02, 0.03],
                "off": [0.05, None, None],
            }
            for group in ("whole", "crops", "narrow", "all")
        },
        "scans": [
            {"probability": 0.82, "right": True, "group": "whole", "named": 3, "rare": False}
            | {"bodies": 23, "open": 0},
            {"probability": 0.88, "right": False, "group": "whole", "named": 0, "rare": True}
            | {"found": 9, "bodies": 17, "open": 4},
        ],
        "usual": row,
        "chance": {group: [0.08, 0.16] for group in ("whole", "crops", "narrow", "all")},
        "real": {
            "lumbar": real,
            "thoracic": real | {"certain": False, "probability": 0.4002, "next": [["none", 0.4]]},
            "crop": {"refused": "no spine is recognized in it", "bodies": 1, "found": 0, "close": 0}
            | {"named": 0},
        },
    }


def test_phantoms_stand_beside_opponents_that_see_no_image(content):
    lines = localizer.phantom_table(content)
    assert (
        "| whole trunk (4) | the localizer | 97.5 % | 95.0 % | 90.0 % | 97.0 % | 75.0 % |" in lines
    )
    assert sum("L5" in line for line in lines) == 3
    assert sum("| its version 2.1 |" in line for line in lines) == 3
    assert "named 90.0 % (81.0 to 96.0), persons drawn again; 0.25 centers" in lines[-5]
    assert lines[-1] == (
        "* all together: +1.0 points of the bodies named more than by version 2.1 (-2.0 to +3.0), "
        "in the same scans."
    )
    assert "the first 1 whole as well" in lines[0]


def test_groups_without_scans_have_no_rows(content):
    del content["phantoms"]["whole"]
    content["whole"] = 0
    lines = localizer.phantom_table(content)
    assert not any("whole" in line for line in lines)
    assert not any("whole" in line for line in localizer.trust_table(content))


def test_probabilities_stand_beside_how_often_names_are_right(content):
    lines = localizer.trust_table(content)
    assert lines[2] == "| 0.8 to 0.9 | 2 | 0.85 | 1 (50 %) |"
    assert "at .95 or more 1 of 3 namings are wrong" in lines[4]
    assert "0.041 (0.08, at most 0.16" in lines[4]
    assert lines[-5].startswith("* 75.0 % of all namings are right, 85.0 % would be")
    assert lines[-5].endswith("+5.0 points (too few persons for an interval).")
    assert lines[-4].startswith("* Version 2.1 in the same scans: calibration error 0.041")
    assert lines[-2].startswith("* 1 of the 1 wrong namings, and 0 of the 0 of .95 or more,")
    assert "of the 4 other scans: named 90.0 %" in lines[-2]
    assert lines[-1].startswith("* 4 of the 40 bodies, in 1 of the 2 scans, cannot be told")
    assert "90.0 % of the bodies can be named at most" in lines[-1]
    assert lines[-1].endswith("Here 0 of these 1 scans are named rightly.")
    assert lines[-3] == (
        "* Between .8 and .95 names are right in 1 of 2 scans; by their probabilities 2 would be."
    )


def test_wrong_names_of_a_high_probability_are_said(content):
    right = {"right": True, "probability": 0.9, "group": "crops"}
    content["bent"] = {"scans": [right, right | {"right": False, "probability": 0.75}]}
    lines = localizer.wrong_words(content).splitlines()
    assert lines[0].startswith("  Of 2 phantom scans with a wrong name, of 4, 2 have a probability")
    assert "1 of .80 or more" in lines[0]
    assert lines[1] == (
        "  In one of 2 whole trunks 9 of 17 bodies are found and none has its name, at a "
        "probability of 0.88."
    )


def test_without_a_version_before_nothing_is_said_of_it(content):
    for row in content["intervals"].values():
        row.pop("more", None)
    for ways in content["phantoms"].values():
        ways.pop("before", None)
    text = "\n".join([*localizer.phantom_table(content), *localizer.trust_table(content)])
    assert "ersion 2.1" not in text


def test_what_validation_chose_is_said():
    row = {"right": 30, "true_names": -0.6, "line": 0.28, "line_with_landmark": 0.25}
    words = localizer.fit_words(
        {
            "persons": 20,
            "scans": 44,
            "before": row | {"shipped_line": 0.37},
            "tried": row | {"right": 31},
            "other_weights": -0.61,
            "chosen": {"tried": True, "levels": 0.5, "gaps": 0.3},
        }
    )
    assert words.startswith("Weights and line were fitted on 44 scans of 20 validation persons.")
    assert "With the weights of before 30 scans are named rightly" in words
    assert "divided out, it is 31 and" in words
    assert ": taken. Weights" in words
    assert "0.37 by the line that was there before this fit" in words
    assert "what counts is 0.5 and 0.3." in words


def test_real_scans_are_said_in_words(content):
    lines = localizer.real_words(content).splitlines()
    assert lines[0].startswith(
        "  Lumbar CT, 3 mm: of 6 bodies 6 found within 10 mm, 5 within 5 mm, 6 "
    )
    assert lines[2].endswith("refused, no spine is recognized in it.")


def test_a_name_that_was_right_before_is_said(content):
    assert "Version" not in localizer.real_words(content)
    before = {name: row | {"named": 6} for name, row in content["real"].items()}
    before["thoracic"] = content["real"]["thoracic"]
    words = localizer.real_words(content | {"real_before": before})
    assert words.endswith(
        "**Version 2.1 named 6 of them in the crop around L3, 1.5 mm, where this one names 0.**"
    )


def test_real_scans_say_what_is_certain_and_what_was_refused(content):
    rows = localizer.real_table(content)[2:]
    assert rows[0].endswith("| 6 | 6 | 5 | 6 | 0.987 | from T13: 0.010 | yes |")
    assert rows[1].endswith("| 6, by a hair | 0.400 | first center no vertebra: 0.400 | no |")
    assert len({row.count("|") for row in rows}) == 1
    assert "refused: no spine is recognized in it" in rows[2]


def test_persons_measured_before_stand_below(content):
    row = content["phantoms"]["whole"]["localizer"]
    content["earlier"] = [{"seed": 5, "persons": 7, "phantoms": {"whole": row}}]
    words = localizer.phantom_table(content)[-1]
    assert words.startswith("* 7 other persons (seed 5), measured before: whole trunk found 97.5 %")
    assert words.endswith("named 90.0 %, all names right 75.0 %.")
    content["earlier"][0]["version"] = "2.1"
    assert "measured before by version 2.1: whole" in localizer.phantom_table(content)[-1]
