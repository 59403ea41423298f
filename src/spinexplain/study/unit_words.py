"""What readers say of a network's units, and what they are shown afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from spinexplain.explainers.dissection.names import NAMES_SCHEMA, RaterNames, UnitName
from spinexplain.study.record import Key, UnitKey
from spinexplain.study.tally import Tally

LARGEST_Q = 0.05
"""The q value below which a unit counts as tied to fracture."""


def is_tied(unit: UnitKey) -> bool:
    """Whether a unit is tied to fracture beyond chance."""
    return unit.contrast > 0 and unit.q < LARGEST_Q


def revealed(unit: UnitKey) -> dict[str, str]:
    """Return what a reader is shown of a unit after the answers.

    Examples
    --------
    >>> revealed(UnitKey(unit=3, rank=2, contrast=0.2, q=0.3))["tied to fracture"]
    'no: q 0.300 is not below 0.05, it may go with fracture by chance'
    """
    tied = f"yes, q {unit.q:.3f}"
    if not is_tied(unit):
        tied = f"no: q {unit.q:.3f} is not below {LARGEST_Q:g}, it may go with fracture by chance"
        if unit.contrast <= 0:
            tied = "no: healthy vertebrae enable it as often or more"
    return {
        "suggested by anatomy": unit.suggestion or "nothing stands out",
        "tied to fracture": tied,
    }


def unit_rows(found: Tally, key: Key) -> list[dict[str, object]]:
    """Return what each reader said of each unit, best rank first."""
    rows = []
    pages = {page.case: page.item for page in found.pages}
    for case, unit in sorted(key.units.items(), key=lambda pair: pair[1].rank):
        said = [found.said[reader] for reader in found.readers]
        item = pages[case]
        rows.append(
            {
                "unit": unit.unit,
                "rank": unit.rank,
                "q": unit.q,
                "tied": is_tied(unit),
                "suggestion": unit.suggestion,
                "names": [one.get((item, 0, "name")) for one in said],
                "places": [one.get((item, 0, "place")) for one in said],
                "meaningful": [one.get((item, 0, "meaningful")) for one in said],
            }
        )
    return rows


def rater_names(found: Tally, key: Key) -> Sequence[RaterNames]:
    """Return what each reader called the units, as ``spinexplain names`` merges it."""
    arm = next(iter(key.arms.values()))
    files = []
    for reader in found.readers:
        said, names = found.said[reader], []
        for page in found.pages:
            word = {k: said.get((page.item, 0, k)) for k in ("name", "meaningful", "note")}
            if any(value is not None for value in word.values()):
                verdict = None if word["meaningful"] is None else word["meaningful"] == "yes"
                names.append(
                    UnitName(
                        unit=key.units[page.case].unit,
                        name=str(word["name"] or "")[:120],
                        meaningful=verdict,
                        note=str(word["note"] or ""),
                    )
                )
        content = {
            "schema": NAMES_SCHEMA,
            "key": key.names_key,
            "rater": f"reader {reader} of {found.study.id}",
            "names": tuple(names),
            "model": arm.model,
            "layer": key.layer,
        }
        files.append(RaterNames.model_validate(content))
    return files
