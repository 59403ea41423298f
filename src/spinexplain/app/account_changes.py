"""What happens to an account after it was made: a new password, its end, a scan taken back.

No account is deleted: acts belong to it and stay.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from spinexplain.app.accounts import LOCAL, NO_PASSWORD, check_password, knows_password
from spinexplain.app.schema import Account, ScanReader, SignedIn
from spinexplain.errors import ConfigError


def is_closed(account: Account) -> bool:
    """Say whether nobody can sign in to an account any more."""
    return account.password_hash == NO_PASSWORD and account.name != LOCAL


def change_password(
    session: Session, account: Account, present: str, new: str, hasher: PasswordHasher
) -> bool:
    """Set one's own password, which ends every session of the account.

    Returns
    -------
    bool
        False where the present password is wrong; the wrong guess is counted.

    Raises
    ------
    ConfigError
        If the new one is short.
    TooManyFailuresError
        After eight wrong ones within a quarter of an hour.
    """
    check_password(new)
    if not knows_password(session, account.name, account, present, hasher):
        return False
    set_password(session, account, new, hasher)
    return True


def set_password(session: Session, account: Account, new: str, hasher: PasswordHasher) -> None:
    """Give an account a new password; a closed one opens again, and its sessions end.

    Raises
    ------
    ConfigError
        If the password is short, or the account is the machine itself.
    """
    check_password(new)
    _refuse_local(account)
    account.password_hash = hasher.hash(new)
    _end_sessions(session, account)


def close_account(session: Session, account: Account) -> None:
    """Let nobody sign in to an account any more, and end its sessions. What it did stays.

    Raises
    ------
    ConfigError
        If it is the last open account of an admin, or the machine itself.
    """
    _refuse_local(account)
    others = select(func.count()).where(
        Account.role == "admin", Account.id != account.id, Account.password_hash != NO_PASSWORD
    )
    if account.role == "admin" and not session.scalar(others):
        raise ConfigError(
            f"{account.name!r} is the only admin who can sign in; make another one first."
        )
    account.password_hash = NO_PASSWORD
    _end_sessions(session, account)


def take_back(session: Session, scan_id: str, account_id: int) -> None:
    """Close a scan to a reader again; what they said of it stays."""
    session.execute(
        delete(ScanReader).where(ScanReader.scan_id == scan_id, ScanReader.account_id == account_id)
    )


def _refuse_local(account: Account) -> None:
    if account.name == LOCAL:
        raise ConfigError("the account 'local' is this machine itself; it has no password.")


def _end_sessions(session: Session, account: Account) -> None:
    session.execute(delete(SignedIn).where(SignedIn.account_id == account.id))
