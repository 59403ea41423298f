"""The page says what was chosen and every opponent's figure."""

import json

from writers.sides import WORDS, written


def content():
    return {
        "chosen": {
            "offsets_mm": [8.0, 12.0],
            "least": 0.6,
            "named_right": 0.77,
            "straight_named": 0.1,
            "validation": {"one_sided": 90, "straight": 50},
        },
        "test": {
            "persons": 70,
            "one_sided": {"left": 30, "right": 40},
            "right": {name: [0.5 + k / 10, 0.4, 0.9] for k, name in enumerate(WORDS)},
            "named": 0.8,
            "right_of_named": 0.99,
            "straight": 40,
            "straight_named": 0.05,
            "healthy": 60,
            "healthy_named": 0.02,
            "by_lean": [
                {"from": 0.0, "to": 0.1, "fractures": 40, "right": 0.55},
                {"from": 0.1, "to": 0.2, "fractures": 0, "right": None},
            ],
        },
    }


def test_every_figure_stands_on_the_page(tmp_path):
    (tmp_path / "sides.json").write_text(json.dumps(content()))
    page = written("a\n<!-- sides: begin -->\nold\n<!-- sides: end -->\nz", tmp_path)
    assert "old" not in page
    assert "sheets 8 and 12 mm to either side" in page
    assert "difference of 0.6 grades" in page
    assert "of 70 one-sided fractures (30 left, 40 right)" in page
    for k, words in enumerate(WORDS.values()):
        assert f"| {words} | {0.5 + k / 10:.2f} (0.40 to 0.90) |" in page
    assert "in 80% of them (56), the right one in 99% of those; in 5% of 40 straight" in page
    assert "| 0.1 to 0.2 | 0 | – |" in page
