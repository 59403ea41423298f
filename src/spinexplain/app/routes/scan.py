"""The scan page and everything it shows."""

from __future__ import annotations

import re
import threading
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from fastapi.responses import FileResponse, HTMLResponse
from markupsafe import Markup

from spinexplain.app.access import Asking, Readable, Server, Viewed, readable_scan
from spinexplain.app.centers import CLICKED_LEVELS
from spinexplain.app.dicom_export import came_as_dicom
from spinexplain.app.edited_heights import shown_heights
from spinexplain.app.edited_verdict import verdict_words
from spinexplain.app.events import reading_of
from spinexplain.app.finding import composed
from spinexplain.app.frames import FURTHEST_MM, crosshair_of, plane_png
from spinexplain.app.pages import page_environment
from spinexplain.app.patients import prior_of
from spinexplain.app.reading import OPTIONS, Reading, spoken
from spinexplain.app.routes.centers import takes_centers
from spinexplain.app.routes.worklist import open_scans
from spinexplain.app.scan_view import ScanView
from spinexplain.io.nifti import write_nifti
from spinexplain.io.read import read_scan
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.pictures import Picture
from spinexplain.ui.spine_map import Mark, SpineMap
from spinexplain.ui.tokens import GradeStyle

router = APIRouter(prefix="/scans/{scan_id}", dependencies=[Depends(readable_scan)])

_PICTURE = re.compile(r"p[0-9a-f]{16}\.png")
_HEATMAP = re.compile(r"[A-Za-z0-9._-]+\.nii\.gz")
_ONE_CT = threading.Lock()
Offset = Annotated[float, Query(ge=-FURTHEST_MM, le=FURTHEST_MM, allow_inf_nan=False)]


@router.get("/")
def page(server: Server, reader: Asking, scan: Readable) -> HTMLResponse:
    """Show the whole spine at once; levels are fetched as they are looked at."""
    if scan.state == "needs_centers":
        template = page_environment().get_template("centers.html.j2")
        return HTMLResponse(template.render(scan=scan, reader=reader, names=CLICKED_LEVELS))
    if scan.state != "ready":
        template = page_environment().get_template("waiting.html.j2")
        may_repeat = server.folder.input(scan.id, "ct") is not None
        return HTMLResponse(template.render(scan=scan, reader=reader, may_repeat=may_repeat))
    view = _view(server, scan)
    with server.database.reading() as session:
        reading = reading_of(session, scan.id, reader.id)
        others = [s for s in open_scans(session, reader) if s.state == "ready" and s.id != scan.id]
    picture = view.described["map"]["picture"]
    linked = Picture(
        picture["id"], picture["width"], picture["height"], f"pictures/{picture['id']}.png"
    )
    return HTMLResponse(
        page_environment()
        .get_template("scan.html.j2")
        .render(
            scan=scan,
            reader=reader,
            view=view.described,
            levels=_listed(view, reading),
            reading=reading,
            others=others,
            takes_centers=takes_centers(server, scan),
            prior=prior_of(scan, others),
            with_dicom=reading.signed is not None and came_as_dicom(server.folder, scan.id),
            page={
                "spine_map": _map(view, reading, linked),
                "album": {"pictures": {linked.id: linked}},
            },
            text=reading.draft if reading.draft is not None else composed(view, reading),
        )
    )


def _view(server: Server, scan: Readable) -> ScanView:
    from spinexplain.app.scan_view import read_view

    return read_view(server.folder.view(scan.id))


def _map(view: ScanView, reading: Reading, picture: Picture) -> SpineMap:
    marks = tuple(
        Mark(
            level=reading.shown_level(one["level"]),
            anchor=f"level-{one['level']}",
            style=GradeStyle(**one["style"]),
            x=one["at"][0],
            y=one["at"][1],
            box=tuple(one["mark"]),
        )
        for one in view.levels
    )
    return SpineMap(picture, view.described["map"]["pixel_mm"], marks)


def _listed(view: ScanView, reading: Reading) -> list[dict[str, object]]:
    say = load_catalogue()
    return [
        {
            **one,
            "shown": reading.shown_level(one["level"]),
            "said": spoken(reading.words[one["level"]], say)
            if one["level"] in reading.words
            else "",
        }
        for one in view.levels
    ]


@router.get("/levels/{level}")
def level(server: Server, reader: Asking, scan: Readable, view: Viewed, level: str) -> HTMLResponse:
    """Show one level: planes, heights, the card of the report, and the reader's word."""
    found = view.level(level)
    if found is None:
        raise HTTPException(404, "There is no such level in this scan.")
    with server.database.reading() as session:
        reading = reading_of(session, scan.id, reader.id)
    return HTMLResponse(
        page_environment()
        .get_template("level.html.j2")
        .render(
            level=found,
            options=OPTIONS,
            crosshair=crosshair_of(found),
            shown=reading.shown_level(level),
            reading=reading,
            word=reading.words.get(level),
            heights=shown_heights(view.levels, level, reading),
            verdict=_changed_verdict(view, level, reading),
            # Markup: the card was written by the report's own templates, escaped there.
            card=Markup(view.card(level, reading.shift)),
            said={one["level"]: one["said"] for one in _listed(view, reading)},
        )
    )


def _changed_verdict(view: ScanView, level: str, reading: Reading) -> str:
    """Say the verdict where heights or names are not the machine's any more."""
    changed = reading.heights or reading.shift
    return verdict_words(view.levels, level, reading) if changed else ""


@router.get("/levels/{level}/planes/{plane}.png")
def plane(
    view: Viewed,
    level: str,
    plane: Literal["sagittal", "coronal", "axial"],
    offset_mm: Offset = 0.0,
    window: Literal["bone", "soft"] = "bone",
) -> Response:
    """Sample one plane of a level."""
    found = view.level(level)
    if found is None:
        raise HTTPException(404, "There is no such level in this scan.")
    content = plane_png(view.crop(), found, plane, offset_mm, window)
    return Response(content, media_type="image/png")


@router.get("/pictures/{name}")
def picture(server: Server, scan: Readable, view: Viewed, name: str) -> FileResponse:
    """Send a picture that was drawn when the scan was graded."""
    path = view.folder / "pictures" / name
    if not _PICTURE.fullmatch(name) or not path.is_file():
        raise HTTPException(404, "There is no such picture.")
    return FileResponse(path)


@router.get("/volumes/spine.nii.gz")
def spine_volume(view: Viewed) -> FileResponse:
    """Send the CT around the spine to the viewer."""
    return FileResponse(view.folder / "spine.nii.gz", media_type="application/gzip")


@router.get("/volumes/ct.nii.gz")
def whole_volume(server: Server, scan: Readable, view: Viewed) -> FileResponse:
    """Send the whole CT to the viewer; its header holds the grid and nothing else."""
    path = view.folder / "ct.nii.gz"
    ct = server.folder.input(scan.id, "ct")
    if ct is None:
        raise HTTPException(404, "The CT is gone.")
    with _ONE_CT:  # in memory at a time, however many readers ask
        if not path.is_file():
            volume = read_scan(ct)
            write_nifti(path, volume.array, volume.affine)
    return FileResponse(path, media_type="application/gzip")


@router.get("/heatmaps/{name}")
def heatmap(server: Server, scan: Readable, view: Viewed, name: str) -> FileResponse:
    """Send a heat map that `grade` painted back on the CT's lattice."""
    path = server.folder.graded(scan.id) / "heatmaps" / name
    if not _HEATMAP.fullmatch(name) or not path.is_file():
        raise HTTPException(404, "There is no such heat map.")
    return FileResponse(path, media_type="application/gzip")


@router.get("/places")
def places(view: Viewed) -> dict[str, list[float]]:
    """Return the body centers, RAS+ mm, for the viewer's crosshair."""
    return {one["level"]: one["centroid_mm"] for one in view.levels}


@router.get("/levels/{level}/heatmaps")
def heatmaps(
    server: Server, reader: Asking, scan: Readable, view: Viewed, level: str
) -> list[dict[str, str]]:
    """List a level's heat maps, each with what it is called under the reader's level names."""
    if view.level(level) is None:
        raise HTTPException(404, "There is no such level in this scan.")
    with server.database.reading() as session:
        shown = reading_of(session, scan.id, reader.id).shown_level(level)
    found = (server.folder.graded(scan.id) / "heatmaps").glob(f"{level}_*.nii.gz")
    names = sorted(path.name for path in found)
    return [{"name": name, "words": _map_words(name, level, shown)} for name in names]


def _map_words(name: str, level: str, shown: str) -> str:
    return name.removesuffix(".nii.gz").replace(level, shown, 1).replace("_", " ")
