"""CTs of public collections whose levels were read by eye: names, and heights above a slice.

The scans are not in the repository; whoever has them puts their folders together. Each is known by
its series number, so that no other scan can stand in for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import FileFormatError
from spinexplain.evaluate.locating import LocatedScan, located_figures
from spinexplain.io.dicom import list_series
from spinexplain.io.read import read_scan
from spinexplain.localizer.locate import ReadChain, find_chain
from spinexplain.localizer.networks import shipped_networks
from spinexplain.localizer.prior import shipped_prior
from spinexplain.reproduce.classical_spine import classical_centers
from spinexplain.reproduce.found_scans import FoundScan
from spinexplain.reproduce.localizer import Localizer, earlier_localizer, judged_ways
from spinexplain.reproduce.real_parts import cut_around, spinal_axis
from spinexplain.reproduce.setting import Setting
from spinexplain.types import Vertebra, Volume

RESULTS = "localizer-public.json"
MARKS = Path("experiments") / "public-scans" / "marks.json"
FOLDER = "public-scans"
"""In the work folder: one folder of DICOM files a scan, whatever it is called."""

LENGTH = 4
"""Levels in a part."""

_UPRIGHT = 0.999


@dataclass(frozen=True)
class MarkedScan:
    """What was read by eye in one scan.

    Parameters
    ----------
    name, collection, series : str
        Its name in tables, where it is from, and its SeriesInstanceUID.
    slices : int
        How many it has; with fewer, heights would be counted from another slice.
    levels : mapping of str to float
        Height of each body's center above the lowest slice, mm, along the patient's axis.
    named : bool
        Whether the names are sure; otherwise only places count.
    evidence : str
        What the names were counted from.
    """

    name: str
    collection: str
    series: str
    slices: int
    levels: Mapping[str, float]
    named: bool
    evidence: str


def marked_scans(path: Path) -> list[MarkedScan]:
    """Read the marks of all scans."""
    return [MarkedScan(**one) for one in json.loads(path.read_text("utf-8"))["scans"]]


def measure(setting: Setting) -> None:
    """Find and name the vertebrae of every scan that is there, whole and in parts of four levels.

    Raises
    ------
    FileFormatError
        If none of the marked scans is there.
    """
    torch.set_num_threads(1)
    now = Localizer(shipped_networks(), shipped_prior())
    localizers = {"localizer": now, "before": earlier_localizer(setting, now)}
    there = list(_there(setting))
    rows: dict[str, list[dict[str, Any]]] = {}
    figures: dict[str, Any] = {}
    for way, one in localizers.items():
        if one is None:
            continue
        judged = [judged_marked(marked, volume, one) for marked, volume in there]
        rows[way] = [row for each in judged for row in each]
        figures[way] = {kind: _figures(rows[way], kind) for kind in ("whole", "part")}
        setting.progress.step("versions", len(rows), len(localizers))
    content = {
        "versions": {way: one.version for way, one in localizers.items() if one is not None},
        "length": LENGTH,
        "scans": [
            {"name": marked.name, "collection": marked.collection, "named": marked.named}
            for marked, _ in there
        ],
        "figures": figures,
        "rows": {way: [_plain(row) for row in own] for way, own in rows.items()},
    }
    setting.store(RESULTS, content)


def _there(setting: Setting) -> Iterator[tuple[MarkedScan, Volume]]:
    """Read the marked scans that the work folder holds."""
    marked = {one.series: one for one in marked_scans(setting.checkout / MARKS)}
    folder = setting.work / FOLDER
    found: set[str] = set()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        for series in list_series(path):
            if series.uid in marked and series.uid not in found:
                found.add(series.uid)
                yield marked[series.uid], _whole(path, marked[series.uid])
    if not found:
        raise FileFormatError(
            f"{folder}: holds none of the scans of {MARKS}; expected folders of their DICOM files. "
            "Download some of these series and put them there."
        )


def _whole(path: Path, marked: MarkedScan) -> Volume:
    """Read a marked scan, and check that heights mean in it what they meant to who marked it."""
    volume = read_scan(path, marked.series)
    if volume.array.shape[2] != marked.slices:
        raise FileFormatError(
            f"{path}: {volume.array.shape[2]} slices; the marks of {marked.name} are of "
            f"{marked.slices}. Download the whole series."
        )
    if spinal_axis(volume) != 2 or abs(volume.affine[2, 2]) < _UPRIGHT * volume.spacing_mm[2]:
        raise FileFormatError(
            f"{path}: slices are not axial, as those of {marked.name} were when it was marked. "
            "Put the series there as it was downloaded."
        )
    return volume


def judged_marked(marked: MarkedScan, volume: Volume, localizer: Localizer) -> list[dict[str, Any]]:
    """Judge a scan whole, and its parts where the names are sure.

    Returns
    -------
    list of dict
        ``name``, ``kind`` (``"whole"`` or ``"part"``), ``named``, ``first`` level, and how each
        way of naming does. Only heights are compared, since only these were marked.
    """
    vertebrae = marked_vertebrae(marked, volume)
    rows = [_judged(marked, "whole", vertebrae, volume, localizer)]
    if marked.named:
        rows += [
            _judged(marked, "part", inside, cut_around(volume, inside), localizer)
            for inside in runs(vertebrae, LENGTH)
        ]
    return rows


def runs(vertebrae: Sequence[Vertebra], length: int) -> Iterator[tuple[Vertebra, ...]]:
    """Return every run of so many neighboring vertebrae."""
    for first in range(len(vertebrae) - length + 1):
        yield tuple(vertebrae[first : first + length])


def marked_vertebrae(marked: MarkedScan, volume: Volume) -> list[Vertebra]:
    """Return the marked bodies head to foot; only their heights mean anything."""
    z = volume.affine[2, 2] * np.array([0, volume.array.shape[2] - 1]) + volume.affine[2, 3]
    heights = sorted(marked.levels.items(), key=lambda pair: -pair[1])
    return [
        Vertebra(VertebraLevel(name), (0.0, 0.0, float(z.min()) + above)) for name, above in heights
    ]


def _judged(
    marked: MarkedScan,
    kind: str,
    vertebrae: Sequence[Vertebra],
    volume: Volume,
    localizer: Localizer,
) -> dict[str, Any]:
    chain = find_chain(volume, localizer.networks, localizer.prior)
    classical = classical_centers(volume, localizer.prior)
    scan = FoundScan(
        0,
        kind,
        tuple(one.level.value for one in vertebrae),
        np.array([one.centroid_mm for one in vertebrae]),
        None if isinstance(chain, str) else upright(chain),
        classical * [0.0, 0.0, 1.0],
    )
    return {
        "name": marked.name,
        "kind": kind,
        "named": marked.named,
        "first": vertebrae[0].level.value,
        "ways": judged_ways(scan, localizer.prior),
    }


def upright(chain: ReadChain) -> ReadChain:
    """Keep of every center its height alone, as marks have it; distances stay as they were."""
    centers = tuple(replace(one, center_mm=(0.0, 0.0, one.center_mm[2])) for one in chain.centers)
    return replace(chain, centers=centers)


def _figures(rows: Sequence[Mapping[str, Any]], kind: str) -> dict[str, Any]:
    """Return places in all scans of a kind, and names in those whose names are sure."""
    kept = [row for row in rows if row["kind"] == kind]
    sure = [row for row in kept if row["named"]]
    places = located_figures([row["ways"]["localizer"] for row in kept])
    return {
        "places": {key: places[key] for key in ("scans", "bodies", "found", "close", "refused")},
        "names": {
            way: located_figures([row["ways"][way] for row in sure])
            for way in (sure[0]["ways"] if sure else ())
        },
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    own: LocatedScan = row["ways"]["localizer"]
    return {key: row[key] for key in ("name", "kind", "named", "first")} | {"judged": asdict(own)}
