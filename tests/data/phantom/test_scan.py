import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import draw_scan_grades, make_subject
from spinexplain.errors import ConfigError
from spinexplain.geometry import apply_affine
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.spine.morphometry import measure_bodies


def test_the_demo_has_the_fractures_it_promises(demo_scan):
    grades = {fact.level: fact.grade for fact in demo_scan.truth if fact.grade}
    assert grades == {"T9": 2, "T12": 3, "L2": 2}
    assert [v.level.value for v in demo_scan.image.vertebrae] == [
        *(f"T{i}" for i in range(6, 13)),
        *(f"L{i}" for i in range(1, 6)),
    ]


def test_centroids_lie_in_their_bodies_and_where_localization_finds_them(demo_scan):
    image = demo_scan.image
    inverse = np.linalg.inv(image.body.affine)
    for vertebra in image.vertebrae:
        at = np.rint(apply_affine(inverse, np.array(vertebra.centroid_mm))).astype(int)
        assert image.body.array[tuple(at)] == vertebra.level.verse_label
    found = {v.level: v.centroid_mm for v in vertebrae_from_mask(image.labels)}
    for vertebra in image.vertebrae:
        assert np.linalg.norm(np.subtract(found[vertebra.level], vertebra.centroid_mm)) < 4


def test_heights_measured_from_the_mask_give_the_planted_loss(demo_scan):
    after = measure_bodies(demo_scan.image.labels, demo_scan.image.vertebrae)
    before = measure_bodies(demo_scan.twin.labels, demo_scan.twin.vertebrae)
    heights, losses = [], []
    for fact in demo_scan.truth:
        level = VertebraLevel(fact.level)
        if level not in before:  # the twin is taller: the topmost level left the view
            continue
        mine, own = after[level].heights_mm[1], before[level].heights_mm[1]
        heights.append(np.abs(mine - fact.after_mm))
        if fact.grade:
            losses.append(abs((1 - mine / own).max() - fact.own_loss))
    assert np.mean(heights) < 0.35
    assert np.mean(losses) < 0.02


def test_the_twin_has_no_evidence_and_stands_taller(demo_scan):
    assert not demo_scan.twin.evidence.array.any()
    codes = set(np.unique(demo_scan.image.evidence.array)) - {0}
    assert codes == {VertebraLevel(level).verse_label for level in ("T9", "T12", "L2")}
    top = {v.level: v.centroid_mm[2] for v in demo_scan.image.vertebrae}
    twin = {v.level: v.centroid_mm[2] for v in demo_scan.twin.vertebrae}
    assert twin[VertebraLevel.T8] - top[VertebraLevel.T8] > 8
    assert twin[VertebraLevel.L5] == pytest.approx(top[VertebraLevel.L5])


def test_tissues_have_their_densities(demo_scan):
    hu, body = demo_scan.image.volume.array, demo_scan.image.body.array
    assert hu.dtype == np.int16
    assert 60 < np.median(hu[body > 0]) < 260
    assert hu.min() >= -1024


def test_a_subject_depends_on_seed_and_number_alone(demo_scan):
    again = make_subject("demo", seed=3, subject_index=0)
    assert np.array_equal(again.image.volume.array, demo_scan.image.volume.array)
    assert again.truth == demo_scan.truth
    assert again.twin is None


def test_fractures_cluster_in_people_at_about_the_rate_of_the_preset():
    preset = load_preset("verse-like")
    rng = np.random.default_rng(0)
    counts = [len(draw_scan_grades(rng, preset)) for _ in range(600)]
    share = 1 - preset.fractures.target[0] / sum(preset.fractures.target)
    assert np.mean(counts) / 17 == pytest.approx(share, rel=0.35)
    assert np.mean(np.array(counts) == 0) > 0.4


def test_an_unknown_preset_is_an_error():
    with pytest.raises(ConfigError, match="nope"):
        make_subject("nope", 0, 0)
