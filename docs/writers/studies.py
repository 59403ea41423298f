"""The table of docs/reproduce.md, from the registry of studies."""

from __future__ import annotations

from pathlib import Path

from spinexplain.reproduce.studies import STUDIES, Study
from writers.markers import replaced


def written(page: str, results: Path) -> str:
    """Return the page with the table between the markers."""
    lines = ["| study | measures | a fresh run takes | pages | results |", "|---" * 5 + "|"]
    lines += [f"| {' | '.join(cells(name, study))} |" for name, study in STUDIES.items()]
    return replaced(page, "studies", "\n".join(lines))


def cells(name: str, study: Study) -> list[str]:
    """Return one row of the table."""
    pages = ", ".join(f"[{page}]({page})" for page in study.pages)
    # A folder has no page of its own.
    links = [f"[{one}](results/{one})" if "." in one else f"`{one}/`" for one in study.results]
    results = ", ".join(links)
    return [f"`{name}`", study.measures, study.cost, pages, results or "–"]
