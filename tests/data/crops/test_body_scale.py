from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import InputSpec
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.crops.body_scale import expected_heights_mm, resampled, scaled_to_bodies
from spinexplain.data.crops.dataset import check_fits, joined
from spinexplain.data.crops.source import set_from_cohort
from spinexplain.data.schema import MARGIN_SHAPE_2D
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.errors import ConfigError
from spinexplain.findings.assess import patches_for
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_volume
from spinexplain.models.grader import Grader
from spinexplain.spine.body_size import expected_body_heights_mm
from spinexplain.spine.reformat import sample_volume, sheet_frame
from spinexplain.train.grading.augment import plain_crops

EXAMPLES = Path(str(files("spinexplain.data") / "examples"))
SPEC = InputSpec(body_height_mm=24.0)


@pytest.fixture(scope="module")
def thoracic():
    volume = read_volume(EXAMPLES / "thoracic_ct.nii.gz")
    return volume, read_centroids(EXAMPLES / "thoracic_ctd.json", volume)


@pytest.fixture(scope="module")
def scanned(thoracic, tmp_path_factory):
    """A cohort of the thoracic example, as prepare would sample it."""
    volume, vertebrae = thoracic
    frames = [sheet_frame(vertebrae, one, MARGIN_SHAPE_2D) for one in vertebrae]
    hu = np.stack([sample_volume(volume, frame)[0] for frame in frames])
    rows = [
        VertebraRow(one.level.value, grade="G0", centroid_mm=one.centroid_mm, sheet=frame)
        for one, frame in zip(vertebrae, frames, strict=True)
    ]
    writer = CohortWriter.create(tmp_path_factory.mktemp("scanned") / "cohort")
    shard = SeriesShard("person", "ct", rows, {"patches_2d": hu.round().astype(np.int16)})
    writer.add_series(shard)
    return writer.finish()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Two sheets without a scan: an L2 with neighbors 20 % further off than published, and alone.

    Published are 31.3 mm from L1 to L2 and 32.8 mm from there to L3, and 23.8 mm for L2.
    """
    labels = np.zeros((2, *MARGIN_SHAPE_2D), np.uint8)
    for name, top in (("L1", 22), ("L2", 60), ("L3", 99), ("L4", 139)):
        label = VertebraLevel(name).verse_label
        labels[0, top : top + 24, 55:90] = label
        labels[0, top + 8 : top + 32, 105:130] = label  # the spinous process hangs
    labels[1, 60:84, 55:90] = VertebraLevel.L2.verse_label
    rows = [VertebraRow("L2", subject=f"p-{i}", grade="G0", synthetic=True) for i in range(2)]
    writer = CohortWriter.create(tmp_path_factory.mktemp("drawn") / "cohort")
    arrays = {"patches_2d": np.zeros(labels.shape, np.int16), "labels_2d": labels}
    arrays["body_2d"] = np.where(np.arange(144) < 90, labels, 0).astype(np.uint8)
    writer.add_series(SeriesShard("phantom", "sheets", rows, arrays))
    return writer.finish()


def test_training_crops_are_what_grading_sees(thoracic, scanned):
    """Once from the cohort's margin and once straight from the scan: the same but for blur."""
    grader = Grader.from_module(nn.Identity(), SPEC, ("G0", "G2", "G3"))
    patches = {p.vertebra.level.value: p for p in patches_for(grader, *thoracic)}
    data = set_from_cohort(scanned, body_height_mm=SPEC.body_height_mm)
    crops = plain_crops(data, np.arange(len(data)), SPEC).hu.numpy()
    assert len(data) == len(patches) == 10
    for level, crop in zip(data.levels, crops, strict=True):
        straight = patches[level].array
        shifts = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
        alike = [
            np.corrcoef(np.roll(crop, shift, (0, 1)).ravel(), straight.ravel())[0, 1]
            for shift in shifts
        ]
        assert alike[0] > 0.95
        assert alike[0] == max(alike)


def test_patches_keep_their_place_in_the_patient(thoracic):
    """A body of the expected height fills 24 samples, and samples know their millimeters."""
    volume, vertebrae = thoracic
    expected = expected_body_heights_mm(vertebrae)
    grader = Grader.from_module(nn.Identity(), SPEC, ("G0",))
    for patch in patches_for(grader, volume, vertebrae):
        spacing = patch.frame.spacing_mm
        assert spacing == pytest.approx(expected[patch.vertebra.level] / 24)
        index = np.array([[10.0, 20.0], [100.0, 90.0]])
        there = patch.frame.to_mm(index)
        np.testing.assert_allclose(patch.frame.to_patch(there)[:, :2], index, atol=1e-6)
        assert abs(there[0, 1] - there[1, 1]) == pytest.approx(70 * spacing)


def test_the_size_of_a_drawn_person_comes_from_the_bodies_in_the_sheet(drawn):
    tall, alone = expected_heights_mm(drawn, np.arange(2), 2)
    assert alone == pytest.approx(23.8, abs=0.1)
    assert tall == pytest.approx(1.2 * alone, rel=0.02)


def test_masks_and_hu_are_scaled_about_the_centroid(drawn):
    data = set_from_cohort(drawn)
    body = data.target[1] > 0
    marked = replace(data, patches_hu=np.where(data.target, 500, -900).astype(np.int16))
    scaled = scaled_to_bodies(marked, np.array([28.0, 12.0]), 24.0)
    assert body.sum() == 24 * 35
    assert (scaled.target[1] > 0).sum() == 48 * 70
    assert (scaled.patches_hu[1] > -200).sum() == pytest.approx(48 * 70, rel=0.02)
    assert scaled.body_height_mm == 24.0
    assert scaled.patches_hu[0, 0, 0] == -1000  # beyond what the cohort stores


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 6, 6, 6)])
def test_a_step_of_one_changes_nothing(shape):
    patches = np.random.default_rng(0).integers(-1000, 2000, shape).astype(np.int16)
    for mode in ("bilinear", "nearest"):
        again = resampled(patches, np.ones(len(patches)), mode, -1000)
        np.testing.assert_array_equal(again, patches)


def test_crops_of_another_scale_are_refused(drawn):
    plain, scaled = set_from_cohort(drawn), set_from_cohort(drawn, body_height_mm=24.0)
    check_fits(scaled, SPEC)
    for data, spec in ((plain, SPEC), (scaled, InputSpec())):
        with pytest.raises(ConfigError, match="body_height_mm"):
            check_fits(data, spec)
    with pytest.raises(ConfigError, match="expected one"):
        joined([plain, scaled])
