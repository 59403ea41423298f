import pytest

from spinexplain.reproduce.transfer import tally


def row(subject, grade, called, shape=None, loss=0.0, **more):
    shape = shape or ("wedge" if grade else "none")
    truth = {"grade": grade, "shape": shape, "loss": loss, "look_alikes": [], "own_loss": loss}
    return {
        "group": "g",
        "subject": subject,
        "normal": more.pop("normal", False),
        "level": "L1",
        "called": called,
        "reason": "" if called else "54% of the crop lies outside the scan (at most 35%)",
        "scores": None if called is None else [0.9, 0.1, 0.0] if called == "G0" else [0.1, 0.9, 0],
        "truth": {**truth, "foreign_material": more.pop("foreign", False)},
        "file": "f",
        "at": 0,
        "pixels": 0.0,
        **more,
    }


def test_rates_count_what_was_graded():
    rows = [
        row("a", 0, "G0", normal=True),
        row("a", 0, "G2", normal=True, loss=0.22),
        row("b", 2, "G2", loss=0.3),
        row("b", 2, "G0", loss=0.3),
        row("b", 3, "G2", loss=0.5),
        row("b", 3, None, loss=0.5),
        row("b", 0, "G2", foreign=True),
    ]
    found = tally.population(tally.phantom_table(rows))
    assert (found["specificity"]["hits"], found["specificity"]["n"]) == (1, 2)
    assert (found["specificity_clear"]["hits"], found["specificity_clear"]["n"]) == (1, 1)
    assert (found["G2"]["hits"], found["G2"]["n"]) == (1, 2)
    assert (found["G3"]["hits"], found["G3"]["n"]) == (1, 1)
    assert (found["same_grade"]["G3"]["hits"], found["same_grade"]["G3"]["n"]) == (0, 1)
    assert (found["normal_spines"]["hits"], found["normal_spines"]["n"]) == (1, 1)
    assert found["not_assessable"]["share"]["hits"] == 1
    assert found["not_assessable"]["reasons"] == {"of the crop lies outside the scan": 1}


def test_the_same_persons_are_compared_person_by_person():
    first = [row(f"balanced-{k}", 0, "G0") for k in range(12)]
    second = [row(f"balanced-{k}", 0, "G2" if k < 3 else "G0") for k in range(12)]
    tables = [tally.phantom_table(rows) for rows in (second, first)]
    (found,) = tally.lower_by(*tables)
    assert found["value"] == pytest.approx(0.25)
    assert 0 <= found["low"] < 0.25 < found["high"] <= 0.6
