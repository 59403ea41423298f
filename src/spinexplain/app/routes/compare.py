"""A prior scan of the same patient beside the present one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.access import Asking, Readable, Server, Viewed, readable_scan
from spinexplain.app.events import reading_of
from spinexplain.app.exports import final_grade
from spinexplain.app.finding import Line, lines_of
from spinexplain.app.pages import page_environment
from spinexplain.app.scan_view import read_view
from spinexplain.app.schema import Scan

router = APIRouter(prefix="/scans/{scan_id}", dependencies=[Depends(readable_scan)])


@dataclass(frozen=True)
class Pair:
    """One level on both scans, and what changed."""

    level: str
    now: Line | None
    prior: Line | None
    change: str


def prior_scan(request: Request, other_id: str, reader: Asking) -> Scan:
    """Return the other scan, under the same rule as the first."""
    return readable_scan(request, other_id, reader)


@router.get("/beside/{other_id}")
def beside(
    server: Server,
    reader: Asking,
    scan: Readable,
    view: Viewed,
    prior: Annotated[Scan, Depends(prior_scan)],
) -> HTMLResponse:
    """Show two scans level by level."""
    if prior.state != "ready" or prior.id == scan.id:
        raise HTTPException(409, "Choose another scan that is graded.")
    earlier = read_view(server.folder.view(prior.id))
    with server.database.reading() as session:
        now = lines_of(view, reading_of(session, scan.id, reader.id))
        before = lines_of(earlier, reading_of(session, prior.id, reader.id))
    return HTMLResponse(
        page_environment()
        .get_template("compare.html.j2")
        .render(
            scan=scan,
            prior=prior,
            reader=reader,
            pairs=paired(now, before),
            same_patient=scan.patient is not None and scan.patient == prior.patient,
        )
    )


def paired(now: list[Line], before: list[Line]) -> list[Pair]:
    """Align two scans by the level names as the reader has them."""
    ours, theirs = ({line.level: line for line in side} for side in (now, before))
    names = [level.value for level in VertebraLevel if level.value in {**ours, **theirs}]
    return [
        Pair(name, ours.get(name), theirs.get(name), change(ours.get(name), theirs.get(name)))
        for name in names
    ]


def change(now: Line | None, before: Line | None) -> str:
    """Say what became of a level: by the reader's grade, else by the verdict's.

    Examples
    --------
    >>> change(None, None)
    'not on both'
    """
    if now is None or before is None:
        return "not on both"
    grades = [final_grade(line) if line.word else line.agreed_grade for line in (before, now)]
    known = [grade for grade in grades if grade is not None]
    if len(known) < 2:
        return "not comparable"
    first, second = (int(grade[1]) for grade in known)
    if second > first:
        return "new" if first == 0 else "progressed"
    return "unchanged" if second == first else "graded lower"
