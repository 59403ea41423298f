"""Addresses of studies: who may, what they show, what they refuse."""

import json

import pytest

from app.studies_by_hand import answer_page, write_by_hand
from spinexplain.app.studies import add_study, study_folder
from spinexplain.jobs.study import add_answers


@pytest.fixture
def opened(server, tmp_path):
    """A study with its keeper and two readers: (study, folder, clients by name)."""
    folder = tmp_path / "study"
    study = write_by_hand(folder)
    add_study(server.database, server.folder, folder)
    keeper, _ = server.account("keeper", "study admin")
    clients = {"keeper": server.client(keeper)}
    for name in ("first", "second", "other"):
        token, account = server.account(name, "reader")
        clients[name] = server.client(token)
        if name != "other":
            form = {"account_id": account}
            done = clients["keeper"].post(f"/studies/{study.id}/readers", data=form)
            assert done.status_code == 303
    return study, folder, clients


def test_a_whole_study_by_two_readers_and_back_to_its_folder(opened, tmp_path):
    study, folder, clients = opened
    for number, name in ((1, "first"), (2, "second")):
        client = clients[name]
        for page in range(1, 5):
            assert client.get(f"/studies/{study.id}/").headers["location"] == f"pages/{page}"
            assert answer_page(client, study, number, page).json()["finished"]
        assert "All 4 pages are finished" in client.get(f"/studies/{study.id}/").text
    paths = []
    for number in (1, 2):
        answer = clients["keeper"].get(f"/studies/{study.id}/answers/{number}")
        assert f"reader-{number}.json" in answer.headers["content-disposition"]
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(answer.text)
    _, done = add_answers(folder, tuple(paths))
    assert [one.finished for one in done] == [4, 4]
    assert json.loads(paths[0].read_text())["answers"][0]["seconds"] == 2.5


def test_a_page_shows_neither_truth_nor_markup_of_others(opened):
    study, _, clients = opened
    page = clients["first"].get(f"/studies/{study.id}/pages/1").text
    assert "By hand &lt;b&gt;" in page
    assert 'src="/static/study.js"' in page
    assert page.count('class="question"') == 2 * 2 + 2
    assert "superior endplate" not in page
    assert clients["first"].get(f"/studies/{study.id}/pages/3").status_code == 303
    assert clients["first"].get(f"/studies/{study.id}/pages/99").status_code == 303


def test_only_those_who_take_part_or_keep_it_see_a_study(opened):
    study, _, clients = opened
    base = f"/studies/{study.id}"
    for path in (f"{base}/", f"{base}/pages/1", f"{base}/pictures/p0.png", f"{base}/answers/1"):
        assert clients["other"].get(path).status_code == 404, path
    assert clients["first"].get(f"{base}/answers/1").status_code == 404
    assert clients["first"].post(f"{base}/readers", data={"account_id": 1}).status_code == 404
    assert clients["keeper"].get(f"{base}/pages/1").status_code == 409
    assert clients["keeper"].get("/studies/none/").status_code == 404
    assert "No study is open" in clients["other"].get("/studies/").text
    assert "second" not in clients["first"].get("/studies/").text


def test_pictures_of_the_study_and_nothing_else(opened):
    study, _, clients = opened
    base = f"/studies/{study.id}/pictures"
    assert clients["first"].get(f"{base}/p0.png").headers["content-type"] == "image/png"
    for name in ("none.png", "..%2Fstudy.json", "reveal.json"):
        assert clients["first"].get(f"{base}/{name}").status_code == 404, name


def test_wrong_answers_are_refused_and_nothing_is_lost(opened):
    study, _, clients = opened
    item = study.plan(1).sessions[0][0]
    body = {"item": item, "piece": 1, "question": "relevance", "value": "yes", "seconds": 1}
    address = f"/studies/{study.id}/pages/1/answers"
    assert clients["first"].post(address, json=body).status_code == 201
    for change, status in (
        ({"value": "maybe"}, 422),
        ({"item": "ZZZZZZ"}, 409),
        ({"seconds": -1}, 422),
    ):
        assert clients["first"].post(address, json=body | change).status_code == status
    page = clients["first"].get(f"/studies/{study.id}/pages/1").text
    assert 'value="yes" checked' in page


def test_pictures_that_are_gone_get_one_line(opened, server):
    study, _, clients = opened
    (study_folder(server.folder, study.id) / "pictures" / "p0.png").unlink()
    assert (
        "pictures of this page are gone"
        in clients["first"].get(f"/studies/{study.id}/pages/1").text
    )


def test_the_suggestion_comes_after_the_answer(server, tmp_path):
    study = write_by_hand(tmp_path / "units", kind="units")
    add_study(server.database, server.folder, tmp_path / "units")
    client = server.client()
    assert (
        client.post(f"/studies/{study.id}/readers", data={"account_id": _local(server)}).status_code
        == 303
    )
    address = f"/studies/{study.id}/pages/1/reveal"
    assert client.post(address).status_code == 409
    answer_page(client, study, 1, 1)
    assert client.post(address).json() == {"suggested by anatomy": "superior endplate"}
    assert " disabled" in client.get(f"/studies/{study.id}/pages/1").text


def _local(server):
    from spinexplain.app.accounts import local_account

    with server.database.writing() as session:
        return local_account(session).id
