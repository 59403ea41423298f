"""Label numbers of every tool, on drawn spines whose levels are known, and on real masks."""

from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import ConfigError
from spinexplain.io.nifti import read_labels
from spinexplain.io.schemes import (
    SACRUM,
    SCHEMES,
    label_centers_mm,
    level_named,
    mapping_from_names,
    scheme_named,
)

DATA = Path(__file__).parents[1] / "data"


def test_names_map_levels():
    names = {31: "vertebrae_L1", 26: "vertebrae_L6", 25: "sacrum", 5: "liver", 1: "vertebrae_body"}
    assert mapping_from_names(names) == {31: 20, 26: 25, 25: SACRUM}
    assert level_named("vertebrae_T1") == 8
    assert level_named("vertebrae_T13") == 28
    assert level_named("L1") == 20
    assert level_named("vertebrae_L7") is None


def test_every_scheme_maps_to_levels_once():
    for scheme in SCHEMES.values():
        vertebrae = [v for v in scheme.to_verse.values() if v != SACRUM]
        assert len(set(vertebrae)) == len(vertebrae)
        assert scheme_named(scheme.name.upper()) is scheme


def test_unknown_scheme_lists_the_known_ones():
    with pytest.raises(ConfigError, match="'nnunet' is unknown; expected one of verse, totalseg"):
        scheme_named("nnunet")


def test_centers_agree_with_scipy():
    from scipy.ndimage import center_of_mass

    mask = read_labels(DATA / "verse004" / "sub-verse004_seg-vert_msk.nii.gz")
    centers = label_centers_mm(mask)
    labels = list(centers)
    slow = center_of_mass(mask.array > 0, mask.array, labels)
    for label, index in zip(labels, slow, strict=True):
        np.testing.assert_allclose(centers[label], (mask.affine @ [*index, 1])[:3])
