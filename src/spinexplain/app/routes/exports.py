"""Downloads of a reading."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.background import BackgroundTask

from spinexplain.app.access import Asking, Readable, Server, Services, Viewed, readable_scan
from spinexplain.app.dicom_export import dicom_zip
from spinexplain.app.events import acts_of
from spinexplain.app.exports import as_csv, as_json, dumped, verse_zip
from spinexplain.app.finding import report_with
from spinexplain.app.folder import DataFolder
from spinexplain.app.reading import Reading, sum_up
from spinexplain.app.reading_pdf import reading_pdf
from spinexplain.app.regraded import renamed_report
from spinexplain.app.scan_view import ScanView
from spinexplain.app.schema import Scan
from spinexplain.errors import FileFormatError

ZipWriter = Callable[[DataFolder, str, ScanView, Reading, Path], None]
router = APIRouter(prefix="/scans/{scan_id}", dependencies=[Depends(readable_scan)])


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


@router.get("/report.html")
def report(server: Server, reader: Asking, scan: Readable, view: Viewed) -> HTMLResponse:
    """Send the report with the reader's word on top and the model's beside it."""
    with server.database.reading() as session:
        reading = sum_up(acts_of(session, scan.id, reader.id))
    stored, named = _report_of(server, scan, view, reading)
    page, policy = report_with(stored.read_text(encoding="utf-8"), view, reading, scan.name, named)
    headers = {"content-security-policy": f"{policy}; frame-ancestors 'none'"}
    return HTMLResponse(page, headers=headers)


def _report_of(server: Services, scan: Scan, view: ScanView, reading: Reading) -> tuple[Path, bool]:
    """Return the model's report under the reader's names, and whether it could be made so."""
    stored = server.folder.graded(scan.id) / "report.html"
    if not reading.shift:
        return stored, True
    try:
        return renamed_report(server.folder, scan.id, view, scan.name, reading.shift), True
    except FileFormatError:
        return stored, False


@router.get("/reading.pdf")
def pdf_export(server: Server, reader: Asking, scan: Readable, view: Viewed) -> Response:
    """Send the reading as a PDF."""
    with server.database.reading() as session:
        reading = sum_up(acts_of(session, scan.id, reader.id))
    headers = _attached(f"reading-{scan.id}.pdf")
    content = reading_pdf(view, reading, scan.name)
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/reading.json")
def json_export(server: Server, reader: Asking, scan: Readable, view: Viewed) -> Response:
    """Send the reading with all its acts."""
    with server.database.reading() as session:
        acts = acts_of(session, scan.id, reader.id)
    content = dumped(as_json(view, sum_up(acts), acts, scan.name))
    headers = _attached(f"reading-{scan.id}.json")
    return Response(content, media_type="application/json", headers=headers)


@router.get("/reading.csv")
def csv_export(server: Server, reader: Asking, scan: Readable, view: Viewed) -> Response:
    """Send one row a vertebra."""
    with server.database.reading() as session:
        reading = sum_up(acts_of(session, scan.id, reader.id))
    headers = _attached(f"reading-{scan.id}.csv")
    return Response(as_csv(view, reading, scan.name), media_type="text/csv", headers=headers)


@router.get("/verse.zip")
def verse_export(server: Server, reader: Asking, scan: Readable, view: Viewed) -> FileResponse:
    """Send CT, mask, centers and fracture table as `prepare` takes them."""
    with server.database.reading() as session:
        reading = sum_up(acts_of(session, scan.id, reader.id))
    return _zipped(server, scan, view, reading, "verse", verse_zip)


@router.get("/dicom.zip")
def dicom_export(server: Server, reader: Asking, scan: Readable, view: Viewed) -> FileResponse:
    """Send the finalized reading as DICOM objects of the CT's own study."""
    with server.database.reading() as session:
        reading = sum_up(acts_of(session, scan.id, reader.id))
    return _zipped(server, scan, view, reading, "dicom", dicom_zip)


def _zipped(
    server: Services, scan: Scan, view: ScanView, reading: Reading, what: str, write: ZipWriter
) -> FileResponse:
    """Send a zip from a temporary file, which is gone once it is sent or could not be written."""
    handle, name = tempfile.mkstemp(suffix=".zip", dir=server.folder.scan(scan.id))
    os.close(handle)
    path = Path(name)
    try:
        write(server.folder, scan.id, view, reading, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    done = BackgroundTask(path.unlink, missing_ok=True)
    headers = _attached(f"{what}-{scan.id}.zip")
    return FileResponse(path, media_type="application/zip", headers=headers, background=done)
