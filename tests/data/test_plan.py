from pathlib import Path

import pytest

from spinexplain.data.overrides import LabelOverrides
from spinexplain.data.plan import plan_cohort
from spinexplain.data.table import FractureTable, SeriesRecord, read_fracture_table
from spinexplain.errors import ConfigError

REAL = Path(__file__).parent / "verse19-table" / "ryai190138_appendixe1.xlsx"


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def scan(stem, split="training", ct=True, mask=True, ctd=True):
    folder = f"dataset-verse19{split}"
    return [
        *([f"{folder}/rawdata/sub-{stem}_ct.nii.gz"] if ct else []),
        *([f"{folder}/derivatives/sub-{stem}_seg-vert_msk.nii.gz"] if mask else []),
        *([f"{folder}/derivatives/sub-{stem}_seg-subreg_ctd.json"] if ctd else []),
    ]


def table(**records):
    return FractureTable(
        {
            name: SeriesRecord(name, subject, split, {"L1": "G2"}, {"L1": "wedge"})
            for name, (subject, split) in records.items()
        }
    )


def test_the_table_gives_patient_split_and_grades(tmp_path):
    touch(tmp_path, *scan("verse266", "test"))  # MICCAI names do not tell the patient
    (one,) = plan_cohort([tmp_path], read_fracture_table(REAL)).series
    assert (one.subject, one.series, one.split) == ("verse409", "verse266", "training")
    assert one.grades["L1"] == "G2"


def test_without_a_table_the_folder_gives_the_split(tmp_path):
    touch(tmp_path, *scan("gl003_dir-ax", "validation"))
    (one,) = plan_cohort([tmp_path]).series
    assert (one.split, dict(one.grades)) == ("validation", {})


def test_overrides_win(tmp_path):
    touch(tmp_path, *scan("verse004"), *scan("verse005"))
    overrides = LabelOverrides(
        {("verse004", "L1"): (None, None), ("verse004", "T9"): ("x", None)}, {"verse004": "test"}
    )
    known = table(verse004=("verse004", "training"), verse005=("verse005", "training"))
    first, second = plan_cohort([tmp_path], known, overrides).series
    assert (dict(first.grades), dict(first.shapes), first.split) == ({"T9": "x"}, {}, "test")
    assert (dict(second.grades), second.split) == ({"L1": "G2"}, "training")


def test_overrides_that_fit_nothing_are_told(tmp_path):
    touch(tmp_path, *scan("verse004"))
    overrides = LabelOverrides({("verse999", "L1"): ("G1", None)}, {"verse998": "test"})
    remarks = plan_cohort([tmp_path], None, overrides).remarks
    assert remarks == (
        "overrides name verse998: no such series",
        "overrides name verse999: no such series",
    )


def test_series_of_the_table_that_are_not_there_are_counted(tmp_path):
    touch(tmp_path, *scan("verse004"))
    remarks = plan_cohort([tmp_path], read_fracture_table(REAL)).remarks
    assert len(remarks) == 1
    assert remarks[0].startswith("159 series of the table are not in the sources: verse005")


def test_odd_halves_are_left_out_with_the_reason(tmp_path):
    touch(
        tmp_path,
        *scan("verse004"),
        *scan("verse008", mask=False, ctd=False),
        *scan("verse076", ct=False),
    )
    plan = plan_cohort([tmp_path])
    assert [one.series for one in plan.series] == ["verse004"]
    assert {(one.series, one.reason) for one in plan.left_out} == {
        ("verse008", "neither mask nor centroids"),
        ("verse076", "no CT"),
    }


def test_a_scan_that_is_in_two_releases_is_prepared_once(tmp_path):
    touch(tmp_path / "19", *scan("verse400_split-verse090"))
    touch(
        tmp_path / "20",
        "01_training/verse400_verse090_CT-iso.nii.gz",
        "01_training/verse400_verse090_CT-iso_seg.nii.gz",
    )
    for order in (["19", "20"], ["20", "19"]):
        plan = plan_cohort([tmp_path / name for name in order])
        assert [one.series for one in plan.series] == ["verse090"]  # it has the centroids
        (copy,) = plan.left_out
        assert "the same scan as" in copy.reason


def test_a_patient_on_both_sides_is_refused(tmp_path):
    touch(
        tmp_path,
        *scan("verse409_split-verse266", "training"),
        *scan("verse409_split-verse249", "test"),
    )
    with pytest.raises(ConfigError, match="verse409 has series in test and training"):
        plan_cohort([tmp_path])
    overrides = LabelOverrides({}, {"verse249": "training"})
    assert len(plan_cohort([tmp_path], None, overrides).series) == 2


def test_two_names_of_one_patient_in_the_table_leak_too(tmp_path):
    touch(tmp_path, *scan("verse266"), *scan("verse249"))
    known = table(verse266=("verse409", "training"), verse249=("verse409", "test"))
    with pytest.raises(ConfigError, match="verse409"):
        plan_cohort([tmp_path], known)


def test_a_twin_has_no_fracture(tmp_path):
    touch(tmp_path, *scan("phantom0001"), *scan("phantom0001_desc-twin"), *scan("phantom0002"))
    known = table(phantom0001=("phantom0001", "training"))
    scans = {one.series: one for one in plan_cohort([tmp_path], known).series}
    assert dict(scans["phantom0001"].grades) == {"L1": "G2"}
    twin = scans["phantom0001_desc-twin"]
    assert (twin.grades["L1"], twin.shapes["L1"]) == ("G0", "none")
    assert twin.grades["T5"] == "G0"  # whatever it shows
    assert twin.is_twin
    assert not scans["phantom0001"].is_twin
    assert [one.twin_id for one in scans.values()] == ["phantom0001", "phantom0001", None]


def test_phantoms_of_two_seeds_are_never_taken_for_copies(tmp_path):
    for name in ("a", "b"):
        touch(tmp_path / name, *scan("phantom0001"), "sub-phantom0001_truth.json")
    plan = plan_cohort([tmp_path / "a", tmp_path / "b"])
    assert len(plan.series) == 1
    (tmp_path / "b" / "sub-phantom0001_truth.json").write_text("another seed")
    with pytest.raises(ConfigError, match="two different phantoms are called phantom0001"):
        plan_cohort([tmp_path / "a", tmp_path / "b"])


def test_nothing_to_prepare(tmp_path):
    with pytest.raises(ConfigError, match="at least one folder"):
        plan_cohort([])
    touch(tmp_path, *scan("verse076", ct=False))
    with pytest.raises(ConfigError, match=r"no series is complete \(no CT\)"):
        plan_cohort([tmp_path])


def test_raters_grades_go_along_and_a_correction_stands_alone(tmp_path):
    touch(tmp_path, *scan("verse004"))
    votes = {"L1": ("G2", "G3"), "L2": ("G0", "G1")}
    record = SeriesRecord("verse004", "a", "training", {"L1": "G2", "L2": "G0"}, {}, votes)
    overrides = LabelOverrides({("verse004", "L2"): ("G2", "wedge")}, {})
    (one,) = plan_cohort([tmp_path], FractureTable({"verse004": record}), overrides).series
    assert dict(one.ratings) == {"L1": ("G2", "G3")}
