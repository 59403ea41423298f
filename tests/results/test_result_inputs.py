from dataclasses import replace

from spinexplain.anatomy import VertebraLevel
from spinexplain.localizer.settle import Settled
from spinexplain.results.result_inputs import inputs_of


def test_hashes_are_the_sources_and_moves_are_rounded(lumbar):
    settled = Settled([], {VertebraLevel.L1: 2.34, VertebraLevel.L2: 0.0}, None)
    source = replace(lumbar.source, centroids_sha256="a" * 64)
    inputs = inputs_of(replace(lumbar, source=source, settled=settled))
    assert inputs.centroids_sha256 == "a" * 64
    assert inputs.settled_mm == {"L1": 2.3, "L2": 0.0}


def test_without_given_centers_nothing_was_moved(lumbar):
    assert inputs_of(replace(lumbar, settled=None)).settled_mm == {}
