import csv
import io
import json
import zipfile

import pytest

from app.conftest import act
from spinexplain.data.table import read_fracture_table
from spinexplain.data.verse import find_series
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume


@pytest.fixture
def client(server, ready):
    client = server.client()
    act(client, ready, "word", "L1", {"verdict": "agree", "signs": ["retropulsion"]})
    act(client, ready, "word", "L3", {"verdict": "deformity", "deformity": "Schmorl"}, after=1)
    act(client, ready, "others", after=2)
    return client


def test_csv_has_a_row_a_vertebra_and_no_formula(client, ready):
    body = {"verdict": "agree", "comment": "=HYPERLINK(1)"}
    act(client, ready, "word", "L4", body, after=3)
    rows = list(csv.DictReader(io.StringIO(client.get(f"/scans/{ready}/reading.csv").text)))
    assert [row["level"] for row in rows] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    assert rows[1]["signs"] == "retropulsion"
    assert rows[4]["comment"] == "'=HYPERLINK(1)"


def test_json_holds_every_act(client, ready):
    content = client.get(f"/scans/{ready}/reading.json").json()
    assert [one["kind"] for one in content["acts"]] == ["word", "word", "others"]


def test_the_report_has_the_readers_word_on_top(client, ready):
    act(client, ready, "finalise", None, {"name": "Dr. Roentgen"}, after=3)
    answer = client.get(f"/scans/{ready}/report.html")
    page = answer.text
    assert page.index("Dr. Roentgen") < page.index("<header")
    assert "deformity, not fracture: Schmorl" in page
    policy = answer.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("shift", [0, 1])
def test_the_verse_files_are_read_by_prepares_own_readers(client, ready, tmp_path, shift):
    if shift:
        act(client, ready, "shift", None, {"by": 1}, after=3)
    content = client.get(f"/scans/{ready}/verse.zip").content
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    (series,) = find_series(tmp_path)
    assert series.missing is None
    table = read_fracture_table(tmp_path / "fracture-table.csv")
    record = table.series[series.table_id]
    names = ["T12", "L1", "L2", "L3", "L4", "L5", "L6"][shift:]
    # L5 is not assessable: without a word it has no grade.
    grades = dict(zip(names, ["G0", "G2", "G0", "G0", "G0", None], strict=False))
    expected = {level: grade for level, grade in grades.items() if grade}
    assert dict(record.grades) == expected
    ct = read_volume(series.ct)
    assert [v.level.value for v in read_centroids(series.centroids, ct)] == names[:6]
    labels = set(read_labels(series.mask).extents)
    assert labels == {19, 20, 21, 22, 23, 24} if not shift else {20, 21, 22, 23, 24, 25}


def test_the_verse_files_say_what_the_model_called_each_vertebra(client, ready):
    content = client.get(f"/scans/{ready}/verse.zip").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        said = json.loads(archive.read("corrections.json"))
    known = {one["level"]: one for one in said["vertebrae"]}
    assert known["L3"]["reader"] == "G0"
    assert known["L1"]["model"] is not None
    assert len(said["ct_sha256"]) == 64
    assert "local" not in json.dumps(said)
