import numpy as np
import pytest

from spinexplain.analysis.explanations.bench import (
    CropFrame,
    _displacement_shares,
    bench_rows,
    open_bench,
    reduced,
)
from spinexplain.config.training import InputSpec
from spinexplain.errors import ConfigError
from spinexplain.evaluate.explanations.placement import mask_shares


def test_masks_belong_to_the_crop(drawn):
    bench, cohort = drawn.bench, drawn.cohort
    row = int(drawn.rows[3])
    assert np.array_equal(bench.hu[3], cohort.patches_2d[row][16:128, 16:128])
    assert np.array_equal(bench.masks["evidence"][3], cohort.evidence_2d[row][16:128, 16:128] > 0)
    masks = bench.masks
    assert not (masks["target"] & masks["neighbors"]).any()
    everything = masks["target"] | masks["neighbors"] | masks["outside_bone"]
    assert everything.all()
    assert (masks["body"] & masks["target"]).sum() == masks["body"].sum()


def test_the_displacement_says_what_the_mask_shows(drawn):
    """The true part is known from the drawing; the evidence mask must lie there."""
    bench = drawn.bench
    for question in ("endplate", "third"):
        regions, truth = bench.regions(question), bench.truth[question]
        asked = np.flatnonzero(truth >= 0)
        assert len(asked) > 5
        seen = [mask_shares(bench.masks["evidence"][k], regions[k]).argmax() for k in asked]
        assert np.mean(np.array(seen) == truth[asked]) > 0.9
    assert (bench.truth["endplate"][~bench.fractured] == -1).all()


def test_shares_of_the_displacement_by_hand():
    moved = np.zeros(12)
    moved[4:6] = 3.0  # superior, the two anterior sixths
    moved[8:10] = 1.0  # inferior, the two middle sixths
    assert _displacement_shares(moved, "endplate").tolist() == [6.0, 2.0]
    assert _displacement_shares(moved, "third").tolist() == [6.0, 2.0, 0.0]


def test_a_twin_differs_where_the_fracture_is(drawn):
    bench = drawn.bench
    rows = np.flatnonzero(bench.twin_of >= 0)
    assert set(rows) == set(np.flatnonzero(bench.grades != "G0"))
    for row in rows:
        change = np.abs(bench.patch(row).array - bench.patch(row, twin=True).array)
        evidence = bench.masks["evidence"][row]
        assert change[evidence].mean() > 3 * change[-20:].mean()  # what lies below stays


def test_a_drawn_crop_has_its_centroid_in_the_middle(drawn):
    patch = drawn.bench.patch(0)
    assert isinstance(patch.frame, CropFrame)
    assert patch.frame.to_patch(np.array(patch.vertebra.centroid_mm))[:2].tolist() == [55.5, 55.5]
    assert patch.frame.to_mm(np.array([3.0, 4.0])).tolist() == [3.0, 4.0, 0.0]


def test_boxes_keep_their_frames_and_are_scored_at_2_mm(drawn_boxes):
    rows = bench_rows(drawn_boxes, 3, None, 3, 0)
    spec = InputSpec(axes=3, extent_mm=64, size=64, channels=("ct",))
    bench = open_bench(drawn_boxes, rows, spec)
    assert bench.masks["body"].shape == (len(bench), 32, 32, 32)
    assert set(bench.truth) == {"endplate", "third", "side"}
    patch = bench.patch(0)
    at = patch.frame.to_patch(np.array(patch.vertebra.centroid_mm))
    assert np.abs(at - 31.5).max() < 3
    inside = bench.masks["body"][0].nonzero()
    assert np.abs(np.mean(inside, axis=1) - 15.5).max() < 4


def test_a_few_rows_are_the_same_few(drawn):
    few = bench_rows(drawn.cohort, 2, None, 5, 1)
    assert len(few) == 5
    assert np.array_equal(few, bench_rows(drawn.cohort, 2, None, 5, 1))
    assert set(few) <= set(drawn.rows)
    assert not drawn.cohort.index["healthy_twin"].to_numpy()[drawn.rows].any()


def test_what_can_not_be_scored_is_refused(drawn):
    with pytest.raises(ConfigError, match="3-D patches"):
        bench_rows(drawn.cohort, 3, None, 0, 0)
    with pytest.raises(ConfigError, match="scaled to the body"):
        open_bench(drawn.cohort, drawn.rows, InputSpec(extent_mm=112, body_height_mm=25.0))


def test_reduced_is_a_mean():
    cube = np.arange(64.0).reshape(4, 4, 4)
    assert reduced(cube, 2)[0, 0, 0] == cube[:2, :2, :2].mean()
    assert reduced(cube, 1).shape == (4, 4, 4)
