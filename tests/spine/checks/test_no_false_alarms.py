"""Sound scans, real and synthetic, pass every check without a warning or a flag."""

import warnings
from importlib import resources
from pathlib import Path

import pytest

from spinexplain.io.centroids import read_centroids
from spinexplain.io.read import read_mask, read_scan
from spinexplain.spine.checks.mask import CUT_BY_MASK
from spinexplain.spine.checks.pieces import LABEL_IN_PIECES, ODD_LABEL_SIZE, SEVERAL_BONES
from spinexplain.spine.checks.placement import NOT_ON_BONE
from spinexplain.spine.checks.presence import missing_levels
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import localize
from spinexplain.spine.quality import NOT_HOUNSFIELD, quality_flags
from spinexplain.types import Vertebra

DATA = Path(__file__).parents[2] / "data"
ALARMS = {NOT_ON_BONE, SEVERAL_BONES, ODD_LABEL_SIZE, LABEL_IN_PIECES, CUT_BY_MASK, NOT_HOUNSFIELD}
EXAMPLE = "totalsegmentator-example"
REAL = [
    (f"{EXAMPLE}/example_ct.nii.gz", f"{EXAMPLE}/totalseg.nii.gz"),
    (f"{EXAMPLE}/example_ct.nii.gz", f"{EXAMPLE}/totalseg_vertebrae_pp_refined.nii.gz"),
    (
        "totalsegmentator-thoracic/thoracic_ct.nii.gz",
        "totalsegmentator-thoracic/vertebra_T12_msk.nii.gz",
    ),
    (
        "tptbox-sample-ct/sub-ct_label-22_ct.nii.gz",
        "tptbox-sample-ct/sub-ct_seg-vert_label-22_msk.nii.gz",
    ),
]


def checked(ct, mask):
    """Run every check by mask and by centers; return all flags and what is absent."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume, labels = read_scan(ct), read_mask(mask)
        found = localize(volume, labels)
        flags = quality_flags(volume, found, match_grid(labels, volume))
        centers = [Vertebra(v.level, v.centroid_mm) for v in found]
        alone = localize(volume, centroids=centers)
    raised = {flag for listed in flags.values() for flag in listed}
    raised |= {flag for vertebra in alone for flag in vertebra.flags}
    return raised, missing_levels(volume, found).absent


@pytest.mark.parametrize(("ct", "mask"), REAL)
def test_real_scans(ct, mask):
    raised, absent = checked(DATA / ct, DATA / mask)
    assert not raised & ALARMS
    assert absent == ()


def test_phantoms_fractured_and_not(spines):
    scans = sorted(spines.glob("rawdata/*/*_ct.nii.gz"))
    assert len(scans) == 4
    for ct in scans:
        folder = spines / "derivatives" / ct.parent.name
        raised, absent = checked(ct, folder / f"{ct.parent.name}_seg-vert_msk.nii.gz")
        assert not raised & ALARMS
        assert absent == ()


def test_centers_beside_an_enhanced_heart():
    """The bundled thoracic CT has contrast medium before T7 and T8, brighter than bone."""
    folder = Path(str(resources.files("spinexplain.data"))) / "examples"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume = read_scan(folder / "thoracic_ct.nii.gz")
        centers = read_centroids(folder / "thoracic_ctd.json", volume)
        found = localize(volume, centroids=centers)
    assert not {flag for vertebra in found for flag in vertebra.flags} & ALARMS
