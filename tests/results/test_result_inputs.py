from dataclasses import replace

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.networks import shipped_networks
from spinexplain.localizer.segment import PaintedBodies
from spinexplain.localizer.settle import Settled
from spinexplain.results.result_inputs import inputs_of


def test_hashes_are_the_sources_and_moves_are_rounded(lumbar):
    settled = Settled([], {VertebraLevel.L1: 2.34, VertebraLevel.L2: 0.0}, PaintedBodies(None, {}))
    source = replace(lumbar.source, centroids_sha256="a" * 64)
    inputs = inputs_of(replace(lumbar, source=source, settled=settled))
    assert inputs.centroids_sha256 == "a" * 64
    assert inputs.settled_mm == {"L1": 2.3, "L2": 0.0}
    assert inputs.painted_by == f"own {shipped_networks().info.version}"


def test_without_given_centers_nothing_was_moved(lumbar):
    inputs = inputs_of(replace(lumbar, settled=None))
    assert (inputs.settled_mm, inputs.painted_by) == ({}, "")
