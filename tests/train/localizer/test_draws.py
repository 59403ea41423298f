import numpy as np
import pytest

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.geometry import apply_affine
from spinexplain.train.localizer.bodies import load_body, save_body
from spinexplain.train.localizer.draws import body_name, draw_body, spine_grid
from spinexplain.types import Volume


@pytest.fixture(scope="module")
def person():
    return draw_wide_person("wide", 5, 0)


def test_the_fine_grid_holds_all_a_section_reads(person):
    affine, shape = spine_grid(person)
    at = apply_affine(np.linalg.inv(affine), np.array(list(person.centers_mm.values())))
    assert (at * 2.0 > 33.0).all()
    assert ((np.array(shape) - at) * 2.0 > 33.0).all()


def test_a_person_who_is_there_is_not_drawn_again(person, tmp_path):
    name = body_name("wide", 5, 0)
    block = Volume(np.zeros((4, 4, 4), np.int16), np.eye(4))
    save_body(tmp_path, name, block, block, person.centers_mm)
    assert draw_body("wide", 5, 0, tmp_path) == tmp_path / f"{name}.json"
    assert load_body(tmp_path, name).fine.array.shape == (4, 4, 4)
