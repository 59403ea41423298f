import numpy as np
import torch

from spinexplain.train.localizer.vessels import SHARE, draw_tube, with_tubes

CENTERS = np.array([[0.0, 0.0, -25.0 * k] for k in range(8)])


def piece():
    grid = np.stack(np.meshgrid(*[np.arange(n) * 3.0 for n in (60, 60, 60)], indexing="ij"), -1)
    points = grid - np.array([90.0, 60.0, 175.0])
    return torch.full((60, 60, 60), 40.0), points.astype(np.float32)


def test_tubes_leave_the_bodies_alone_and_the_given_piece_as_it_is():
    hu, points = piece()
    changed = 0
    away = np.hypot(points[..., 0], points[..., 1])
    for seed in range(30):
        other = with_tubes(hu, points, CENTERS, np.random.default_rng(seed))
        changed += other is not hu
        assert (other.numpy()[away < 9.0] == 40.0).all()
        assert torch.isfinite(other).all()
    assert (hu == 40.0).all()
    assert abs(changed / 30 - SHARE) < 0.25


def test_bone_under_a_tube_stays():
    _, points = piece()
    bone = torch.full((60, 60, 60), 400.0)
    for seed in range(10):
        assert (with_tubes(bone, points, CENTERS, np.random.default_rng(seed)) == 400.0).all()


def test_the_same_seed_draws_the_same_tube_of_anatomical_size():
    one, again = (draw_tube(np.random.default_rng(4), CENTERS) for _ in range(2))
    assert one.radius_mm == again.radius_mm
    assert one.aside_mm.tolist() == again.aside_mm.tolist()
    for seed in range(50):
        tube = draw_tube(np.random.default_rng(seed), CENTERS)
        assert 1.0 <= tube.radius_mm <= 20.0
        assert np.linalg.norm(tube.aside_mm) >= tube.radius_mm + 15.0
        assert tube.low_mm < tube.high_mm
