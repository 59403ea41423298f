from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.spine import quality
from spinexplain.spine.quality import FLAGS, STOPPING, not_assessable_reason, quality_flags
from spinexplain.types import LabelMap, Vertebra, Volume


def _scan(spacing=(1.0, 1.0, 1.0), shape=(80, 80, 200)) -> Volume:
    return Volume(np.full(shape, -1000, np.int16), np.diag([*spacing, 1.0]))


def _column(*names: str, top_mm: float = 180.0, step_mm: float = 30.0) -> list[Vertebra]:
    return [
        Vertebra(VertebraLevel(name), (40.0, 40.0, top_mm - i * step_mm))
        for i, name in enumerate(names)
    ]


def _flags(volume, vertebrae, labels=None) -> dict[str, tuple[str, ...]]:
    return {lv.value: flags for lv, flags in quality_flags(volume, vertebrae, labels).items()}


def test_a_straight_complete_spine_has_no_flags():
    found = _flags(_scan(), _column("T11", "T12", "L1", "L2", "L3"))
    assert found == dict.fromkeys(["T11", "T12", "L1", "L2", "L3"], ())


def test_the_docstring_lists_exactly_the_vocabulary():
    listed = re.findall(r"^([a-z_]+) +(stops|limits|informs) ", quality.__doc__, re.MULTILINE)
    assert {name for name, _ in listed} == set(FLAGS)
    assert {name for name, severity in listed if severity == "stops"} == set(STOPPING)


@pytest.mark.parametrize(("slice_mm", "thick"), [(3.0, False), (3.2, True)])
def test_slices_over_three_millimeters(slice_mm, thick):
    found = _flags(_scan((1, 1, slice_mm)), _column("L1"))
    assert found["L1"] == (("thick_slices",) if thick else ())


@pytest.mark.parametrize(("degrees", "tilted"), [(0.4, False), (15.0, True)])
def test_a_tilted_gantry_is_flagged_at_every_level(degrees, tilted):
    affine = np.eye(4)
    affine[1, 2] = np.tan(np.radians(degrees))
    found = _flags(Volume(_scan(shape=(80, 160, 200)).array, affine), _column("T12", "L1"))
    assert all(("gantry_tilt" in flags) == tilted for flags in found.values())


@pytest.mark.parametrize(("lowest_hu", "odd"), [(-201, False), (-200, True), (0, True)])
def test_values_without_air_or_fat_are_flagged(lowest_hu, odd):
    scan = Volume(np.full((80, 80, 200), lowest_hu, np.int16), np.eye(4))
    assert ("not_hounsfield" in _flags(scan, _column("L1"))["L1"]) == odd


def test_a_missing_level_is_a_gap_for_both_neighbors():
    gap = [v for v in _column("T9", "T10", "T11", "T12", "L1") if v.level.value != "T11"]
    found = _flags(_scan(), gap)
    assert found == {"T9": (), "T10": ("level_gap",), "T12": ("level_gap",), "L1": ()}


def test_a_level_without_room_between_its_neighbors_is_no_gap():
    """Eleven thoracic vertebrae: T11 lies directly above L1."""
    assert not any(_flags(_scan(), _column("T9", "T10", "T11", "L1", "L2")).values())


def test_what_the_file_leaves_open_is_flagged_at_every_level():
    scan = replace(_scan(), flags=("orientation_unknown",))
    found = _flags(scan, _column("T12", "L1"))
    assert found == dict.fromkeys(["T12", "L1"], ("orientation_unknown",))


def test_t12_and_l1_are_neighbors_with_and_without_t13():
    assert not any(_flags(_scan(), _column("T12", "L1")).values())
    found = _flags(_scan(), _column("T12", "T13", "L1"))
    assert found == {"T12": (), "T13": ("transitional_level",), "L1": ()}


def test_only_the_level_out_of_order_is_an_inversion():
    vertebrae = _column("T11", "T12", "L1", "L2")
    vertebrae[1] = Vertebra(VertebraLevel.T12, (40.0, 40.0, 20.0))
    found = _flags(_scan(), vertebrae)
    assert {name for name, flags in found.items() if "level_inversion" in flags} == {"T12"}


def test_centers_under_eight_millimeters_apart():
    found = _flags(_scan(), _column("L1", "L2", step_mm=7.9))
    assert found == dict.fromkeys(["L1", "L2"], ("centers_too_close",))
    assert not any(_flags(_scan(), _column("L1", "L2", step_mm=8.1)).values())
    coinciding = _flags(_scan(), _column("L1", "L2", step_mm=0.0))
    assert all("centers_too_close" in flags for flags in coinciding.values())


def test_centers_outside_the_scan_or_near_its_border():
    above = Vertebra(VertebraLevel.T12, (40.0, 40.0, 203.0))
    edge = Vertebra(VertebraLevel.L1, (40.0, 40.0, 195.0))
    assert _flags(_scan(), [above, edge]) == {
        "T12": ("outside_scan",),
        "L1": ("touches_border",),
    }
    labels = LabelMap(np.zeros((80, 80, 200), np.uint8), np.eye(4))
    assert _flags(_scan(), [edge], labels)["L1"] == ()  # the mask tells, not the distance


def test_metal_counts_on_the_bone_only():
    scan, (vertebra,) = _scan(), _column("L1", top_mm=100.0)
    labels = np.zeros(scan.array.shape, np.uint8)
    labels[25:55, 25:55, 90:110] = 20
    scan.array[30:33, 28:50, 95:105] = 3000  # a screw through the body
    with_labels = LabelMap(labels, scan.affine)
    assert _flags(scan, [vertebra], with_labels)["L1"] == ("metal",)
    assert _flags(scan, [vertebra])["L1"] == ("metal",)
    scan.array[:] = -1000
    scan.array[20:24, 20:60, 80:120] = 3000  # a rod beside the body
    assert _flags(scan, [vertebra], with_labels)["L1"] == ()


@pytest.mark.parametrize("pair", [(1, 2), (0, 1), (3, 4)])
def test_both_of_two_exchanged_levels_are_out_of_order(pair):
    names = ["T11", "T12", "L1", "L2", "L3"]
    vertebrae = _column(*names)
    exchanged = dict(zip(pair, pair[::-1], strict=True))
    places = [vertebrae[exchanged.get(i, i)].centroid_mm for i in range(len(names))]
    found = _flags(
        _scan(), [replace(v, centroid_mm=p) for v, p in zip(vertebrae, places, strict=True)]
    )
    wrong = {name for name, flags in found.items() if "level_inversion" in flags}
    assert wrong == {names[i] for i in pair}


def test_a_sideways_bend_sharper_than_a_body_is_a_fold():
    points = [(40, 180), (40, 150), (70, 148), (72, 118)]
    names = ("T11", "T12", "L1", "L2")
    vertebrae = [
        Vertebra(VertebraLevel(name), (float(x), 40.0, float(z)))
        for name, (x, z) in zip(names, points, strict=True)
    ]
    found = _flags(_scan(), vertebrae)
    assert all("fold" in found[name] for name in ("T12", "L1"))


def test_a_center_far_beside_the_others_is_off_the_curve_wherever_it_comes_from():
    vertebrae = _column("T10", "T11", "T12", "L1", "L2", "L3")
    vertebrae[3] = Vertebra(VertebraLevel.L1, (56.0, 40.0, 90.0))
    found = _flags(_scan(), vertebrae)
    assert {name for name, flags in found.items() if "off_curve" in flags} == {"L1"}
    vertebrae[3] = Vertebra(VertebraLevel.L1, (43.0, 37.0, 92.0))
    assert not any(_flags(_scan(), vertebrae).values())


def test_flags_of_the_vertebra_are_kept_and_come_gravest_first():
    vertebra = Vertebra(VertebraLevel.L6, (40.0, 40.0, 100.0), ("off_curve", "touches_border"))
    assert _flags(_scan(), [vertebra])["L6"] == (
        "touches_border",
        "off_curve",
        "transitional_level",
    )


def test_no_vertebrae_no_flags():
    assert quality_flags(_scan(), []) == {}


def test_only_stopping_flags_give_a_reason():
    for flag in FLAGS:
        assert (not_assessable_reason([flag]) is not None) == (flag in STOPPING)
    assert not_assessable_reason(["metal", "outside_scan"]) == STOPPING["outside_scan"]


def test_a_process_that_the_border_left_speaks_against_no_whole_vertebra():
    vertebrae = _column("T7", "T8", "T9", "T10")
    sliver = Vertebra(VertebraLevel.T7, (40.0, 8.0, 145.0), ("touches_border",))
    found = _flags(_scan(), [sliver, *vertebrae[1:]])
    assert found == {"T7": ("touches_border", "level_inversion"), "T8": (), "T9": (), "T10": ()}
    above = Vertebra(VertebraLevel.T7, (40.0, 40.0, 176.0), ("touches_border",))
    assert _flags(_scan(), [above, *vertebrae[1:]])["T7"] == ("touches_border",)
