import csv
from pathlib import Path

import numpy as np

from spinexplain.io.nifti import read_labels, write_nifti

DATA = Path(__file__).parent.parent / "data"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_heights_of_the_lumbar_example(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "heights.csv"
    ended = spinexplain("measure", ct, "--labels", mask, "-o", out)
    assert ended.code == 0, ended.err
    rows = {row["level"]: row for row in rows_of(out)}
    assert {"L2", "L3", "L4"} <= set(rows)
    assert not {level for level, row in rows.items() if row["shape"] == "crush"}
    for row in rows.values():
        assert 10 < float(row["posterior_mm"]) < 40
        assert float(row["loss_low"]) <= float(row["loss"]) <= float(row["loss_high"])


def test_levels_that_are_cut_are_named(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    ended = spinexplain("measure", ct, "--labels", mask, "-o", tmp_path / "heights.csv")
    assert "not measured: T12" in ended.out


def test_an_existing_table_is_kept(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    out = tmp_path / "heights.csv"
    out.write_text("precious")
    ended = spinexplain("measure", ct, "--labels", mask, "-o", out)
    assert ended.code == 2
    assert "--force" in ended.line
    assert out.read_text() == "precious"
    assert spinexplain("measure", ct, "--labels", mask, "-o", out, "--force").code == 0
    assert rows_of(out)


def test_a_mask_that_is_no_mask(spinexplain, lumbar, tmp_path):
    ct, _ = lumbar
    out = tmp_path / "heights.csv"
    ended = spinexplain("measure", ct, "--labels", ct, "-o", out)
    assert ended.code == 2
    assert ct.name in ended.line
    assert not out.exists()


def mask_with(mask, path, renumbered):
    """Write the mask again with other labels."""
    labels = read_labels(mask)
    table = np.arange(256, dtype=np.uint8)
    for label, other in renumbered.items():
        table[label] = other
    write_nifti(path, table[labels.array], labels.affine)
    return path


def test_a_mask_without_a_thoracic_or_lumbar_level(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    cervical = mask_with(
        mask, tmp_path / "m.nii.gz", {verse: verse - 18 for verse in range(19, 25)}
    )
    out = tmp_path / "heights.csv"
    ended = spinexplain("measure", ct, "--labels", cervical, "-o", out)
    assert ended.code == 2  # bones of this size are no cervical ones
    assert "which tool wrote the mask" in ended.line
    named = ("--label-scheme", "verse")
    ended = spinexplain("measure", ct, "--labels", cervical, *named, "-o", out)
    assert ended.code == 2
    assert "no thoracic or lumbar vertebra was found" in ended.line
    assert not out.exists()


def test_levels_that_would_run_upwards_are_refused(spinexplain, lumbar, tmp_path):
    """One foreign label makes VerSe's numbers look like those of another tool."""
    ct, mask = lumbar
    foreign = mask_with(mask, tmp_path / "m.nii.gz", {22: 77})
    out = tmp_path / "heights.csv"
    ended = spinexplain("measure", ct, "--labels", foreign, "-o", out)
    assert ended.code == 2
    assert "its levels would run from bottom to top" in ended.line
    assert not out.exists()


def test_a_missing_folder_is_told_before_anything_is_read(spinexplain, lumbar, tmp_path):
    _, mask = lumbar
    ended = spinexplain(
        "measure", tmp_path / "no.nii", "--labels", mask, "-o", tmp_path / "a" / "h.csv"
    )
    assert ended.code == 2
    assert "there is no folder" in ended.line


def test_a_mask_without_a_measurable_body_is_no_empty_table(spinexplain, tmp_path):
    """Of the crop's three vertebrae keep one that is cut off."""
    import nibabel as nib
    import numpy as np

    folder = DATA / "tptbox-sample-ct"
    ct = folder / "sub-ct_label-22_ct.nii.gz"
    image = nib.load(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
    kept = np.where(np.asarray(image.dataobj) == 21, 21, 0).astype(np.uint8)
    nib.save(nib.Nifti1Image(kept, image.affine), tmp_path / "cut.nii.gz")
    out = tmp_path / "heights.csv"
    ended = spinexplain(
        "measure", ct, "--labels", tmp_path / "cut.nii.gz", "--label-scheme", "verse", "-o", out
    )
    assert ended.code == 2
    assert "L2" in ended.line
    assert not out.exists()


def test_a_body_mask_stands_for_what_is_cut_out_of_the_labels(spinexplain, lumbar, tmp_path):
    ct, mask = lumbar
    bodies = ct.with_name("totalseg_vertebrae_body.nii.gz")
    found = {}
    for name, more in {"cut": (), "body": ("--body", bodies)}.items():
        out = tmp_path / f"{name}.csv"
        ended = spinexplain("measure", ct, "--labels", mask, *more, "-o", out)
        assert ended.code == 0, ended.err
        found[name] = {row["level"]: float(row["posterior_mm"]) for row in rows_of(out)}
    shared = found["cut"].keys() & found["body"].keys()
    assert {"L2", "L3", "L4"} <= shared
    assert any(found["cut"][level] != found["body"][level] for level in shared)
    assert all(abs(found["cut"][level] - found["body"][level]) < 5 for level in shared)
