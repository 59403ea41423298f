import json

from spinexplain.app.prototypes import shown_model
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.models.bundle.decisions import read_decisions

ADDRESS = "/prototypes/decisions"


def kept(number=1, **changes):
    names = shown_model(DEFAULT_MODEL).names
    return {"prototype": number, "name": names[number - 1], "choice": "keep"} | changes


def test_what_is_decided_comes_back_as_the_file_that_curate_takes(server, ready, tmp_path):
    client = server.client()
    region = ["0" * 28] * 27 + ["1" + "0" * 27]
    assert client.post(ADDRESS, json=kept()).status_code == 201
    painted = kept(2, choice="never this region", region=region, comment="=1+1")
    assert client.post(ADDRESS, json=painted).status_code == 201
    assert client.post(ADDRESS, json=kept(3)).status_code == 201
    assert client.post(ADDRESS, json=kept(3, choice="")).status_code == 201
    path = tmp_path / "d.json"
    path.write_text(client.get(f"{ADDRESS}.json").text)
    shown = shown_model(DEFAULT_MODEL)
    found = read_decisions(path, shown.grader.info, shown.names, (28, 28))
    assert [one.prototype for one in found.decisions] == [1, 2]
    assert found.reader == "local"
    assert list(found.decisions[1].region) == region


def test_each_reader_has_decisions_of_their_own(server, ready):
    ada, _ = server.account("ada", "admin")
    bob, _ = server.account("bob", "reader")
    assert server.client(ada).post(ADDRESS, json=kept()).status_code == 201
    assert json.loads(server.client(bob).get(f"{ADDRESS}.json").text)["decisions"] == []
    assert server.client().get(f"{ADDRESS}.json").status_code == 401
    assert server.client().post(ADDRESS, json=kept()).status_code == 401


def test_wrong_decisions_are_refused_and_nothing_is_kept(server, ready):
    client = server.client()
    for wrong in (
        kept(1, prototype=99),
        kept(1, name="x"),
        kept(1, choice="not meaningful"),
        kept(1, choice="", prototype=0),
        {"choice": "", "prototype": "1"},
        {"choice": "", "prototype": True},
    ):
        answer = client.post(ADDRESS, json=wrong)
        assert answer.status_code == 422, wrong
        assert isinstance(answer.json()["message"], str)
    assert client.get(f"{ADDRESS}.json").json()["decisions"] == []


def test_a_foreign_page_decides_nothing(server, ready):
    client = server.client()
    answer = client.post(ADDRESS, json=kept(), headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


def test_the_page_names_every_prototype(server, ready):
    page = server.client().get("/prototypes/").text
    names = shown_model(DEFAULT_MODEL).names
    assert page.count('class="decide"') == len(names)
    assert all(name in page for name in names)
    assert "<script>" not in page
