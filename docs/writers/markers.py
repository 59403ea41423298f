"""The parts of a page that are written, between two comments that name them."""

from __future__ import annotations


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with the text between its markers of this name replaced."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.split(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}"
