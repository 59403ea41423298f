from dataclasses import replace

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.networks import shipped_networks
from spinexplain.localizer.segment import PaintedBodies
from spinexplain.localizer.settle import Settled
from spinexplain.results.result_inputs import inputs_of


def test_hashes_are_the_sources_and_moves_are_rounded(lumbar):
    moved = {VertebraLevel.L1: 2.34, VertebraLevel.L2: 0.06}
    settled = Settled([], moved, PaintedBodies(None, {}))
    source = replace(lumbar.source, centroids_sha256="a" * 64)
    inputs = inputs_of(replace(lumbar, source=source, settled=settled, moved_mm=moved))
    assert inputs.centroids_sha256 == "a" * 64
    assert inputs.settled_mm == {"L1": 2.3, "L2": 0.1}
    assert inputs.painted_by == f"own {shipped_networks().info.version}"


def test_moves_to_the_bodies_of_a_mask_are_listed_and_nobody_painted(lumbar):
    inputs = inputs_of(replace(lumbar, moved_mm={VertebraLevel.L3: 1.26}))
    assert (inputs.settled_mm, inputs.painted_by) == ({"L3": 1.3}, "")


def test_without_given_centers_nothing_was_moved(lumbar):
    inputs = inputs_of(replace(lumbar, settled=None))
    assert (inputs.settled_mm, inputs.painted_by) == ({}, "")
