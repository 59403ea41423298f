"""The report: one self-contained HTML file that a radiologist reads in half a minute."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.findings.rules import suspicion, worst_first
from spinexplain.findings.scan import ScanFindings, ScanSource
from spinexplain.findings.summary import Summary, slice_spacing_mm, summarize, training_lines
from spinexplain.texts.catalogue import Catalogue, load_catalogue
from spinexplain.types import ModelInfo
from spinexplain.ui.pages import render_page, software_version, write_page
from spinexplain.ui.pictures import Album
from spinexplain.ui.spine_map import SpineMap, view_map
from spinexplain.ui.vertebra_view import (
    LOSS_BANDS,
    VertebraCard,
    VertebraRow,
    loss_percent,
    view_card,
    view_row,
)

FOLDED_DETAIL = 1
"""Encoded pixels per sample of vertebrae without suspicion; three where there is one."""


@dataclass(frozen=True)
class Section:
    """One part of the page, below the one before.

    Parameters
    ----------
    template : str
        A template of :mod:`spinexplain.ui` that draws from the page; or
    view : callable, optional
        From findings, texts and album to markup of its own. What comes from outside must be
        escaped in it, as ``markupsafe.Markup.format`` does.
    """

    template: str = ""
    view: Callable[[ScanFindings, Catalogue, Album], Markup] | None = None


SECTIONS: dict[str, Section] = {
    name: Section(f"{name}.html.j2")
    for name in ("header", "summary", "table", "cards", "strip", "foot")
}
"""Name -> section, in the order of the page."""


@dataclass(frozen=True)
class DrawnSection:
    """A section as the page's template takes it: the name of a template, or markup."""

    template: str
    markup: Markup


@dataclass(frozen=True)
class Page:
    """Everything the templates draw; nothing in them is computed.

    Parameters
    ----------
    source : ScanSource
    models : tuple of ModelInfo
    settings : mapping of str to str
    training : tuple of str
        What the models were trained on, one line each.
    summary : Summary
    spine_map : SpineMap
    rows : tuple of VertebraRow
        Cranial to caudal.
    cards : tuple of VertebraCard
        Suspicious vertebrae, worst first.
    folded : tuple of VertebraCard
        The others, cranial to caudal, each behind its thumbnail.
    slice_mm : float
    date : datetime.date
    software : str
    album : Album
    sections : tuple of DrawnSection
        In the order of the page.
    """

    source: ScanSource
    models: tuple[ModelInfo, ...]
    settings: Mapping[str, str]
    training: tuple[str, ...]
    summary: Summary
    spine_map: SpineMap
    rows: tuple[VertebraRow, ...]
    cards: tuple[VertebraCard, ...]
    folded: tuple[VertebraCard, ...]
    slice_mm: float
    date: datetime.date
    software: str
    album: Album
    sections: tuple[DrawnSection, ...]


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
        If the file cannot be written.
    """
    say = load_catalogue(language)
    content = render(prepare_page(findings, say, date or datetime.date.today()), say)
    return write_page(Path(out) / "report.html", content)


def prepare_page(findings: ScanFindings, say: Catalogue, date: datetime.date) -> Page:
    """Turn findings into what the page shows, pictures included."""
    album = Album()
    spine = findings.vertebrae
    suspicious = [item for item in spine if suspicion(item)]
    healthy = [item for item in spine if not suspicion(item)]
    ordered = sorted(suspicious, key=worst_first)
    return Page(
        source=findings.source,
        models=findings.models,
        settings=findings.settings,
        training=tuple(training_lines(findings.models, say)),
        summary=summarize(findings, say),
        spine_map=view_map(findings.overview, spine, album),
        rows=tuple(view_row(item, findings.models, say) for item in spine),
        cards=tuple(view_card(item, findings, album, say) for item in ordered),
        folded=tuple(view_card(item, findings, album, say, FOLDED_DETAIL) for item in healthy),
        slice_mm=slice_spacing_mm(findings.volume),
        date=date,
        software=software_version(),
        album=album,
        sections=tuple(
            DrawnSection(one.template, one.view(findings, say, album) if one.view else Markup())
            for one in SECTIONS.values()
        ),
    )


def render(page: Page, say: Catalogue) -> str:
    """Fill the templates in; everything from outside is escaped."""
    content = {
        "page": page,
        "say": say,
        "loss_bands": [(f"{band:.0%}", loss_percent(band)) for band in LOSS_BANDS],
        "loss_zero": loss_percent(0.0),
        "window": BONE_WINDOW_HU,
    }
    return render_page("report", content, scripts=("card.js",))
