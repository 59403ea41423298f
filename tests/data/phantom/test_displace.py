import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.displace import displacement_of, predicted_loss
from spinexplain.data.phantom.fracture import FracturePlan
from spinexplain.spine.body import extract_body
from spinexplain.spine.center import crop_affine

AXES = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])


@pytest.fixture(scope="module")
def field(demo_scan):
    """A crush of a healthy L4 of a phantom."""
    labels = demo_scan.twin.labels
    code = VertebraLevel.L4.verse_label
    box = tuple(slice(int(i.min()) - 2, int(i.max()) + 3) for i in np.nonzero(labels.array == code))
    center = next(v.centroid_mm for v in demo_scan.twin.vertebrae if v.level.value == "L4")
    affine = crop_affine(labels.affine, box)
    body = extract_body(labels.array[box] == code, affine, np.array(center), AXES)
    return displacement_of(np.random.default_rng(3), body, FracturePlan("crush", 0.4))


def grid(field):
    h = np.arange(-30.0, 30.0, 0.25)[:, None, None]
    a = np.linspace(-0.35, 0.35, 5)[None, :, None] * field.depth_mm
    r = np.linspace(-0.5, 0.5, 5)[None, None, :] * field.half_width_mm
    return tuple(np.broadcast_to(x, (h.size, 5, 5)) for x in (h, a, r))


def test_the_prediction_is_near_the_plan(field):
    assert predicted_loss(field) == pytest.approx(0.4, abs=0.08)


def test_impaction_integrates_to_the_height_lost_in_every_column(field):
    h, a, r = grid(field)
    up, down = field.moved(a[0], r[0])
    added = field.impacted(h, a, r).sum(axis=0) * 0.25
    assert np.abs(added - (up + down)).max() < 0.05 * (up + down).max()


def test_local_coordinates_and_back(field):
    points = np.array([[1.0, 2.0, 3.0], [-4.0, 5.0, 6.0]]) + field.body.center_mm
    assert np.allclose(field.to_world(*field.to_local(points)), points)


def test_nothing_below_the_disc_moves(field):
    h, a, r = grid(field)
    _, bottom = field.endplates(a, r)
    from_h, from_a = field.source(h, a, r)
    below = h < bottom - 8
    assert below.any()
    assert np.allclose(from_h[below], h[below], atol=1e-6)
    assert np.allclose(from_a[below], a[below])
