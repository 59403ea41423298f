import pytest
from writers.dissection import page
from writers.dissection.detector_presets import (
    HEIGHTS,
    NAMES,
    OPPONENTS,
    PAIRS,
    graded,
    judged,
    more,
    of_presets,
)

PUBLISHED, RELEASED, OURS = NAMES


def a_run(auc: float = 0.8, tied: int = 5, late: float = 0.0) -> dict:
    return {
        "auc": {"mean": auc, "low": auc - 0.1, "high": auc + 0.1},
        "auc_without_first": auc,
        "tied": tied,
        "lost_beyond": {"mean": 0.1 * tied},
        "share_top": 0.2,
        "chance": 0.1,
        "changed_in_batches": 0.25,
        "late_gain": late,
        "cross_entropy": 0.3,
        "steps": 464,
    }


def found_of(runs: dict[str, list[dict]], difference: tuple[float, float, float, float]) -> dict:
    """Build results in which every two networks differ by (mean, low, high, floor)."""
    keys = ("mean", "low", "high", "floor")
    names = [*NAMES, *OPPONENTS]
    area = {"mean": 0.8, "low": 0.7, "high": 0.9, "by_training": [0.8, 0.8]}
    setting = {
        "encoder": "unet3d",
        "extent_mm": 48.0,
        "size": 32,
        "head_width": 1.0,
        "dropout": 0.3,
        "changed": 0.15,
        "lambda_height": 0.0,
        "epochs": 8,
        "epoch": "mean",
        "decay": "none",
        "quantile": 0.995,
    }
    return {
        "preset": "balanced",
        "learning": [6610, 45],
        "validation": [6611, 12],
        "counts": {"subjects": 20, "samples": 190, "positives": 60},
        "width": 0.25,
        "batch": 8,
        "precision": "bf16",
        "settings": dict.fromkeys(NAMES, setting),
        "runs": {name: {str(k): run for k, run in enumerate(made)} for name, made in runs.items()},
        "areas": {
            "means": dict.fromkeys(names, area),
            "differences": {
                f"{one} - {other}": dict(zip(keys, difference, strict=True))
                for k, one in enumerate(names)
                for other in names[k + 1 :]
            },
        },
    }


def alike() -> dict[str, list[dict]]:
    return {name: [a_run(), a_run()] for name in NAMES}


@pytest.mark.parametrize(
    ("difference", "word"),
    [
        ((0.10, 0.02, 0.2, 0.05), "better"),
        ((-0.10, -0.2, -0.02, 0.05), "worse"),
        ((0.10, -0.01, 0.2, 0.05), "undecided"),
        ((0.10, 0.02, 0.2, 0.15), "undecided"),
    ],
)
def test_a_preset_grades_better_beyond_interval_and_noise(difference, word):
    found = found_of(alike(), difference)
    assert graded(found, PUBLISHED, RELEASED) == word
    said = judged(found)
    assert said.startswith("**Undecided" if word == "undecided" else "**By the rule as published")


def test_a_preset_that_still_gains_is_not_ranked():
    runs = alike() | {PUBLISHED: [a_run(late=0.1), a_run()]}
    found = found_of(runs, (-0.1, -0.2, -0.02, 0.05))
    assert graded(found, PUBLISHED, OURS) == "undecided"
    assert graded(found, RELEASED, OURS) == "worse"
    assert "as published still gained: that ranks speed" in judged(found)


def test_more_patterns_are_more_in_every_seed_and_never_of_a_training_at_chance():
    def tied(run):
        return float(run["tied"])

    runs = alike() | {OURS: [a_run(tied=20), a_run(tied=22)]}
    found = found_of(runs, (0.0, -0.1, 0.1, 0.05))
    assert more(found, PUBLISHED, OURS, tied) == "less"
    assert more(found, PUBLISHED, RELEASED, tied) == "undecided"
    runs[OURS] = [a_run(tied=20), a_run(tied=4)]
    assert more(found_of(runs, (0, 0, 0, 1)), PUBLISHED, OURS, tied) == "undecided"
    runs[OURS] = [a_run(tied=20), a_run(tied=22, auc=0.52)]
    found = found_of(runs, (0, 0, 0, 1))
    assert more(found, PUBLISHED, OURS, tied) == "undecided"
    assert "**At chance: `detector` in 1 of 2 trainings (memorized its vertebrae in 464" in judged(
        found
    )


def test_heights_that_win_are_said_and_one_seed_decides_nothing():
    found = found_of(alike(), (-0.1, -0.2, -0.02, 0.05))
    assert "do better than as published, as released and `detector`" in judged(found)
    assert HEIGHTS in of_presets(found)
    single = found_of({name: [a_run()] for name in NAMES}, (0.1, 0.02, 0.2, 0.0))
    assert judged(single).startswith("**Not decided: 1 of at least 2 seeds")


def test_a_preset_that_needs_its_first_units_is_not_said_to_do_without():
    found = found_of(alike(), (0.0, -0.1, 0.1, 0.05))
    assert "None hangs on its first ten units" in judged(found)
    found["runs"][OURS] = {
        seed: run | {"auc_without_first": 0.6} for seed, run in found["runs"][OURS].items()
    }
    assert "None hangs" not in judged(found)


def test_the_section_has_a_row_a_preset_an_opponent_and_a_pair():
    found = found_of(alike(), (0.1, 0.02, 0.2, 0.05))
    text = page.page_of({"detector-presets": found})
    assert text.count("*opponent:*") == len(OPPONENTS)
    assert text.count("+0.10 (+0.02 to +0.20)") == len(PAIRS)
    assert "2.0 (2.0 to 2.0)" in text  # the first ten units' masks, against chance
    assert text.index("*As published, as released and as here?*") < text.index("## As published")
