"""Where a reader is, what a page still takes, and what the server keeps of a study."""

from datetime import UTC, datetime, timedelta

import pytest

from app.studies_by_hand import reply_to, write_by_hand
from spinexplain.app.accounts import local_account
from spinexplain.app.studies import (
    ClosedPageError,
    add_study,
    answers_of,
    append_answer,
    join,
    position_of,
    reachable,
    reveal,
    shown_study,
    study_folder,
)
from spinexplain.errors import ConfigError, FileFormatError


@pytest.fixture
def taking(server, tmp_path):
    """A maker of studies on the server: taking(**how) -> (study, account id), reader 1 joined."""

    def make(**how):
        folder = tmp_path / f"study-{len(list(tmp_path.glob('study-*')))}"
        study = write_by_hand(folder, **how)
        add_study(server.database, server.folder, folder)
        with server.database.writing() as session:
            account = local_account(session).id
            join(session, study, account)
        return study, account

    return make


def _answer(server, study, account, page, only=None):
    pages = [name for session in study.plan(1).sessions for name in session]
    item = pages[page - 1]
    for piece, question in study.asked(study.item(item))[:only]:
        with server.database.writing() as session:
            place = (item, piece, question.key)
            append_answer(session, study, 1, account, page, place, reply_to(question), 1.0)


def _position(server, study, account, now=None):
    with server.database.reading() as session:
        return position_of(study, answers_of(session, study, 1, account), now)


def test_the_key_never_reaches_the_server(server, taking):
    study, _ = taking()
    names = {path.name for path in study_folder(server.folder, study.id).iterdir()}
    assert "key.json" not in names
    assert shown_study(server.folder, study.id) == study


def test_pages_open_one_after_the_other(server, taking):
    study, account = taking()
    assert _position(server, study, account).next_page == 1
    with pytest.raises(ClosedPageError, match="before this one"):
        _answer(server, study, account, 2)
    _answer(server, study, account, 1, only=2)
    assert _position(server, study, account).next_page == 1
    _answer(server, study, account, 1)
    position = _position(server, study, account)
    assert position.next_page == 2
    assert reachable(position, 1)
    assert not reachable(position, 3)
    assert not reachable(position, 0)
    for page in (2, 3, 4):
        _answer(server, study, account, page)
    assert _position(server, study, account).next_page is None


def test_a_page_without_evidence_stays_as_it_was_answered(server, taking):
    study, account = taking(design="sequential")
    _answer(server, study, account, 1)
    with pytest.raises(ClosedPageError, match="stays as it was"):
        _answer(server, study, account, 1)
    _answer(server, study, account, 2)
    _answer(server, study, account, 2)  # with evidence it may be put right


def test_a_second_session_waits_for_the_washout(server, taking):
    study, account = taking(design="crossover", washout_days=28)
    first = len(study.plan(1).sessions[0])
    for page in range(1, first + 1):
        _answer(server, study, account, page)
    position = _position(server, study, account)
    assert position.next_page is None
    assert position.opens_on == (datetime.now(UTC) + timedelta(days=28)).date().isoformat()
    with pytest.raises(ClosedPageError):
        _answer(server, study, account, first + 1)
    later = datetime.now(UTC) + timedelta(days=29)
    assert _position(server, study, account, later).next_page == first + 1


def test_after_the_suggestion_a_page_is_closed(server, taking):
    study, account = taking(kind="units")
    _answer(server, study, account, 1)
    item = study.plan(1).sessions[0][0]
    for _ in range(2):
        with server.database.writing() as session:
            found = reveal(session, server.folder, study, item, account)
    assert found == {"suggested by anatomy": "superior endplate"}
    with pytest.raises(ClosedPageError, match="suggestion was shown"):
        _answer(server, study, account, 1)
    with server.database.reading() as session:
        assert all(a.question != "revealed" for a in answers_of(session, study, 1, account).answers)


@pytest.mark.parametrize(
    ("place", "text"),
    [((0, 1, "relevance"), "maybe"), ((0, 9, "relevance"), "yes"), ((0, 0, "relevance"), "yes")],
)
def test_what_is_no_answer_is_refused(server, taking, place, text):
    study, account = taking()
    item = study.plan(1).sessions[0][0]
    with pytest.raises(ConfigError, match="expected"), server.database.writing() as session:
        append_answer(session, study, 1, account, 1, (item, *place[1:]), text, 1.0)


def test_a_study_has_so_many_readers_and_no_more(server, taking):
    study, account = taking()
    _, second = server.account("second", "reader")
    _, third = server.account("third", "reader")
    with server.database.writing() as session:
        assert join(session, study, account) == 1
        assert join(session, study, second) == 2
    with pytest.raises(ConfigError, match="all are there"), server.database.writing() as session:
        join(session, study, third)


def test_a_study_without_its_pictures_is_not_taken_in(server, tmp_path):
    write_by_hand(tmp_path / "study")
    (tmp_path / "study" / "pictures" / "p0.png").unlink()
    with pytest.raises(FileFormatError, match="are gone"):
        add_study(server.database, server.folder, tmp_path / "study")
