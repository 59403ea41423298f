"""Level names where a reader shifted them: in the cards, the drafts and the work list."""

from __future__ import annotations

import re
from dataclasses import replace

from spinexplain.app.reading import shifted
from spinexplain.findings.draft import Draft
from spinexplain.ui.vertebra_view import VertebraCard

_OPEN, _CLOSE = "\ue000", "\ue001"  # of Unicode's private use: no text from outside has them
_MARKED = re.compile(f"{_OPEN}([A-Z0-9]+){_CLOSE}")
_AT_THE_FRONT = re.compile(r"(?:(?<=^)|(?<=; ))([CTL]\d+)(?= )")


def mark_names(card: VertebraCard) -> VertebraCard:
    """Mark a card's own level name wherever it is shown, so that it can be written anew.

    Names of training pictures, and anchors, stay as they are.
    """
    name = card.row.level
    marked = f"{_OPEN}{name}{_CLOSE}"
    draft = None if card.draft is None else _marked_draft(card.draft, name, marked)
    return replace(card, row=replace(card.row, level=marked), draft=draft)


def _marked_draft(draft: Draft, name: str, marked: str) -> Draft:
    phrases = (replace(one, text=renamed(one.text, name, marked)) for one in draft.phrases)
    return Draft(tuple(phrases))


def with_names(page: str, shift: int) -> str:
    """Write the marked names as a reader has them; a shift of 0 gives the model's.

    Examples
    --------
    >>> with_names("<h2>\ue000T12\ue001</h2>", 1), with_names("<h2>\ue000T12\ue001</h2>", 0)
    ('<h2>L1</h2>', '<h2>T12</h2>')
    """
    return _MARKED.sub(lambda found: shifted(found[1], shift), page)


def renamed(text: str, name: str, shown: str) -> str:
    """Write another name for a level wherever it stands as a word.

    Examples
    --------
    >>> renamed("Suspected fracture L1, not L11", "L1", "L2")
    'Suspected fracture L2, not L11'
    """
    return re.sub(rf"\b{re.escape(name)}\b", lambda _: shown, text)


def shifted_headline(headline: str, shift: int) -> str:
    """Write the names at the front of the work list's findings as a reader has them.

    Examples
    --------
    >>> shifted_headline("L1 fracture suspected; T12 borderline", -1)
    'T12 fracture suspected; T11 borderline'
    """
    return _AT_THE_FRONT.sub(lambda found: shifted(found[1], shift), headline)
