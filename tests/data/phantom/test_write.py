import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from spinexplain.data.phantom import write as writing
from spinexplain.data.phantom.wide.subject import make_wide_subject
from spinexplain.data.phantom.write import begun_subjects, write_phantom
from spinexplain.data.table import read_fracture_table
from spinexplain.data.verse import find_series
from spinexplain.errors import ConfigError, OutputError
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume


@pytest.fixture(scope="module")
def written(tmp_path_factory, lumbar_scan):
    """What is written of a scan; that the scan is drawn from preset and seed is test_scan's."""
    out = tmp_path_factory.mktemp("phantoms") / "out"
    asked = []

    def make(*what, twin):
        asked.append((*what, twin))
        return lumbar_scan

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "make_subject", make)
        write_phantom(out, subjects=1, seed=3, preset="demo", twins=True)
    assert asked == [("demo", 3, 0, True)]
    return out


def test_the_folders_read_like_verse(written, lumbar_scan):
    series = {files.series: files for files in find_series(written)}
    assert set(series) == {"phantom0001", "phantom0001_desc-twin"}
    files = series["phantom0001"]
    assert set(files.masks) == {"vert", "body", "evidence"}
    volume, labels = read_volume(files.ct), read_labels(files.mask)
    assert np.array_equal(volume.array, lumbar_scan.image.volume.array)
    assert np.array_equal(labels.array, lumbar_scan.image.labels.array)
    for read, true in zip(
        read_centroids(files.centroids, volume), lumbar_scan.image.vertebrae, strict=True
    ):
        assert read.level == true.level
        assert np.linalg.norm(np.subtract(read.centroid_mm, true.centroid_mm)) < 0.02


def test_the_table_and_the_truth_agree(written):
    record = read_fracture_table(written / "fractures.csv").series["phantom0001"]
    path = next(written.glob("derivatives/*/*_truth.json"))
    truth = json.loads(path.read_text())
    grades = {v["level"]: f"G{v['grade']}" for v in truth["vertebrae"]}
    assert record.grades == grades
    assert truth["schema"] == "spinexplain/phantom-truth/1"
    assert truth["grid"] == {"gantry_tilt_deg": 0.0, "oblique": False}
    people = (written / "participants.tsv").read_text().splitlines()
    assert people[1].split("\t")[:2] == ["sub-phantom0001", truth["patient"]["sex"]]
    worst = next(v for v in truth["vertebrae"] if v["level"] == "T12")
    after, expected = worst["heights_mm"]["after"], worst["heights_mm"]["expected"]
    assert worst["loss"] == pytest.approx(
        max(1 - after[site] / expected[site] for site in after), abs=1e-3
    )


def test_complete_subjects_are_kept_and_interrupted_ones_made_again(
    written, lumbar_scan, monkeypatch
):
    monkeypatch.setattr(writing, "make_subject", lambda *a, **k: pytest.fail("made again"))
    write_phantom(written, subjects=1, seed=3, preset="demo", twins=True)
    truth = next(written.glob("derivatives/*/*_truth.json"))
    kept = truth.read_bytes()
    truth.unlink()
    half = truth.parent / ".4711-half-written_msk.nii.gz"  # as a killed process leaves it
    half.write_bytes(b"half")
    monkeypatch.setattr(writing, "make_subject", lambda *_, twin: lumbar_scan)
    write_phantom(written, subjects=1, seed=3, preset="demo", twins=True)
    assert truth.read_bytes() == kept
    assert not half.exists()


def test_fewer_subjects_than_are_there_keep_their_rows(written, lumbar_scan, tmp_path, monkeypatch):
    """One complete and one interrupted subject beyond the one that is asked for."""
    out = tmp_path / "more"
    shutil.copytree(written, out)
    make_like_the_first(out, 4)
    (out / "rawdata" / "sub-phantom0006").mkdir()
    (out / "rawdata" / "sub-phantom00001").mkdir()  # no name of ours
    assert begun_subjects(out) == [0, 3, 5]
    made = []

    def make(preset, seed, index, twin):
        made.append(index)
        return replace(lumbar_scan, twin=None, name=f"phantom{index + 1:04d}")

    monkeypatch.setattr(writing, "make_subject", make)
    table = write_phantom(out, subjects=1, seed=3, preset="demo", twins=True)
    assert made == [5]
    splits = {name: one.split for name, one in read_fracture_table(table).series.items()}
    assert splits == {"phantom0001": "training", "phantom0004": "test", "phantom0006": "training"}
    people = (out / "participants.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in people[1:]] == [
        "sub-phantom0001",
        "sub-phantom0004",
        "sub-phantom0006",
    ]


def make_like_the_first(out, number):
    """Put a complete subject of that number, without its twin, beside the first."""
    name = f"sub-phantom{number:04d}"
    truth = json.loads(next(out.glob("derivatives/*/*_truth.json")).read_text())
    (out / "rawdata" / name).mkdir()
    path = out / "derivatives" / name / f"{name}_truth.json"
    path.parent.mkdir()
    path.write_text(json.dumps(truth | {"subject": name.removeprefix("sub-"), "twin": False}))


def test_what_is_not_ours_is_not_touched(written, tmp_path):
    with pytest.raises(OutputError, match="seed 3"):
        write_phantom(written, 1, seed=4, preset="demo")
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds no phantoms"):
        write_phantom(tmp_path, 1, seed=4, preset="demo", force=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="subjects=0"):
        write_phantom(tmp_path / "out", 0, seed=1)
    with pytest.raises(ConfigError, match="preset 'x'"):
        write_phantom(tmp_path / "out", 1, seed=1, preset="x")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_side_by_side_writes_the_same_bytes(spines, tmp_path):
    out = tmp_path / "two"
    write_phantom(out, subjects=2, seed=7, preset="demo", jobs=2)
    for name in ("sub-phantom0001", "sub-phantom0002"):
        files = [path.relative_to(out) for path in out.glob(f"*/{name}/*")]
        assert len(files) >= 5
        assert all((out / path).read_bytes() == (spines / path).read_bytes() for path in files)
    assert len(find_series(out)) == 2


def test_wide_presets_are_written_with_what_lies_around_the_spine(
    tmp_path, monkeypatch, coarse_wide
):
    monkeypatch.setattr(
        writing, "make_wide_subject", lambda name, *more: make_wide_subject(coarse_wide, *more)
    )
    out = tmp_path / "wide"
    write_phantom(out, subjects=1, seed=2, preset="wide-test")
    (files,) = find_series(out)
    volume = read_volume(files.ct)
    read = read_centroids(files.centroids, volume)
    assert len(read) > 1
    found = json.loads(next(out.glob("derivatives/*/*_truth.json")).read_text(encoding="utf-8"))
    shown = found["levels_in_view"]
    assert shown == [v.level.value for v in read]
    assert all(found["wide"]["bodies"][name]["in_view"] == 1 for name in shown)
    with pytest.raises(ConfigError, match="no healthy twin"):
        write_phantom(tmp_path / "no", subjects=1, seed=2, preset="wide", twins=True)
