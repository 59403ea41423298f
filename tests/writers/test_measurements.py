"""Heights and densities on paper."""

from writers.measurements import density_table, heights_table, intervals_words, said

ROW = {"asked_mm": 1, "grade": 0, "bridged": False, "true": 0.1, "interval": [0.0, 0.2]}
PERSON = {
    "preset": "hard",
    "heights": [ROW, {**ROW, "true": 0.3}, {**ROW, "grade": 2}],
    "density": [
        {"placed_by": "heights", "grade": 0, "read": 103.0, "tissue": 100.0, "drawn": 90.0},
        {"placed_by": "heights", "grade": 3, "read": 300.0, "tissue": 100.0, "drawn": 90.0},
    ],
    "blood": {"true": 300.0, "read": 280.0},
}
CONTENT = {"planned": {"hard": 4}, "persons": [PERSON]}


def test_counts_and_errors_by_hand():
    assert said(CONTENT) == ["Spines run of those planned: 1 of 4 `hard`."]
    row = heights_table(CONTENT)[-3]
    assert row.startswith("| about 1 | 50 % (")
    assert "(21 to 100; 1/1)" in row
    assert row.endswith("| – | 20 |")
    text = "\n".join(density_table(CONTENT))
    assert "| heights | 1 | 3.0 | +3.0 | 100 % (21 to 100; 1/1) | 13.0 |" in text
    assert "said of 1 of 1 spines, on the right side of 125 HU in 1" in text
    assert "the median error lies within it, 0 of 1 single vertebrae beyond" in text
    assert "against the drawn mean the median lies beyond" in text


def test_intervals_that_hold_too_seldom_are_named():
    assert intervals_words([ROW]).startswith("In no group")
    missed = [{**ROW, "grade": 2, "bridged": True, "true": 0.3}] * 9
    words = intervals_words([ROW, *missed])
    assert "fractured with a bridging osteophyte 0/9 at about 1 mm." in words
