"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from spinexplain.app.access import COOKIE, Asking, Server
from spinexplain.app.accounts import TooManyFailuresError, end_session, sign_in
from spinexplain.app.pages import page_environment
from spinexplain.texts.catalogue import load_catalogue

router = APIRouter()


@router.get("/sign-in")
def form() -> HTMLResponse:
    """Show the form."""
    return _form("")


@router.post("/sign-in")
def submit(
    request: Request,
    server: Server,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=500)],
) -> Response:
    """Check name and password; a new session gets a new cookie."""
    try:
        with server.database.writing() as session:
            end_session(session, request.cookies.get(COOKIE, ""))
            token = sign_in(session, name, password, server.hasher)
    except TooManyFailuresError:
        return _form(load_catalogue()("sign_in.wait"), 429)
    if token is None:
        return _form(load_catalogue()("sign_in.wrong"), 401)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


@router.post("/sign-out")
def leave(request: Request, server: Server, reader: Asking) -> Response:
    """End the session."""
    with server.database.writing() as session:
        end_session(session, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _form(message: str, status: int = 200) -> HTMLResponse:
    template = page_environment().get_template("sign_in.html.j2")
    return HTMLResponse(template.render(message=message), status_code=status)
