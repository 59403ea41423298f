"""The density of a scan: which level, and what a reader must know with it."""

from dataclasses import replace

import pytest

from spinexplain.findings.bone_density import bone_density, density_words, may_be_impacted
from spinexplain.io.scan_facts import ScanFacts
from spinexplain.spine.density import Density
from spinexplain.texts.catalogue import load_catalogue


@pytest.fixture
def read(lumbar):
    """The example with densities: 10 HU times the number of the level."""
    items = tuple(
        replace(item, density=Density(10.0 * item.vertebra.level.verse_label, 500, "heights"))
        for item in lumbar.vertebrae
    )
    return replace(lumbar, vertebrae=items)


def test_without_a_density_nothing_is_said(lumbar):
    assert bone_density(lumbar) is None


def test_a_fractured_l1_is_passed_over(read):
    found = bone_density(read)  # L1 and L3 have suspected fractures
    assert found.level in ("T12", "L2")
    assert (found.kv, found.contrast, found.contrast_from) == (None, "unknown", None)


@pytest.mark.parametrize(
    ("facts", "aorta", "contrast", "words"),
    [
        (ScanFacts(kv=120.0, contrast=True), 40.0, ("given", "header"), "as the files say"),
        (ScanFacts(kv=100.0), 45.0, ("none", "aorta"), "no contrast medium in the aorta, 45 HU"),
        (ScanFacts(), 310.0, ("given", "aorta"), "as the aorta shows at 310 HU"),
        (ScanFacts(), None, ("unknown", None), "contrast medium unknown"),
    ],
)
def test_tube_and_contrast_are_said_or_said_to_be_unknown(read, facts, aorta, contrast, words):
    scan = replace(read, source=replace(read.source, facts=facts), aorta_hu=aorta)
    found = bone_density(scan)
    assert (found.contrast, found.contrast_from) == contrast
    line = density_words(found, load_catalogue())
    assert words in line
    assert ("tube voltage unknown" in line) == (facts.kv is None)
    assert "Pickhardt 2013" in line
    assert "no diagnosis" in line


def test_only_crushed_levels_are_said_to_read_high(read):
    crushed = [item for item in read.vertebrae if may_be_impacted(item)]
    assert {item.vertebra.level.value for item in crushed} >= {"L1", "L3"}
    found = bone_density(replace(read, vertebrae=tuple(crushed)))
    assert (found.level, found.impacted) == ("L1", True)
    assert "L1 too: impaction raises" in density_words(found, load_catalogue())
    assert "impaction" not in density_words(bone_density(read), load_catalogue())
