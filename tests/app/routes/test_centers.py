import io

import numpy as np
import pytest
from PIL import Image

from app.conftest import act, state_of
from fixtures.scans import THORACIC
from spinexplain.app import worker
from spinexplain.errors import LabelError
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_volume


@pytest.fixture
def waiting(server, monkeypatch):
    def refuse(request, progress):
        raise LabelError("no thoracic or lumbar vertebrae were found in this scan: a block.")

    monkeypatch.setattr(worker, "grade_to_folder", refuse)
    client = server.client()
    scan_id = client.post("/scans", data={"name": "raw"}).json()["id"]
    ct = (THORACIC / "thoracic_ct.nii.gz").read_bytes()
    client.put(f"/scans/{scan_id}/files/ct", content=ct)
    client.post(f"/scans/{scan_id}/queue")
    worker.grade_next(server.database, server.folder)
    return client, scan_id


def test_clicks_become_centers_within_half_a_millimeter(server, waiting):
    client, scan_id = waiting
    page = client.get(f"/scans/{scan_id}/").text
    assert "click the body centers" in page
    assert "found in this scan: a block." in page
    places = client.get(f"/scans/{scan_id}/slices").json()
    volume = read_volume(THORACIC / "thoracic_ct.nii.gz")
    known = read_centroids(THORACIC / "thoracic_ctd.json", volume)[:3]
    clicks = []
    for vertebra in known:
        x, y, z = vertebra.centroid_mm
        # What the page computes of a click on the pixel under the center.
        column, row = round(places["first_mm"][1] - y), round(places["first_mm"][2] - z)
        center = [x, places["first_mm"][1] - column, places["first_mm"][2] - row]
        clicks.append({"level": vertebra.level.value, "center_mm": center})
    answer = client.post(f"/scans/{scan_id}/centers", json={"centers": clicks})
    assert answer.json() == {"state": "queued"}
    stored = read_centroids(server.folder.input(scan_id, "centroids"), volume)
    for one, other in zip(stored, known, strict=True):
        assert one.level is other.level
        assert np.abs(np.subtract(one.centroid_mm, other.centroid_mm)).max() <= 0.51


def test_a_slice_is_as_large_as_it_says(waiting):
    client, scan_id = waiting
    places = client.get(f"/scans/{scan_id}/slices").json()
    middle = sum(places["x_mm"]) / 2
    answer = client.get(f"/scans/{scan_id}/slices/sagittal.png", params={"x_mm": middle})
    size = Image.open(io.BytesIO(answer.content)).size
    assert size == (places["columns"], places["rows"])


def test_centers_that_were_graded_can_be_corrected_until_a_reader_says_a_word(server, ready):
    client = server.client()
    mask = server.folder.input(ready, "labels")
    assert client.get(f"/scans/{ready}/centers").status_code == 409  # it came with a mask
    mask.unlink()
    assert 'href="centers"' in client.get(f"/scans/{ready}/").text
    assert "Drag a ring" in client.get(f"/scans/{ready}/centers").text
    found = client.get(f"/scans/{ready}/slices").json()["found"]
    assert [one["level"] for one in found] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    act(client, ready, "word", "L1", {"verdict": "agree"})
    assert client.post(f"/scans/{ready}/centers", json={"centers": found}).status_code == 409
    assert 'href="centers"' not in client.get(f"/scans/{ready}/").text
    act(client, ready, "undo", None, {}, 1)  # what was said stays in the record
    assert client.post(f"/scans/{ready}/centers", json={"centers": found}).status_code == 409


def test_corrected_centers_are_graded_again(server, ready):
    client = server.client()
    server.folder.input(ready, "labels").unlink()
    found = client.get(f"/scans/{ready}/slices").json()["found"]
    found[0]["center_mm"][2] += 4
    answer = client.post(f"/scans/{ready}/centers", json={"centers": found})
    assert answer.json() == {"state": "queued"}
    volume = read_volume(server.folder.input(ready, "ct"))
    stored = read_centroids(server.folder.input(ready, "centroids"), volume)
    assert np.allclose(stored[0].centroid_mm, found[0]["center_mm"], atol=0.01)


def test_a_level_twice_is_refused(server, waiting):
    client, scan_id = waiting
    clicks = [{"level": "L1", "center_mm": [0, 0, z]} for z in (0, 30)]
    answer = client.post(f"/scans/{scan_id}/centers", json={"centers": clicks})
    assert answer.status_code == 422
    assert state_of(server, scan_id).state == "needs_centers"
