import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.cohort import Cohort
from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.prepare import UNLOCATED, PrepareOptions, prepare
from spinexplain.data.schema import KINDS
from spinexplain.errors import ConfigError, FileFormatError, OutputError

HERE = Path(__file__).parent
PLAIN = PrepareOptions(thumbnails=False)
LEVELS = [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 7)]


def write_table(path, rows):
    """``rows``: (verse_ID, subject_ID, dataset, {level: grade})."""
    header = ["verse_ID", "subject_ID", "dataset", *(f"{level}_fx-g" for level in LEVELS)]
    header += [f"{level}_fx-s" for level in LEVELS]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for series, subject, split, grades in rows:
            shapes = {level: grade if grade in {0, "x"} else 1 for level, grade in grades.items()}
            cells = [values.get(level) for values in (grades, shapes) for level in LEVELS]
            writer.writerow([series, subject, split, *cells])
    return path


def write_sources(root, block_scan):
    block_scan("verse004", hu={"T1": 400}).write(root)
    block_scan("verse005", ("T1", "T2", "T3"), "dataset-verse19test", seed=1).write(root)
    block_scan("verse006_split-verse007", ("L4", "L5"), seed=2).write(root)
    return root


def write_example(tmp_path, block_scan):
    sources = write_sources(tmp_path / "verse", block_scan)
    table = write_table(
        tmp_path / "table.csv",
        [
            (4, 4, "training", {"T1": 1, "T2": 0, "L1": 0}),
            (5, 5, "test secret", {"T1": 3, "T2": "x"}),
            (7, 6, "training", {"L4": 0, "L5": 2}),
        ],
    )
    return sources, table


@pytest.fixture
def example(tmp_path, block_scan):
    return write_example(tmp_path, block_scan)


def labels_of(cohort):
    index = cohort.index
    grades = index.grade.where(index.grade.notna(), "-")
    return dict(zip(zip(index.series, index.level, strict=True), grades, strict=True))


def test_the_cohort_has_the_patches_and_labels_of_every_graded_level(tmp_path, example):
    sources, table = example
    cohort = prepare([sources], table, tmp_path / "cohort")
    assert labels_of(cohort) == {
        ("verse004", "T1"): "G1",
        ("verse004", "T2"): "G0",
        ("verse005", "T1"): "G3",
        ("verse005", "T2"): "x",
        ("verse005", "T3"): "-",
        ("verse007", "L4"): "G0",
        ("verse007", "L5"): "G2",
    }
    index = cohort.index.set_index("series")
    assert index.split.to_dict() == {
        "verse004": "training",
        "verse005": "test",
        "verse007": "training",
    }
    assert index.subject["verse007"].tolist() == ["verse006"] * 2
    assert cohort.kinds == ("patches_2d", "labels_2d")
    bright = cohort.patches_2d[0][cohort.labels_2d[0] == 8]
    assert abs(np.median(bright) - 440) < 10


def test_the_summary_says_what_is_not_there_and_why(tmp_path, example, block_scan):
    sources, table = example
    block_scan("verse008", with_ct=False).write(sources)
    prepare([sources], table, tmp_path / "cohort")
    summary = json.loads((tmp_path / "cohort" / "summary.json").read_text())
    left_out = {(one["series"], one["level"]): one["reason"] for one in summary["left_out"]}
    assert left_out == {
        ("verse008", None): "no CT",
        ("verse004", "C7"): "cervical levels are not graded",
        ("verse004", "L1"): UNLOCATED,
    }
    assert summary["by_split"]["training"]["G2"] == 1
    assert summary["remarks"] == ["no folds were made: 3 subjects are fewer than 5"]


def test_a_broken_scan_is_left_out_and_does_not_stop_the_others(tmp_path, example):
    sources, table = example
    (ct,) = sources.rglob("sub-verse005_ct.nii.gz")
    ct.write_bytes(ct.read_bytes()[:5000])
    cohort = prepare([sources], table, tmp_path / "cohort")
    assert set(cohort.index.series) == {"verse004", "verse007"}
    summary = json.loads((tmp_path / "cohort" / "summary.json").read_text())
    (broken,) = [one for one in summary["left_out"] if one["series"] == "verse005"]
    assert "sub-verse005_ct.nii.gz" in broken["reason"]


def test_processes_give_the_same_cohort_as_one(tmp_path, example):
    sources, table = example
    one = prepare([sources], table, tmp_path / "one")
    two = prepare([sources], table, tmp_path / "two", PrepareOptions(jobs=2))
    assert one.index.equals(two.index)
    np.testing.assert_array_equal(one.patches_2d[range(7)], two.patches_2d[range(7)])
    for name in ("summary.json", "folds.csv", "cohort.json"):
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


def test_folds_are_written_and_can_be_given_back(tmp_path, example):
    sources, table = example
    first = prepare([sources], table, tmp_path / "a", PrepareOptions(folds=3))
    folds = dict(zip(first.index.subject, first.index.fold, strict=True))
    assert sorted(folds.values()) == [0, 1, 2]
    options = PrepareOptions(folds=first.path / "folds.csv")
    second = prepare([sources], table, tmp_path / "b", options)
    assert dict(zip(second.index.subject, second.index.fold, strict=True)) == folds


def test_more_folds_than_subjects_are_refused_before_a_scan_is_read(tmp_path, example):
    sources, table = example
    with pytest.raises(ConfigError, match="folds is 9; expected 2 to 3, the number of subjects"):
        prepare([sources], table, tmp_path / "c", PrepareOptions(folds=9))
    assert not (tmp_path / "c").exists()


def test_a_broken_scan_that_leaves_too_few_subjects_costs_no_other(tmp_path, example):
    """Three subjects are planned, one cannot be read: two folds go on from what is there."""
    sources, table = example
    (ct,) = sources.rglob("sub-verse005_ct.nii.gz")
    ct.write_bytes(ct.read_bytes()[:5000])
    with pytest.raises(ConfigError, match="folds is 3; expected 2 to 2"):
        prepare([sources], table, tmp_path / "c", PrepareOptions(folds=3))
    with pytest.raises(ConfigError, match="not finished"):
        Cohort.open(tmp_path / "c")
    kept = finished(tmp_path / "c" / "shards")
    assert len(kept) == 2
    cohort = prepare([sources], table, tmp_path / "c", PrepareOptions(folds=2))
    assert set(cohort.index.fold) == {0, 1}
    assert finished(tmp_path / "c" / "shards") == kept


def test_overrides_change_labels_without_touching_images(tmp_path, example):
    sources, table = example
    out = tmp_path / "cohort"
    before = prepare([sources], table, out)
    stamps = {path: path.stat().st_mtime_ns for path in (out / "shards").rglob("*")}
    (tmp_path / "overrides.csv").write_text("series,level,grade\n4,T2,G2\n5,T1,\n")
    options = PrepareOptions(overrides=tmp_path / "overrides.csv", force=True)
    after = labels_of(prepare([sources], table, out, options))
    assert {key: after[key] for key in after if after[key] != labels_of(before)[key]} == {
        ("verse004", "T2"): "G2",
        ("verse005", "T1"): "-",
    }
    assert {path: path.stat().st_mtime_ns for path in (out / "shards").rglob("*")} == stamps


def test_changed_scans_are_prepared_again(tmp_path, example, block_scan):
    sources, table = example
    out = tmp_path / "cohort"
    old = prepare([sources], table, out)
    block_scan("verse004", hu={"T1": 900}).write(sources)
    new = prepare([sources], table, out, PrepareOptions(force=True))
    assert np.median(new.patches_2d[0][new.labels_2d[0] == 8]) > 900
    np.testing.assert_array_equal(old.index.ct_sha256[2:], new.index.ct_sha256[2:])
    assert old.index.ct_sha256[0] != new.index.ct_sha256[0]


def test_sources_that_are_taken_away_leave_the_cohort(tmp_path, example):
    sources, table = example
    prepare([sources], table, tmp_path / "c")
    only = sources / "dataset-verse19test"
    cohort = prepare([only], table, tmp_path / "c", PrepareOptions(force=True))
    assert set(cohort.index.series) == {"verse005"}
    assert len(list((tmp_path / "c" / "shards").iterdir())) == 1


def test_a_finished_cohort_is_not_overwritten(tmp_path, example):
    sources, table = example
    prepare([sources], table, tmp_path / "c")
    stamp = (tmp_path / "c" / "index.parquet").stat().st_mtime_ns
    with pytest.raises(OutputError, match=r"finished cohort exists already.*--force"):
        prepare([sources], table, tmp_path / "c")
    assert (tmp_path / "c" / "index.parquet").stat().st_mtime_ns == stamp


def test_without_a_table_nothing_is_graded(tmp_path, example):
    cohort = prepare([example[0]], None, tmp_path / "c", PrepareOptions(thumbnails=False))
    assert cohort.index.grade.isna().all()
    assert set(cohort.index.split) == {"training", "test"}
    assert not (tmp_path / "c" / "thumbnails").exists()


def test_nothing_is_written_when_a_patient_is_on_both_sides(tmp_path, example):
    sources, _ = example
    rows = [(4, 4, "training", {}), (5, 4, "test secret", {})]
    table = write_table(tmp_path / "leak.csv", rows)
    with pytest.raises(ConfigError, match="verse004 has series in test and training"):
        prepare([sources], table, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_nothing_can_be_prepared(tmp_path, block_scan):
    sources = block_scan("verse004").write(tmp_path / "v")
    for path in sources.rglob("*_ct.nii.gz"):
        path.write_bytes(b"not a scan")
    with pytest.raises(ConfigError, match=r"none of 1 series.*verse004: .*_ct\.nii\.gz"):
        prepare([sources], None, tmp_path / "c")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PrepareOptions(patches="4d"), "patches is '4d'"),
        (PrepareOptions(jobs=0), "jobs is 0"),
        (PrepareOptions(folds=1), "folds is 1"),
    ],
)
def test_options_out_of_range(tmp_path, example, options, message):
    with pytest.raises(ConfigError, match=message):
        prepare([example[0]], None, tmp_path / "c", options)
    assert not (tmp_path / "c").exists()


def test_missing_csvs_are_found_before_any_work(tmp_path, example):
    for options in (
        PrepareOptions(overrides=tmp_path / "none.csv"),
        PrepareOptions(folds=tmp_path / "none.csv"),
    ):
        with pytest.raises(FileFormatError, match=r"none\.csv"):
            prepare([example[0]], None, tmp_path / "c", options)


@pytest.mark.parametrize("name", ["a b", "ä脊'\"", "<b>&amp;", "new\nline", "%s{0}$(x)"])
def test_hostile_names_survive(tmp_path, block_scan, name):
    subject = name.replace("\n", "")  # of BIDS names; folders may hold anything
    sources = block_scan(subject, ("L1", "L2")).write(tmp_path / name)
    cohort = prepare([sources], None, tmp_path / f"out {name}")
    assert set(cohort.index.series) == {subject}
    assert cohort.patches_2d[[0, 1]].shape == (2, 144, 144)
    assert all(path.name.isascii() for path in (cohort.path / "shards").iterdir())


def start_prepare(sources, table, out, jobs):
    """Run prepare in a process of its own that can be killed."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from spinexplain.data.prepare import PrepareOptions, prepare\n"
        "if __name__ == '__main__':\n"
        "    sources, table, out, jobs = sys.argv[1:]\n"
        "    prepare([sources], table, out, PrepareOptions(jobs=int(jobs), thumbnails=False))\n"
    )
    script = Path(out).parent / "run_prepare.py"
    script.write_text(program)
    command = [sys.executable, str(script), str(sources), str(table), str(out), str(jobs)]
    return subprocess.Popen(command, start_new_session=True)


def children_of(pid):
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()] if task.exists() else []


@pytest.fixture(scope="module")
def eight(tmp_path_factory, block_scan):
    """Eight scans, their table, and the cohort that is made of them at one go."""
    root = tmp_path_factory.mktemp("eight")
    for number in range(8):
        block_scan(f"verse{number:03d}", LEVELS[:4], seed=number).write(root / "verse")
    table = write_table(root / "table.csv", [(0, 0, "training", {"T1": 2})])
    return root / "verse", table, prepare([root / "verse"], table, root / "fresh", PLAIN)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_any_time_it_goes_on_where_it_stopped(tmp_path, eight, jobs):
    sources, table, fresh = eight
    shards = tmp_path / "c" / "shards"
    process = start_prepare(sources, table, tmp_path / "c", jobs)
    while process.poll() is None and len(finished(shards)) < 2:
        time.sleep(0.02)
    assert process.poll() is None, "it ended before it could be killed"
    workers = children_of(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for_the_end_of(workers)
    before = finished(shards)
    assert 2 <= len(before) < 8
    with pytest.raises(ConfigError, match="not finished"):
        Cohort.open(tmp_path / "c")
    cohort = prepare([sources], table, tmp_path / "c", PLAIN)
    after = finished(shards)
    assert {key: after[key] for key in before} == before
    assert len(after) == 8
    assert not list(shards.glob(".*"))
    assert cohort.index.equals(fresh.index)
    some = range(0, len(cohort), 3)
    np.testing.assert_array_equal(cohort.patches_2d[some], fresh.patches_2d[some])


def finished(shards):
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in shards.glob("*/rows.parquet")
        if not path.parent.name.startswith(".")
    }


def wait_for_the_end_of(workers):
    """Workers must not outlive their parent."""
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def test_a_scan_of_the_neck_alone_gives_no_cohort(tmp_path, block_scan):
    sources = block_scan("verse004", ("C5", "C6", "C7")).write(tmp_path / "v")
    with pytest.raises(ConfigError, match="no vertebra was stored"):
        prepare([sources], None, tmp_path / "c")


def test_every_series_is_a_step_and_those_that_are_there_count_as_done(tmp_path, example, listener):
    sources, table = example
    prepare([sources], table, tmp_path / "c", progress=listener)
    assert listener.steps == [("preparing", done, 3) for done in range(4)]
    listener.steps.clear()
    prepare([sources], table, tmp_path / "c", PrepareOptions(force=True), listener)
    assert listener.steps == [("preparing", 3, 3)]


def write_real_scans(root):
    """The two real CTs of this folder under VerSe's names: one with a mask, one with centers."""
    lumbar, thoracic = HERE / "totalsegmentator-example", HERE / "totalsegmentator-thoracic"
    names = {
        lumbar / "example_ct.nii.gz": "sub-lumbar_ct.nii.gz",
        lumbar / "totalseg_vertebrae_pp_refined.nii.gz": "sub-lumbar_seg-vert_msk.nii.gz",
        thoracic / "thoracic_ct.nii.gz": "sub-thoracic_ct.nii.gz",
        thoracic / "thoracic_ctd.json": "sub-thoracic_seg-subreg_ctd.json",
    }
    root.mkdir()
    for path, name in names.items():
        shutil.copy(path, root / name)
    return root


def test_real_scans_are_prepared(tmp_path):
    sources = write_real_scans(tmp_path / "v")
    cohort = prepare([sources], None, tmp_path / "c", PrepareOptions(patches="both"))
    levels = cohort.index.groupby("subject")["level"].apply(list)
    assert levels["lumbar"] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    assert levels["thoracic"] == [f"T{level}" for level in range(3, 13)]
    assert cohort.has("labels_2d").sum() == 6
    lost = cohort.index.groupby("subject")["measured_loss"].apply(list)
    assert np.isfinite(lost["lumbar"]).any()
    assert np.isnan(lost["thoracic"]).all()  # centers alone
    assert (cohort.index["measured_loss_sd"].dropna() >= 0.05).all()
    middle = np.s_[:, 62:82, 62:82]  # 20 mm around each center: cancellous bone
    assert (np.median(cohort.read("patches_2d", range(16))[middle], axis=(1, 2)) > 60).all()
    patch = cohort.patch(3, "3d")
    center = patch.frame.to_patch(np.array(patch.vertebra.centroid_mm))
    np.testing.assert_allclose(center, [55.5] * 3, atol=1e-6)


@pytest.mark.slow
def test_phantom_folders_are_read_like_verse(tmp_path, marked_scan, monkeypatch):
    """A person with planted marks, as the preset "shortcut" draws them, cut to five levels."""
    from spinexplain.data.phantom import write as writing

    monkeypatch.setattr(writing, "make_subject", lambda *_, **__: marked_scan)
    table = writing.write_phantom(tmp_path / "phantom", subjects=1, seed=3, preset="shortcut")
    truth = json.loads(next((tmp_path / "phantom").rglob("*_truth.json")).read_text())
    assert any(one["grade"] for one in truth["vertebrae"])
    options = PrepareOptions(patches="both")
    cohort = prepare([tmp_path / "phantom"], table, tmp_path / "c", options)
    # Parts are drawn with sheets; a scan on disk does not hold them.
    assert set(cohort.kinds) == {kind for kind in KINDS if not kind.startswith("part_")}
    assert cohort.shortcut_3d[range(len(cohort))].any()
    assert not cohort.index.healthy_twin.any()
    known = {one["level"]: one for one in truth["vertebrae"]}
    assert set(cohort.index.level) == set(known)
    for row, level in enumerate(cohort.index.level):
        grade = "x" if known[level]["foreign_material"] else f"G{known[level]['grade']}"
        assert cohort.index.grade[row] == grade
        assert cohort.index.loss[row] == known[level]["loss"]
        for evidence in (cohort.evidence_2d[row], cohort.evidence_3d[row]):
            assert evidence.any() == (known[level]["grade"] not in (0, None))
        own = cohort.body_2d[row] == VertebraLevel(level).verse_label
        center = np.argwhere(own).mean(axis=0)
        np.testing.assert_allclose(center, [71.5, 71.5], atol=4.0)
        inside = cohort.body_3d[row][56, 56, 56]
        assert inside == VertebraLevel(level).verse_label
    assert cohort.index.synthetic.all()


def test_a_cohort_begun_with_other_patches_is_not_mixed(tmp_path, example):
    sources, table = example
    CohortWriter.create(tmp_path / "c", {"patches": "3d", "preparation": 1})
    with pytest.raises(OutputError, match="begun with other settings"):
        prepare([sources], table, tmp_path / "c")


def mount_small_disk(path, kilobytes):
    """Mount a tmpfs; skip where that is not allowed."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(path)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "small"
    mount_small_disk(path, 400)
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_is_told_and_finished_series_are_kept(tmp_path, block_scan, small_disk, jobs):
    sources = tmp_path / "v"
    for number in range(6):
        block_scan(f"verse{number:03d}", LEVELS[:10], seed=number).write(sources)
    with pytest.raises(OutputError, match=r"No space left.*finished series are kept"):
        prepare([sources], None, small_disk / "c", PrepareOptions(jobs=jobs))
    shards = list((small_disk / "c" / "shards").iterdir())
    assert 1 <= len(shards) < 6
    assert not [path for path in shards if path.name.startswith(".")]
    with pytest.raises(ConfigError, match="not finished"):
        Cohort.open(small_disk / "c")
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    kept = finished(small_disk / "c" / "shards")
    cohort = prepare([sources], None, small_disk / "c")
    assert cohort.index.series.nunique() == 6
    assert {key: finished(small_disk / "c" / "shards")[key] for key in kept} == kept


@pytest.fixture
def permissions_count(tmp_path):
    closed = tmp_path / "closed-file"
    closed.write_text("")
    closed.chmod(0)
    if os.access(closed, os.R_OK):
        pytest.skip("this user may read and write everywhere")


def test_unwritable_and_unreadable_folders_are_named(tmp_path, example, permissions_count):
    sources, table = example
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    with pytest.raises(OutputError, match=r"closed.*Permission denied"):
        prepare([sources], table, closed / "c")
    hidden = next(sources.rglob("rawdata"))
    hidden.chmod(0)
    try:
        with pytest.raises(FileFormatError, match=r"rawdata.*Permission denied"):
            prepare([sources], table, tmp_path / "c")
    finally:
        hidden.chmod(0o700)
    assert not (tmp_path / "c").exists()


def test_an_unreadable_scan_is_left_out(tmp_path, example, permissions_count):
    sources, table = example
    ct = next(sources.rglob("sub-verse005_ct.nii.gz"))
    ct.chmod(0)
    cohort = prepare([sources], table, tmp_path / "c")
    assert set(cohort.index.series) == {"verse004", "verse007"}
    assert "Permission denied" in (cohort.path / "summary.json").read_text()
