from writers import localizer_grades

ROW = {"bodies": 40, "found": 39, "persons": 9}
NONE = {"bodies": 0, "found": 0, "persons": 0}
CONTENT = {
    "preset": "wide-test",
    "seed": 12,
    "before": "3",
    "grades": {
        "localizer": {"0": ROW, "3": NONE},
        "before": {"0": ROW | {"found": 30}, "3": NONE},
    },
}


def test_both_versions_stand_by_grade():
    lines = localizer_grades.table(CONTENT)
    assert lines[2] == "| grade | bodies | persons | the localizer | its version 3 |"
    assert lines[-2:] == ["| 0 | 40 | 9 | 97.5 % | 75.0 % |", "| 3 | 0 | 0 | – | – |"]


def test_one_version_stands_alone():
    alone = CONTENT | {"before": None, "grades": {"localizer": {"1": ROW}}}
    assert localizer_grades.table(alone)[-1] == "| 1 | 40 | 9 | 97.5 % |"
