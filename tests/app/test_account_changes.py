import pytest

from app.conftest import CHEAP
from spinexplain.app.account_changes import (
    change_password,
    close_account,
    is_closed,
    set_password,
    take_back,
)
from spinexplain.app.accounts import (
    TooManyFailuresError,
    account_of,
    add_account,
    local_account,
    sign_in,
)
from spinexplain.app.schema import Scan, ScanReader
from spinexplain.errors import ConfigError

FIRST, SECOND = "long enough", "longer than before"


@pytest.fixture
def session(server):
    with server.database.writing() as session:
        yield session


@pytest.fixture
def ada(session):
    return add_account(session, "Ada", FIRST, "admin", CHEAP)


def test_a_new_password_replaces_the_former_and_ends_the_sessions(session, ada):
    token = sign_in(session, "Ada", FIRST, CHEAP)
    assert change_password(session, ada, FIRST, SECOND, CHEAP)
    assert account_of(session, token) is None
    assert sign_in(session, "Ada", FIRST, CHEAP) is None
    assert sign_in(session, "Ada", SECOND, CHEAP)


def test_a_wrong_present_password_changes_nothing_and_is_counted(session, ada):
    for _ in range(8):
        assert not change_password(session, ada, "wrong password", SECOND, CHEAP)
    with pytest.raises(TooManyFailuresError):
        change_password(session, ada, FIRST, SECOND, CHEAP)


def test_a_short_new_password_is_refused(session, ada):
    with pytest.raises(ConfigError, match="at least 10"):
        change_password(session, ada, FIRST, "short", CHEAP)


def test_nobody_signs_in_to_a_closed_account(session, ada):
    bob = add_account(session, "Bob", FIRST, "reader", CHEAP)
    token = sign_in(session, "Bob", FIRST, CHEAP)
    close_account(session, bob)
    assert is_closed(bob)
    assert account_of(session, token) is None
    assert sign_in(session, "Bob", FIRST, CHEAP) is None
    set_password(session, bob, SECOND, CHEAP)
    assert not is_closed(bob)
    assert sign_in(session, "Bob", SECOND, CHEAP)


def test_the_last_admin_stays(session, ada):
    second = add_account(session, "Second", FIRST, "admin", CHEAP)
    close_account(session, ada)
    with pytest.raises(ConfigError, match="only admin"):
        close_account(session, second)
    assert not is_closed(second)


def test_the_machine_itself_has_no_password(session, ada):
    local = local_account(session)
    for change in (
        lambda: close_account(session, local),
        lambda: set_password(session, local, SECOND, CHEAP),
    ):
        with pytest.raises(ConfigError, match="machine itself"):
            change()
    assert not is_closed(local)


def test_a_scan_is_taken_back_from_one_reader_alone(session, ada):
    bob = add_account(session, "Bob", FIRST, "reader", CHEAP)
    session.add(Scan(id="0" * 12, name="one", state="queued", added_at="2026"))
    session.flush()
    session.add_all([ScanReader(scan_id="0" * 12, account_id=one.id) for one in (ada, bob)])
    session.flush()
    take_back(session, "0" * 12, bob.id)
    assert session.get(ScanReader, ("0" * 12, bob.id)) is None
    assert session.get(ScanReader, ("0" * 12, ada.id)) is not None
