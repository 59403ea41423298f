"""How many bodies are found, by their Genant grade: a crushed one is the easiest to lose."""

from __future__ import annotations

from collections.abc import Sequence

from spinexplain.data.phantom.wide.person import draw_wide_truth
from spinexplain.evaluate.locating import matched
from spinexplain.reproduce.found_scans import DrawnPersons, FoundScan

GRADES = (0, 1, 2, 3)


def found_by_grade(drawn: DrawnPersons, scans: Sequence[FoundScan]) -> dict[str, dict[str, int]]:
    """Count thoracic and lumbar bodies by their grade, and those found within 10 mm.

    Parameters
    ----------
    drawn : DrawnPersons
        Whose scans these are.
    scans : sequence of FoundScan

    Returns
    -------
    dict
        By grade, ``"0"`` to ``"3"``: ``bodies``, ``found``, and ``persons`` that have such bodies.
    """
    grades = {person: grades_of(drawn, person) for person in {scan.person for scan in scans}}
    seen = [
        (grades[scan.person][level], found, scan.person)
        for scan in scans
        for level, found in _found(scan)
        if level in grades[scan.person]
    ]
    return {str(grade): _counted([one for one in seen if one[0] == grade]) for grade in GRADES}


def _counted(seen: Sequence[tuple[int, bool, int]]) -> dict[str, int]:
    return {
        "bodies": len(seen),
        "found": sum(found for _, found, _ in seen),
        "persons": len({person for *_, person in seen}),
    }


def grades_of(drawn: DrawnPersons, person: int) -> dict[str, int]:
    """Return the Genant grade of every thoracic and lumbar level of a person."""
    truth = draw_wide_truth(drawn.preset, drawn.seed, person)
    return {one.level: one.grade for one in truth}


def _found(scan: FoundScan) -> list[tuple[str, bool]]:
    of_body, _ = matched(scan.centers_mm, scan.truth_mm)
    return [(level, bool(at >= 0)) for level, at in zip(scan.levels, of_body, strict=True)]
