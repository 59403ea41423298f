import numpy as np

from spinexplain.geometry import apply_affine
from spinexplain.models.localizing import REGIONS
from spinexplain.train.localizer.bodies import body_names, load_body, save_body


def test_a_person_comes_back_as_stored(drawn_body, tmp_path):
    centers = dict(zip(drawn_body.levels, drawn_body.centers_mm, strict=True))
    save_body(tmp_path, "one", drawn_body.whole, drawn_body.fine, centers)
    assert body_names(tmp_path) == ["one"]
    again = load_body(tmp_path, "one")
    assert again.levels == drawn_body.levels
    assert np.array_equal(again.fine.array, drawn_body.fine.array)
    assert np.array_equal(again.whole.affine, drawn_body.whole.affine)


def test_the_tube_is_10_mm_around_the_centers_and_knows_its_regions(drawn_body):
    back = np.linalg.inv(drawn_body.whole.affine)
    at = np.rint(apply_affine(back, drawn_body.centers_mm)).astype(int)
    names = [REGIONS[drawn_body.regions[tuple(one)]] for one in at]
    assert names[:2] == ["neck"] * 2
    assert names[2:11] == ["thoracolumbar"] * 9
    assert names[11:] == ["sacrum"] * 2
    inside = np.argwhere(drawn_body.regions > 0)
    mm = apply_affine(drawn_body.whole.affine, inside.astype(float))
    s = np.linspace(0, 1, 400)[:, None]
    line = np.concatenate(
        [
            a + s * (b - a)
            for a, b in zip(drawn_body.centers_mm[:-1], drawn_body.centers_mm[1:], strict=True)
        ]
    )
    away = np.array([np.linalg.norm(line - one, axis=1).min() for one in mm])
    assert away.max() < 11.0
