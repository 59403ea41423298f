"""A reader's own password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from spinexplain.app.access import COOKIE, Reader, Server, signed_in
from spinexplain.app.account_changes import change_password
from spinexplain.app.accounts import LOCAL, TooManyFailuresError
from spinexplain.app.pages import page_environment
from spinexplain.app.schema import Account
from spinexplain.errors import ConfigError
from spinexplain.texts.catalogue import load_catalogue


def with_password(reader: Annotated[Reader, Depends(signed_in)]) -> Reader:
    """Return who asks, if they have a password.

    Raises
    ------
    HTTPException
        404 for the machine itself.
    """
    if reader.name == LOCAL:
        raise HTTPException(404, "There is nothing here.")
    return reader


Owner = Annotated[Reader, Depends(with_password)]
router = APIRouter(prefix="/password")


@router.get("")
def form(reader: Owner) -> HTMLResponse:
    """Show the form."""
    return _form(reader, "")


@router.post("")
def submit(
    server: Server,
    reader: Owner,
    present: Annotated[str, Form(max_length=500)],
    new: Annotated[str, Form(max_length=500)],
) -> Response:
    """Set the new password; everybody signed in to the account signs in again."""
    try:
        with server.database.writing() as session:
            account = session.get_one(Account, reader.id)
            changed = change_password(session, account, present, new, server.hasher)
    except TooManyFailuresError:
        return _form(reader, load_catalogue()("sign_in.wait"), 429)
    except ConfigError as error:
        return _form(reader, str(error), 422)
    if not changed:
        return _form(reader, load_catalogue()("password.wrong"), 422)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _form(reader: Reader, message: str, status: int = 200) -> HTMLResponse:
    template = page_environment().get_template("password.html.j2")
    return HTMLResponse(template.render(reader=reader, message=message), status_code=status)
