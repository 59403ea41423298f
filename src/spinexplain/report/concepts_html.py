"""The concept atlas: one self-contained page on which clinicians name a network's units."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from spinexplain.explainers.dissection.names import NAMES_SCHEMA
from spinexplain.explainers.dissection.record import Dissection
from spinexplain.report.concepts_view import UnitView, view_unit, view_units
from spinexplain.report.outcome_ties import OutcomeTies, outcome_ties
from spinexplain.texts.catalogue import Catalogue, load_catalogue
from spinexplain.ui.decide_view import DecideView, decide_units_view
from spinexplain.ui.pages import render_page, software_version, write_page
from spinexplain.ui.pictures import Album

CONCEPTS_FILE = "concepts.html"
_LISTED = 40


@dataclass(frozen=True)
class ConceptsPage:
    """Everything the concept atlas' templates draw.

    Parameters
    ----------
    dissection : Dissection
    units : tuple of UnitView
        With their pictures, best first.
    listed : tuple of UnitView
        Further units by rank, figures only.
    outcomes : tuple of OutcomeTies
        Units most tied to found fractures, false alarms and missed fractures.
    states : mapping of str to int
        Units by state.
    raters : tuple of str
    decide : DecideView or None
        Where the units can be silenced.
    """

    dissection: Dissection
    units: tuple[UnitView, ...]
    listed: tuple[UnitView, ...]
    outcomes: tuple[OutcomeTies, ...]
    states: dict[str, int]
    raters: tuple[str, ...]
    schema: str
    command: str
    date: datetime.date
    software: str
    album: Album
    decide: DecideView | None = None


def write_concepts(
    dissection: Dissection,
    folder: Path,
    top: int = 10,
    language: str = "en",
    date: datetime.date | None = None,
) -> Path:
    """Write ``concepts.html``: one file, no network, with a form that exports a rater's names.

    Parameters
    ----------
    dissection : Dissection
        With the names known so far.
    folder : Path
        An existing folder.
    top : int
        Units shown with pictures.
    language : str
    date : datetime.date, optional
        Today's by default.

    Returns
    -------
    Path
        The page.
    """
    say = load_catalogue(language)
    page = prepare_concepts(dissection, top, say, date or datetime.date.today())
    also, scripts = ("decisions.css",), ("decisions.js",)
    content = render_page("concepts", {"page": page, "say": say}, also=also, scripts=scripts)
    return write_page(folder / CONCEPTS_FILE, content)


def prepare_concepts(
    dissection: Dissection, top: int, say: Catalogue, date: datetime.date
) -> ConceptsPage:
    """Turn a dissection into what the page shows, pictures included."""
    album = Album()
    further = dissection.top(_LISTED)[top:]
    states = dissection.states.tolist()
    count = min(top, states.count("ranked") + states.count("sparse"))
    decidable = bool(dissection.facts.get("can_silence"))
    return ConceptsPage(
        dissection=dissection,
        units=view_units(dissection, top, album, say),
        listed=tuple(view_unit(dissection, unit, album, say, tiles=0) for unit in further),
        outcomes=outcome_ties(dissection),
        states={state: states.count(state) for state in ("ranked", "sparse", "silent")},
        raters=tuple(rater.rater for rater in dissection.names),
        schema=NAMES_SCHEMA,
        command=str(dissection.facts.get("command", "")),
        date=date,
        software=software_version(),
        album=album,
        decide=decide_units_view(dissection.model, dissection.layer, count) if decidable else None,
    )
