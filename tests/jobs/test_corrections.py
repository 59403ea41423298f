import csv
import shutil

import pytest

from spinexplain.config.training import read_config
from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.jobs.corrections import read_corrections
from spinexplain.jobs.train import TrainRequest, train_to_bundle


@pytest.fixture
def case(finished_run, tiny_toml):
    return read_config(tiny_toml), Cohort.open(finished_run[1])


def test_a_zip_and_its_folder_are_read_alike(case, exported, tmp_path):
    config, cohort = case
    folder = exported()
    archive = shutil.make_archive(str(tmp_path / "verse"), "zip", folder)
    found = [
        read_corrections([str(path)], tmp_path / name, config, cohort, None)
        for name, path in (("a", folder), ("b", archive))
    ]
    for one in found:
        assert one.data.levels.tolist() == ["L1", "L2", "L3"]
        assert one.data.grades.tolist() == [2, 0, 0]
        assert one.before == ("G0", "G0", None)
        assert one.data.subjects.tolist() == ["readerabc"] * 3


def test_a_stated_name_is_held_against_the_cohort(case, exported, tmp_path):
    config, cohort = case
    said = str(cohort.index["subject"].iloc[0])
    found = read_corrections([f"{exported()}={said}"], tmp_path / "a", config, cohort, None)
    assert set(found.data.subjects) == {said}


def test_training_learns_from_corrections_and_says_what_changed(
    finished_run, tiny_toml, exported, tmp_path
):
    out = tmp_path / "run"
    request = TrainRequest(str(tiny_toml), finished_run[1], out, add=(str(exported()),))
    train_to_bundle(request)
    with (out / "corrections.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["level"], row["model_before"], row["reader"]) for row in rows] == [
        ("L1", "G0", "G2"),
        ("L2", "G0", "G0"),
        ("L3", "", "G0"),
    ]
    assert {row["model_after"] for row in rows} <= {"G0", "G2", "G3"}
    card = (out / "bundle" / "MODEL_CARD.md").read_text()
    assert "3 of them corrected by readers" in card


def test_a_validation_subject_is_refused_and_nothing_is_left(
    finished_run, tiny_toml, exported, tmp_path
):
    from spinexplain.train.curation.sets import curation_sets

    config, cohort = read_config(tiny_toml), Cohort.open(finished_run[1])
    held = curation_sets(config, cohort, "training").validation_subjects[0]
    out = tmp_path / "run"
    request = TrainRequest(str(tiny_toml), finished_run[1], out, add=(f"{exported()}={held}",))
    with pytest.raises(ConfigError, match="set aside for validation"):
        train_to_bundle(request)
    assert not out.exists()


@pytest.mark.parametrize("broken", ["missing", "zip", "json", "schema"])
def test_what_is_no_export_is_one_line(broken, case, exported, tmp_path):
    config, cohort = case
    folder = exported()
    path = folder
    if broken == "missing":
        path = tmp_path / "none"
    elif broken == "zip":
        path = tmp_path / "x.zip"
        path.write_bytes(b"PK nothing")
    elif broken == "json":
        (folder / "corrections.json").write_text("[")
    else:
        (folder / "corrections.json").write_text('{"schema": "x"}')
    with pytest.raises(FileFormatError, match="reader"):
        read_corrections([str(path)], tmp_path / "a", config, cohort, None)
