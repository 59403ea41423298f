import json

from writers import levels_learned


def row(cohort, version, levels):
    return {
        "cohort": cohort,
        "version": version,
        "positions": 4,
        "cross_entropy": 0.5,
        "right": 0.81,
        "constant": {"cross_entropy": 3.1, "right": 0.06},
        "levels": levels,
    }


CONTENT = {
    "persons": 20,
    "sections": 4,
    "rows": [
        row("learned from", "3", {"T12": 0.9, "T13": 0.5, "L1": 0.8}),
        row("another preset", "3", {"T12": 0.9, "L1": 0.8}),
        row("another preset", "2.1", {"T12": 0.7, "L1": 0.6}),
    ],
}


def test_rare_levels_stand_apart_and_may_be_missing():
    lines = levels_learned.table(CONTENT)
    assert lines[4] == "| that it learned from | 3 | 0.50 | 81 % | 50 % | – |"
    assert lines[6].endswith("| 2.1 | 0.50 | 81 % | – | – |")
    assert lines[-1].endswith("without looking | 3.10 | 6 % | – | – |")


def test_the_picture_shows_both_versions(tmp_path):
    (tmp_path / "localizer-levels.json").write_text(json.dumps(CONTENT))
    (tmp_path / "localizer").mkdir()
    (path,) = levels_learned.draw(tmp_path, tmp_path)
    assert path.stat().st_size > 2000
