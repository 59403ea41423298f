from spinexplain.reproduce.transfer import refusals


def test_outcomes_tell_refusals_from_wrong_grades():
    rows = [
        {"reason": "12% of it (at most 3%)", "called": None, "flags": []},
        {"reason": "", "called": "G0", "flags": ["thick_slices"]},
        {"reason": "", "called": "G3", "flags": []},
    ]
    found = refusals.outcomes(rows)
    assert (found["refused"], found["kept"], found["called_fractured"]) == (1, 1, 1)
    assert found["flagged"] == 1
