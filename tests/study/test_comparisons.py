"""Shares of yes set against each other."""

import numpy as np

from spinexplain.study.panel import Panel, simulate
from study.conftest import opened, row_of, scored


def test_arms_are_compared_on_the_same_vertebrae(written):
    folder = written(cases=40, foils=0, repeats=0, arms=("prototypes", "gradcam"))
    study, key = opened(folder)
    files = simulate(study, key, Panel(real=0.5), 0)
    better = [
        file.model_copy(
            update={
                "answers": tuple(
                    a.model_copy(update={"value": "yes"})
                    if a.question == "relevance" and key.items[a.item].arm == "prototypes"
                    else a
                    for a in file.answers
                )
            }
        )
        for file in files
    ]
    row = scored(folder, Panel(), files=better)["arms_compared"][0]
    assert (row["first"], row["first_share"]) == ("prototypes", 1.0)
    assert row["difference"]["low"] > 0.2


def test_wrong_grades_are_set_apart(written):
    row = scored(written(cases=60, foils=0), Panel())["right_or_wrong"][0]
    assert row["wrong_pages"] == 10  # every fourth of the asked is called G0, healthy ones rightly
    assert np.isfinite(row["difference"]["value"])


def test_few_patients_have_no_interval(written):
    found = scored(written(cases=20, foils=6), Panel())
    row = row_of(found["foils"], question="relevance", reader=1, foil="all")
    assert row["difference"]["low"] is None
    assert row["verdict"] == "no interval: foils of 6 patients, expected 10"
