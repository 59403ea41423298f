import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.data.verse import find_series, scan_source
from spinexplain.errors import FileFormatError

DATA = Path(__file__).parent


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def bids(folder, subject, entities="", with_ct=True, with_mask=True, with_ctd=True):
    stem = f"sub-{subject}{entities}"
    return [
        *([f"{folder}/rawdata/sub-{subject}/{stem}_ct.nii.gz"] if with_ct else []),
        *([f"{folder}/derivatives/sub-{subject}/{stem}_seg-vert_msk.nii.gz"] if with_mask else []),
        *([f"{folder}/derivatives/sub-{subject}/{stem}_seg-subreg_ctd.json"] if with_ctd else []),
        f"{folder}/derivatives/sub-{subject}/{stem}_seg-vert_snp.png",
        f"{folder}/rawdata/sub-{subject}/{stem}_ct.json",
    ]


def names(series):
    return [getattr(path, "name", None) for path in (series.ct, series.mask, series.centroids)]


def test_verse19_subject_based(tmp_path):
    touch(tmp_path, *bids("dataset-verse19training", "verse004"))
    (found,) = find_series(tmp_path)
    assert (found.subject, found.series, found.table_id) == ("verse004",) * 3
    assert found.split == "training"
    assert names(found) == [
        "sub-verse004_ct.nii.gz",
        "sub-verse004_seg-vert_msk.nii.gz",
        "sub-verse004_seg-subreg_ctd.json",
    ]
    assert found.missing is None


def test_an_extra_wrapper_folder_changes_nothing(tmp_path):
    inner = "dataset-verse19validation/dataset-verse19validation"
    touch(tmp_path, *bids(inner, "verse020"))
    (found,) = find_series(tmp_path)
    assert (found.series, found.split, found.missing) == ("verse020", "validation", None)


def test_several_series_of_one_patient(tmp_path):
    touch(
        tmp_path,
        *bids("dataset-verse19test", "verse409", "_split-verse266"),
        *bids("dataset-verse19test", "verse409", "_split-verse249"),
    )
    first, second = find_series(tmp_path)
    assert [first.series, second.series] == ["verse249", "verse266"]
    assert {first.subject, second.subject} == {"verse409"}
    assert first.table_id == "verse249"
    assert all(series.missing is None for series in (first, second))


def test_verse20_subject_based(tmp_path):
    touch(
        tmp_path,
        *bids("dataset-01training", "gl003", "_dir-ax"),
        *bids("dataset-02validation", "verse500", "_dir-iso"),
        *bids("dataset-03test", "verse400", "_split-verse090_dir-iso"),
        *bids("dataset-03test", "gl090", "_dir-ax"),
        *bids("dataset-03test", "gl090", "_dir-sag"),
    )
    found = {series.series: series for series in find_series(tmp_path)}
    assert {name: series.split for name, series in found.items()} == {
        "gl003_dir-ax": "training",
        "verse500_dir-iso": "validation",
        "verse090_dir-iso": "test",
        "gl090_dir-ax": "test",
        "gl090_dir-sag": "test",
    }
    assert found["verse090_dir-iso"].subject == "verse400"
    assert found["verse090_dir-iso"].table_id == "verse090"
    assert all(series.missing is None for series in found.values())


def test_sessions_contrast_and_numbered_parts(tmp_path):
    entities = "_ses-20190304_split-0_ce-pv"
    touch(tmp_path, *bids("ses-20190304/x", "ctfu0012", entities))
    (found,) = find_series(tmp_path)
    assert found.subject == "ctfu0012"
    assert found.series == "ctfu0012_ce-pv_ses-20190304_split-0"
    assert found.table_id == "ctfu0012"
    assert found.missing is None


def test_miccai_2019(tmp_path):
    touch(
        tmp_path,
        *("verse004.nii.gz", "verse004_seg.nii.gz", "verse004_ctd.json", "verse004_snapshot.png"),
    )
    (found,) = find_series(tmp_path)
    assert names(found) == ["verse004.nii.gz", "verse004_seg.nii.gz", "verse004_ctd.json"]
    assert found.table_id == "verse004"


@pytest.mark.parametrize(
    ("stem", "centroids", "subject", "series"),
    [
        ("GL017_CT_ax", "GL017_CT_ax_iso-ctd", "gl017", "gl017_dir-ax"),
        ("GL124_CT_ax", "GL124_CT_ax-iso-ctd", "gl124", "gl124_dir-ax"),
        ("verse512_CT-iso", "verse512_CT-iso_iso-ctd", "verse512", "verse512_dir-iso"),
        ("verse512_CT-iso", "verse512_CT-iso-ctd", "verse512", "verse512_dir-iso"),
        ("verse400_verse090_CT-iso", "verse400_verse090_CT-iso_iso-ctd", "verse400",
         "verse090_dir-iso"),
        ("verse400_verse090_CT-sag", "verse400_verse090_CT_sag_ctd", "verse400",
         "verse090_dir-sag"),
    ],
)  # fmt: skip
def test_miccai_2020(tmp_path, stem, centroids, subject, series):
    folder = f"02_validation/{stem.split('_')[0]}"
    files = [f"{stem}.nii.gz", f"{stem}_seg.nii.gz", f"{centroids}.json", f"{stem}.png"]
    touch(tmp_path, *(f"{folder}/{name}" for name in files))
    (found,) = find_series(tmp_path)
    assert names(found) == files[:3]
    assert (found.subject, found.series, found.split) == (subject, series, "validation")


def test_odd_halves_are_kept_and_say_what_is_missing(tmp_path):
    touch(
        tmp_path,
        *bids("a", "verse076", with_ct=False),
        *bids("a", "verse008", with_mask=False),
        *bids("a", "verse072", with_mask=False, with_ctd=False),
        *bids("a", "verse100", with_ctd=False),
    )
    found = {series.series: series.missing for series in find_series(tmp_path)}
    assert found == {
        "verse008": None,  # centroids are enough
        "verse072": "neither mask nor centroids",
        "verse076": "no CT",
        "verse100": None,
    }


def test_verse004_of_the_repository_is_an_odd_half():
    (found,) = find_series(DATA / "verse004")
    assert found.missing == "no CT"
    assert found.mask.name == "sub-verse004_seg-vert_msk.nii.gz"


def test_halves_with_different_names_pair_when_only_one_ct_claims_them(tmp_path):
    touch(
        tmp_path,
        "rawdata/sub-gl003_dir-ax_ct.nii.gz",
        "derivatives/sub-gl003_dir-sag_seg-vert_msk.nii.gz",
        "derivatives/sub-gl003_seg-subreg_ctd.json",
    )
    contents = scan_source(tmp_path)
    (found,) = contents.series
    assert found.missing is None
    assert found.series == "gl003_dir-ax"
    assert "taken as one series" in contents.remarks[0]


def test_halves_that_two_scans_could_claim_stay_apart(tmp_path):
    touch(
        tmp_path,
        "sub-gl003_dir-ax_ct.nii.gz",
        "sub-gl003_dir-sag_ct.nii.gz",
        "sub-gl003_seg-vert_msk.nii.gz",
    )
    missing = {series.series: series.missing for series in find_series(tmp_path)}
    assert missing == {
        "gl003": "no CT",
        "gl003_dir-ax": "neither mask nor centroids",
        "gl003_dir-sag": "neither mask nor centroids",
    }


def test_other_masks_are_kept_by_their_name(tmp_path):
    touch(
        tmp_path,
        "sub-p1_ct.nii.gz",
        *(f"sub-p1_seg-{name}_msk.nii.gz" for name in ("vert", "subreg", "evidence")),
    )
    (found,) = find_series(tmp_path)
    assert sorted(found.masks) == ["evidence", "subreg", "vert"]


def test_the_truth_of_a_phantom_belongs_to_it_and_not_to_its_twin(tmp_path):
    touch(
        tmp_path,
        "rawdata/sub-phantom0001/sub-phantom0001_ct.nii.gz",
        "rawdata/sub-phantom0001/sub-phantom0001_desc-twin_ct.nii.gz",
        "derivatives/sub-phantom0001/sub-phantom0001_seg-vert_msk.nii.gz",
        "derivatives/sub-phantom0001/sub-phantom0001_desc-twin_seg-vert_msk.nii.gz",
        "derivatives/sub-phantom0001/sub-phantom0001_truth.json",
    )
    phantom, twin = find_series(tmp_path)
    assert phantom.truth.name == "sub-phantom0001_truth.json"
    assert (twin.series, twin.table_id, twin.truth) == (
        "phantom0001_desc-twin",
        "phantom0001",
        None,
    )


def test_the_same_file_twice_is_told(tmp_path):
    touch(tmp_path, *bids("a", "verse004"), *bids("b", "verse004"))
    contents = scan_source(tmp_path)
    (found,) = contents.series
    assert "/a/" in str(found.ct)
    assert len(contents.remarks) == 3
    assert all("passed over" in remark for remark in contents.remarks)


def test_one_scan_in_two_releases(tmp_path):
    touch(
        tmp_path / "19",
        *bids("x", "verse400", "_split-verse090"),
    )
    touch(tmp_path / "20", "verse400_verse090_CT-iso.nii.gz", "verse401_verse091_CT-iso.nii.gz")
    (old,) = find_series(tmp_path / "19")
    new, other = find_series(tmp_path / "20")
    assert old.is_same_scan(new)
    assert new.is_same_scan(old)
    assert not old.is_same_scan(other)


def test_two_views_of_one_patient_are_two_scans(tmp_path):
    touch(tmp_path, "sub-gl1_dir-ax_ct.nii.gz", "sub-gl1_dir-sag_ct.nii.gz")
    one, two = find_series(tmp_path)
    assert not one.is_same_scan(two)


def test_files_of_other_kinds_are_passed_over(tmp_path):
    junk = ["README.md", "participants.tsv", "._sub-verse005_ct.nii.gz", "notes.json",
            "__MACOSX/sub-verse006_ct.nii.gz", ".git/sub-verse007_ct.nii.gz", "scan final.nii.gz",
            "sub-verse004_ct.json", "sub-_ct.nii.gz"]  # fmt: skip
    touch(tmp_path, "sub-verse004_ct.nii.gz", *junk)
    assert [series.series for series in find_series(tmp_path)] == ["verse004"]


@pytest.mark.parametrize("name", ["a b", "ä'\"ö", "<script>alert(1)</script>", "new\nline", "-rf"])
def test_hostile_folder_names(tmp_path, name):
    root = touch(tmp_path / name.replace("/", "_"), *bids("x", "verse004"))
    (found,) = find_series(root)
    assert found.missing is None


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=40))
def test_no_file_name_breaks_the_search(tmp_path_factory, stem):
    root = tmp_path_factory.mktemp("source")
    touch(root, "sub-verse004_ct.nii.gz")
    try:
        touch(root, f"sub-{stem}_ct.nii.gz", f"{stem}_seg.nii.gz")
    except OSError:
        return  # too long for the file system
    assert "verse004" in {series.table_id for series in find_series(root)}
    shutil.rmtree(root)


def test_links_never_lead_out_of_the_source(tmp_path):
    secret = touch(tmp_path / "elsewhere", "sub-secret_ct.nii.gz")
    source = touch(tmp_path / "source", "real/sub-verse004_ct.nii.gz")
    os.symlink(secret / "sub-secret_ct.nii.gz", source / "sub-secret_ct.nii.gz")
    os.symlink("../elsewhere/sub-secret_ct.nii.gz", source / "sub-secret2_ct.nii.gz")
    os.symlink(secret, source / "folder")
    os.symlink(source, source / "loop")
    os.symlink("real/sub-verse004_ct.nii.gz", source / "sub-verse005_ct.nii.gz")
    contents = scan_source(source)
    assert [series.series for series in contents.series] == ["verse004", "verse005"]
    assert len(contents.remarks) == 4


def test_folders_that_can_not_be_used(tmp_path):
    with pytest.raises(FileFormatError, match="no such folder"):
        find_series(tmp_path / "none")
    with pytest.raises(FileFormatError, match="holds no CT series"):
        find_series(tmp_path)
    (tmp_path / "verse.zip").write_bytes(b"PK")
    with pytest.raises(FileFormatError, match="Unpack it"):
        find_series(tmp_path / "verse.zip")


def test_an_unreadable_folder_is_named(tmp_path, monkeypatch):
    touch(tmp_path, "closed/sub-verse004_ct.nii.gz")
    scandir = os.scandir

    def refuse(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(FileFormatError, match=r"closed: cannot be read \(Permission denied\)"):
        find_series(tmp_path)
