"""What the localizer finds in scans of drawn persons, not yet named, stored beside the truth.

Finding takes seconds a scan and naming none, so that ways of naming are fitted and judged on what
is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.io.json_file import write_json
from spinexplain.localizer.locate import ReadChain, find_chain
from spinexplain.localizer.located import LocatedCenter
from spinexplain.localizer.naming import NamingPrior
from spinexplain.localizer.networks import LocalizerNetworks
from spinexplain.reproduce.classical_spine import classical_centers
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.transfer.tasks import code_hash
from spinexplain.train.localizer.scans import TestScan, around_spine, drawn_scan

GROUPS = ("whole", "crops", "narrow")
FINDING = (
    *("localizer/*.py", "reproduce/classical_spine.py", "data/phantom/wide/*.py"),
    *("train/localizer/scans.py", "train/localizer/fields.py", "spine/*.py", "geometry.py"),
)
"""Source files that say what is drawn, scanned and found."""

SPACING_MM = 2.0
_DIGITS = 5


@dataclass(frozen=True)
class DrawnPersons:
    """Persons and how they are scanned.

    Parameters
    ----------
    preset : str
    seed, persons : int
    groups : tuple of str
        Of ``GROUPS``: whole, which costs twice as much as all else; in random parts; the first
        part cut beside its centers.
    parts : int
        Random parts a person, of three bodies or more.
    """

    preset: str
    seed: int
    persons: int
    groups: tuple[str, ...] = ("crops", "narrow")
    parts: int = 2


@dataclass(frozen=True, eq=False)
class FoundScan:
    """One scan.

    Parameters
    ----------
    person : int
    group : str
        One of ``GROUPS``.
    levels : tuple of str
        Bodies whose centers are in the scan, C1 to S3.
    truth_mm : ndarray, shape (n, 3)
        Their centers.
    chain : ReadChain or None
        None where no spine was found.
    classical_mm : ndarray, shape (m, 3)
        Centers that are found by density alone.
    """

    person: int
    group: str
    levels: tuple[str, ...]
    truth_mm: np.ndarray
    chain: ReadChain | None
    classical_mm: np.ndarray

    @property
    def centers_mm(self) -> np.ndarray:
        """Centers of the chain, shape (k, 3)."""
        centers = [] if self.chain is None else [one.center_mm for one in self.chain.centers]
        return np.array(centers).reshape(-1, 3)


def found_scans(
    setting: Setting, drawn: DrawnPersons, networks: LocalizerNetworks, prior: NamingPrior
) -> list[FoundScan]:
    """Find the centers in all scans of some persons; stored ones are taken up.

    Parameters
    ----------
    setting : Setting
    drawn : DrawnPersons
    networks : LocalizerNetworks
    prior : NamingPrior
        Says which distances to expect; its weights play no part.
    """
    folder = setting.work / "localizer-found" / _folder_name(drawn, networks.info.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for index in range(drawn.persons):
        path = folder / f"{index:03d}.json"
        if not path.is_file():
            write_json(path, [as_json(one) for one in _scans_of(drawn, index, networks, prior)])
        found += read_scans(path, index)
        setting.progress.step("persons", index + 1, drawn.persons)
    return found


def _folder_name(drawn: DrawnPersons, sha256: str) -> str:
    """Name the folder after networks, persons, and the code that draws and finds."""
    persons = (drawn.preset, str(drawn.seed), *drawn.groups, str(drawn.parts))
    return "-".join((sha256[:8], code_hash(*FINDING), *persons))


def _scans_of(
    drawn: DrawnPersons, index: int, networks: LocalizerNetworks, prior: NamingPrior
) -> Iterator[FoundScan]:
    for group, scan in scanned(drawn, index):
        chain = find_chain(scan.volume, networks, prior)
        yield FoundScan(
            index,
            group,
            scan.levels,
            scan.centers_mm,
            None if isinstance(chain, str) else chain,
            classical_centers(scan.volume, prior),
        )


def scanned(drawn: DrawnPersons, index: int) -> Iterator[tuple[str, TestScan]]:
    """Scan a person in one group after the other."""
    person = draw_wide_person(drawn.preset, drawn.seed, index)
    if "whole" in drawn.groups:
        yield "whole", drawn_scan(person, 100 * index, False, SPACING_MM)
    for part in range(1, drawn.parts + 1 if "crops" in drawn.groups else 1):
        scan = drawn_scan(person, 100 * index + part, True, SPACING_MM)
        yield "crops", scan
        if part == 1 and "narrow" in drawn.groups:
            yield "narrow", around_spine(scan)


def as_json(scan: FoundScan) -> dict[str, Any]:
    """Return a scan as JSON holds it, rounded to five digits."""
    chain = scan.chain
    return {
        "group": scan.group,
        "levels": list(scan.levels),
        "truth_mm": _rounded(scan.truth_mm),
        "classical_mm": _rounded(scan.classical_mm),
        "chain": None
        if chain is None
        else {
            "centers": [asdict(one) for one in chain.centers],
            "evidence": _rounded(chain.evidence),
            "gaps_mm": _rounded(chain.gaps_mm),
            "in_view": list(chain.in_view),
            "neck_mm": chain.neck_mm,
            "doubt": chain.doubt,
        },
    }


def read_scans(path: Path, person: int) -> list[FoundScan]:
    """Read the scans of one person."""
    return [
        FoundScan(
            person,
            one["group"],
            tuple(one["levels"]),
            np.array(one["truth_mm"]).reshape(-1, 3),
            None if one["chain"] is None else _chain(one["chain"]),
            np.array(one["classical_mm"]).reshape(-1, 3),
        )
        for one in json.loads(path.read_text("utf-8"))
    ]


def _chain(content: Mapping[str, Any]) -> ReadChain:
    return ReadChain(
        tuple(_center(**one) for one in content["centers"]),
        np.array(content["evidence"]),
        np.array(content["gaps_mm"]),
        tuple(content["in_view"]),
        content["neck_mm"],
        content["doubt"],
    )


def _center(center_mm: list[float], found: float, cut: bool) -> LocatedCenter:
    x, y, z = center_mm
    return LocatedCenter((x, y, z), found, cut)


def _rounded(values: np.ndarray) -> Any:
    return np.round(values, _DIGITS).tolist()
