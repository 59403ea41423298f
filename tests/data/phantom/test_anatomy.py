import numpy as np

from spinexplain.data.phantom.anatomy import LEVEL_NAMES, NORMS, norm_of


def test_every_level_has_every_norm():
    assert len(LEVEL_NAMES) == 3 + 12 + 5 + 3
    assert all(values.shape == (len(LEVEL_NAMES),) for values in NORMS.values())
    assert all(np.isfinite(values).all() for values in NORMS.values())


def test_posterior_heights_are_those_of_panjabi():
    at = {name: float(NORMS["post"][k]) for k, name in enumerate(LEVEL_NAMES)}
    assert (at["T1"], at["T12"], at["L1"], at["L5"]) == (14.1, 22.7, 23.8, 22.9)


def test_thoracolumbar_bodies_are_wedged_forward_and_l5_backward():
    ratio = dict(zip(LEVEL_NAMES, NORMS["ant_ratio"], strict=True))
    assert ratio["T12"] < 0.95
    assert ratio["L1"] < 0.95
    assert ratio["L5"] > 1.1


def test_the_upper_neck_has_sizes_of_its_own():
    assert norm_of("C3")["depth"] < norm_of("C7")["depth"]
    assert set(norm_of("C2")) == set(norm_of("T1"))
