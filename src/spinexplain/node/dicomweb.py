"""A DICOMweb server as mailbox: asked twice before a series counts as complete."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from spinexplain.dicom_out.result_context import MANUFACTURER
from spinexplain.io.quiet import quiet_dicom
from spinexplain.node.mailbox import Arrival, MailboxError
from spinexplain.node.rules import facts_of
from spinexplain.node.tls import NOT_TRUSTED, SYSTEM_TRUST, ServerTrust

_KEYWORDS = {
    "00080060": "Modality",
    "00080070": "Manufacturer",
    "00080008": "ImageType",
    "00080020": "StudyDate",
    "00101010": "PatientAge",
    "00100030": "PatientBirthDate",
    "00180015": "BodyPartExamined",
    "00180050": "SliceThickness",
    "00181210": "ConvolutionKernel",
    "0020000D": "StudyInstanceUID",
    "0020000E": "SeriesInstanceUID",
}
_COUNT = "00201209"


class DicomwebMailbox:
    """A polled DICOMweb server.

    Parameters
    ----------
    url : str
        Root of the service.
    user, password : str
        Empty for none.
    days_back : int
        How many days of studies are looked at.
    today : callable
    tls : ServerTrust
        Of an https address.
    """

    def __init__(
        self,
        url: str,
        user: str = "",
        password: str = "",
        days_back: int = 2,
        today: Callable[[], datetime.date] = datetime.date.today,
        tls: ServerTrust = SYSTEM_TRUST,
    ) -> None:
        from dicomweb_client.api import DICOMwebClient

        session = tls.session()
        if user:
            session.auth = (user, password)
        self._client = DICOMwebClient(url, session=session, timeout=300)
        self._client.set_http_retry_params(retry=False)
        self._name = f"dicomweb {url}"
        self._days_back = days_back
        self._today = today
        self._counts: dict[str, int] = {}
        self._arrivals: dict[tuple[str, int], Arrival] = {}

    @property
    def name(self) -> str:
        """Which mailbox it is, for the ledger."""
        return self._name

    def arrivals(self, cursor: str) -> tuple[list[Arrival], str]:
        """Return CT series whose number of instances did not change since the last look."""
        found = self._found()
        counts = {reference: count for reference, count in found}
        steady = [ref for ref, count in found if self._counts.get(ref) == count]
        self._counts = counts
        self._arrivals = {key: one for key, one in self._arrivals.items() if key in set(found)}
        return [self._described(ref, counts[ref]) for ref in steady], ""

    def listing(self) -> list[Arrival]:
        """Return every CT series of the last days."""
        return [self._described(reference, count) for reference, count in self._found()]

    def fetch(self, reference: str, folder: Path) -> Path:
        """Bring a series into a folder."""
        study, series = reference.split("/")
        target = folder / "ct"
        target.mkdir()
        self._retrieve(study, series, target)
        return target

    def segmentations(self, reference: str, folder: Path) -> list[Path]:
        """Bring the segmentations of the same study, but not ours."""
        study = reference.split("/")[0]
        answer = self._asked(
            lambda: self._client.search_for_series(study, search_filters={"Modality": "SEG"})
        )
        paths: list[Path] = []
        for one in answer:
            paths += self._retrieve(study, _value(one, "0020000E"), folder)
        return [path for path in paths if not _is_ours(path)]

    def deliver(self, files: Sequence[Path]) -> None:
        """Store results."""
        from pydicom import dcmread

        with quiet_dicom():
            datasets = [dcmread(path) for path in files]
        answer = self._asked(lambda: self._client.store_instances(datasets))
        failed = len(answer.get("FailedSOPSequence", []))
        if failed:
            raise MailboxError(f"the server refuses {failed} of {len(files)} results")

    def forget(self, reference: str) -> None:
        """Do nothing: the series belongs to the archive."""

    def _found(self) -> list[tuple[str, int]]:
        first = self._today() - datetime.timedelta(days=self._days_back)
        filters = {"Modality": "CT", "StudyDate": f"{first:%Y%m%d}-"}
        answer = self._asked(
            lambda: self._client.search_for_series(
                search_filters=filters, fields=[_COUNT], get_remaining=True
            )
        )
        return [
            (f"{_value(one, '0020000D')}/{_value(one, '0020000E')}", int(_value(one, _COUNT) or 0))
            for one in answer
        ]

    def _described(self, reference: str, count: int) -> Arrival:
        if (reference, count) not in self._arrivals:
            self._arrivals[reference, count] = self._asked_for(reference, count)
        return self._arrivals[reference, count]

    def _asked_for(self, reference: str, count: int) -> Arrival:
        study, series = reference.split("/")
        instances = self._asked(lambda: self._client.search_for_instances(study, series, limit=1))
        uid = _value(instances[0], "00080018") if instances else ""
        tags = self._asked(lambda: self._client.retrieve_instance_metadata(study, series, uid))
        facts = {keyword: _value(tags, tag) for tag, keyword in _KEYWORDS.items()}
        return Arrival(reference, facts_of(facts, count))

    def _retrieve(self, study: str, series: str, folder: Path) -> list[Path]:
        paths = []
        with quiet_dicom():
            for number, one in enumerate(
                self._asked(lambda: list(self._client.iter_series(study, series)))
            ):
                path = folder / f"{len(list(folder.iterdir()))}-{number}.dcm"
                one.save_as(path, enforce_file_format=True)
                paths.append(path)
        return paths

    @staticmethod
    def _asked(question: Callable[[], Any]) -> Any:
        try:
            return question()
        except requests.exceptions.SSLError:
            raise MailboxError(NOT_TRUSTED) from None
        except (requests.RequestException, ConnectionError, OSError) as error:
            raise MailboxError(f"DICOMweb does not answer ({type(error).__name__})") from None
        except (ValueError, KeyError) as error:
            raise MailboxError(
                f"DICOMweb's answer cannot be understood ({type(error).__name__})"
            ) from None


def _value(tags: dict[str, Any], tag: str) -> str:
    values = tags.get(tag, {}).get("Value") or []
    return "\\".join(str(one) for one in values)


def _is_ours(path: Path) -> bool:
    from pydicom import dcmread

    return bool(dcmread(path, specific_tags=["Manufacturer"]).get("Manufacturer") == MANUFACTURER)
