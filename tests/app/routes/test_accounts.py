import pytest

from app.conftest import add_ready


@pytest.fixture
def admin(server):
    return server.client(server.account("Ada", "admin")[0])


def test_an_admin_makes_accounts(server):
    token, _ = server.account("Ada", "admin")
    client = server.client(token)
    form = {"name": "<b>Bob</b>", "password": "long enough", "role": "reader"}
    assert client.post("/accounts", data=form).status_code == 303
    page = client.get("/accounts").text
    assert "&lt;b&gt;Bob" in page
    assert "<b>Bob" not in page
    again = client.post("/accounts", data=form)
    assert again.status_code == 422
    assert "already" in again.json()["message"]


def test_a_scan_is_opened_and_taken_back(server, admin, drawn):
    _, own = server.account("owner", "reader")
    scan_id = add_ready(server, drawn, "<i>scan</i>", own)
    token, account_id = server.account("Bob", "reader")
    form = {"scan_id": scan_id, "account_id": account_id}
    assert admin.post("/accounts/grants", data=form).status_code == 303
    assert "Close &lt;i&gt;scan&lt;/i&gt; to Bob" in admin.get("/accounts").text
    assert server.client(token).get(f"/scans/{scan_id}/").status_code == 200
    assert admin.post("/accounts/grants/end", data=form).status_code == 303
    assert server.client(token).get(f"/scans/{scan_id}/").status_code == 404
    assert "to Bob" not in admin.get("/accounts").text


def test_a_closed_account_is_out_at_once_and_says_so(server, admin):
    token, account_id = server.account("Bob", "reader")
    assert server.client(token).get("/").status_code == 200
    assert admin.post("/accounts/close", data={"account_id": account_id}).status_code == 303
    assert server.client(token).get("/").status_code != 200
    assert "closed" in admin.get("/accounts").text


def test_an_account_that_is_not_there(admin):
    form = {"account_id": 10**6, "password": "long enough"}
    assert admin.post("/accounts/close", data=form).status_code == 404
    assert admin.post("/accounts/password", data=form).status_code == 404


def test_an_admin_sets_a_password(server, admin):
    _, account_id = server.account("Bob", "reader")
    form = {"account_id": account_id, "password": "another password"}
    assert admin.post("/accounts/password", data=form).status_code == 303
    asked = {"name": "Bob", "password": "another password"}
    assert server.client().post("/sign-in", data=asked).headers["location"] == "/"
    short = admin.post("/accounts/password", data={**form, "password": "short"})
    assert short.status_code == 422
    assert "at least 10" in short.json()["message"]


def test_the_only_admin_is_not_closed(server):
    token, account_id = server.account("Ada", "admin")
    answer = server.client(token).post("/accounts/close", data={"account_id": account_id})
    assert answer.status_code == 422
    assert "only admin" in answer.json()["message"]
