"""Every route, as nobody, as a reader of another scan, and as an admin."""

import pytest

from app.conftest import add_ready
from app.studies_by_hand import write_by_hand
from spinexplain.app.studies import add_study, join

OPEN = {("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/style.css"), ("GET", "/card.js")}
FILLED = {
    "level": "L1",
    "plane": "sagittal",
    "kind": "labels",
    "name": "p0123456789abcdef.png",
    "page": "1",
    "number": "1",
}
NO_FILE = {"/scans/{scan_id}/pictures/{name}", "/scans/{scan_id}/heatmaps/{name}"}
NO_FILE |= {"/studies/{study_id}/pictures/{name}"}


def routes(app):
    return [
        (method.upper(), path) for path, one in app.openapi()["paths"].items() for method in one
    ]


@pytest.fixture
def walked(server, drawn, tmp_path):
    """An admin's scans and study: (server, tokens of the admin and of a reader, ids)."""
    admin, admin_id = server.account("admin of all", "admin")
    reader, _ = server.account("other reader", "reader")
    ids = [add_ready(server, drawn, name, admin_id) for name in ("first", "second")]
    study = write_by_hand(tmp_path / "study", pages=2)
    ids.append(add_study(server.database, server.folder, tmp_path / "study"))
    with server.database.writing() as session:
        join(session, study, admin_id)
    return server, admin, reader, ids


def asked(client, method, path, ids):
    filled = path.format(scan_id=ids[0], other_id=ids[1], study_id=ids[2], **FILLED)
    return client.request(method, filled).status_code


def test_the_walk_sees_all_routes(server):
    paths = {path for _, path in routes(server.app)}
    assert len(paths) >= 25
    assert "/scans/{scan_id}/acts" in paths


def test_nobody_gets_nothing(walked):
    server, _, _, ids = walked
    client = server.client()
    for method, path in routes(server.app):
        if (method, path) not in OPEN:
            assert asked(client, method, path, ids) == 401, (method, path)


def test_a_reader_of_other_scans_sees_that_there_is_nothing(walked):
    server, _, reader, ids = walked
    client = server.client(reader)
    for method, path in routes(server.app):
        if "{scan_id}" in path or "{study_id}" in path or path.startswith("/accounts"):
            assert asked(client, method, path, ids) == 404, (method, path)


def test_a_scan_that_does_not_exist_answers_the_same(walked):
    server, _, reader, ids = walked
    client = server.client(reader)
    answers = [client.get(f"/scans/{one}/reading.csv") for one in (ids[0], "0" * 12)]
    assert answers[0].json() == answers[1].json()


def test_the_admin_passes(walked):
    server, admin, _, ids = walked
    client = server.client(admin)
    for method, path in routes(server.app):
        if path == "/sign-out":
            continue
        expected = {404} if path in NO_FILE else set()
        status = asked(client, method, path, ids)
        assert status not in {401, 403, 404, 500} - expected, (method, path, status)


def test_the_second_scan_of_a_comparison_is_checked_too(walked, drawn):
    server, _, _, ids = walked
    token, account_id = server.account("half reader", "reader")
    own = add_ready(server, drawn, "own", account_id)
    client = server.client(token)
    assert client.get(f"/scans/{own}/beside/{ids[0]}").status_code == 404
    assert client.get(f"/scans/{own}/").status_code == 200


def test_a_grant_opens_one_scan(walked):
    server, admin, _, ids = walked
    token, account_id = server.account("granted reader", "reader")
    form = {"scan_id": ids[0], "account_id": account_id}
    assert server.client(admin).post("/accounts/grants", data=form).status_code == 303
    client = server.client(token)
    assert client.get(f"/scans/{ids[0]}/").status_code == 200
    assert client.get(f"/scans/{ids[1]}/").status_code == 404


def test_a_page_leads_to_the_form(walked):
    server, _, _, ids = walked
    answer = server.client().get(f"/scans/{ids[0]}/", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"
