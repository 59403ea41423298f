from dataclasses import replace

import numpy as np

from fixtures.drawn_bodies import bright_curve
from spinexplain.train.localizer.errors_before import FILE, found_curves, seen_scan


def test_curves_are_found_kept_and_read_again(drawn_body, tmp_path):
    found = found_curves(bright_curve, [drawn_body], 2, 0, tmp_path)[drawn_body.name]
    assert len(found) >= 1
    for one in found:
        inside = drawn_body.centers_mm[one.seen.holds(drawn_body.centers_mm)]
        off = np.linalg.norm(one.curve.at(one.curve.nearest(inside)) - inside, axis=1)
        assert np.median(off) < 6.0

    def refuse(_x):
        raise AssertionError("curves are not to be found again")

    again = found_curves(refuse, [drawn_body], 2, 0, tmp_path)[drawn_body.name]
    assert (tmp_path / FILE).is_file()
    assert np.allclose(again[0].curve.knots_mm, found[0].curve.knots_mm, atol=0.01)
    assert np.allclose(again[0].seen.low_mm, found[0].seen.low_mm, atol=0.01)


def test_curves_of_persons_that_are_new_are_added(drawn_body, tmp_path):
    other = replace(drawn_body, name="other")
    first = found_curves(bright_curve, [other], 1, 0, tmp_path)
    both = found_curves(bright_curve, [other, drawn_body], 1, 0, tmp_path)
    assert set(both) == {"other", drawn_body.name}
    assert np.allclose(both["other"][0].curve.knots_mm, first["other"][0].curve.knots_mm, atol=0.01)
    assert set(found_curves(bright_curve, [drawn_body], 1, 0, tmp_path)) == set(both)


def test_a_scan_of_a_part_lies_where_it_was(drawn_body):
    for seed in range(5):
        scan, seen = seen_scan(drawn_body, np.random.default_rng(seed))
        ends = scan.affine[:3, 3], scan.affine[:3, 3] + 4.0 * (np.array(scan.array.shape) - 1)
        assert (ends[0] >= seen.low_mm - 1e-6).all()
        assert (ends[1] <= seen.high_mm + 1e-6).all()
