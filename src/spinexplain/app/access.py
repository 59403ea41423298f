"""Who asks, and what they may open: the dependencies that every route stands behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from argon2 import PasswordHasher
from fastapi import Depends, HTTPException, Request

from spinexplain.app.accounts import account_of, has_accounts, local_account
from spinexplain.app.database import Database
from spinexplain.app.folder import DataFolder
from spinexplain.app.scan_view import ScanView, read_view
from spinexplain.app.schema import Scan, ScanReader

COOKIE = "spinexplain_session"


@dataclass(frozen=True)
class Services:
    """What the routes work with; made once when the server starts.

    Parameters
    ----------
    database : Database
    folder : DataFolder
    hasher : PasswordHasher
    largest_bytes : int
        Of one uploaded file.
    """

    database: Database
    folder: DataFolder
    hasher: PasswordHasher
    largest_bytes: int


@dataclass(frozen=True)
class Reader:
    """Who asks."""

    id: int
    name: str
    role: str

    @property
    def sees_all(self) -> bool:
        """Whether every scan is open to them."""
        return self.role in ("admin", "study admin")


def services(request: Request) -> Services:
    """Return the server's services."""
    found: Services = request.app.state.services
    return found


def signed_in(request: Request) -> Reader:
    """Return who asks.

    Where no account was ever made, everybody at this machine is the account ``local``.

    Raises
    ------
    HTTPException
        401 where there are accounts and the cookie belongs to none.
    """
    database = services(request).database
    with database.reading() as session:
        account = account_of(session, request.cookies.get(COOKIE, ""))
        open_to_all = account is None and not has_accounts(session)
    if open_to_all:
        with database.writing() as session:
            account = local_account(session)
    if account is None:
        raise HTTPException(401, "Sign in first.")
    return Reader(account.id, account.name, account.role)


def administrator(reader: Annotated[Reader, Depends(signed_in)]) -> Reader:
    """Return who asks, if they keep the accounts.

    Raises
    ------
    HTTPException
        404 for others, as if there were nothing.
    """
    if reader.role != "admin":
        raise HTTPException(404, "There is nothing here.")
    return reader


def readable_scan(
    request: Request, scan_id: str, reader: Annotated[Reader, Depends(signed_in)]
) -> Scan:
    """Return the scan of the address, if it is open to who asks.

    Raises
    ------
    HTTPException
        404 where it is not, or does not exist: the answer is the same.
    """
    with services(request).database.reading() as session:
        scan = session.get(Scan, scan_id)
        granted = scan is not None and (
            reader.sees_all or session.get(ScanReader, (scan_id, reader.id)) is not None
        )
    if scan is None or not granted:
        raise HTTPException(404, "There is nothing here.")
    return scan


def view_of(request: Request, scan: Annotated[Scan, Depends(readable_scan)]) -> ScanView:
    """Return what the page of a readable scan shows.

    Raises
    ------
    HTTPException
        409 where it is not graded yet.
    """
    if scan.state != "ready":
        raise HTTPException(409, "This scan is not graded yet.")
    return read_view(services(request).folder.view(scan.id))


Asking = Annotated[Reader, Depends(signed_in)]
Readable = Annotated[Scan, Depends(readable_scan)]
Viewed = Annotated[ScanView, Depends(view_of)]
Server = Annotated[Services, Depends(services)]
