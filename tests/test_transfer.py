"""The pure parts of scripts/transfer: what the report is made from, without drawing a spine."""

import sys
from pathlib import Path

import numpy as np
import pytest

from spinexplain.types import Volume

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from transfer import (  # noqa: E402
    baselines,
    limits,
    page,
    page_limits,
    page_parts,
    prepared,
    refusals,
    simulated,
    tally,
    tasks,
)


def test_the_page_is_written_from_its_figures():
    """No figure is typed by hand."""
    made = page.written(ROOT / "docs" / "results" / "transfer.json")
    assert (ROOT / "docs" / "transfer.md").read_text() == made


@pytest.mark.parametrize("seed", range(5))
def test_the_chosen_threshold_is_the_best_there_is(seed):
    rng = np.random.default_rng(seed)
    fractured = rng.random(60) < 0.4
    scores = np.round(rng.normal(fractured, 0.8), 1)

    def worth(threshold):
        called = scores >= threshold
        return called[fractured].mean() + (~called[~fractured]).mean()

    chosen = baselines.best_threshold(scores, fractured)
    assert worth(chosen) == pytest.approx(max(worth(t) for t in np.arange(-4, 5, 0.05)))


def test_a_thumbnail_averages_blocks_of_the_windowed_crop():
    crop = np.full((1, 112, 112), -500.0, np.float32)
    crop[0, :8, :4] = 1300.0
    crop[0, :8, 8:16] = 5000.0
    found = baselines.thumbnails(crop)
    assert found.shape == (1, 14 * 14)
    assert found[0, :3].tolist() == pytest.approx([0.5, 1.0, 0.0])


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize(("sign", "border"), [(1, 13.0), (-1, -4.0)])
def test_a_crop_keeps_its_place_and_ends_at_the_border(flip, sign, border):
    affine = np.diag([2.0, 2.0, 3.0 * flip, 1.0])
    affine[2, 3] = -30.0 * flip
    array = np.arange(4 * 4 * 21, dtype=np.int16).reshape(4, 4, 21)
    volume = Volume(array, affine)
    kept = limits.cropped(volume, 2, sign, border)
    z = kept.affine[2, 3] + kept.affine[2, 2] * np.arange(kept.array.shape[2])
    world = affine[2, 3] + affine[2, 2] * np.arange(21)
    inside = world <= border if sign > 0 else world >= border
    assert z.tolist() == world[inside].tolist()
    assert np.array_equal(kept.array, array[:, :, inside])


def test_averaged_slices_keep_their_place():
    volume = Volume(np.arange(24, dtype=np.int16).reshape(2, 2, 6), np.diag([1.0, 1.0, 1.0, 1.0]))
    array, affine = limits._averaged(volume, 2, 3)
    assert array[0, 0].tolist() == [1, 4]
    assert (affine @ [0, 0, 0, 1])[2] == 1.0
    assert (affine @ [0, 0, 1, 1])[2] == 4.0


def test_groups_are_mixed_so_that_all_come_equally_far():
    assert tasks.evenly(["abcd", "xy"]) == ["a", "x", "b", "c", "y", "d"]


def test_a_scan_is_stored_and_read_again(tmp_path):
    one = prepared.Prepared({"level": "L1", "outside": 0.1}, np.ones((112, 112), np.float32))
    prepared.write_prepared(tmp_path / "a" / "scan.npz", {"group": "g"}, [one])
    scan, (again,) = prepared.read_prepared(tmp_path / "a" / "scan.npz")
    assert scan == {"group": "g"}
    assert again.facts == one.facts
    assert np.array_equal(again.crop, one.crop)


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


def simulated_row(level, called, fractures, **more):
    scores = None if called is None else [float(called == "G0"), float(called != "G0"), 0.0]
    said = {"reason": "" if called else "cut", "at": 0, "file": str(fractures), **more}
    return {"source": "lumbar", "level": level, "called": called, "scores": scores} | {
        "fractures": fractures,
        **said,
    }


def test_simulated_fractures_are_counted_with_their_neighbors():
    g2 = [["L2", "wedge", 0.3, 1]]
    pair = [["L3", "crush", 0.55, 1], ["L2", "crush", 0.55, 1]]
    rows = [
        *(simulated_row(level, "G0", []) for level in ("L1", "L2", "L3")),
        simulated_row("L1", "G2", g2),
        simulated_row("L2", "G2", g2),
        simulated_row("L3", "G0", g2),
        simulated_row("L2", "G3", pair),
        simulated_row("L3", "G0", pair),
    ]
    found = simulated.figures([{**r, "loss": 0} for r in rows])
    assert found["found"]["G2"]["hits"] == found["found"]["G2"]["n"] == 1
    assert (found["neighbors_kept"]["hits"], found["neighbors_kept"]["n"]) == (1, 2)
    assert found["adjacent"]["rows"] == [{"loss": 0.55, "both": 0, "scans": 1}]
    assert [missed["level"] for missed in found["adjacent"]["missed"]] == ["L3"]


def test_outcomes_tell_refusals_from_wrong_grades():
    rows = [
        {"reason": "12% of it (at most 3%)", "called": None, "flags": []},
        {"reason": "", "called": "G0", "flags": ["thick_slices"]},
        {"reason": "", "called": "G3", "flags": []},
    ]
    found = refusals.outcomes(rows)
    assert (found["refused"], found["kept"], found["called_fractured"]) == (1, 1, 1)
    assert found["flagged"] == 1
    assert page_limits.outcome(found) == "1 G0, **1 fractured**, 1 not assessable"


def test_figures_are_written_with_counts_and_interval():
    share = {"value": 0.5, "low": 0.4, "high": 0.625, "hits": 1, "n": 2}
    assert page_parts.figure(share) == "50.0 % (40.0 to 62.5; 1/2)"
    assert page_parts.figure({**share, "low": None}) == "50.0 % (1/2)"
    assert page_parts.verdict(share, 0.6).endswith("missed")
