import numpy as np
import pytest

from spinexplain.evaluate.explanations.parts import body_frame
from spinexplain.evaluate.explanations.priors import (
    centroid_frames,
    edge_prior,
    gaussian_prior,
    mean_evidence_priors,
    random_prior,
)


def test_a_gaussian_by_hand():
    drawn = gaussian_prior(np.array([2.0, 3.0]), (7, 7), sigma=2.0)
    assert drawn[2, 3] == 1
    assert drawn[2, 5] == pytest.approx(np.exp(-0.5))
    assert drawn[4, 5] == pytest.approx(np.exp(-1.0))


def test_an_edge_is_where_the_image_is_steep():
    hu = np.zeros((20, 20))
    hu[:, 10:] = 700
    edges = edge_prior(hu)
    assert set(edges.argmax(axis=1)) <= {9, 10}
    assert np.allclose(edge_prior(np.full((5, 5), 900.0)), 0)


def test_noise_is_that_of_its_seed_and_row():
    assert np.array_equal(random_prior((4, 4), 1, 2), random_prior((4, 4), 1, 2))
    assert not np.array_equal(random_prior((4, 4), 1, 2), random_prior((4, 4), 1, 3))


def shifted_bodies():
    """Three bodies of two sizes at different places, their upper rim broken."""
    places = [(10, 10, 8, 12), (14, 18, 8, 12), (12, 8, 16, 24)]
    bodies, evidence = np.zeros((2, 3, 48, 48), bool)
    for body, broken, (row, column, height, width) in zip(bodies, evidence, places, strict=True):
        body[row : row + height, column : column + width] = True
        broken[row : row + height // 4, column : column + width] = True
    return bodies, evidence


def slow_prior(masks, frames, row, others):
    """Look every sample up in every other vertebra, nearest neighbor."""
    found = np.zeros(masks.shape[1:])
    for index in np.ndindex(*masks.shape[1:]):
        own = frames[row].directions @ (np.array(index) - frames[row].center)
        at = own / frames[row].half_size
        for other in others:
            frame = frames[other]
            place = np.linalg.solve(frame.directions, at * frame.half_size) + frame.center
            cell = tuple(np.rint(place).astype(int))
            if np.abs(at).max() <= 3 and all(0 <= k < 48 for k in cell):
                found[index] += masks[other][cell] / len(others)
    return found


def test_the_body_frame_makes_equal_fractures_equal():
    bodies, evidence = shifted_bodies()
    frames = [body_frame(body) for body in bodies]
    priors = mean_evidence_priors(evidence, frames, np.array(["a", "b", "c"]))
    for row in range(3):
        inside = priors[row][evidence[row]].mean()
        assert inside > 0.85
        assert priors[row][~evidence[row] & bodies[row]].mean() < 0.1
    others = [1, 2]
    slow = slow_prior(evidence, frames, 0, others)
    assert np.abs(slow - priors[0]).mean() < 0.02


def test_the_centroid_alone_does_not_know_the_size():
    bodies, evidence = shifted_bodies()
    frames = [body_frame(body) for body in bodies]
    centers = np.stack([frame.center for frame in frames])
    subjects = np.array(["a", "b", "c"])
    plain = mean_evidence_priors(evidence, centroid_frames(centers, frames, False), subjects)
    scaled = mean_evidence_priors(evidence, centroid_frames(centers, frames, True), subjects)
    assert scaled[2][evidence[2]].mean() > plain[2][evidence[2]].mean() + 0.3
    # Moved by whole samples: the prior of the small body is the other small body's mask.
    assert plain[0][evidence[0]].mean() == pytest.approx(0.5, abs=0.1)


def test_the_own_subject_gives_nothing():
    bodies, evidence = shifted_bodies()
    frames = [body_frame(body) for body in bodies]
    evidence[2] = False
    alone = mean_evidence_priors(evidence, frames, np.array(["a", "a", "b"]))
    assert not alone[0].any()
    assert not alone[1].any()
    assert alone[2].any()


def test_boxes_have_priors_too():
    body = np.zeros((2, 24, 24, 24), bool)
    body[:, 8:16, 6:18, 6:18] = True
    broken = body.copy()
    broken[:, 10:] = False
    frames = [body_frame(one) for one in body]
    found = mean_evidence_priors(broken, frames, np.array(["a", "b"]))
    assert found[0][broken[0]].mean() > 0.8
