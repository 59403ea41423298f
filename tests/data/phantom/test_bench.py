import hashlib

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.bench import bench_cohort
from spinexplain.data.phantom.sheets import GRADED
from spinexplain.errors import ConfigError, OutputError


def digest(cohort, kind):
    return hashlib.sha256(cohort.read(kind, np.flatnonzero(cohort.has(kind))).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    """Six drawn vertebrae, and what was said while they were drawn."""
    drawn = []
    folder = tmp_path_factory.mktemp("six") / "a"
    return bench_cohort(folder, "placement", 5, 6, 2, drawn.append), drawn


def test_the_same_seed_draws_the_same_bits(six, tmp_path):
    first, _ = six
    second = bench_cohort(tmp_path / "b", "placement", 5, 6, 2)
    assert digest(first, "patches_2d") == digest(second, "patches_2d")
    other = bench_cohort(tmp_path / "c", "placement", 6, 6, 2)
    assert digest(first, "patches_2d") != digest(other, "patches_2d")


def test_fractures_have_their_twins(six):
    cohort, drawn = six
    index = cohort.index
    own, twins = index[~index["healthy_twin"]], index[index["healthy_twin"]]
    assert own["subject"].nunique() == 6
    assert set(own.loc[own["grade"] != "G0", "twin_id"]) == set(twins["twin_id"])
    assert drawn == [6]


def test_a_normal_neighbor_stands_beside_a_fracture(six):
    """In the same scan: where both crops show the same bone, it looks the same."""
    cohort, _ = six
    own = cohort.index[~cohort.index["healthy_twin"]]
    pairs = [group for _, group in own.groupby("subject") if len(group) == 2]
    assert {group["subject"].iloc[0] for group in pairs} == set(
        own.loc[own["grade"].isin(["G2", "G3"]), "subject"]
    )
    for group in pairs:
        fracture, beside = group[group["grade"] != "G0"], group[group["grade"] == "G0"]
        orders = [GRADED.index(one["level"].iloc[0]) for one in (fracture, beside)]
        assert abs(orders[0] - orders[1]) == 1
        labels = cohort.read("labels_2d", np.array([fracture.index[0], beside.index[0]]))
        code = VertebraLevel(fracture["level"].iloc[0]).verse_label
        areas = (labels == code).sum(axis=(1, 2))
        assert 0.5 < areas[1] / areas[0] <= 1.1


def test_drawing_goes_on_and_a_finished_one_is_opened(tmp_path):
    cohort = bench_cohort(tmp_path / "a", "placement", 5, 4, 2)
    (tmp_path / "a" / "index.parquet").unlink()
    again = bench_cohort(tmp_path / "a", "placement", 5, 4, 2)
    assert digest(cohort, "patches_2d") == digest(again, "patches_2d")
    assert len(bench_cohort(tmp_path / "a", "placement", 5, 4, 2)) == len(cohort)


def test_another_seed_does_not_go_into_the_same_folder(tmp_path):
    bench_cohort(tmp_path / "a", "placement", 5, 2, 2)
    with pytest.raises(OutputError):
        bench_cohort(tmp_path / "a", "placement", 6, 2, 2)
    with pytest.raises(ConfigError, match="nonesuch"):
        bench_cohort(tmp_path / "b", "nonesuch", 6, 2, 2)


def test_boxes_and_their_twins_share_a_frame(drawn_boxes):
    index = drawn_boxes.index
    twins = index[index["healthy_twin"]]
    fractured = index[(index["grade"] != "G0") & ~index["healthy_twin"]]
    assert len(fractured)
    assert set(fractured["twin_id"]) == set(twins["twin_id"])
    for row in fractured.index:
        twin = twins[twins["twin_id"] == index["twin_id"][row]].index[0]
        assert np.allclose(index["box_center_mm"][row], index["box_center_mm"][twin])
        own, other = drawn_boxes.patches_3d[row], drawn_boxes.patches_3d[twin]
        changed = np.abs(own.astype(int) - other) > 100
        assert 0 < changed.mean() < 0.5
