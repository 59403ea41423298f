"""The node's configuration: one TOML file, checked before anything starts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.errors import ConfigError
from spinexplain.io.files import unreadable


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MailboxSettings(_Section):
    """Where CT series come from and results go to.

    Parameters
    ----------
    kind : str
        ``"orthanc"``: polls an Orthanc beside the node. ``"scp"``: takes series itself over
        DICOM. ``"dicomweb"``: polls a DICOMweb server.
    url : str
        Of Orthanc, or the root of the DICOMweb service.
    user, password_file
        Log-in; the password is the first line of a file, never part of the configuration.
    forward_to : str
        Name of a modality that Orthanc knows, which results are sent on to; empty for none.
    poll_seconds : float
    days_back : int
        How many days of studies DICOMweb is asked for.
    tls_authority : Path or None
        Certificates, PEM, that an https server's must be signed by; the system's by default.
    tls_certificate, tls_key : Path or None
        The node's own, PEM, where the server asks for one.
    """

    kind: Literal["orthanc", "scp", "dicomweb"]
    url: str = ""
    user: str = ""
    password_file: Path | None = None
    forward_to: str = ""
    poll_seconds: float = Field(default=5.0, gt=0)
    days_back: int = Field(default=2, ge=0)
    tls_authority: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    @model_validator(mode="after")
    def _tls_fits(self) -> MailboxSettings:
        given = (self.tls_authority, self.tls_certificate, self.tls_key)
        if any(given) and not self.url.startswith("https://"):
            raise ValueError("tls files are given, but url is no https address; expected one")
        _check_pair(self.tls_certificate, self.tls_key)
        return self

    @model_validator(mode="after")
    def _needs_url(self) -> MailboxSettings:
        if self.kind != "scp" and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url is {self.url!r}; expected the http(s) address of the server")
        return self


class ScpSettings(_Section):
    """The node's own door for series, where ``mailbox.kind`` is ``"scp"``.

    Parameters
    ----------
    aet : str
        Our application entity title; callers must use it.
    host, port
        Where to listen.
    allowed_aets : tuple of str
        Callers; nobody else may send. Empty allows nobody.
    quiet_seconds : float
        A series is complete when nothing of it came for so long.
    keep_hours : float
        How long a finished series stays in the spool, so that slices that come late join it.
    pacs_host, pacs_port, pacs_aet
        Where results are sent.
    tls_certificate, tls_key : Path or None
        The node's own, PEM. With them it takes connections over TLS, and no others.
    tls_authority : Path or None
        Certificates, PEM: senders must show one that it signed, and so must a PACS with TLS.
    pacs_tls : bool
        Whether results are sent over TLS, with the node's own certificate.
    pacs_tls_name : str
        Name in the PACS' certificate, where it is not ``pacs_host``.
    """

    aet: str = "SPINEXPLAIN"
    host: str = "127.0.0.1"
    port: int = Field(default=11112, ge=0, le=65535)
    allowed_aets: tuple[str, ...] = ()
    quiet_seconds: float = Field(default=30.0, gt=0)
    keep_hours: float = Field(default=24.0, ge=0)
    pacs_host: str = ""
    pacs_port: int = Field(default=104, ge=1, le=65535)
    pacs_aet: str = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_authority: Path | None = None
    pacs_tls: bool = False
    pacs_tls_name: str = ""

    @model_validator(mode="after")
    def _tls_fits(self) -> ScpSettings:
        _check_pair(self.tls_certificate, self.tls_key)
        if self.tls_authority and not (self.tls_certificate or self.pacs_tls):
            raise ValueError(
                "tls_authority is given without tls_certificate and pacs_tls; expected one of them"
            )
        if self.pacs_tls_name and not self.pacs_tls:
            raise ValueError("pacs_tls_name is given without pacs_tls; expected pacs_tls = true")
        return self


def _check_pair(certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise ValueError("tls_certificate and tls_key go together; expected both or neither")


class RuleSettings(_Section):
    """Which series are graded.

    Parameters
    ----------
    min_instances : int
    max_thickness_mm : float
    kernels, not_kernels : tuple of str
        Beginnings of the convolution kernel's name, any case; empty allows every kernel.
    body_parts : tuple of str
        Words in the body part; empty allows every one. A series without body part is taken.
    min_age : int
        Years; 0 takes everyone.
    unknown_age : str
        ``"take"`` or ``"refuse"`` a patient whose age the series does not say.
    """

    min_instances: int = Field(default=20, ge=2)
    max_thickness_mm: float = Field(default=3.0, gt=0)
    kernels: tuple[str, ...] = ()
    not_kernels: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ("SPINE", "CHEST", "THORAX", "ABDOMEN", "PELVIS", "TRUNK", "BODY")
    min_age: int = Field(default=50, ge=0)
    unknown_age: Literal["take", "refuse"] = "take"


class VertebraeSettings(_Section):
    """How vertebrae are found.

    Parameters
    ----------
    order : tuple of str
        What is tried, first to last: ``"segmentation"`` (a DICOM segmentation in the study)
        and ``"localizer"``.
    localizer : str
        As ``grade --localizer``; ``"own"`` is the package's own.
    localizer_config : Path, optional
    localizer_minutes : float
    """

    order: tuple[Literal["segmentation", "localizer"], ...] = ("segmentation", "localizer")
    localizer: str = "own"
    localizer_config: Path | None = None
    localizer_minutes: float = Field(default=120.0, gt=0)


class StateSettings(_Section):
    """What the node keeps on disk.

    Parameters
    ----------
    folder : Path
    min_free_gib : float
        Nothing new is taken while the disk has less.
    attempts : int
        How often a series is tried before it goes to the dead letters.
    retry_seconds : float
        Before the second attempt; doubled each time, an hour at most.
    keep_results : bool
        Whether results stay on disk after they were stored.
    """

    folder: Path
    min_free_gib: float = Field(default=5.0, ge=0)
    attempts: int = Field(default=5, ge=1)
    retry_seconds: float = Field(default=30.0, ge=0)
    keep_results: bool = False


class HealthSettings(_Section):
    """Where ``/health`` and ``/metrics`` are served; port 0 serves nothing."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class NodeSettings(_Section):
    """The whole configuration.

    Parameters
    ----------
    models : tuple of str
        As ``grade --model``; the shipped one by default.
    device : str
    """

    mailbox: MailboxSettings
    state: StateSettings
    scp: ScpSettings = ScpSettings()
    rules: RuleSettings = RuleSettings()
    vertebrae: VertebraeSettings = VertebraeSettings()
    health: HealthSettings = HealthSettings()
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    device: str = "cpu"

    @model_validator(mode="after")
    def _scp_is_complete(self) -> NodeSettings:
        if self.mailbox.kind == "scp":
            if not self.scp.allowed_aets:
                raise ValueError("scp.allowed_aets is empty; expected who may send")
            if not self.scp.pacs_host or not self.scp.pacs_aet:
                raise ValueError(
                    "scp.pacs_host or scp.pacs_aet is empty; expected where results go"
                )
        return self


def read_settings(path: Path) -> NodeSettings:
    """Read the configuration of a node.

    Parameters
    ----------
    path : Path
        TOML.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    ConfigError
        If it is no TOML, or a setting is unknown, missing or out of range; the message names it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(path, error) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is no TOML ({error}). See docs/how-to/pacs.md.") from None
    try:
        return NodeSettings.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{path}: {where}: {reason}. See docs/how-to/pacs.md.") from None


def password(settings: MailboxSettings) -> str:
    """Read the password, or return an empty one where no file is named.

    Raises
    ------
    FileFormatError
        If the file cannot be read.
    """
    if settings.password_file is None:
        return ""
    try:
        return settings.password_file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except OSError as error:
        raise unreadable(settings.password_file, error) from None
