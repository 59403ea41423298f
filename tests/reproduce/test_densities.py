import numpy as np
import pytest

from spinexplain.reproduce.densities import SITES, box, densities, sites_of


def test_a_box_lies_where_it_is_asked_for():
    array = np.arange(96**3).reshape(96, 96, 96)
    found = box(array, (10, -5, 0), (1, 2, 0.5))
    assert found.shape == (3, 5, 1) or found.shape == (3, 5, 2)
    assert array[57, 43, 48] in found


def test_a_uniform_vertebra_reads_the_same_everywhere(lumbar_scan):
    from dataclasses import replace

    from spinexplain.spine.reformat import reformat

    image = lumbar_scan.image
    patch = reformat(image.volume, image.vertebrae, kind="3d")[5]
    flat = replace(patch, array=np.full_like(patch.array, 70))
    found = sites_of(flat, 35.0)
    assert [found[name] for name in SITES[:5]] == pytest.approx([70] * 5)
    assert found["noise (SD)"] == 0
    air = sites_of(replace(patch, array=np.full_like(patch.array, -1024)), 35.0)
    assert set(air.values()) == {None}


def test_bone_is_denser_than_its_surroundings(lumbar_scan):
    rows = np.array(densities(lumbar_scan.image.volume, lumbar_scan.image.vertebrae), float)
    assert rows.shape[1] == len(SITES)
    median = dict(zip(SITES, np.nanmedian(rows, axis=0), strict=True))
    assert median["endplate cortex"] > median["marrow"] > median["muscle"]
