from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.errors import ConfigError
from spinexplain.models.grader import Scope
from spinexplain.train.grading.package import Statement, bundle_of
from spinexplain.train.grading.recipes import train_model
from spinexplain.train.grading.simulated import LOSSES, with_simulated_fractures

HEIGHT, DEPTH = 24, 34


@pytest.fixture
def sheets():
    """Return a maker of sheets of 80 mm with a block of bone, every third one fractured."""

    def make(n=9):
        rng = np.random.default_rng(0)
        rows, columns = abs(np.mgrid[:80, :80] - 39.5)
        body = (rows < HEIGHT / 2) & (columns < DEPTH / 2)
        hu = rng.normal(0, 10, (n, 80, 80)) + 400 * body
        grades = np.where(np.arange(n) % 3 == 2, 3 - np.arange(n) % 2, 0)
        hu[grades == 2] -= 400 * (body & (np.mgrid[:80, :80][0] < 36))
        hu[grades == 3] -= 400 * (body & (np.mgrid[:80, :80][1] < 40))
        return TrainingSet(
            patches_hu=hu.round().astype(np.int16),
            grades=grades,
            subjects=np.array([f"sub-{i}" for i in range(n)]),
            series=np.array(["ct"] * n),
            levels=np.array(["L2"] * n),
            centers=np.full((n, 2), 39.5),
            target=np.repeat(body[None].astype(np.uint8), n, axis=0),
        )

    return make


def simulated(data, toy_config, share=1.0, **changes):
    return with_simulated_fractures(data, toy_config(simulated={"share": share}, **changes))


def test_healthy_crops_come_a_second_time_as_short_as_they_are_said_to_be(sheets, toy_config):
    data = sheets()
    grown = simulated(data, toy_config)
    copies = grown.take(grown.simulated)
    assert (len(data), len(copies)) == (9, 6)
    assert set(copies.subjects) == set(data.subjects[data.grades == 0])
    for grade, loss, mask in zip(copies.grades, copies.height_loss, copies.target, strict=True):
        low, high = LOSSES[int(grade)]
        assert low <= loss <= high
        heights = mask.sum(axis=0)[24:56]  # columns of the body without its rims
        assert 1 - heights.min() / HEIGHT == pytest.approx(loss, abs=0.1)


def test_evidence_lies_at_the_endplates_and_the_center_in_the_body(sheets, toy_config):
    grown = simulated(sheets(), toy_config)
    copies = grown.take(grown.simulated)
    assert not grown.evidence[~grown.simulated].any()
    for center, mask, evidence in zip(copies.centers, copies.target, copies.evidence, strict=True):
        rows, columns = np.nonzero(mask)
        assert evidence.any()
        assert abs(np.argwhere(evidence)[:, 1].mean() - columns.mean()) < DEPTH / 2
        np.testing.assert_allclose(center, (rows.mean(), columns.mean()), atol=3)


def test_raters_of_the_healthy_crop_say_nothing_about_its_fracture(sheets, toy_config):
    data = sheets()
    rated = replace(data, ratings=np.tile(data.grades[:, None], (1, 2)))
    grown = simulated(rated, toy_config, share=0.5)
    np.testing.assert_array_equal(grown.ratings[: len(data)], rated.ratings)
    assert (grown.ratings[grown.simulated] == -1).all()


def test_the_first_rows_are_the_data_and_the_same_seed_gives_the_same_bits(sheets, toy_config):
    data = sheets()
    one, other = (simulated(data, toy_config, share=0.5) for _ in range(2))
    np.testing.assert_array_equal(one.patches_hu[: len(data)], data.patches_hu)
    np.testing.assert_array_equal(one.patches_hu, other.patches_hu)
    assert len(one) == len(data) + 3
    reseeded = simulated(data, toy_config, share=0.5, seed=1)
    assert not np.array_equal(one.patches_hu[9:], reseeded.patches_hu[9:])


def test_grades_that_are_no_class_are_not_simulated(sheets, toy_config):
    data = sheets()
    grown = simulated(data.take(data.grades != 2), toy_config, share=0.5, classes=("G0", "G3"))
    assert set(grown.grades[grown.simulated]) == {3}


def test_without_a_share_the_data_is_left_alone(sheets, toy_config):
    data = sheets()
    assert simulated(data, toy_config, share=0.0) is data


def test_boxes_and_sheets_without_masks_are_refused(sheets, boxes, toy_config):
    with pytest.raises(ConfigError, match="crops are boxes; expected sheets"):
        simulated(boxes(), toy_config)
    with pytest.raises(ConfigError, match="without the masks"):
        simulated(replace(sheets(), target=None), toy_config)


def test_no_prototype_comes_from_a_simulated_crop_and_the_card_tells_of_them(
    sheets, toy_config, tmp_path
):
    config = toy_config(
        simulated={"share": 0.3},
        head={"prototypes_per_class": 1},
        input={"extent_mm": 64, "size": 32},
        validation_share=0.2,
    )
    trained = train_model(config, sheets(18), tmp_path / "run")
    marked = trained.data.simulated
    assert marked.any()
    assert not any(marked[source.row] for source in trained.sources)
    card = bundle_of(trained, Statement("toy", "1", "Blocks.", Scope())).card
    assert f"{marked.sum()} of {len(marked)} training crops are healthy ones" in card


def test_for_addressed_prototypes_fractures_strike_everywhere_and_say_where(sheets, toy_config):
    """Parts of the healthy rows come from their frames, as on data without truth."""
    data = sheets(n=18)
    config = toy_config(head={"addressed": True}, simulated={"share": 1.0})
    made = with_simulated_fractures(data, config)
    copies = made.take(made.simulated)
    moved = copies.displacement_mm.reshape(-1, 2, 6).sum(axis=2)
    assert np.isfinite(moved).all()
    assert {int(k) for k in moved.argmax(axis=1)} == {0, 1}
    for evidence, part, amounts in zip(copies.evidence, copies.part, moved, strict=True):
        plates = (part[evidence > 0].astype(int) - 1) // 6
        if amounts.max() > 0.9 * amounts.sum():
            assert np.mean(plates == amounts.argmax()) > 0.9
    healthy = made.take(~made.simulated & (made.grades == 0))
    assert np.all(healthy.displacement_mm == 0)
    assert np.all((healthy.part > 0) == (healthy.target > 0))


def test_only_cohorts_that_do_not_know_get_simulated_fractures(sheets, toy_config):
    data = sheets(n=9)
    config = toy_config(simulated={"share": 1.0, "only_unknown": True})
    assert len(with_simulated_fractures(data, config)) > len(data)
    moved = np.where(data.grades[:, None] > 0, 2.0, np.zeros((len(data), 12)))
    known = replace(data, displacement_mm=moved.astype(np.float32))
    assert with_simulated_fractures(known, config) is known
    unknown = replace(data, displacement_mm=np.where(moved > 0, np.nan, 0).astype(np.float32))
    assert len(with_simulated_fractures(unknown, config)) > len(data)
