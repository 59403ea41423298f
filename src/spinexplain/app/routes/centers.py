"""Clicking body centers where neither mask nor centers came with a scan."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import select

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.access import Asking, Readable, Server, Services, readable_scan
from spinexplain.app.centers import (
    CLICKED_LEVELS,
    bounds_mm,
    opened,
    sagittal_frame,
    sagittal_png,
    unpack,
)
from spinexplain.app.intake import copy_in, queue
from spinexplain.app.pages import page_environment
from spinexplain.app.scan_view import read_view
from spinexplain.app.schema import Event, Scan
from spinexplain.io.centroids import write_centroids
from spinexplain.types import Vertebra, Volume

router = APIRouter(prefix="/scans/{scan_id}", dependencies=[Depends(readable_scan)])

Coordinate = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]


class Clicked(BaseModel):
    """A body center and its level."""

    level: VertebraLevel
    center_mm: tuple[Coordinate, Coordinate, Coordinate]


class Clicks(BaseModel):
    """All body centers of a scan."""

    centers: Annotated[list[Clicked], Field(min_length=2, max_length=26)]


def takes_centers(server: Services, scan: Scan) -> bool:
    """Whether centers may be set: none were found, or nobody has a mask or a word on those.

    A word rests on the centers that were graded: it must not lose its ground.
    """
    if scan.state == "needs_centers":
        return True
    if scan.state != "ready" or server.folder.input(scan.id, "labels") is not None:
        return False
    with server.database.reading() as session:
        said = select(Event.id).where(Event.scan_id == scan.id, Event.kind != "viewed").limit(1)
        return session.scalar(said) is None


def waiting_volume(server: Server, scan: Readable) -> Volume:
    """Return the CT of a scan that takes centers.

    Raises
    ------
    HTTPException
        409 where the scan takes none.
    """
    ct = server.folder.input(scan.id, "ct")
    if ct is None or not takes_centers(server, scan):
        raise HTTPException(
            409, "Centers of this scan stand: it came with a mask, or a reader has said a word."
        )
    folder = server.folder.scan(scan.id) / "slices"
    if not folder.is_dir():
        unpack(ct, folder)
    return opened(folder)


Waiting = Annotated[Volume, Depends(waiting_volume)]


@router.get("/centers")
def page(server: Server, reader: Asking, scan: Readable, volume: Waiting) -> HTMLResponse:
    """Show the page on which centers are clicked, or dragged where there are some."""
    template = page_environment().get_template("centers.html.j2")
    return HTMLResponse(template.render(scan=scan, reader=reader, names=CLICKED_LEVELS))


def _found(server: Services, scan: Scan) -> list[dict[str, Any]]:
    """Return level and center of what was graded, cranial to caudal; nothing where nothing was."""
    if scan.state != "ready":
        return []
    levels = read_view(server.folder.view(scan.id)).levels
    return [{"level": one["level"], "center_mm": one["centroid_mm"]} for one in levels]


@router.get("/slices")
def described(server: Server, scan: Readable, volume: Waiting) -> JSONResponse:
    """Describe where slices may lie, and how their samples map to mm."""
    low, high = bounds_mm(volume)
    frame = sagittal_frame(volume, float(low[0] + high[0]) / 2)
    top = frame.to_mm(np.zeros(3))
    return JSONResponse(
        {
            "x_mm": [float(low[0]), float(high[0])],
            "rows": frame.shape[0],
            "columns": frame.shape[1],
            "first_mm": [float(value) for value in top],
            "found": _found(server, scan),
        }
    )


@router.get("/slices/sagittal.png")
def sagittal(
    volume: Waiting, x_mm: Annotated[float, Query(ge=-1e4, le=1e4, allow_inf_nan=False)]
) -> Response:
    """Send a sagittal slice."""
    return Response(sagittal_png(volume, x_mm), media_type="image/png")


@router.post("/centers")
def submit(server: Server, scan: Readable, volume: Waiting, clicks: Clicks) -> JSONResponse:
    """Store the centers and queue the scan."""
    levels = [one.level for one in clicks.centers]
    if len(set(levels)) < len(levels):
        raise HTTPException(422, "A level was clicked twice; undo one of the two.")
    vertebrae = [Vertebra(one.level, one.center_mm) for one in clicks.centers]
    with TemporaryDirectory() as made:
        path = Path(made) / "centers.json"
        write_centroids(path, vertebrae, volume)
        copy_in(server.folder, scan, "centroids", path)
    with server.database.writing() as session:
        state = queue(session, server.folder, scan.id)
    return JSONResponse({"state": state}, status_code=201)
