"""Accounts, and who may open which scan."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select

from spinexplain.app.access import Reader, Server, administrator
from spinexplain.app.accounts import ROLES, add_account, check_first
from spinexplain.app.pages import page_environment
from spinexplain.app.schema import LARGEST_ID, Account, Scan, ScanReader

router = APIRouter(prefix="/accounts", dependencies=[Depends(administrator)])


@router.get("")
def listed(server: Server, reader: Annotated[Reader, Depends(administrator)]) -> HTMLResponse:
    """List the accounts and what they may open."""
    with server.database.reading() as session:
        accounts = list(session.scalars(select(Account).order_by(Account.name)))
        scans = list(session.scalars(select(Scan).order_by(Scan.added_at.desc())))
        grants = {(row.scan_id, row.account_id) for row in session.scalars(select(ScanReader))}
    template = page_environment().get_template("accounts.html.j2")
    return HTMLResponse(
        template.render(reader=reader, accounts=accounts, scans=scans, grants=grants, roles=ROLES)
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
    scan_id: Annotated[str, Form(max_length=16)],
    account_id: Annotated[int, Form(ge=1, le=LARGEST_ID)],
) -> RedirectResponse:
    """Open a scan to a reader."""
    with server.database.writing() as session:
        if session.get(Scan, scan_id) is None or session.get(Account, account_id) is None:
            raise HTTPException(404, "There is no such scan or account.")
        if session.get(ScanReader, (scan_id, account_id)) is None:
            session.add(ScanReader(scan_id=scan_id, account_id=account_id))
    return RedirectResponse("/accounts", status_code=303)
