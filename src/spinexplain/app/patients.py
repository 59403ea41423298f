"""Whose scan it is, without a name; and which scan of the same person came before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from spinexplain.app.folder import DataFolder
from spinexplain.app.schema import Scan
from spinexplain.io.dicom import read_patient_key
from spinexplain.io.read import is_dicom

_SECRET_BYTES = 32


def pseudonym_of(folder: DataFolder, scan_id: str) -> str | None:
    """Return what a scan's patient is called here; None where its files do not say whose it is.

    The same for every series of one patient that this server gets, and without meaning elsewhere:
    it is a hash of the patient's identifier under a key that never leaves the data folder.
    """
    ct = folder.input(scan_id, "ct")
    if ct is None or not is_dicom(ct):
        return None
    key = read_patient_key(ct, _secret(folder))
    return f"patient {key}" if key else None


def _secret(folder: DataFolder) -> bytes:
    """Return the data folder's key, made whole at the first use; of two makers one wins."""
    if not folder.secret.exists():
        made = folder.root / f".{secrets.token_hex(8)}.key"
        _write_private(made, secrets.token_bytes(_SECRET_BYTES))
        try:
            os.link(made, folder.secret)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return folder.secret.read_bytes()


def _write_private(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def prior_of(scan: Scan, others: Iterable[Scan]) -> Scan | None:
    """Return the latest graded scan of the same patient that is earlier; None where none is.

    Dates of study decide; where one of the two scans has none, the order in which they were added.

    Parameters
    ----------
    scan : Scan
    others : iterable of Scan
        Those that are open to who asks.
    """
    if not scan.patient:
        return None
    same = [one for one in others if one.patient == scan.patient and one.id != scan.id]
    earlier = [one for one in same if one.state == "ready" and _is_earlier(one, scan)]
    return max(earlier, key=lambda one: (one.study_date or "", one.added_at), default=None)


def _is_earlier(one: Scan, scan: Scan) -> bool:
    if one.study_date and scan.study_date and one.study_date != scan.study_date:
        return one.study_date < scan.study_date
    return one.added_at < scan.added_at
