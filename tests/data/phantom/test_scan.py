from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import Shortcut, load_preset
from spinexplain.data.phantom.scan import draw_scan_grades, drawn_person, make_subject
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


def test_a_subject_depends_on_seed_and_number_alone(lumbar_preset, lumbar_scan):
    again = make_subject(lumbar_preset, seed=3, subject_index=0)
    assert np.array_equal(again.image.volume.array, lumbar_scan.image.volume.array)
    assert again.truth == lumbar_scan.truth
    assert again.twin is None
    assert again.unmarked is None


def test_the_unmarked_scan_is_that_of_a_preset_without_marks(marking, marked_scan):
    bare = make_subject(replace(marking, shortcut=Shortcut()), seed=3, subject_index=0)
    assert bare.truth == marked_scan.truth
    assert np.array_equal(bare.image.volume.array, marked_scan.unmarked.volume.array)
    assert not marked_scan.unmarked.shortcut.array.any()


def test_a_mark_is_all_that_a_marked_scan_has_more(marked_scan):
    marked, plain = marked_scan.image, marked_scan.unmarked
    more = marked.volume.array.astype(int) - plain.volume.array
    own = marked.shortcut.array > 0
    assert np.median(more[own]) > 400
    near = binary_dilation(own, np.ones((3, 3, 3)), iterations=5)
    assert not more[~near].any()
    for kind in ("labels", "body", "evidence"):
        assert np.array_equal(getattr(marked, kind).array, getattr(plain, kind).array)
    assert marked.vertebrae == plain.vertebrae


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


@pytest.fixture(scope="module")
def unusual():
    """A patient with everything unusual: T13 and L6, bridges, arms, an oblique tilted grid."""
    preset = load_preset("hard")
    patient = replace(preset.patient, t13=1.0, l6=1.0, bridging=1.0, arms=1.0)
    field = replace(
        preset.field,
        **{"spans": ("T12-S1",), "spacing_mm": (1.2, 1.2), "slice_mm": (2.0, 2.0)},
        **{"slicing": (0, 1, 0), "half_width_mm": (40.0, 42.0), "front_mm": (35.0, 40.0)},
        **{"oblique": 1.0, "gantry": 1.0, "wide": 0.0, "axes": ("PIR",)},
        **{"margin_mm": (30.0, 30.0), "gantry_deg": (10.0, 12.0)},
    )
    return make_subject(replace(preset, patient=patient, field=field), 4, 1, twin=True)


def test_unusual_patients_have_their_centroids_in_their_bodies(unusual):
    levels = {v.level.value for v in unusual.image.vertebrae}
    assert {"T13", "L6"} <= levels
    assert {"T13", "L6"} <= {fact.level for fact in unusual.truth}
    for image in (unusual.image, unusual.twin):
        inverse = np.linalg.inv(image.body.affine)
        for vertebra in image.vertebrae:
            at = np.rint(apply_affine(inverse, np.array(vertebra.centroid_mm))).astype(int)
            assert image.body.array[tuple(at)] == vertebra.level.verse_label


def test_unusual_grids_are_turned_and_sheared(unusual):
    affine = unusual.image.volume.affine[:3, :3]
    cosines = affine / np.linalg.norm(affine, axis=0)
    shear = np.abs(cosines.T @ cosines - np.eye(3)).max()
    assert shear == pytest.approx(np.sin(np.deg2rad(abs(unusual.gantry_deg))))
    assert unusual.is_oblique
    assert np.abs(cosines).max(axis=0).min() < 0.999


def test_arms_cast_streaks(unusual):
    assert unusual.patient.arms
    low, high = load_preset("hard").patient.arm_streak_hu
    assert low <= unusual.acquisition.arm_streak_hu <= high


def test_a_person_is_known_without_a_scan():
    preset = load_preset("hospital-like")
    small = replace(preset, field=replace(preset.field, spans=("L1-L3",)))
    drawn = [drawn_person(small, 5, index) for index in range(12)]
    known = [one.is_normal for one in drawn]
    assert {True, False} == set(known)
    at = known.index(True)
    made = make_subject(small, 5, at)
    assert all(fact.shape == "none" and not fact.foreign_material for fact in made.truth)
    volume = made.image.volume
    slices = np.argmax(np.abs(volume.affine[2, :3]))
    assert drawn[at].length_mm == pytest.approx(
        volume.array.shape[slices] * volume.spacing_mm[slices], rel=0.05
    )
    assert not drawn_person(load_preset("demo"), 1, 0).is_normal
