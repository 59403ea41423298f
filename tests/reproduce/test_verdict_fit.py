"""From witnesses to weights: what is fitted and tested, and that a stored table gives it again."""

import json

import numpy as np
import pandas as pd
import pytest

from spinexplain.analysis.verdict.stored_table import rounded, store_table
from spinexplain.reproduce.verdict import SCANS
from spinexplain.reproduce.verdict_fit import (
    RESULTS,
    TABLE,
    TESTED,
    fitted,
    group_figures,
    refit,
    set_figures,
    stated,
)
from spinexplain.spine.image_terms import TERMS


@pytest.fixture
def table():
    rows = []
    for group in SCANS:
        for spine in range(12):
            for level in range(6):
                grade = (level == 0) * (spine % 3) + (spine % 3 == 2) * (level == 0)
                for route in ("labels", "centroids", "both"):
                    rows.append(
                        {
                            "group": group,
                            "subject": f"{group}-{spine}",
                            "normal": spine % 3 == 0,
                            "level": f"L{level}",
                            "route": route,
                            "grade": grade,
                            "prototypes": -4.0 + 3 * grade + 0.1 * level,
                            "prototypes_spread": 0.1,
                            "heights": -3.0 + 2 * grade + 0.01 * spine,
                            "heights_broad": -3.0 + 2 * grade + 0.01 * spine,
                            "measured_loss": 0.05 + 0.12 * grade,
                            "loss": 0.05 + 0.12 * grade,
                            "look_alikes": "",
                            "prototypes_severe": -6.0 + 2 * grade,
                            "deformity": "",
                            "refusal": "",
                            **{f"image_{name}": 1.0 + 0.01 * spine for name in TERMS},
                        }
                    )
    return pd.DataFrame(rows)


def test_a_bench_that_is_easily_told_apart_is(table):
    calibration = fitted(table, "abc")
    figures = group_figures(table, "hard", calibration)
    assert figures["together"]["g3_suspected"] == [4, 4]
    assert figures["together"]["false_alarm_spines"][0] == 0
    assert figures["same_by_every_route"]["network"] == [72, 72]


def test_sets_of_a_scan_unlike_the_others_are_wider(table):
    calibration = fitted(table, "abc")
    assert set(calibration.scales) == {"prototypes", "heights", "prototypes+heights"}
    assert len(calibration.operating_point["calibrated_on"]["table_sha256"]) == 64
    table.loc[table["group"] == "shifted-scanner", "image_noise_hu"] = 99.0
    found = {name: set_figures(table, name, calibration) for name in TESTED}
    assert found["familiar-scanner"]["beyond"] == 0
    shifted = found["shifted-scanner"]
    assert shifted["beyond"] == shifted["vertebrae"] == shifted["terms"]["noise_hu"] == 72
    # so few vertebrae of a grade leave its range open; what is beyond is never narrower
    assert shifted["sets"]["sizes"]["1"] <= shifted["not_widened"]["sizes"]["1"]
    for name in ("hard", "verse-like"):
        held, of = np.sum(list(found[name]["sets"]["covered"].values()), axis=0)
        assert of == 72
        assert held >= 0.8 * of


def test_heights_are_weighed_by_what_most_of_the_body_shows(table):
    sets = fitted(table, "abc").sets
    assert set(sets["prototypes+heights"].weights) == {"prototypes", "heights_broad"}
    earlier = fitted(table.drop(columns="heights_broad"), "abc").sets
    assert set(earlier["prototypes+heights"].weights) == {"prototypes", "heights"}


def test_the_stored_table_gives_the_same_fit_again(table, tmp_path):
    kept = rounded(table.assign(weights_sha256="abc"))
    store_table(kept, tmp_path / TABLE)
    content = {"model": {"name": "one"}, "compared": {"one": 1}, **stated(kept, "abc")}
    (tmp_path / RESULTS).write_text(json.dumps({**content, "tested": {}}), "utf-8")
    again = json.loads(refit(tmp_path).read_text("utf-8"))
    assert again == json.loads(json.dumps(content))
    assert set(again["tested"]) == set(TESTED) == set(again["limits"])
    assert set(again["tested"]["hard"]) > {"together", "earlier", "network", "heights"}


def test_every_route_is_judged_on_the_same_persons(table):
    figures = group_figures(table, "hard", fitted(table, "abc"))["by_route"]
    assert list(figures) == ["labels", "centroids", "both"]
    assert len({one["spines"] for one in figures.values()}) == 1
    assert figures["centroids"]["g3_suspected"] == figures["labels"]["g3_suspected"]
