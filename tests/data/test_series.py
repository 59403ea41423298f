import numpy as np
import pytest

from spinexplain.data.plan import plan_cohort
from spinexplain.data.series import CERVICAL, fingerprint, series_shard
from spinexplain.errors import ConfigError, FileFormatError, SpinexplainError


def planned(root):
    (one,) = plan_cohort([root]).series
    return one


def test_thoracic_and_lumbar_levels_are_sampled_around_their_centers(tmp_path, block_scan):
    shard = series_shard(planned(block_scan("verse004").write(tmp_path)), "both")
    assert [row.level for row in shard.rows] == ["T1", "T2"]
    assert shard.notes["left_out"] == {"C7": CERVICAL}
    assert {name: array.shape for name, array in shard.arrays.items()} == {
        "patches_2d": (2, 144, 144),
        "labels_2d": (2, 144, 144),
        "patches_3d": (2, 112, 112, 112),
        "labels_3d": (2, 112, 112, 112),
    }
    for at, code in enumerate((8, 9)):
        sheet, box = shard.arrays["labels_2d"][at], shard.arrays["labels_3d"][at]
        for own in (sheet == code, box == code):
            center = np.argwhere(own).mean(axis=0)
            np.testing.assert_allclose(center, (np.array(own.shape) - 1) / 2, atol=1.0)
        np.testing.assert_allclose((sheet == code).sum(), 22 * 28, rtol=0.1)
        inside = shard.arrays["patches_2d"][at][sheet == code]
        assert abs(np.median(inside) - 290) < 10


def test_rows_say_where_the_patches_come_from(tmp_path, block_scan):
    root = block_scan("verse004").write(tmp_path)
    row = series_shard(planned(root), "2d").rows[0]
    assert row.native_spacing_mm == (2.0, 2.0, 2.0)
    assert row.sheet is not None
    assert row.box is None
    assert 0 < row.outside_2d < 1  # the scan is 100 mm wide, the sheet 144
    assert row.outside_3d is None
    assert len({row.ct_sha256, row.mask_sha256, row.centroids_sha256}) == 3
    assert all(len(digest) == 64 for digest in (row.ct_sha256, row.mask_sha256))
    assert row.grade is None
    assert not row.synthetic
    middle = row.sheet.to_mm(np.array([71.5, 71.5]))
    np.testing.assert_allclose(middle, row.centroid_mm, atol=1e-6)


def test_centroids_alone_are_enough(tmp_path, block_scan):
    root = block_scan("verse004", with_mask=False).write(tmp_path)
    shard = series_shard(planned(root), "2d")
    assert sorted(shard.arrays) == ["patches_2d"]
    assert shard.rows[0].mask_sha256 is None


def test_a_mask_alone_is_enough(tmp_path, block_scan):
    root = block_scan("verse004", with_centroids=False).write(tmp_path)
    shard = series_shard(planned(root), "2d")
    assert [row.level for row in shard.rows] == ["T1", "T2"]


def test_the_truth_of_a_phantom_is_stored(tmp_path, block_scan):
    root = block_scan("phantom0001", truth=True).write(tmp_path)
    shard = series_shard(planned(root), "2d")
    assert shard.rows[0].synthetic
    np.testing.assert_array_equal(shard.arrays["body_2d"], shard.arrays["labels_2d"])
    own = shard.arrays["labels_2d"][0] == 8
    evidence = shard.arrays["evidence_2d"][0]
    assert set(np.unique(evidence)) == {0, 1}
    assert not evidence[~own].any()  # the neighbours' evidence is theirs
    assert 0.3 < evidence[own].mean() < 0.7
    assert not shard.arrays["shortcut_2d"].any()


def test_a_scan_of_the_neck_gives_an_empty_shard(tmp_path, block_scan):
    root = block_scan("verse004", levels=("C5", "C6", "C7")).write(tmp_path)
    shard = series_shard(planned(root), "2d")
    assert list(shard.rows) == []
    assert set(shard.notes["left_out"]) == {"C5", "C6", "C7"}


def test_a_ct_that_is_a_mask_is_refused(tmp_path, block_scan):
    root = block_scan("verse004").write(tmp_path)
    one = planned(root)
    one.files.ct.write_bytes(one.files.mask.read_bytes())
    with pytest.raises(FileFormatError, match="Swap CT and mask"):
        series_shard(one, "2d")


def test_broken_files_say_so(tmp_path, block_scan):
    root = block_scan("verse004").write(tmp_path)
    one = planned(root)
    one.files.ct.write_bytes(one.files.ct.read_bytes()[:2000])
    with pytest.raises(SpinexplainError, match="sub-verse004_ct"):
        series_shard(one, "2d")


def test_unknown_patches(tmp_path, block_scan):
    with pytest.raises(ConfigError, match="4d"):
        series_shard(planned(block_scan("verse004").write(tmp_path)), "4d")


def test_the_fingerprint_tells_changed_files(tmp_path, block_scan):
    one = planned(block_scan("verse004").write(tmp_path))
    before = fingerprint(one)
    assert fingerprint(one) == before
    with one.files.ct.open("ab") as file:
        file.write(b"\0")
    assert fingerprint(one) != before
