"""What the localizer is not sure of, in words."""

from __future__ import annotations

from collections.abc import Iterable

from spinexplain.localizer.own import Found
from spinexplain.spine.quality import TOUCHES_BORDER
from spinexplain.texts.catalogue import Catalogue

_FEW = 6  # bodies; docs/localizer.md says how parts of real CT with about so many fare


def naming_words(found: Found, say: Catalogue, next_command: str = "") -> Iterable[str]:
    """Say that the levels' names are uncertain, why, and what else they may be.

    Parameters
    ----------
    found : Found
    say : Catalogue
    next_command : str
        What grades or localizes under the next hypothesis.

    Returns
    -------
    iterable of str
        Sentences, the gravest first; none where the names are certain and nothing contradicts.
    """
    known = found.localization
    for doubt in known.doubts:
        yield say("summary.doubt", doubt=doubt)
    if known.certain:
        return
    percent = f"{100 * known.probability:.0f}"
    yield say("summary.first_uncertain", level=known.namings[0].first.value, percent=percent)
    if not known.anchored:
        few = sum(level is not None for level in known.namings[0].levels) <= _FEW
        yield say("summary.no_landmark_few" if few else "summary.no_landmark")
    other = found.next_level
    if other is not None:
        odds = sum(one.probability for one in known.namings if one.levels[known.start] is other)
        yield say("summary.next_level", level=other.value, percent=f"{100 * odds:.0f}")
    if next_command:
        yield say("summary.next_command", command=next_command)


def found_words(found: Found, say: Catalogue, next_command: str = "") -> list[str]:
    """Say which vertebrae were found, which are cut, and what is not sure of their names."""
    vertebrae = found.vertebrae
    levels = [vertebra.level for vertebra in vertebrae]
    cut = [vertebra.level for vertebra in vertebrae if TOUCHES_BORDER in vertebra.flags]
    words = [say("localize.found", count=len(levels), levels=say.levels(levels))]
    words += [say("localize.cut", levels=say.levels(cut))] if cut else []
    return [*words, *naming_words(found, say, next_command)]
