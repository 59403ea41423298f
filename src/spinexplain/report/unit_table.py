"""The paper's table 2 as a page: the first units, samples, activations, readers' words."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from spinexplain.explainers.dissection.record import Dissection
from spinexplain.report.concepts_view import UnitView, view_unit
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.pages import render_page, software_version, write_page
from spinexplain.ui.pictures import Album

UNIT_TABLE_FILE = "table2.html"
_SAMPLES = 5


@dataclass(frozen=True)
class UnitTablePage:
    """Everything the template draws.

    Parameters
    ----------
    dissection : Dissection
    units : tuple of UnitView
        Best first, each with its strongest samples.
    raters : tuple of str
    date : datetime.date
    software : str
    album : Album
    """

    dissection: Dissection
    units: tuple[UnitView, ...]
    raters: tuple[str, ...]
    date: datetime.date
    software: str
    album: Album


def write_unit_table(
    dissection: Dissection,
    folder: Path,
    top: int = 10,
    language: str = "en",
    date: datetime.date | None = None,
) -> Path:
    """Write ``table2.html``: one file, no network and no script, made for print.

    Parameters
    ----------
    dissection : Dissection
        With the names known so far.
    folder : Path
        An existing folder.
    top : int
        Units shown. The paper leaves out those that mean nothing to its readers; here they
        stay, and it says so.
    language : str
    date : datetime.date, optional
        Today's by default.
    """
    say, album = load_catalogue(language), Album()
    units = tuple(view_unit(dissection, u, album, say, _SAMPLES) for u in dissection.top(top))
    page = UnitTablePage(
        dissection=dissection,
        units=units,
        raters=tuple(rater.rater for rater in dissection.names),
        date=date or datetime.date.today(),
        software=software_version(),
        album=album,
    )
    columns = max((len(unit.tiles) for unit in units), default=1)
    content = {"page": page, "say": say, "columns": columns}
    return write_page(folder / UNIT_TABLE_FILE, render_page("unit_table", content, script=False))
