"""Accounts, and who may open which scan."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from spinexplain.app.access import Reader, Server, administrator
from spinexplain.app.account_changes import close_account, is_closed, set_password, take_back
from spinexplain.app.accounts import LOCAL, ROLES, add_account, check_first
from spinexplain.app.pages import page_environment
from spinexplain.app.schema import LARGEST_ID, Account, Scan, ScanReader

router = APIRouter(prefix="/accounts", dependencies=[Depends(administrator)])
AccountId = Annotated[int, Form(ge=1, le=LARGEST_ID)]
ScanId = Annotated[str, Form(max_length=16)]


@router.get("")
def listed(server: Server, reader: Annotated[Reader, Depends(administrator)]) -> HTMLResponse:
    """List the accounts and what they may open."""
    with server.database.reading() as session:
        accounts = list(session.scalars(select(Account).order_by(Account.name)))
        scans = list(session.scalars(select(Scan).order_by(Scan.added_at.desc())))
        grants = {(row.scan_id, row.account_id) for row in session.scalars(select(ScanReader))}
    template = page_environment().get_template("accounts.html.j2")
    keys = [account for account in accounts if account.name != LOCAL]
    return HTMLResponse(
        template.render(
            reader=reader,
            accounts=accounts,
            keys=keys,
            closed={account.id for account in keys if is_closed(account)},
            scans=scans,
            grants=grants,
            roles=ROLES,
        )
    )


@router.post("")
def add(
    server: Server,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=500)],
    role: Annotated[str, Form(max_length=20)],
) -> RedirectResponse:
    """Make an account."""
    with server.database.writing() as session:
        check_first(session, role)
        add_account(session, name, password, role, server.hasher)
    return RedirectResponse("/accounts", status_code=303)


@router.post("/grants")
def grant(
    server: Server,
    scan_id: ScanId,
    account_id: AccountId,
) -> RedirectResponse:
    """Open a scan to a reader."""
    with server.database.writing() as session:
        if session.get(Scan, scan_id) is None or session.get(Account, account_id) is None:
            raise HTTPException(404, "There is no such scan or account.")
        if session.get(ScanReader, (scan_id, account_id)) is None:
            session.add(ScanReader(scan_id=scan_id, account_id=account_id))
    return RedirectResponse("/accounts", status_code=303)


@router.post("/grants/end")
def end_grant(server: Server, scan_id: ScanId, account_id: AccountId) -> RedirectResponse:
    """Close a scan to a reader again."""
    with server.database.writing() as session:
        take_back(session, scan_id, account_id)
    return RedirectResponse("/accounts", status_code=303)


@router.post("/password")
def replace_password(
    server: Server, account_id: AccountId, password: Annotated[str, Form(max_length=500)]
) -> RedirectResponse:
    """Give an account a new password."""
    with server.database.writing() as session:
        set_password(session, _existing(session, account_id), password, server.hasher)
    return RedirectResponse("/accounts", status_code=303)


@router.post("/close")
def close(server: Server, account_id: AccountId) -> RedirectResponse:
    """Close an account; what it did stays."""
    with server.database.writing() as session:
        close_account(session, _existing(session, account_id))
    return RedirectResponse("/accounts", status_code=303)


def _existing(session: Session, account_id: int) -> Account:
    account = session.get(Account, account_id)
    if account is None:
        raise HTTPException(404, "There is no such account.")
    return account
