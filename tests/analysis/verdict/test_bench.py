"""A stored phantom scan is what the networks would have seen."""

import json

import numpy as np
import pytest

from spinexplain.analysis.verdict.bench import (
    ROUTES,
    BenchScan,
    read_bench_scan,
    stored_heights,
    stored_patches,
)
from spinexplain.data.phantom.scan import make_subject
from spinexplain.models.input_arrays import center_index
from spinexplain.spine.localize import localize
from spinexplain.spine.morphometry import measure
from spinexplain.spine.poses import POSES, posed_patches
from spinexplain.spine.reformat import reformat


@pytest.fixture(scope="module")
def stored(bench_scan):
    return bench_scan, *read_bench_scan(bench_scan.path)


def test_every_level_has_a_row_for_every_route(stored):
    _, scan, crops = stored
    routes = {row["level"]: 0 for row in scan["vertebrae"]}
    for row in scan["vertebrae"]:
        routes[row["level"]] += 1
    assert set(routes.values()) == {len(ROUTES)}
    assert crops.shape == (len(scan["vertebrae"]), len(POSES), 112, 112)


def test_sheets_and_heights_are_those_of_the_scan(stored):
    scan, facts, crops = stored
    image = make_subject(scan.preset, scan.seed, scan.index).image
    vertebrae = localize(image.volume, labels=image.labels)
    at = next(i for i, row in enumerate(facts["vertebrae"]) if row["route"] == "labels")
    row = facts["vertebrae"][at]
    patch = next(
        one for one in reformat(image.volume, vertebrae) if one.vertebra.level.value == row["level"]
    )
    again = stored_patches(row, crops[at])
    for one, other in zip(posed_patches(image.volume, patch), again, strict=True):
        np.testing.assert_allclose(one.array, other.array, atol=0.51)
        np.testing.assert_allclose(center_index(one), center_index(other), atol=1e-6)
    heights = stored_heights(row)
    assert heights.loss == measure(image.labels, vertebrae)[patch.vertebra.level].loss


def test_without_a_mask_heights_are_those_of_painted_bodies(stored):
    _, facts, _ = stored
    found = {
        route: {
            row["level"]: stored_heights(row) for row in facts["vertebrae"] if row["route"] == route
        }
        for route in ("labels", "centroids")
    }
    assert any(found["centroids"].values())
    for level, painted in found["centroids"].items():
        given = found["labels"].get(level)
        if painted is not None and given is not None:
            assert painted.loss != given.loss
            assert np.ptp(painted.loss_interval) > np.ptp(given.loss_interval)


def test_spines_of_an_earlier_version_get_natural_variation(bench_scan, tmp_path):
    with np.load(bench_scan.path) as stored:
        facts, crops = json.loads(str(stored["facts"])), stored["crops"]
    del facts["natural_variation"]
    row = next(row for row in facts["vertebrae"] if row["heights"])
    row["heights"]["loss_interval"] = [row["heights"]["loss"]] * 2
    np.savez_compressed(tmp_path / "old.npz", facts=np.array(json.dumps(facts)), crops=crops)
    again, _ = read_bench_scan(tmp_path / "old.npz")
    heights = again["vertebrae"][facts["vertebrae"].index(row)]["heights"]
    low, high = heights["loss_interval"]
    assert (low + high) / 2 == pytest.approx(heights["loss"])
    assert high - low == pytest.approx(2 * 1.96 * 0.05)


def test_spines_of_an_earlier_version_get_their_broad_loss_from_the_thirds(bench_scan, tmp_path):
    with np.load(bench_scan.path) as stored:
        facts, crops = json.loads(str(stored["facts"])), stored["crops"]
    known = [row["heights"].pop("broad_loss") for row in facts["vertebrae"] if row["heights"]]
    np.savez_compressed(tmp_path / "old.npz", facts=np.array(json.dumps(facts)), crops=crops)
    again, _ = read_bench_scan(tmp_path / "old.npz")
    found = [row["heights"]["broad_loss"] for row in again["vertebrae"] if row["heights"]]
    assert found == pytest.approx(known, abs=1e-9)


def test_a_scan_by_the_mask_alone_has_one_route(bench_scan, tmp_path):
    BenchScan(
        "small", bench_scan.preset, bench_scan.seed, bench_scan.index, tmp_path, by_mask=True
    ).make()
    facts, _ = read_bench_scan(tmp_path / "small" / bench_scan.path.name)
    assert {row["route"] for row in facts["vertebrae"]} == {ROUTES[0]}
