import numpy as np
import pytest

from spinexplain.analysis.atlas.embedding import embed, typical_pair

CLASSES = ("G0", "G2")


def cloud(n=400):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    patches = rng.standard_normal((n, 8)) * [9, 3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    return patches, labels


def test_the_two_main_axes_are_found_and_lengths_stay():
    patches, labels = cloud()
    before, after = np.zeros((1, 8)), np.eye(8)[:1] * 5
    sheet = embed(patches, labels, CLASSES, before, after, seed=0)
    assert sheet.explained[0] > 0.8
    assert sum(sheet.explained) == pytest.approx(1, abs=0.01)
    assert np.linalg.norm(sheet.after - sheet.before) == pytest.approx(5, rel=0.01)


def test_every_class_gives_as_many_points_as_it_may():
    patches, labels = cloud(700)
    sheet = embed(patches, labels, CLASSES, None, patches[:2], seed=0)
    assert sheet.before is None
    assert sheet.classes.count("G0") == sheet.classes.count("G2") == 250


def test_the_same_seed_gives_the_same_sheet():
    patches, labels = cloud(700)
    one, other = (embed(patches, labels, CLASSES, None, patches[:2], seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.points, other.points)


def test_pairs_are_of_one_class_and_never_a_patch_with_itself():
    patches = np.array([[0.0, 1], [0, 1.5], [100, 1], [100, 1.5]])
    distance, raw, _ = typical_pair(patches, np.array([0, 0, 1, 1]), np.zeros(2), seed=0)
    assert distance == 0.5
    assert raw > 0.99


def test_without_pairs_there_is_no_number():
    assert np.isnan(typical_pair(np.eye(2), np.array([0, 1]), np.zeros(2), seed=0)).all()


def test_patches_that_are_all_the_same_explain_nothing():
    found = embed(np.ones((6, 3)), np.arange(6) % 3, CLASSES, None, np.ones((2, 3)), seed=0)
    assert found.explained == (0, 0)
    assert np.isfinite(found.points).all()
