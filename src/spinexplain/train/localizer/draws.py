"""Draws the persons that the localizer is trained and measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinexplain.data.phantom.wide.person import (
    WidePerson,
    draw_wide_patient,
    draw_wide_person,
)
from spinexplain.data.phantom.wide.scan import scan_person, whole_field
from spinexplain.localizer.coarse import FINE_MM, WHOLE_MM
from spinexplain.train.localizer.bodies import save_body

_AROUND_MM = np.array([70.0, 72.0, 34.0])


@dataclass(frozen=True)
class LearnedPersons:
    """Persons that networks learn from: the first ones, and the next that are rare.

    Parameters
    ----------
    preset : str
    seed : int
    in_order : int
        How many of the first persons.
    rare : int
        How many of the next ones that have a T13 or L6.
    """

    preset: str
    seed: int
    in_order: int
    rare: int = 0

    def indices(self) -> list[int]:
        """Return the persons' indices.

        Examples
        --------
        >>> LearnedPersons("wide", 1, in_order=2, rare=2).indices()
        [0, 1, 8, 13]
        """
        rare = rare_persons(self.preset, self.seed, self.in_order, self.rare)
        return [*range(self.in_order), *rare]


def body_name(preset: str, seed: int, index: int) -> str:
    """Name a person.

    Examples
    --------
    >>> body_name("wide", 7, 12)
    'wide-7-0012'
    """
    return f"{preset}-{seed}-{index:04d}"


def rare_persons(preset: str, seed: int, start: int, count: int) -> list[int]:
    """Return the next persons with a thirteenth thoracic or a sixth lumbar level.

    Parameters
    ----------
    preset : str
    seed : int
    start : int
        Index of the first person looked at.
    count : int

    Examples
    --------
    >>> rare_persons("wide", 1, 260, 3)
    [264, 271, 274]
    """
    found: list[int] = []
    index = start
    while len(found) < count:
        if draw_wide_patient(preset, seed, index).extra_levels:
            found.append(index)
        index += 1
    return found


def draw_body(preset: str, seed: int, index: int, folder: Path) -> Path:
    """Draw a person and store the whole field at 4 mm and the spine's surroundings at 2 mm.

    Parameters
    ----------
    preset : str
    seed, index : int
    folder : Path

    Returns
    -------
    Path
        Of the description; a person that is there already is not drawn again.
    """
    name = body_name(preset, seed, index)
    path = folder / f"{name}.json"
    if path.exists():
        return path
    person = draw_wide_person(preset, seed, index)
    whole = scan_person(person, *whole_field(person, WHOLE_MM))
    fine = scan_person(person, *spine_grid(person))
    save_body(folder, name, whole.volume, fine.volume, person.centers_mm)
    return path


def spine_grid(person: WidePerson) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return affine and shape of the grid of 2 mm that a section along the spine can reach."""
    centers = np.array(list(person.centers_mm.values()))
    low, high = centers.min(axis=0) - _AROUND_MM, centers.max(axis=0) + _AROUND_MM
    x, y, z = (int(n) for n in np.ceil((high - low) / FINE_MM))
    affine = np.diag([FINE_MM, FINE_MM, FINE_MM, 1.0])
    affine[:3, 3] = low
    return affine, (x, y, z)
