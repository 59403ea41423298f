"""All checks of a mask together, through the front door."""

import warnings

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError
from spinexplain.spine.localize import localize
from spinexplain.types import LabelMap, Volume


def flags(volume, labels):
    return {v.level.value: v.flags for v in localize(volume, labels) if v.flags}


def test_a_sound_mask_has_no_flag(drawn_scan):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert flags(drawn_scan.volume, drawn_scan.labels) == {}


def test_a_mask_that_ends_inside_the_scan_is_said(drawn_scan):
    labels = drawn_scan.labels
    z = round(
        float((np.linalg.inv(labels.affine) @ [*drawn_scan.centers[VertebraLevel.T11], 1])[2])
    )
    cut = LabelMap(labels.array[:, :, : z + 1], labels.affine)
    assert "cut_by_mask" in flags(drawn_scan.volume, cut)["T11"]
    whole = LabelMap(labels.array[:, :, :-3], labels.affine)
    assert flags(drawn_scan.volume, whole) == {}


def test_scan_and_mask_turned_together_are_refused(drawn_scan):
    turn = np.diag([1.0, -1, 1, 1])
    volume = Volume(drawn_scan.volume.array, turn @ drawn_scan.volume.affine)
    with pytest.raises(GeometryError, match="in front of the bodies"):
        localize(volume, LabelMap(drawn_scan.labels.array, turn @ drawn_scan.labels.affine))


def test_several_bones_stop_the_level(drawn_scan):
    found = flags(drawn_scan.volume, drawn_scan.relabeled({"L1": "L2"}))
    assert "several_bones" in found["L2"]
