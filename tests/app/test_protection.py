import pytest
from starlette.datastructures import Headers

from spinexplain.app.protection import POLICY, refused

HOSTS = {"127.0.0.1", "[::1]"}


def asked(**headers):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Headers({"host": "127.0.0.1:8765", **named})


def test_a_change_from_our_own_page_passes():
    assert refused("POST", asked(origin="http://127.0.0.1:8765"), HOSTS) is None
    assert refused("POST", asked(sec_fetch_site="same-origin"), HOSTS) is None
    assert refused("POST", asked(sec_fetch_site="same-origin", origin="null"), HOSTS) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "null"},
        {"sec_fetch_site": "cross-site", "origin": "http://127.0.0.1:8765"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_from_anywhere_else_is_refused(method, headers):
    assert refused(method, asked(**headers), HOSTS) is not None


@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1.evil.example", "[::2]:80"])
def test_a_foreign_name_is_refused_for_reading_too(host):
    assert refused("GET", Headers({"host": host}), HOSTS) is not None


def test_every_answer_carries_the_headers(server, ready):
    client = server.client()
    for path in ("/", f"/scans/{ready}/", "/static/reader.js", "/sign-in", "/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff"


def test_no_script_may_stand_in_a_page():
    assert "script-src 'self';" in POLICY
    assert "unsafe-eval" not in POLICY
    assert POLICY.count("unsafe-inline") == 1  # attributes of style alone


def test_a_foreign_host_gets_nothing(server):
    assert server.client().get("/", headers={"host": "evil.example"}).status_code == 403
