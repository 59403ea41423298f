from pathlib import Path

from spinexplain.app import server as module


def test_faults_of_input_are_one_line_without_our_paths(server):
    client = server.client()
    scan_id = client.post("/scans", data={"name": "x"}).json()["id"]
    answer = client.post(f"/scans/{scan_id}/queue")
    assert answer.status_code == 422
    assert str(server.folder.root) not in answer.text


def test_no_page_describes_the_server(server):
    client = server.client()
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_static_files_stay_in_their_folder(server):
    client = server.client()
    assert client.get("/static/reader.css").status_code == 200
    assert client.get("/static/..%2fserver.py").status_code == 404
    assert client.get("/static/%2e%2e/%2e%2e/server.py").status_code == 404


def test_the_viewer_has_its_license_and_notices_beside_it():
    folder = Path(module.__file__).parent / "static" / "vendor" / "niivue"
    assert "BSD 2-Clause" in (folder / "LICENSE").read_text()
    notices = (folder / "NOTICES").read_text()
    for name in ("gl-matrix", "fflate", "nifti-reader-js", "zarrita"):
        assert name in notices
