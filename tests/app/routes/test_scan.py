import io
import re

import numpy as np
import pytest
from PIL import Image

from app.conftest import act, state_of
from spinexplain.app.schema import Scan


@pytest.fixture
def client(server):
    return server.client()


def test_the_page_shows_the_whole_spine_at_once(client, ready):
    page = client.get(f"/scans/{ready}/").text
    assert page.count('class="mark overlay"') == 6
    (picture,) = set(re.findall(r'href="(pictures/p[0-9a-f]{16}\.png)"', page))
    answer = client.get(f"/scans/{ready}/{picture}")
    assert answer.headers["content-type"] == "image/png"
    assert "Not a medical device" in page


@pytest.mark.parametrize("level", ["T12", "L1", "L2", "L3", "L4", "L5"])
def test_every_level_can_be_examined(client, ready, level):
    """Not only suspicious ones: planes, heights and the card with its pictures."""
    page = client.get(f"/scans/{ready}/levels/{level}").text
    assert f'id="level-{level}"' in page
    assert 'class="points overlay"' in page
    pictures = set(re.findall(r'href="(pictures/p[0-9a-f]{16}\.png)"', page))
    assert len(pictures) >= 4
    for picture in pictures:
        assert client.get(f"/scans/{ready}/{picture}").status_code == 200


def test_levels_that_are_graded_show_their_evidence(client, ready):
    assert 'data-evidence="1"' in client.get(f"/scans/{ready}/levels/L4").text


@pytest.mark.parametrize("plane", ["sagittal", "coronal", "axial"])
@pytest.mark.parametrize("window", ["bone", "soft"])
def test_planes_are_pictures(client, ready, plane, window):
    query = {"offset_mm": -3, "window": window}
    answer = client.get(f"/scans/{ready}/levels/L2/planes/{plane}.png", params=query)
    pixels = np.array(Image.open(io.BytesIO(answer.content)))
    assert pixels.shape == (448, 448)
    assert np.ptp(pixels) > 50


@pytest.mark.parametrize(
    "path",
    [
        "levels/C2",
        "levels/..%2f..%2fview.json",
        "pictures/..%2fview.json",
        "pictures/p0123456789abcdef.png",
        "heatmaps/..%2fresult.json",
        "levels/L1/planes/oblique.png",
        "levels/L1/planes/sagittal.png?offset_mm=1e9",
        "levels/L1/planes/sagittal.png?offset_mm=nan",
    ],
)
def test_what_is_not_there_is_not_there(client, ready, path):
    assert client.get(f"/scans/{ready}/{path}").status_code in (404, 422)


@pytest.mark.parametrize("scan_id", ["..%2f..", "%2e%2e%2f%2e%2e", "x", "0" * 12])
def test_an_id_leads_nowhere_else(client, ready, scan_id):
    assert client.get(f"/scans/{scan_id}/").status_code == 404


def test_volumes_go_to_the_viewer(client, ready):
    import gzip

    for name in ("spine", "ct"):
        answer = client.get(f"/scans/{ready}/volumes/{name}.nii.gz")
        content = gzip.decompress(answer.content)
        assert content[344:347] == b"n+1"
        assert content[148:228] == b"\0" * 80  # the free text of the header is empty
        assert answer.headers["cache-control"] == "no-store"


def test_heat_maps_of_a_level_are_listed_and_sent(client, ready):
    found = client.get(f"/scans/{ready}/levels/L1/heatmaps").json()
    assert found[0]["words"] == "L1 G0-prototype-1"
    assert client.get(f"/scans/{ready}/heatmaps/{found[0]['name']}").status_code == 200


def test_names_follow_a_shift(client, ready):
    act(client, ready, "shift", None, {"by": 1})
    page = client.get(f"/scans/{ready}/").text
    assert re.search(r'data-anchor="level-T12"[^>]*><b>L1</b>', page)
    assert "L1 <small>model&#39;s T12" in client.get(f"/scans/{ready}/levels/T12").text


def test_a_scan_that_waits_says_so(server, client, ready):
    with server.database.writing() as session:
        scan = session.get(Scan, ready)
        scan.state, scan.stage = "grading", "explain"
    assert "explain" in client.get(f"/scans/{ready}/").text
    assert client.get(f"/scans/{ready}/levels/L1").status_code == 409
    assert state_of(server, ready).state == "grading"


def test_crosshair_places_are_the_centers(client, ready, view):
    places = client.get(f"/scans/{ready}/places").json()
    assert places["L1"] == view.level("L1")["centroid_mm"]
