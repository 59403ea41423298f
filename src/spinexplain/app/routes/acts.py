"""A reader's acts, and what follows from points that are only tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError

from spinexplain.app.access import Asking, Readable, Server, Viewed, readable_scan
from spinexplain.app.edited_heights import heights_of, shown_heights
from spinexplain.app.edited_verdict import verdict_words
from spinexplain.app.events import OutOfDateError, append_act, reading_of
from spinexplain.app.finding import composed
from spinexplain.app.reading import KINDS, OF_A_LEVEL, Points
from spinexplain.app.scan_view import ScanView

router = APIRouter(prefix="/scans/{scan_id}", dependencies=[Depends(readable_scan)])


class AskedAct(BaseModel):
    """An act as the page sends it."""

    kind: str
    level: Annotated[str, Field(max_length=4)] | None = None
    body: dict[str, Any] = {}
    after: Annotated[int, Field(ge=0)]
    seen: dict[str, Any] = {}


@router.post("/acts")
def act(
    server: Server, reader: Asking, scan: Readable, view: Viewed, asked: AskedAct
) -> JSONResponse:
    """Store an act; it is on disk when this answers."""
    body = checked(asked, view)
    left: list[str] = []
    try:
        with server.database.writing() as session:
            if asked.kind == "others":
                spoken_of = reading_of(session, scan.id, reader.id).words
                named, left = others_of(view, spoken_of)
                body = {"levels": named}
            elif asked.kind == "heights":
                drawn = heights_of(view.level(str(asked.level)) or {}, body["points"])
                body["heights_mm"] = [round(float(height), 2) for height in drawn]
            last = append_act(
                session, scan.id, reader.id, asked.kind, asked.level, body, asked.after, asked.seen
            )
    except OutOfDateError as error:
        raise HTTPException(409, str(error)) from None
    return JSONResponse({"last": last, "left": left}, status_code=201)


def others_of(view: ScanView, spoken_of: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the levels that one act may call unremarkable, and those it leaves without a word.

    A suspected fracture, or a level that the model cannot assess, is not waved through: the
    reader says a word on each.
    """
    silent = [one for one in view.levels if one["level"] not in spoken_of]
    plain = [one["level"] for one in silent if one["verdict"] == "none" and not one["suspicious"]]
    return plain, [one["level"] for one in silent if one["level"] not in plain]


def checked(asked: AskedAct, view: ScanView) -> dict[str, Any]:
    """Return the body of an act, checked against its kind.

    Raises
    ------
    HTTPException
        422 where kind, level or body are wrong.
    """
    if asked.kind not in KINDS:
        raise HTTPException(422, "There is no such act.")
    if (asked.kind in OF_A_LEVEL) != (asked.level is not None):
        raise HTTPException(422, "This act needs a level, or must have none.")
    if asked.level is not None and view.level(asked.level) is None:
        raise HTTPException(422, "There is no such level in this scan.")
    if len(str(asked.seen)) > 2000:
        raise HTTPException(422, "Too much was on the screen.")
    try:
        return KINDS[asked.kind].model_validate(asked.body).model_dump(mode="json")
    except ValidationError as error:
        raise HTTPException(422, error.errors()[0]["msg"]) from None


@router.post("/levels/{level}/heights")
def tried_heights(
    server: Server, reader: Asking, scan: Readable, view: Viewed, level: str, points: Points
) -> JSONResponse:
    """Say what follows from six points, storing nothing."""
    if view.level(level) is None:
        raise HTTPException(404, "There is no such level in this scan.")
    with server.database.reading() as session:
        reading = reading_of(session, scan.id, reader.id)
    tried = replace(reading, heights={**reading.heights, level: points})
    found = asdict(shown_heights(view.levels, level, tried))
    return JSONResponse(found | {"verdict": verdict_words(view.levels, level, tried)})


@router.get("/finding")
def finding(server: Server, reader: Asking, scan: Readable, view: Viewed) -> JSONResponse:
    """Write the finding anew from the reader's words."""
    with server.database.reading() as session:
        reading = reading_of(session, scan.id, reader.id)
    return JSONResponse({"text": composed(view, reading)})
