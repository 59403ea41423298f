"""How scans come in: streamed to disk, watched, or from the package's examples."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from spinexplain.app.accounts import local_account
from spinexplain.app.database import Database, utc_now
from spinexplain.app.folder import KINDS_OF_FILE, DataFolder, new_id
from spinexplain.app.schema import Scan, ScanReader
from spinexplain.errors import FileFormatError
from spinexplain.results.heatmaps import file_name
from spinexplain.texts.printable import printable

LARGEST_BYTES = 4 * 2**30
_QUIET_S = 5.0
_NIFTI_MAGIC_AT = 344
_HEAD_BYTES = 352
_EXAMPLES = {
    "lumbar example": ("lumbar_ct.nii.gz", "lumbar_seg-vert_msk.nii.gz", "labels"),
    "thoracic example": ("thoracic_ct.nii.gz", "thoracic_ctd.json", "centroids"),
}
_MASK_WORDS = ("seg", "msk", "mask", "label")


def new_scan(session: Session, name: str, patient: str | None, account_id: int) -> Scan:
    """Add a scan that has no files yet; its maker may open it."""
    scan_id = new_id()
    scan = Scan(
        id=scan_id,
        name=printable(name.strip())[:120] or f"scan {scan_id[:6]}",
        patient=(printable(patient.strip())[:120] or None) if patient else None,
        state="receiving",
        stage="",
        message="",
        attempts=0,
        added_at=utc_now(),
        worst=-1.0,
        headline="",
        disagreement=0,
    )
    session.add(scan)
    session.flush()
    session.add(ScanReader(scan_id=scan.id, account_id=account_id))
    return scan


async def receive(
    folder: DataFolder,
    scan: Scan,
    kind: str,
    chunks: AsyncIterator[bytes],
    largest_bytes: int = LARGEST_BYTES,
) -> Path:
    """Stream a file to disk under a name of the server's own, whole or not at all.

    Parameters
    ----------
    kind : str
        One of ``KINDS_OF_FILE``.
    chunks : async iterator of bytes

    Raises
    ------
    FileFormatError
        If the bytes are not of a file of this kind, or too many.
    """
    received = 0
    with _stored(folder, scan, kind) as stream:
        async for chunk in chunks:
            received += len(chunk)
            if received > largest_bytes:
                raise FileFormatError(
                    f"the {kind} file is larger than {largest_bytes / 2**30:.3g} GiB; expected at "
                    "most that. Put it into the watched folder instead."
                )
            stream.write(chunk)
    stored = folder.input(scan.id, kind)
    assert stored is not None
    return stored


def copy_in(folder: DataFolder, scan: Scan, kind: str, source: Path) -> None:
    """Copy a file in; what is checked is what was copied."""
    with _stored(folder, scan, kind) as stream, open(source, "rb") as content:
        shutil.copyfileobj(content, stream, 2**20)


@contextmanager
def _stored(folder: DataFolder, scan: Scan, kind: str) -> Iterator[BinaryIO]:
    place = folder.scan(scan.id) / "input" / kind
    place.mkdir(parents=True, exist_ok=True)
    part = place / f".{os.urandom(4).hex()}.part"
    try:
        with open(part, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        ending = _ending(part, kind)
        for older in place.glob("[!.]*"):
            older.unlink()
        os.replace(part, place / f"{file_name(scan.name)[:60]}{ending}")
    finally:
        part.unlink(missing_ok=True)


def _ending(path: Path, kind: str) -> str:
    """Return the ending by the bytes, never by the name, of a file."""
    with open(path, "rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if kind in ("centroids", "result"):
        if head.lstrip()[:1] in (b"[", b"{"):
            return ".json"
        raise FileFormatError(f"the {kind} file is no JSON; expected one as `grade` reads it.")
    if head[:2] == b"\x1f\x8b":
        return ".nii.gz"
    if head[_NIFTI_MAGIC_AT : _NIFTI_MAGIC_AT + 2] in (b"n+", b"ni"):
        return ".nii"
    if kind == "ct" and head[:2] == b"PK":
        return ".zip"
    raise FileFormatError(
        f"the {kind} file is neither NIfTI{' nor a zip of a DICOM series' if kind == 'ct' else ''}"
        "; expected .nii, .nii.gz"
        f"{' or .zip' if kind == 'ct' else ''}. Choose another file."
    )


def queue(session: Session, folder: DataFolder, scan_id: str) -> str:
    """Queue a scan whose files are there, and return its state.

    Raises
    ------
    FileFormatError
        If it has no CT, or is being graded already.
    """
    scan = session.get_one(Scan, scan_id)
    if folder.input(scan_id, "ct") is None:
        raise FileFormatError("this scan has no CT yet; send one first.")
    if scan.state in ("queued", "grading"):
        raise FileFormatError("this scan is being graded already; wait until it is done.")
    scan.state = "queued"
    scan.attempts, scan.message, scan.stage = 0, "", ""
    return scan.state


def add_examples(database: Database, folder: DataFolder) -> None:
    """Take the example scans of the package in, once."""
    for name, (ct, other, kind) in _EXAMPLES.items():
        with database.writing() as session:
            if session.scalar(select(Scan).where(Scan.name == name)) is not None:
                continue
            scan = new_scan(session, name, None, local_account(session).id)
            with as_file(files("spinexplain.data") / "examples") as examples:
                copy_in(folder, scan, "ct", examples / ct)
                copy_in(folder, scan, kind, examples / other)
            queue(session, folder, scan.id)


def take_watched(database: Database, folder: DataFolder, identified: bool) -> None:
    """Take in every folder below ``watch`` that nobody writes to any more, and remove it.

    A folder holds one scan: a CT (NIfTI or a zip of DICOM), and as they exist a mask, a
    centroid list, and the ``result.json`` of an earlier grading to compare with.
    """
    for place in sorted(p for p in folder.watched.iterdir() if p.is_dir()):
        found = sorted(p for p in place.iterdir() if p.is_file() and not p.is_symlink())
        if not found or not _is_quiet(found):
            continue
        with database.writing() as session:
            name = place.name if identified else ""
            scan = new_scan(session, name, None, local_account(session).id)
            try:
                for kind, path in _sorted_out(found).items():
                    copy_in(folder, scan, kind, path)
                queue(session, folder, scan.id)
            except FileFormatError as error:
                scan.state, scan.message = "refused", printable(str(error))
        shutil.rmtree(place)


def _is_quiet(found: Iterable[Path]) -> bool:
    return all(time.time() - path.stat().st_mtime > _QUIET_S for path in found)


def _sorted_out(found: Iterable[Path]) -> dict[str, Path]:
    kinds: dict[str, Path] = {}
    for path in found:
        name = path.name.lower()
        if name == "result.json":
            kind = "result"
        elif name.endswith(".json"):
            kind = "centroids"
        elif name.endswith((".nii", ".nii.gz")) and any(word in name for word in _MASK_WORDS):
            kind = "labels"
        elif name.endswith((".nii", ".nii.gz", ".zip")):
            kind = "ct"
        else:
            continue
        if kind in kinds:
            raise FileFormatError(f"there are two files of the kind {kind}; expected one scan.")
        kinds[kind] = path
    assert set(kinds) <= set(KINDS_OF_FILE)
    return kinds
