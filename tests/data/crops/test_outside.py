from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as parquet
import pytest

from spinexplain.config.training import InputSpec
from spinexplain.data.cohort import Cohort
from spinexplain.data.crops.outside import outside_shares
from spinexplain.findings.assess import patches_for
from spinexplain.localizer.networks import shipped_body
from spinexplain.localizer.settle import settle

SPECS = {
    "sheet": InputSpec(extent_mm=112),
    "small sheet": InputSpec(extent_mm=64, size=32),
    "scaled sheet": InputSpec(extent_mm=100, size=50, body_height_mm=25),
    "box": InputSpec(axes=3, extent_mm=96, size=48),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_share_is_the_one_that_grading_finds(thoracic_cohort, name):
    """Each model's own crop counts, not the stored one with its margin."""
    cohort, volume, vertebrae = thoracic_cohort
    rows = np.arange(len(cohort))
    found = outside_shares(cohort, rows, SPECS[name])
    settled = settle(volume, vertebrae, shipped_body()).vertebrae
    patches = patches_for(SimpleNamespace(spec=SPECS[name]), volume, settled)
    by_level = {patch.vertebra.level.value: patch.outside for patch in patches}
    expected = [by_level[level] for level in cohort.index["level"]]
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert max(found) > 0
    if name == "sheet":
        assert np.all(cohort.index["outside_2d"] > found + 0.05)


def test_cohorts_without_the_scans_grid_count_samples(thoracic_cohort):
    cohort, *_ = thoracic_cohort
    table = parquet.read_table(cohort.path / "index.parquet")
    older = cohort.path / "older.parquet"
    later = ["scan_shape", "scan_affine", "measured_loss", "measured_loss_sd"]
    later += ["measured_broad_loss"]
    parquet.write_table(table.drop_columns(later), older)
    from spinexplain.data.cohort import read_rows, to_frame

    before = replace(cohort, index=to_frame(read_rows(older)))
    assert before.index["scan_shape"].isna().all()
    assert before.index["measured_loss"].isna().all()
    rows = np.arange(len(cohort))
    for spec in (SPECS["sheet"], SPECS["box"]):
        exact, counted = (outside_shares(one, rows, spec) for one in (cohort, before))
        np.testing.assert_allclose(counted, exact, atol=0.02)


def test_drawn_sheets_lie_inside(toy_cohort):
    assert outside_shares(toy_cohort(n=4), np.arange(4), InputSpec()).tolist() == [0, 0, 0, 0]


def test_the_grid_is_kept_with_the_cohort(thoracic_cohort):
    cohort, volume, _ = thoracic_cohort
    row = Cohort.open(cohort.path).index.loc[0]
    assert tuple(row["scan_shape"]) == volume.array.shape
    np.testing.assert_array_equal(np.reshape(row["scan_affine"], (4, 4)), volume.affine)
