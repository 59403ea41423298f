"""What the page says of maps follows from the intervals stored with them."""

import json

from writers.explanations import (
    STORES,
    UNITS,
    explainer_row,
    found_in,
    limited,
    prior_table,
    too_few,
    verdict,
)


def test_where_there_are_no_intervals_no_map_is_judged():
    bare = {**row("gradcam", 0.1, 0.1), "localization": {"top_share": interval(0.1, None, None)}}
    assert too_few([bare])
    assert not too_few([row("gradcam", 0.1, 0.1)])
    assert limited({"steps": 16}, [bare]) == "Fractures of too few persons for intervals. "
    assert limited({"steps": 4}, [row("gradcam", 0.1, 0.1)]) == "Deletion in 4 steps. "


def interval(value, low, high):
    return {"value": value, "low": low, "high": high, "note": ""}


def row(explainer, places_low, skill_low):
    judged = [
        {**interval(0.6, 0.5, 0.7), "prior": "uniform", "gain": interval(0.1, low, 0.2)}
        for low in (places_low, skill_low)
    ]
    return {
        "model": "m",
        "explainer": explainer,
        "bench": "b",
        "placement": {"endplate": judged[0]},
        "localization": {"top_share": judged[1]},
        "neighbors": {"value": 0.75, "pairs": 4},
        "twin": {"falls": 0.9, "auc": 0.8},
        "faithfulness": {"twin": {"gap": interval(0.3, 0.2, 0.4)}},
        "randomized": {"weights": 0.5, "weights_flagged": True, "labels": None},
        "seconds": 0.25,
    }


def test_only_intervals_above_zero_count_as_better():
    rows = [row("prototypes", 0.01, -0.1), row("gradcam", -0.01, -0.2)]
    assert verdict(rows) == (
        "Better than chance at the endplate: prototypes. No map beats the best image-blind one."
    )


def test_a_row_shows_every_figure_with_its_opponent():
    cells = explainer_row(row("gradcam", 0.01, -0.1), ["endplate"], beside=True)
    assert cells == [
        "0.60 (0.50 to 0.70)",
        "0.75",
        "0.60 (0.50 to 0.70)",
        "+0.10 (−0.10 to +0.20), uniform",
        "0.90; 0.80",
        "+0.30 (+0.20 to +0.40)",
        "0.50 flagged; –",
        "0.25",
    ]


def test_means_of_the_others_choose_no_part():
    priors = [
        {"prior": name, "placement": {"endplate": 0.05}, "localization": {}}
        for name in ("mean evidence on the centroid", "edge map")
    ]
    lines = prior_table({"priors": priors}, ["endplate"])
    assert [line.split(" | ")[1] for line in lines[2:]] == ["–", "0.05"]


def test_boxes_join_once_they_are_stored_and_explainers_of_ones_own_have_a_name(tmp_path):
    own = "spinexplain.explainers.class_map:explain_class_map"
    rows = [{"explainer": "gradcam"}, {"explainer": own}]
    (tmp_path / "explanations.json").write_text(json.dumps({"rows": rows[:1]}))
    assert found_in(tmp_path) == [{"rows": rows[:1]}]
    (tmp_path / "explanations-boxes.json").write_text(json.dumps({"rows": rows[1:]}))
    named = [one["rows"][0]["explainer"] for one in found_in(tmp_path)]
    assert named == ["gradcam", "class map"]


def test_units_stand_with_the_other_maps_of_their_model(tmp_path):
    for name, explainer in (
        (STORES[0], "prototypes"),
        (STORES[1], "gradcam"),
        (UNITS, "dissection"),
    ):
        model = "other" if name == STORES[1] else "m"
        content = {"rows": [{**row(explainer, 0.1, 0.1), "model": model}]}
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    found = [[one["explainer"] for one in content["rows"]] for content in found_in(tmp_path)]
    assert found == [["prototypes", "dissected units"], ["gradcam"]]
