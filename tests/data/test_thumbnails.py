import numpy as np
import pytest
from PIL import Image

from spinexplain.config.palette import GRADE_COLORS, rgb
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.data.thumbnails import COLUMNS, ROWS, write_thumbnails

CELL, GAP, CAPTION, HEADER = 144, 6, 30, 22


def cohort_of(tmp_path, grades, size="2d", series="s", labels=True):
    shape = (144, 144) if size == "2d" else (112, 112, 112)
    rows = [VertebraRow("L1", grade=grade, flags=("metal",)) for grade in grades]
    patches = np.full((len(rows), *shape), -1000, np.int16)
    patches[:, shape[0] // 2 :] = 2000  # the caudal half is bright
    arrays = {f"patches_{size}": patches}
    if labels:
        mask = np.zeros(patches.shape, np.uint8)
        mask[:, 20:60, 20:60] = 20
        arrays[f"labels_{size}"] = mask
    writer = CohortWriter.create(tmp_path / "c")
    writer.add_series(SeriesShard("s", series, rows, arrays))
    return writer.finish()


def cell(page, at):
    x = GAP + at % COLUMNS * (CELL + GAP)
    y = HEADER + GAP + at // COLUMNS * (CELL + CAPTION + GAP)
    return np.asarray(page)[y : y + CELL, x : x + CELL]


def open_pages(paths):
    return [Image.open(path).convert("RGB") for path in paths]


def test_severe_grades_come_first_in_frames_of_their_color(tmp_path):
    cohort = cohort_of(tmp_path, ["G0", "G3", None, "x", "G2"])
    (page,) = open_pages(write_thumbnails(cohort, tmp_path / "pages"))
    frames = [tuple(cell(page, at)[0, 70].tolist()) for at in range(5)]
    assert frames[0] == rgb(GRADE_COLORS["G3"]) == (204, 58, 27)
    assert frames[1] == rgb(GRADE_COLORS["G2"])
    assert frames[2] == rgb(GRADE_COLORS["G0"])
    assert len(set(frames)) == 5


def test_cranial_is_up_and_the_own_mask_is_outlined(tmp_path):
    (page,) = open_pages(write_thumbnails(cohort_of(tmp_path, ["G0"]), tmp_path / "pages"))
    picture = cell(page, 0)
    assert picture[10, 70].tolist() == [0, 0, 0]
    assert picture[130, 70].tolist() == [255, 255, 255]
    assert picture[20, 40].tolist() == [127, 240, 200]
    assert picture[40, 40].tolist() == [0, 0, 0]


def test_boxes_show_their_middle_plane(tmp_path):
    cohort = cohort_of(tmp_path, ["G1"], size="3d", labels=False)
    (page,) = open_pages(write_thumbnails(cohort, tmp_path / "pages"))
    assert cell(page, 0)[130, 70].tolist() == [255, 255, 255]
    red, green, blue = cell(page, 0)[71, 71].astype(int)  # the center is marked without a mask
    assert green > red + 50
    assert green > blue


def test_pages_fill_and_are_replaced(tmp_path):
    cohort = cohort_of(tmp_path, ["G0"] * (COLUMNS * ROWS + 3))
    paths = write_thumbnails(cohort, tmp_path / "pages")
    assert [path.name for path in paths] == ["page-001.png", "page-002.png"]
    again = write_thumbnails(cohort, tmp_path / "pages")
    assert open_pages(again)[1].height < open_pages(again)[0].height


@pytest.mark.parametrize("series", ["脊椎<b>", "line\nbreak", "x" * 200])
def test_names_of_any_kind_are_drawn(tmp_path, series):
    cohort = cohort_of(tmp_path, ["G0"], series=series)
    (page,) = open_pages(write_thumbnails(cohort, tmp_path / "pages"))
    caption = np.asarray(page)[HEADER + GAP + CELL :, :]
    assert caption.max() > 200
