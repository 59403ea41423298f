import numpy as np
from PIL import Image

from spinexplain.study.views import MOST_SLICES, PictureFolder, draw_view


def test_a_sheet_has_one_plane_with_target_and_map(tmp_path):
    heat = np.zeros((16, 16), np.float32)
    heat[4:6, 4:6] = 1
    target = np.zeros((16, 16), bool)
    target[4:12, 4:12] = True
    view = draw_view(PictureFolder(tmp_path), np.zeros((16, 16)), 2.0, heat, target)
    (plane,) = view.slices
    assert (view.width, view.mm, view.start) == (16, 2.0, 0)
    assert plane.contours
    assert plane.target.startswith("M")
    assert {plane.picture, plane.wash} == {path.name for path in tmp_path.iterdir()}
    wash = np.asarray(Image.open(tmp_path / plane.wash))
    assert wash[9, 9, 3] > 200
    assert wash[-1, -1, 3] == 0


def test_a_box_is_scrolled_from_where_the_map_is_strongest(tmp_path):
    heat = np.zeros((8, 8, 60), np.float32)
    heat[3, 3, 47] = 1
    array = np.arange(60)[None, None, :] * np.ones((8, 8, 1)) * 10
    view = draw_view(PictureFolder(tmp_path), array, 1.0, heat)
    assert len(view.slices) <= MOST_SLICES
    shown = np.asarray(Image.open(tmp_path / view.slices[view.start].picture))
    expected = round((470 + 500) / 1800 * 255)
    assert abs(int(shown[0, 0]) - expected) <= 1
    assert view.slices[view.start].wash
    assert len({one.picture for one in view.slices}) == len(view.slices)


def test_the_same_picture_is_written_once(tmp_path):
    pictures = PictureFolder(tmp_path)
    names = {pictures.add(np.zeros((4, 4), np.uint8)) for _ in range(3)}
    assert len(names) == len(list(tmp_path.iterdir())) == 1
