"""What the leaderboard comes to follows from the values and intervals of its rows."""

import json
from pathlib import Path

import pytest
from writers.leaderboard import (
    compared,
    conclusion,
    edges,
    leaderboard,
    off_the_mask,
    same_truth,
    written,
)

ROOT = Path(__file__).parents[2]


def row(model, explainer, places, skill, fractures=(6, 5), spread=0.02):
    """Build a row whose intervals reach a spread to both sides; none without a spread."""

    def around(value):
        low, high = (value - spread, value + spread) if spread else (None, None)
        return {"value": value, "low": low, "high": high}

    return {
        "model": model,
        "explainer": explainer,
        "placement": {"endplate": {**around(places), "counts": list(fractures)}},
        "localization": {"top_share": {**around(0.4), "prior": "uniform", "gain": around(skill)}},
    }


OURS = row("protoverse-phantom-4", "prototypes", 0.9, 0.1)
FORMER = row("protoverse-phantom-3", "prototypes", 0.99, 0.3)
FEW = row("detector-phantom", "xgradcam", 0.99, 0.3, spread=0)


def test_former_defaults_and_figures_without_intervals_are_no_opponents():
    weak = row("control-plain-classifier", "gradcam", 0.6, -0.2)
    said = conclusion([FORMER, OURS, weak, FEW])
    assert said.count("the default's prototypes are ahead of every map beside them.") == 2
    assert "0.90 (0.88 to 0.92) of 11 fractures" in said
    assert "plain classifier: gradcam 0.60 (0.58 to 0.62), gradcam −0.20 (−0.22 to −0.18)." in said


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.95, "gradcam of the plain classifier is as good as the default's prototypes or better."),
        (0.88, "gradcam of the plain classifier is near the default's prototypes"),
    ],
)
def test_an_opponent_that_comes_near_or_wins_stands_in_the_first_sentence(value, words):
    near = row("control-plain-classifier", "gradcam", value, -0.2)
    weak = row("control-protopnet", "prototypes", 0.5, -0.3)
    said = conclusion([OURS, near, weak])
    assert said.startswith(f"**Which endplate broke: {words}")
    assert "Where the evidence lies: the default's prototypes are ahead" in said


def test_controls_are_called_compared_once_both_are_measured():
    assert "are not measured here" in compared({"protoverse-phantom-4", "control-protopnet"})
    assert "trained in bfloat16" in compared({"control-plain-classifier", "control-protopnet"})


def test_every_map_has_a_row_and_the_most_often_right_comes_first():
    lines = leaderboard([OURS, row("control-protopnet", "prototypes", 0.5, -0.3), FORMER])
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| ProtoVerse, version 3",
        "| ProtoVerse, version 4 (default)",
        "| ProtoPNet",
    ]
    assert lines[3].split(" | ")[1:4] == ["prototypes", "11", "0.90 (0.88 to 0.92)"]


def test_the_page_is_written_from_what_was_stored():
    page = (ROOT / "docs" / "explanations.md").read_text("utf-8")
    assert written(page, ROOT / "docs" / "results") == page


def difference(value, spread=0.02):
    one = {"value": value, "low": value - spread, "high": value + spread}
    return {"endplate": one, "third": one, "top_share": one}


def test_the_classifier_with_the_same_truth_is_named_with_how_it_stands():
    assert same_truth([OURS, FORMER]) == ""
    class_map = row("control-supervised-classifier", "class map", 0.88, 0.2)
    plain = row("control-plain-classifier", "occlusion", 0.5, -0.3)
    said = same_truth([OURS, class_map, plain], [difference(0.01)])
    assert "That map chooses the endplate in 0.88 (0.86 to 0.90), and +0.20" in said
    assert "that parts and prototypes place evidence better is not shown." in said
    assert said.endswith(
        "Not measured of it: occlusion, among them the plain classifier's best (occlusion)."
    )
    assert "the prototypes are ahead at which endplate" in same_truth(
        [OURS, class_map], [difference(0.1)]
    )
    models = {"control-plain-classifier", "control-protopnet", "control-supervised-classifier"}
    assert "is told the same" in compared(models)
    assert "is not measured" not in compared(models).split("Dissected")[0]


def test_the_first_sentence_is_the_difference_pair_by_pair_where_it_was_measured():
    near = row("control-supervised-classifier", "class map", 0.88, 0.1)
    weak = row("control-plain-classifier", "gradcam", 0.6, -0.2)
    said = conclusion([OURS, FORMER, near, weak], [difference(0.01)])
    assert said.startswith("**Default's prototypes minus the supervised classifier's class map")
    assert "which endplate +0.01 (−0.01 to +0.03), no difference seen" in said
    assert "Of the maps of all other opponents: which endplate broke: the default's" in said
    assert "ProtoVerse, version 3 (no opponent): 0.99" in said


def test_maps_that_are_right_less_often_than_edges_are_named():
    prior = {"prior": "edge map", "placement": {"endplate": 0.63}}
    contents = [{"benches": {"sheets": {"priors": [prior]}}}]
    weak = row("control-plain-classifier", "occlusion", 0.6, -0.2)
    weak["placement"]["endplate"]["gain"] = {"low": 0.01}
    said = edges(contents, [OURS, weak])
    assert said.endswith(
        "the right endplate in 0.63. Better than chance, but less often right than that: "
        "occlusion of plain classifier."
    )
    assert edges([{"benches": {}}], [weak]) == ""


def test_what_is_read_off_the_mask_stands_beside(tmp_path):
    assert off_the_mask([OURS], tmp_path) == ""
    third = {"value": 0.99, "low": 0.98, "high": 1.0}
    ours = {**OURS, "placement": {**OURS["placement"], "third": {**third, "low": 0.9}}}
    readings = [
        {**row("", "", value, 0.0), "reading": name}
        for name, value in (("by hand", 0.75), ("by boosted trees", 0.97))
    ]
    for reading in readings:
        reading["placement"]["third"] = third
    (tmp_path / "explanations-mask.json").write_text(json.dumps({"rows": readings}), "utf-8")
    said = off_the_mask([ours], tmp_path)
    assert "read by boosted trees, give the right endplate in 0.97 (0.95 to 0.99), ahead of" in said
    assert "third in 0.99 (0.98 to 1.00), as high or higher by estimate" in said
    assert "The third needs no learning: by hand 0.99 (0.98 to 1.00); the endplate by hand" in said
