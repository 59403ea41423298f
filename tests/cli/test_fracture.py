import nibabel as nib
import numpy as np


def test_writes_ct_mask_centroids_and_evidence(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "fractured"
    ended = spinexplain(
        "fracture", ct, "--labels", mask, "--level", "L3", "--shape", "crush", "-o", out
    )
    assert ended.code == 0, ended.err
    before, after = nib.load(ct), nib.load(out / "ct.nii.gz")
    assert after.shape == before.shape
    assert np.allclose(after.affine, before.affine)
    evidence = np.asarray(nib.load(out / "evidence.nii.gz").dataobj)
    assert set(np.unique(evidence)) == {0, 22}
    whole = np.sum(np.asarray(nib.load(mask).dataobj) == 22)
    assert np.sum(np.asarray(nib.load(out / "labels.nii.gz").dataobj) == 22) < whole
    assert (out / "centroids.json").exists()


def test_a_level_that_is_none(spinexplain, lumbar, tmp_path):
    ended = spinexplain(
        "fracture", lumbar[0], "--labels", lumbar[1], "--level", "Q9", "-o", tmp_path / "out"
    )
    assert ended.code == 2
    assert "Q9" in ended.line


def test_a_level_that_is_not_in_the_mask(spinexplain, lumbar, tmp_path):
    ended = spinexplain(
        "fracture", lumbar[0], "--labels", lumbar[1], "--level", "T4", "-o", tmp_path / "out"
    )
    assert ended.code == 2
    assert "T4" in ended.line
    assert list(tmp_path.iterdir()) == []
