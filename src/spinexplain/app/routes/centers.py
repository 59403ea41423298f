"""Clicking body centers where neither mask nor centers came with a scan."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from spinexplain.anatomy import VertebraLevel
from spinexplain.app.access import Readable, Server, readable_scan
from spinexplain.app.centers import bounds_mm, opened, sagittal_frame, sagittal_png, unpack
from spinexplain.app.intake import copy_in, queue
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


def waiting_volume(server: Server, scan: Readable) -> Volume:
    """Return the CT of a scan that waits for its centers.

    Raises
    ------
    HTTPException
        409 where the scan does not wait for them.
    """
    ct = server.folder.input(scan.id, "ct")
    if scan.state != "needs_centers" or ct is None:
        raise HTTPException(409, "This scan does not wait for body centers.")
    folder = server.folder.scan(scan.id) / "slices"
    if not folder.is_dir():
        unpack(ct, folder)
    return opened(folder)


Waiting = Annotated[Volume, Depends(waiting_volume)]


@router.get("/slices")
def described(volume: Waiting) -> JSONResponse:
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
