import numpy as np
from PIL import Image

from spinexplain.report.unit_pictures import blended, lettered, mosaic, slices, write_png


def test_no_activation_leaves_the_ct_gray():
    ct = np.random.default_rng(0).normal(300, 200, (8, 8)).astype(np.float32)
    picture = blended(ct, np.zeros((8, 8)), 0.0, 1)
    assert (picture[..., 0] == picture[..., 1]).all()
    heat = np.zeros((8, 8))
    heat[2, 3] = 1
    colored = blended(ct, heat, 1.0, 1)
    assert (colored != picture).any(axis=2).sum() == 1


def test_tiles_fill_rows_and_keep_their_gap():
    tiles = [np.full((3, 4, 3), value, np.uint8) for value in (50, 100, 150)]
    sheet = mosaic(tiles, columns=2, gap=1)
    assert sheet.shape == (7, 9, 3)
    assert (sheet[:3, :4] == 50).all()
    assert (sheet[:3, 5:] == 100).all()
    assert (sheet[4:, :4] == 150).all()
    assert len(np.unique(sheet[3])) == 1
    assert mosaic([], 5).shape == (1, 1, 3)


def test_every_slice_is_there():
    box = np.zeros((6, 6, 10), np.float32)
    heat = np.zeros_like(box)
    heat[3, 3, 7] = 1
    sheet = slices(box, heat)  # 4 columns, 3 rows, 2 pixels a sample
    assert sheet.shape == (3 * 13 - 1, 4 * 13 - 1, 3)
    row, column = divmod(7, 4)
    tile = sheet[row * 13 : row * 13 + 12, column * 13 : column * 13 + 12]
    assert (tile[7, 7] != tile[0, 0]).any()
    before = sheet[row * 13 : row * 13 + 12, (column - 1) * 13 : (column - 1) * 13 + 12]
    assert (before == before[0, 0]).all()
    assert slices(box[..., 0], heat[..., 7]).shape[2] == 3


def test_words_stand_at_their_sides():
    blank = np.zeros((64, 64, 3), np.uint8)
    bright = {
        side: np.argwhere(lettered(blank, {side: "A"}).max(axis=2) > 200).mean(axis=0)
        for side in ("left", "right", "head", "foot")
    }
    assert bright["left"][1] < 16 < 48 < bright["right"][1]
    assert bright["head"][0] < 16 < 48 < bright["foot"][0]
    assert not blank.any()


def test_png(tmp_path):
    write_png(tmp_path / "a.png", np.full((2, 3, 3), 9, np.uint8))
    assert Image.open(tmp_path / "a.png").size == (3, 2)
