"""The page on which readers decide about prototypes, and the file for ``curate``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import ValidationError

from spinexplain.app.access import Asking, Server
from spinexplain.app.pages import page_environment
from spinexplain.app.prototypes import (
    append_decision,
    checked_decision,
    decisions_now,
    page_content,
    shown_model,
)
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.models.bundle.decisions import dumped_decisions
from spinexplain.ui.pages import static_text

router = APIRouter(prefix="/prototypes")

STORE = "/prototypes/decisions"


@router.get("/")
def prototypes(reader: Asking) -> HTMLResponse:
    """Show the prototypes of the model that grades."""
    content = page_content(shown_model(DEFAULT_MODEL), STORE)
    template = page_environment().get_template("prototypes.html.j2")
    return HTMLResponse(template.render(reader=reader, **content))


@router.get("/page.css")
def style(reader: Asking) -> Response:
    """Send the atlas's style and that of deciding."""
    text = static_text("atlas.css") + static_text("decisions.css")
    return Response(text, media_type="text/css")


@router.get("/page.js")
def script(reader: Asking) -> Response:
    """Send the script of deciding."""
    return Response(static_text("decisions.js"), media_type="text/javascript")


@router.post("/decisions")
def decide(server: Server, reader: Asking, content: dict[str, Any]) -> JSONResponse:
    """Store a decision; it is on disk when this answers. One without a choice takes one back."""
    shown = shown_model(DEFAULT_MODEL)
    number, body = content.get("prototype"), {}
    if content.get("choice"):
        try:
            found = checked_decision(content, shown)
        except ValidationError as error:
            raise HTTPException(422, error.errors()[0]["msg"]) from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        number, body = found.prototype, found.model_dump(mode="json", exclude={"at"})
    if type(number) is not int or not 1 <= number <= len(shown.names):
        raise HTTPException(422, "there is no such prototype in this model")
    with server.database.writing() as session:
        append_decision(session, reader.id, shown, number, body)
    return JSONResponse({"prototype": number}, status_code=201)


@router.get("/decisions.json")
def decisions(server: Server, reader: Asking) -> Response:
    """Send the reader's own decisions as ``curate`` takes them."""
    shown = shown_model(DEFAULT_MODEL)
    with server.database.reading() as session:
        found = decisions_now(session, reader.id, reader.name, shown)
    headers = {"content-disposition": 'attachment; filename="decisions.json"'}
    return Response(dumped_decisions(found), media_type="application/json", headers=headers)
