"""The server: routes, their protection, and what is sent where something is wrong."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from importlib import resources

from argon2 import PasswordHasher
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from spinexplain.app.access import Services
from spinexplain.app.database import Database
from spinexplain.app.folder import DataFolder
from spinexplain.app.intake import LARGEST_BYTES
from spinexplain.app.pages import shared_style
from spinexplain.app.protection import Protection
from spinexplain.app.routes import (
    accounts,
    acts,
    centers,
    compare,
    exports,
    password,
    prototypes,
    scan,
    sign_in,
    studies,
    worklist,
)
from spinexplain.errors import SpinexplainError
from spinexplain.texts.printable import printable
from spinexplain.ui.pages import static_text

_ROOMS = (
    *(worklist, scan, acts, exports, centers, compare, prototypes, studies),
    *(sign_in, password, accounts),
)
_LARGEST_FORM = 2 * 2**20


def create_app(
    database: Database,
    folder: DataFolder,
    hosts: Iterable[str],
    hasher: PasswordHasher | None = None,
    largest_bytes: int = LARGEST_BYTES,
) -> FastAPI:
    """Put the server together.

    Parameters
    ----------
    database : Database
    folder : DataFolder
    hosts : iterable of str
        Names under which it may be addressed.
    hasher : PasswordHasher, optional
        Cheaper in tests.
    largest_bytes : int
        Of an uploaded file.
    """
    app = FastAPI(
        title="spinexplain",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=_LARGEST_FORM,
    )
    app.state.services = Services(database, folder, hasher or PasswordHasher(), largest_bytes)
    for room in _ROOMS:
        app.include_router(room.router)
    app.get("/style.css")(_style)
    app.get("/card.js")(_card_script)
    mimetypes.add_type("text/javascript", ".js")
    static = resources.files("spinexplain.app") / "static"
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(SpinexplainError, _wrong_input)
    app.add_middleware(Protection, hosts=frozenset(hosts))
    return app


def _style() -> Response:
    """Send the tokens and the style of the report."""
    return Response(shared_style(), media_type="text/css")


def _card_script() -> Response:
    """Send what the report's cards do, too."""
    return Response(static_text("card.js"), media_type="text/javascript")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    wants_page = "text/html" in request.headers.get("accept", "")
    if error.status_code == 401 and request.method == "GET" and wants_page:
        return RedirectResponse("/sign-in", status_code=303)
    return JSONResponse({"message": error.detail}, status_code=error.status_code)


def _wrong_input(request: Request, error: Exception) -> Response:
    line = printable(" ".join(str(error).split()))
    root = str(request.app.state.services.folder.root)
    return JSONResponse({"message": line.replace(root, "DATA")}, status_code=422)
