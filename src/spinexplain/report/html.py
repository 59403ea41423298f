"""The report: one self-contained HTML file that a radiologist reads in half a minute."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from spinexplain.findings import ScanFindings, ScanSource
from spinexplain.io.files import atomic_file
from spinexplain.report import tokens
from spinexplain.report.pictures import Album
from spinexplain.report.rules import severity, suspicion
from spinexplain.report.spine_map import SpineMap, view_map
from spinexplain.report.summary import Summary, slice_spacing_mm, summarize
from spinexplain.report.text import Catalogue, load_catalogue
from spinexplain.report.vertebra_view import (
    LOSS_BANDS,
    Thumbnail,
    VertebraCard,
    VertebraRow,
    loss_percent,
    view_card,
    view_row,
    view_thumbnail,
)
from spinexplain.types import ModelInfo


@dataclass(frozen=True)
class Page:
    """Everything the templates draw; nothing in them is computed.

    Parameters
    ----------
    source : ScanSource
    models : tuple of ModelInfo
    settings : mapping of str to str
    summary : Summary
    spine_map : SpineMap
    rows : tuple of VertebraRow
        Cranial to caudal.
    cards : tuple of VertebraCard
        Suspicious vertebrae, worst first.
    thumbnails : tuple of Thumbnail
        The others, cranial to caudal.
    slice_mm : float
    date : datetime.date
    software : str
    album : Album
    """

    source: ScanSource
    models: tuple[ModelInfo, ...]
    settings: Mapping[str, str]
    summary: Summary
    spine_map: SpineMap
    rows: tuple[VertebraRow, ...]
    cards: tuple[VertebraCard, ...]
    thumbnails: tuple[Thumbnail, ...]
    slice_mm: float
    date: datetime.date
    software: str
    album: Album


def write_report(
    findings: ScanFindings, out: Path, language: str = "en", date: datetime.date | None = None
) -> Path:
    """Write ``report.html``: one file, no network, for screen and print.

    Parameters
    ----------
    findings : ScanFindings
    out : Path
        An existing folder.
    language : str
        A catalogue shipped with the package.
    date : datetime.date, optional
        Date of the report; today's by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ConfigError
        If there is no catalogue for the language.
    OutputError
        If the file can not be written.
    """
    say = load_catalogue(language)
    content = render(prepare_page(findings, say, date or datetime.date.today()), say)
    path = Path(out) / "report.html"
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return path


def prepare_page(findings: ScanFindings, say: Catalogue, date: datetime.date) -> Page:
    """Turn findings into what the page shows, pictures included."""
    album = Album()
    spine = findings.vertebrae
    suspicious = [item for item in spine if suspicion(item)]
    healthy = [item for item in spine if not suspicion(item)]
    worst_first = sorted(suspicious, key=severity, reverse=True)
    return Page(
        source=findings.source,
        models=findings.models,
        settings=findings.settings,
        summary=summarize(findings, say),
        spine_map=view_map(findings.overview, spine, album),
        rows=tuple(view_row(item, findings.models, say) for item in spine),
        cards=tuple(view_card(item, findings, album, say) for item in worst_first),
        thumbnails=tuple(view_thumbnail(item, findings, album, say) for item in healthy),
        slice_mm=slice_spacing_mm(findings.volume),
        date=date,
        software=software_version(),
        album=album,
    )


def render(page: Page, say: Catalogue) -> str:
    """Fill the templates in; everything from outside is escaped."""
    environment = template_environment()
    script = static_text("report.js")
    # Markup: these three are our own files, never a user's.
    return environment.get_template("report.html.j2").render(
        page=page,
        say=say,
        style=Markup(tokens.css_variables() + static_text("report.css")),
        script=Markup(script),
        script_hash=Markup(content_hash(script)),
        loss_bands=[(f"{band:.0%}", loss_percent(band)) for band in LOSS_BANDS],
        loss_zero=loss_percent(0.0),
        window=tokens.BONE_WINDOW_HU,
    )


def template_environment() -> Environment:
    """Return the templates' environment: autoescape on, an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("spinexplain.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, signed=signed, number=number)
    return environment


def percent(share: float) -> str:
    """Write a share as whole percent, with a true minus and no minus before zero.

    Examples
    --------
    >>> percent(0.314), percent(-0.06), percent(-0.001)
    ('31', '−6', '0')
    """
    return f"{round(100 * share):d}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """Write a contribution with its sign.

    Examples
    --------
    >>> signed(1.904), signed(-0.71)
    ('+1.90', '−0.71')
    """
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def number(value: float) -> str:
    """Write a number with two decimals and a true minus.

    Examples
    --------
    >>> number(-0.12)
    '−0.12'
    """
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def software_version() -> str:
    """Return the installed version, or say that this copy was not installed."""
    try:
        return metadata.version("spinexplain")
    except metadata.PackageNotFoundError:
        return "not installed"


def static_text(name: str) -> str:
    """Read a style sheet or script that comes with the package."""
    return (resources.files("spinexplain.report") / "static" / name).read_text(encoding="utf-8")


def content_hash(script: str) -> str:
    """Return the hash that lets this script, and no other, run under a page's policy."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
