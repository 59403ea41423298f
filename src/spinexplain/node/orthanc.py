"""An Orthanc beside the node as its mailbox: polled by ``/changes``, results by ``/instances``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from spinexplain.dicom_out.result_context import MANUFACTURER
from spinexplain.errors import ConfigError
from spinexplain.node.mailbox import Arrival, MailboxError
from spinexplain.node.rules import facts_of
from spinexplain.node.tls import NOT_TRUSTED, SYSTEM_TRUST, ServerTrust

_PAGE = 100
_TIMEOUT_S = (10, 300)
_CHUNK = 1 << 20


class OrthancMailbox:
    """A polled Orthanc.

    Parameters
    ----------
    url : str
    user, password : str
        Empty for none.
    forward_to : str
        Modality that results are sent on to; empty for none.
    tls : ServerTrust
        Of an https address.
    """

    def __init__(
        self,
        url: str,
        user: str = "",
        password: str = "",
        forward_to: str = "",
        tls: ServerTrust = SYSTEM_TRUST,
    ) -> None:
        self._url = url.rstrip("/")
        self._forward_to = forward_to
        self._session = tls.session()
        if user:
            self._session.auth = (user, password)

    @property
    def name(self) -> str:
        """Which mailbox it is, for the ledger."""
        return f"orthanc {self._url}"

    def check_forward(self) -> None:
        """Refuse to forward to a modality that Orthanc does not know, before anything is graded.

        An Orthanc that does not answer yet is not asked again: its health is reported.

        Raises
        ------
        ConfigError
        """
        if not self._forward_to:
            return
        try:
            known = [str(name) for name in self._json("GET", "/modalities")]
        except MailboxError:
            return
        if self._forward_to not in known:
            raise ConfigError(
                f'mailbox.forward_to is "{self._forward_to}"; Orthanc knows the modalities '
                f"{', '.join(known) or 'none'}. Add it to DicomModalities of Orthanc, or leave "
                "forward_to out."
            )

    def arrivals(self, cursor: str) -> tuple[list[Arrival], str]:
        """Return series that became stable since a change's number.

        An Orthanc whose database was made anew counts from the start again; so does the node
        then, and the ledger knows what was done.
        """
        since = int(cursor or 0)
        page = self._json("GET", f"/changes?since={since}&limit={_PAGE}")
        if not page["Changes"] and since > int(self._json("GET", "/changes?last")["Last"]):
            return [], "0"
        stable = [one["ID"] for one in page["Changes"] if one["ChangeType"] == "StableSeries"]
        return self._described(dict.fromkeys(stable)), str(page["Last"])

    def listing(self) -> list[Arrival]:
        """Return every CT series there is."""
        found = self._json(
            "POST", "/tools/find", json={"Level": "Series", "Query": {"Modality": "CT"}}
        )
        return self._described(dict.fromkeys(found))

    def fetch(self, reference: str, folder: Path) -> Path:
        """Bring a series into a folder as one zip, which is read as it is."""
        return self._download(f"/series/{reference}/archive", folder / "ct.zip")

    def segmentations(self, reference: str, folder: Path) -> list[Path]:
        """Bring the segmentations of the same study, but not ours."""
        study = self._json("GET", f"/series/{reference}")["ParentStudy"]
        paths = []
        for one in self._json("GET", f"/studies/{study}")["Series"]:
            series = self._json("GET", f"/series/{one}")
            tags = series["MainDicomTags"]
            if tags.get("Modality") == "SEG" and tags.get("Manufacturer") != MANUFACTURER:
                for instance in series["Instances"]:
                    path = folder / f"{instance}.dcm"
                    paths.append(self._download(f"/instances/{instance}/file", path))
        return paths

    def deliver(self, files: Sequence[Path]) -> None:
        """Store results, then send them on."""
        stored = [self._stored(path) for path in files]
        if self._forward_to:
            answer = self._json("POST", f"/modalities/{self._forward_to}/store", json=stored)
            failed = answer.get("FailedInstancesCount", 0) if isinstance(answer, dict) else 0
            if failed:
                raise MailboxError(f"{self._forward_to} refused {failed} of {len(stored)} results")

    def forget(self, reference: str) -> None:
        """Do nothing: the series belongs to the archive."""

    def _described(self, references: dict[str, None]) -> list[Arrival]:
        found = []
        for one in references:
            series = self._json("GET", f"/series/{one}", missing_ok=True)
            if series and series.get("Instances"):
                instances = series["Instances"]
                tags = self._json("GET", f"/instances/{instances[0]}/simplified-tags")
                found.append(Arrival(one, facts_of(tags, len(instances))))
        return found

    def _stored(self, path: Path) -> str:
        with path.open("rb") as stream:
            answer = self._json("POST", "/instances", data=stream)
        return str(answer["ID"])

    def _json(self, method: str, path: str, missing_ok: bool = False, **more: Any) -> Any:
        response = self._asked(method, path, **more)
        if missing_ok and response.status_code == 404:
            return None
        self._check(response, path)
        try:
            return response.json()
        except ValueError:
            raise MailboxError(f"Orthanc's answer to {_endpoint(path)} is no JSON") from None

    def _download(self, path: str, out: Path) -> Path:
        with self._asked("GET", path, stream=True) as response:
            self._check(response, path)
            part = out.with_name(out.name + ".part")
            try:
                with part.open("wb") as stream:
                    for chunk in response.iter_content(_CHUNK):
                        stream.write(chunk)
            except requests.RequestException as error:
                raise MailboxError(f"Orthanc broke off ({type(error).__name__})") from None
        return part.rename(out)

    def _asked(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            return self._session.request(method, self._url + path, timeout=_TIMEOUT_S, **more)
        except requests.exceptions.SSLError:
            raise MailboxError(NOT_TRUSTED) from None
        except requests.RequestException as error:
            raise MailboxError(f"Orthanc does not answer ({type(error).__name__})") from None

    @staticmethod
    def _check(response: requests.Response, path: str) -> None:
        if response.status_code >= 400:
            raise MailboxError(f"Orthanc answers {response.status_code} to {_endpoint(path)}")


def _endpoint(path: str) -> str:
    """Return the kind of address, without identifiers."""
    return "/" + path.lstrip("/").split("/")[0].split("?")[0]
