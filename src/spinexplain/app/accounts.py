"""Accounts, passwords and sessions."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from spinexplain.app.database import utc_now
from spinexplain.app.schema import Account, FailedSignIn, SignedIn
from spinexplain.errors import ConfigError

ROLES = ("reader", "study admin", "admin")
LOCAL = "local"
"""Name of the account that reads where nobody signs in: on one's own machine."""

NO_PASSWORD = "!"
"""In place of a hash: no password fits."""

_SHORTEST_PASSWORD = 10
_SESSION_HOURS = 12
_FAILURES = 8
_FAILURE_MINUTES = 15


class TooManyFailuresError(Exception):
    """So many wrong passwords that the name has to wait."""


def add_account(
    session: Session, name: str, password: str, role: str, hasher: PasswordHasher
) -> Account:
    """Make an account.

    Raises
    ------
    ConfigError
        If the name is taken or empty, the password short, or the role none of ``ROLES``.
    """
    name = name.strip()
    if not 0 < len(name) <= 80 or not name.isprintable() or name == LOCAL:
        raise ConfigError(f"the account's name is {name!r}; expected 1 to 80 letters, not 'local'.")
    if role not in ROLES:
        raise ConfigError(f"role is {role!r}; expected one of {', '.join(ROLES)}.")
    check_password(password)
    if session.scalar(select(Account).where(Account.name == name)) is not None:
        raise ConfigError(f"there is an account {name!r} already; choose another name.")
    account = Account(
        name=name, password_hash=hasher.hash(password), role=role, created_at=utc_now()
    )
    session.add(account)
    session.flush()
    return account


def check_password(password: str) -> None:
    """Refuse a password that is too short.

    Raises
    ------
    ConfigError
        Under ten characters.
    """
    if len(password) < _SHORTEST_PASSWORD:
        raise ConfigError(
            f"the password has {len(password)} characters; expected at least {_SHORTEST_PASSWORD}."
        )


def check_first(session: Session, role: str) -> None:
    """Refuse to make a first account that could not make others.

    Raises
    ------
    ConfigError
        If nobody has an account yet and ``role`` is not admin.
    """
    if role != "admin" and not has_accounts(session):
        raise ConfigError(
            f"the first account's role is {role!r}; expected admin, as from then on everybody "
            "has to sign in and only an admin makes accounts."
        )


def local_account(session: Session) -> Account:
    """Return the account of a machine where nobody signs in; make it the first time."""
    account = session.scalar(select(Account).where(Account.name == LOCAL))
    if account is None:
        account = Account(name=LOCAL, password_hash=NO_PASSWORD, role="admin", created_at=utc_now())
        session.add(account)
        session.flush()
    return account


def has_accounts(session: Session) -> bool:
    """Say whether anybody can sign in."""
    count = select(func.count()).select_from(Account).where(Account.name != LOCAL)
    return bool(session.scalar(count))


def sign_in(session: Session, name: str, password: str, hasher: PasswordHasher) -> str | None:
    """Check a password and return the token of a new session, or None.

    A name that does not exist takes as long as one that does.

    Raises
    ------
    TooManyFailuresError
        After eight wrong passwords for this name within a quarter of an hour.
    """
    account = _named(session, name.strip())
    if not knows_password(session, name.strip(), account, password, hasher):
        return None
    assert account is not None
    return open_session(session, account)


def knows_password(
    session: Session, name: str, account: Account | None, password: str, hasher: PasswordHasher
) -> bool:
    """Check a password, and count a wrong one against the name.

    Raises
    ------
    TooManyFailuresError
        After eight wrong ones within a quarter of an hour.
    """
    name_sha256 = _sha256(name)
    since = _after(minutes=-_FAILURE_MINUTES)
    failures = select(func.count()).where(
        FailedSignIn.name_sha256 == name_sha256, FailedSignIn.at > since
    )
    if (session.scalar(failures) or 0) >= _FAILURES:
        raise TooManyFailuresError
    if not _fits(account, password, hasher):
        session.add(FailedSignIn(name_sha256=name_sha256, at=utc_now()))
        return False
    return True


def open_session(session: Session, account: Account) -> str:
    """Start a session and return its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignedIn(
            token_sha256=_sha256(token),
            account_id=account.id,
            expires_at=_after(hours=_SESSION_HOURS),
        )
    )
    return token


def account_of(session: Session, token: str) -> Account | None:
    """Return whose session a token is, or None where it is unknown or has ended."""
    found = session.get(SignedIn, _sha256(token))
    if found is None or found.expires_at < utc_now():
        return None
    return session.get(Account, found.account_id)


def end_session(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(SignedIn).where(SignedIn.token_sha256 == _sha256(token)))


def _named(session: Session, name: str) -> Account | None:
    # No account has such a name, and PostgreSQL refuses to compare with a zero byte.
    if not name.isprintable():
        return None
    return session.scalar(select(Account).where(Account.name == name))


def _fits(account: Account | None, password: str, hasher: PasswordHasher) -> bool:
    if account is None or account.password_hash == NO_PASSWORD:
        hasher.hash(password)
        return False
    try:
        return hasher.verify(account.password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _after(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
