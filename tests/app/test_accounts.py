import pytest
from sqlalchemy import update

from app.conftest import CHEAP
from spinexplain.app.accounts import (
    TooManyFailuresError,
    account_of,
    add_account,
    check_first,
    end_session,
    has_accounts,
    local_account,
    open_session,
    sign_in,
)
from spinexplain.app.schema import Account, SignedIn
from spinexplain.errors import ConfigError


@pytest.fixture
def session(server):
    with server.database.writing() as session:
        yield session


def test_a_password_opens_a_session_of_its_account(session):
    add_account(session, "Ada", "long enough", "reader", CHEAP)
    token = sign_in(session, "Ada", "long enough", CHEAP)
    assert account_of(session, token).name == "Ada"
    end_session(session, token)
    assert account_of(session, token) is None


def test_neither_password_nor_token_is_stored(session):
    account = add_account(session, "Ada", "long enough", "reader", CHEAP)
    token = open_session(session, account)
    session.flush()
    assert "long enough" not in account.password_hash
    assert session.get(SignedIn, token) is None


def test_a_session_ends_by_itself(session):
    token = open_session(session, add_account(session, "Ada", "long enough", "reader", CHEAP))
    session.flush()
    session.execute(update(SignedIn).values(expires_at="2000-01-01T00:00:00.000000Z"))
    session.expire_all()
    assert account_of(session, token) is None


def test_wrong_passwords_are_counted_for_names_that_do_not_exist_too(session):
    for _ in range(8):
        assert sign_in(session, "nobody", "wrong password", CHEAP) is None
    with pytest.raises(TooManyFailuresError):
        sign_in(session, "nobody", "wrong password", CHEAP)


def test_the_right_password_has_to_wait_too(session):
    add_account(session, "Ada", "long enough", "reader", CHEAP)
    for _ in range(8):
        sign_in(session, "Ada", "wrong password", CHEAP)
    with pytest.raises(TooManyFailuresError):
        sign_in(session, "Ada", "long enough", CHEAP)


def test_nobody_signs_in_as_the_machine_itself(session):
    assert isinstance(local_account(session), Account)
    assert not has_accounts(session)
    assert sign_in(session, "local", "!", CHEAP) is None


def test_the_first_account_is_an_admins(session):
    with pytest.raises(ConfigError, match="first account"):
        check_first(session, "reader")
    check_first(session, "admin")
    add_account(session, "Ada", "long enough", "admin", CHEAP)
    check_first(session, "reader")


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [("", "long enough", "reader"), ("local", "long enough", "reader"), ("Ada", "short", "reader"),
     ("Ada", "long enough", "owner"), ("Taken", "long enough", "reader")],
)  # fmt: skip
def test_a_wrong_account_is_refused(session, name, password, role):
    add_account(session, "Taken", "long enough", "reader", CHEAP)
    with pytest.raises(ConfigError):
        add_account(session, name, password, role, CHEAP)
