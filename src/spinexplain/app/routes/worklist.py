"""The work list, uploads, and how far the background jobs are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import select
from sqlalchemy.orm import Session

from spinexplain.app.access import Asking, Readable, Reader, Server, Services
from spinexplain.app.events import reading_of
from spinexplain.app.folder import KINDS_OF_FILE
from spinexplain.app.intake import LARGEST_BYTES, new_scan, queue, receive
from spinexplain.app.level_names import shifted_headline
from spinexplain.app.pages import page_environment
from spinexplain.app.reading import Reading
from spinexplain.app.schema import Scan, ScanReader
from spinexplain.errors import FileFormatError
from spinexplain.texts.printable import printable

router = APIRouter()

ORDERS = ("worst", "disagreement", "unread", "date")
_PENDING = ("queued", "grading")


@dataclass(frozen=True)
class Item:
    """One line of the work list."""

    scan: Scan
    reading: str
    headline: str


@router.get("/")
def work_list(server: Server, reader: Asking, order: str = "worst", q: str = "") -> HTMLResponse:
    """Show the scans that are open to the reader."""
    order = order if order in ORDERS else "worst"
    with server.database.reading() as session:
        scans = open_scans(session, reader)
        items = [_item(one, reading_of(session, one.id, reader.id)) for one in scans]
    wanted = q.strip().lower()[:80]
    items = [item for item in items if wanted in f"{item.scan.name} {item.headline}".lower()]
    template = page_environment().get_template("worklist.html.j2")
    return HTMLResponse(
        template.render(
            items=_ordered(items, order), reader=reader, order=order, orders=ORDERS, q=q[:80]
        )
    )


def _item(scan: Scan, reading: Reading) -> Item:
    return Item(scan, reading.state, shifted_headline(scan.headline, reading.shift))


def open_scans(session: Session, reader: Reader) -> list[Scan]:
    """Return the scans that a reader may open, newest first."""
    query = select(Scan).order_by(Scan.added_at.desc())
    if not reader.sees_all:
        query = query.join(ScanReader, ScanReader.scan_id == Scan.id).where(
            ScanReader.account_id == reader.id
        )
    return list(session.scalars(query))


def _ordered(items: list[Item], order: str) -> list[Item]:
    keys = {
        "worst": lambda item: -item.scan.worst,
        "disagreement": lambda item: -item.scan.disagreement,
        "unread": lambda item: ("unread", "seen", "begun", "final").index(item.reading),
        "date": lambda item: 0,
    }
    return sorted(items, key=keys[order])


@router.post("/scans")
def add(
    server: Server,
    reader: Asking,
    name: Annotated[str, Form(max_length=200)] = "",
    patient: Annotated[str, Form(max_length=200)] = "",
    study_date: Annotated[date | None, Form()] = None,
) -> JSONResponse:
    """Add a scan; its files are sent next."""
    with server.database.writing() as session:
        scan = new_scan(session, name, patient, reader.id)
        scan.study_date = None if study_date is None else study_date.isoformat()
    return JSONResponse({"id": scan.id}, status_code=201)


@router.put("/scans/{scan_id}/files/{kind}", max_body_size=LARGEST_BYTES)
async def send(request: Request, server: Server, scan: Readable, kind: str) -> JSONResponse:
    """Stream one file of a scan to disk."""
    if kind not in KINDS_OF_FILE:
        raise HTTPException(404, "There is no such kind of file.")
    if scan.state not in ("receiving", "refused", "needs_centers"):
        raise HTTPException(409, "This scan has been graded; add another one.")
    try:
        await receive(server.folder, scan, kind, request.stream(), server.largest_bytes)
    except FileFormatError as error:
        await run_in_threadpool(_refuse, server, scan.id, printable(str(error)))
        raise
    return JSONResponse({"received": kind})


def _refuse(server: Services, scan_id: str, message: str) -> None:
    """Say on the work list too why a scan did not come in; another file may take its place."""
    with server.database.writing() as session:
        scan = session.get_one(Scan, scan_id)
        scan.state, scan.message = "refused", message


@router.post("/scans/{scan_id}/queue")
def grade(server: Server, scan: Readable) -> JSONResponse:
    """Queue a scan for grading."""
    if scan.state == "ready":
        raise HTTPException(409, "This scan is graded; a reading of it must not lose its ground.")
    with server.database.writing() as session:
        state = queue(session, server.folder, scan.id)
    return JSONResponse({"state": state})


@router.get("/progress", response_class=EventSourceResponse)
async def progress(server: Server, reader: Asking) -> AsyncIterator[ServerSentEvent]:
    """Send the stages of pending jobs until none is pending."""

    def stages() -> dict[str, list[str]]:
        with server.database.reading() as session:
            return {s.id: [s.state, s.stage] for s in open_scans(session, reader)}

    last: dict[str, list[str]] = {}
    while True:
        now = await run_in_threadpool(stages)
        changed = {key: value for key, value in now.items() if last.get(key) != value}
        if changed:
            yield ServerSentEvent(data=changed, event="stages")
        last = now
        if not any(state in _PENDING for state, _ in now.values()):
            yield ServerSentEvent(data={}, event="done")
            return
        await asyncio.sleep(1)
