"""The node's own door: a DICOM storage service that spools series until they are quiet."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.io.quiet import quiet_dicom
from spinexplain.node.mailbox import Arrival, MailboxError
from spinexplain.node.rules import SeriesFacts, facts_of
from spinexplain.node.settings import ScpSettings
from spinexplain.node.tls import client_context, server_context

if TYPE_CHECKING:
    from pynetdicom.events import Event

_VERIFICATION = "1.2.840.10008.1.1"
_SUCCESS = 0x0000
_OUT_OF_RESOURCES = 0xA700
_CANNOT_UNDERSTAND = 0xC000
_MARK = "finished"
_FACTS = (
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "Modality",
    "Manufacturer",
    "BodyPartExamined",
    "ConvolutionKernel",
    "ImageType",
    "SliceThickness",
    "PatientAge",
    "PatientBirthDate",
    "StudyDate",
)


class StorageMailbox:
    """A spool of series that were sent over DICOM; results go to a PACS over DICOM.

    Parameters
    ----------
    settings : ScpSettings
    spool : Path
        One folder a study and series, named by hashes; made where it is missing.
    has_room : callable
        Whether the disk takes more. Where it does not, senders get the answer to come back.

    Raises
    ------
    ConfigError
        If a file of TLS cannot be used.
    """

    def __init__(self, settings: ScpSettings, spool: Path, has_room: Callable[[], bool]) -> None:
        self._settings = settings
        self._spool = spool
        self._has_room = has_room
        self._server: Any = None
        self._server_tls, self._pacs_tls = _tls_of(settings)
        spool.mkdir(parents=True, exist_ok=True)
        for part in spool.rglob("*.part"):  # of a node that was killed while receiving
            part.unlink(missing_ok=True)

    @property
    def name(self) -> str:
        """Which mailbox it is, for the ledger."""
        return f"scp {self._settings.aet}"

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.socket.getsockname()[1])

    def open(self) -> None:
        """Start to listen."""
        from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

        ae = AE(ae_title=self._settings.aet)
        ae.require_called_aet = True
        ae.require_calling_aet = list(self._settings.allowed_aets)
        ae.network_timeout = 60
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
        ae.add_supported_context(_VERIFICATION)
        self._server = ae.start_server(
            (self._settings.host, self._settings.port),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, self._received)],
            ssl_context=self._server_tls,
        )

    def close(self) -> None:
        """Stop to listen."""
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def arrivals(self, cursor: str) -> tuple[list[Arrival], str]:
        """Return CT series of which nothing came for the quiet time."""
        self._sweep()
        quiet_since = time.time() - self._settings.quiet_seconds
        found = self._described()
        return [
            one for folder, one in found if _last(folder) <= quiet_since and not _finished(folder)
        ], ""

    def listing(self) -> list[Arrival]:
        """Return every CT series in the spool."""
        return [one for _, one in self._described()]

    def fetch(self, reference: str, folder: Path) -> Path:
        """Link a series into a folder."""
        source = self._spool / reference
        if not source.is_dir():
            raise MailboxError("the series has left the spool")
        target = folder / "ct"
        ignored = shutil.ignore_patterns(_MARK, "*.part")
        shutil.copytree(source, target, copy_function=_linked, ignore=ignored)
        return target

    def segmentations(self, reference: str, folder: Path) -> list[Path]:
        """Return the segmentations of the same study."""
        study = (self._spool / reference).parent
        found = []
        for series in sorted(study.iterdir()):
            files = _files(series)
            if series.name != Path(reference).name and files and _facts(files).modality == "SEG":
                found += files
        return found

    def deliver(self, files: Sequence[Path]) -> None:
        """Send results to the PACS; each must be accepted."""
        from pydicom import dcmread
        from pynetdicom import AE

        ae = AE(ae_title=self._settings.aet)
        with quiet_dicom():
            datasets = [dcmread(path) for path in files]
        for kind in {str(one.SOPClassUID) for one in datasets}:
            ae.add_requested_context(kind, "1.2.840.10008.1.2.1")
        link = ae.associate(
            self._settings.pacs_host,
            self._settings.pacs_port,
            ae_title=self._settings.pacs_aet,
            tls_args=self._pacs_tls,
        )
        if not link.is_established:
            how = " over TLS" if self._pacs_tls else ""
            raise MailboxError(f"the PACS does not take our association{how}")
        try:
            for one in datasets:
                self._send(link, one)
        finally:
            link.release()

    @staticmethod
    def _send(link: Any, dataset: Any) -> None:
        try:
            status = link.send_c_store(dataset)
        except (RuntimeError, ValueError) as error:
            raise MailboxError(f"the PACS breaks off ({type(error).__name__})") from None
        # Warnings (0xB...) mean stored, with something changed.
        if not status or (status.Status != _SUCCESS and status.Status >> 12 != 0xB):
            code = f"{status.Status:#06x}" if status else "no answer"
            raise MailboxError(f"the PACS refuses a result ({code})")

    def forget(self, reference: str) -> None:
        """Mark a series as finished; slices that come late join it and make it live again."""
        with suppress(FileNotFoundError):
            (self._spool / reference / _MARK).touch()

    def _sweep(self) -> None:
        """Remove what is finished or no CT and was kept long enough; at once on a full disk."""
        kept = self._settings.keep_hours * 3600 if self._has_room() else 0.0
        for folder in sorted(self._spool.glob("*/*")):
            files = _files(folder)
            if not files or _last(folder) > time.time() - kept:
                continue
            if _finished(folder) or _facts(files).modality != "CT":
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):  # other series of the study may still be there
                    folder.parent.rmdir()

    def _received(self, event: Event) -> int:
        """Write one instance whole, or answer the sender why not."""
        if not self._has_room():
            self._sweep()
            if not self._has_room():
                return _OUT_OF_RESOURCES
        try:
            dataset = event.dataset
            study, series, instance = (
                _plain(dataset[keyword].value)
                for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            )
        except Exception:  # what comes over a network can be anything
            return _CANNOT_UNDERSTAND
        folder = self._spool / study / series
        part = folder / f"{instance}.{threading.get_ident()}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                stream.write(event.encoded_dataset())
                stream.flush()
                os.fsync(stream.fileno())
            part.rename(folder / f"{instance}.dcm")
        except OSError:
            part.unlink(missing_ok=True)
            return _OUT_OF_RESOURCES
        return _SUCCESS

    def _described(self) -> list[tuple[Path, Arrival]]:
        found = []
        for folder in sorted(self._spool.glob("*/*")):
            files = _files(folder)
            if files:
                facts = _facts(files)
                reference = f"{folder.parent.name}/{folder.name}"
                if facts.modality == "CT":
                    found.append((folder, Arrival(reference, facts)))
        return found


def _tls_of(
    settings: ScpSettings,
) -> tuple[ssl.SSLContext | None, tuple[ssl.SSLContext, str] | None]:
    """Return how series are taken and how results are sent; None where without TLS."""
    certificate, key = settings.tls_certificate, settings.tls_key
    taking = sending = None
    if certificate is not None and key is not None:
        taking = server_context(certificate, key, settings.tls_authority, "scp")
    if settings.pacs_tls:
        context = client_context(settings.tls_authority, certificate, key, "scp")
        sending = (context, settings.pacs_tls_name or settings.pacs_host)
    return taking, sending


def _plain(uid: object) -> str:
    """Name a folder or file by a hash: what comes over a network is no path."""
    return hashlib.sha256(str(uid).encode()).hexdigest()[:24]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.dcm"))


def _last(folder: Path) -> float:
    """Return when the last slice came; a finished series counts from its mark."""
    return max(path.stat().st_mtime for path in folder.iterdir())


def _finished(folder: Path) -> bool:
    """Whether a series was marked after its last slice came."""
    try:
        marked = (folder / _MARK).stat().st_mtime_ns
    except FileNotFoundError:
        return False
    return all(path.stat().st_mtime_ns <= marked for path in _files(folder))


def _facts(files: list[Path]) -> SeriesFacts:
    from pydicom import dcmread

    with quiet_dicom():
        header = dcmread(files[0], specific_tags=list(_FACTS), stop_before_pixels=True, force=True)
        tags = {}
        for keyword in _FACTS:
            value = header.get(keyword)
            many = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
            tags[keyword] = "\\".join(map(str, value)) if many else value
    return facts_of(tags, len(files))


def _linked(source: str, target: str) -> None:
    os.link(source, target)
