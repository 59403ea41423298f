import json

import pytest

from spinexplain.errors import FileFormatError
from spinexplain.jobs.batch.index import read_index, write_index
from spinexplain.jobs.batch.manifest import ArchiveScan
from spinexplain.jobs.batch.outcome import REFUSED, Outcome, write_refusal

RESULT = {
    "ct": {"sha256": "ab", "spacing_mm": [1, 2, 3]},
    "models": [{"sha256": "cd"}],
    "vertebrae": [
        {
            "level": "L1",
            "grade": "G2",
            "probabilities": {"G0": 0.2, "G2": 0.8},
            "heights": {"loss": 0.3, "class": 2},
            "agreement": True,
        },
        {"level": "L2", "grade": None, "probabilities": {}, "heights": None, "agreement": None},
    ],
}
FACTS = {
    "age": 70,
    "sex": "F",
    "seconds": 1.5,
    "fractured": {"L1": True},
    "body_hu": {"L1": 120.0, "L2": None},
}


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans" / "one"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(RESULT))
    (folder / "facts.json").write_text(json.dumps(FACTS))
    write_refusal(tmp_path, Outcome("two", REFUSED, "GeometryError", "gaps"))
    return [ArchiveScan(name, tmp_path, labels=tmp_path) for name in ("one", "two", "three")]


def test_one_row_a_scan_and_a_vertebra(tmp_path, scans):
    write_index(scans, tmp_path)
    by_scan, by_vertebra = read_index(tmp_path)
    assert by_scan["name"].tolist() == ["one", "two"]
    assert by_scan["reason"].tolist()[1] == "GeometryError"
    assert by_scan["spacing_z_mm"].tolist()[0] == 3
    assert by_vertebra["level"].tolist() == ["L1", "L2"]
    assert by_vertebra["fractured"].tolist()[0] is True
    assert by_vertebra["fractured"].isna().tolist() == [False, True]
    assert by_vertebra["score"].tolist()[0] == 0.8
    assert by_vertebra["grade"].isna().tolist() == [False, True]
    assert by_vertebra["height_loss_class"].tolist()[0] == 2


def test_an_archive_of_refusals_alone(tmp_path, scans):
    write_index(scans[1:], tmp_path)
    by_scan, by_vertebra = read_index(tmp_path)
    assert (len(by_scan), len(by_vertebra)) == (1, 0)


def test_a_folder_without_index_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="Run batch first"):
        read_index(tmp_path)
