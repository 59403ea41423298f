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
    """Say what became of a level: by the reader's grade, else by the verdict's, else by heights.

    Where one of the scans has no grade (borderline, mild height loss), losses count as changed
    where their intervals do not meet; without heights the same words are no change.

    Examples
    --------
    >>> change(None, None)
    'not on both'
    """
    if now is None or before is None:
        return "not on both"
    first, second = (
        final_grade(line) if line.word else line.agreed_grade for line in (before, now)
    )
    if first is not None and second is not None:
        return _by_grades(int(first[1]), int(second[1]))
    if _measured(now) and _measured(before):
        return _by_losses(now, before)
    said = [line.words or line.model for line in (before, now)]
    same = first is second is None and said[0] == said[1] and "not assessable" not in said[0]
    return "unchanged" if same else "not comparable"


def _by_grades(first: int, second: int) -> str:
    if second > first:
        return "new" if first == 0 else "progressed"
    return "unchanged" if second == first else "graded lower"


def _measured(line: Line) -> bool:
    return line.heights is not None and line.heights.by != "nobody"


def _by_losses(now: Line, before: Line) -> str:
    assert now.heights is not None
    assert before.heights is not None
    low, high = now.heights.loss_interval
    former_low, former_high = before.heights.loss_interval
    if low > former_high:
        return "more height loss"
    return "less height loss" if high < former_low else "unchanged"
