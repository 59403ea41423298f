"""The part of docs/localizer.md on persons whose scolioses keep the spine's length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers import localizer, localizer_bars
from writers.localizer import by_chance, open_words, phantom_table, rare_words
from writers.markers import replaced
from writers.stored import stored

SHOWN = ("localizer", "before", "from below", "gaps alone")


def written(page: str, results: Path) -> str:
    """Return the page with all that the study of the localizer says, these tables among it."""
    page = localizer.written(page, results)
    return replaced(page, "located-bent", "\n".join(section(stored(results, "localizer.json"))))


def section(content: dict[str, Any]) -> list[str]:
    """Show the same tables of the other persons, without opponents that are far behind."""
    own = content["bent"]
    kept = {
        group: {way: row for way, row in ways.items() if way in SHOWN}
        for group, ways in own["phantoms"].items()
    }
    bent = content | own | {"phantoms": kept, "earlier": []}
    error = kept["all"]["localizer"]["ece"]
    return [
        *phantom_table(bent),
        f"* all together: calibration error {error:.3f} ({by_chance(bent, 'all')}).",
        rare_words(bent),
        open_words(bent),
        "",
        *localizer_bars.table(bent),
    ]
