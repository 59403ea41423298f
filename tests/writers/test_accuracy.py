import json
from pathlib import Path

from writers import accuracy

FIGURES = json.loads((Path(__file__).parents[2] / "docs/results/accuracy.json").read_text())


def test_phantoms_keep_what_the_page_says_of_their_heights():
    errors = [abs(row["planted"] - row["measured"]) for row in FIGURES["phantoms"]]
    assert sum(errors) / len(errors) < 0.02
    real = [row for row in FIGURES["real"] if "1.5 mm" in row["scan"]]
    assert len(real) == 24
    assert all(abs(row["asked"] - row["measured"]) <= 0.03 for row in real)


def test_classes_near_a_boundary_are_not_counted():
    rows = [
        {"planted": planted, "measured": measured, "shape": "wedge"}
        for planted, measured in ((0.30, 0.31), (0.30, 0.45), (0.41, 0.39))
    ]
    assert "Class found: 1 of 2 vertebrae" in accuracy.phantom_table(rows)[-1]
