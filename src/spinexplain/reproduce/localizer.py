"""What the localizer finds and names: on phantoms of a preset held out, and in real CT."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

from spinexplain.data.phantom.wide.person import draw_wide_person
from spinexplain.evaluate.locating import (
    LocatedScan,
    chance_ece,
    judged_scan,
    located_figures,
)
from spinexplain.io.json_file import write_json
from spinexplain.localizer.locate import ReadChain, find_chain, named
from spinexplain.localizer.located import Localization
from spinexplain.localizer.naming import STATES, NamingPrior, name_chain
from spinexplain.localizer.networks import LocalizerNetworks, shipped_networks
from spinexplain.localizer.prior import shipped_prior
from spinexplain.localizer.spurious import name_centers
from spinexplain.reproduce.classical_spine import classical_centers
from spinexplain.reproduce.real_scans import WHOLE, RealScan, real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.train.localizer.scans import TestScan, around_spine, drawn_scan
from spinexplain.types import Volume

RESULTS = "localizer.json"
PRESET, SEED, PERSONS, CROPS = "wide-test", 6, 12, 2
GROUPS, ALL = ("whole", "crops", "narrow"), "all"
SPACING_MM = 2.0
_SURE = 0.95
REAL = ("lumbar", "thoracic", "crop")

Names = tuple[str | None, ...]


def measure(setting: Setting, persons: int = PERSONS) -> None:
    """Measure phantoms and real CTs, each beside cheap ways of naming, and store the figures.

    Persons that were measured before are taken up.
    """
    torch.set_num_threads(1)
    networks, prior = shipped_networks(), shipped_prior()
    folder = setting.work / "localizer-test" / f"{networks.info.version}-{SEED}"
    folder.mkdir(parents=True, exist_ok=True)
    judged: dict[str, dict[str, list[LocatedScan]]] = {group: {} for group in GROUPS}
    for index in range(persons):
        path = folder / f"{index:03d}.json"
        if not path.is_file():
            write_json(path, judged_person(index, networks, prior))
        for one in json.loads(path.read_text("utf-8")):
            for way, scan in one["ways"].items():
                judged[one["group"]].setdefault(way, []).append(LocatedScan(**scan))
        setting.progress.step("persons", index + 1, persons)
    content = {
        "version": networks.info.version,
        "preset": PRESET,
        "persons": persons,
        "phantoms": {
            group: {way: located_figures(scans) for way, scans in ways.items()}
            for group, ways in judged.items()
        },
        "chance": {
            group: [round(x, 4) for x in chance_ece(ways["localizer"])]
            for group, ways in (judged | {ALL: _together(judged)}).items()
        },
        "earlier": (setting.stored(RESULTS) or {}).get("earlier", []),
        "together": located_figures(_together(judged)["localizer"]),
        "scans": [asdict(one) for ways in judged.values() for one in ways["localizer"]],
        "real": {
            name: judged_real(real_scan(setting.data, name), WHOLE[name], networks, prior)
            for name in REAL
        },
    }
    setting.store(RESULTS, content)


def _together(
    judged: Mapping[str, Mapping[str, list[LocatedScan]]],
) -> dict[str, list[LocatedScan]]:
    return {"localizer": [one for ways in judged.values() for one in ways["localizer"]]}


def judged_person(
    index: int, networks: LocalizerNetworks, prior: NamingPrior
) -> list[dict[str, Any]]:
    """Scan a person whole, in random parts, and one part with a field laid on the spine."""
    person = draw_wide_person(PRESET, SEED, index)
    scans = [
        ("crops" if crop else "whole", drawn_scan(person, 100 * index + crop, crop > 0, SPACING_MM))
        for crop in range(CROPS + 1)
    ]
    scans.append(("narrow", around_spine(scans[1][1])))
    judged = []
    for group, scan in scans:
        ways = dict(judged_ways(find_chain(scan.volume, networks, prior), scan, prior))
        ways["classical"] = judged_classical(scan, prior)
        rows = {way: asdict(one) for way, one in ways.items()}
        judged.append({"group": group, "ways": rows})
    return judged


def judged_ways(
    chain: ReadChain | str, scan: TestScan, prior: NamingPrior
) -> Mapping[str, LocatedScan]:
    """Judge one scan as the localizer names it, and as cheap opponents name the same centers.

    Returns
    -------
    mapping of str to LocatedScan
        ``localizer``; ``from below``: the lowest center is L5; ``gaps alone``: the distances
        of the centers, without looking at the image; ``one answer``: the uppermost center is
        always T11.
    """
    truth, levels = scan.centers_mm, scan.levels
    if isinstance(chain, str):
        none = judged_scan(np.zeros((0, 3)), (), truth, levels, refused=True)
        return dict.fromkeys(("localizer", "from below", "gaps alone", "one answer"), none)
    centers = np.array([center.center_mm for center in chain.centers])
    hypotheses = name_centers(chain.evidence, chain.gaps_mm, prior)
    found = named(chain, hypotheses)
    blind = name_chain(np.zeros_like(chain.evidence), chain.gaps_mm, replace(prior, gap_weight=1.0))
    own = judged_scan(
        centers,
        hypotheses[0].states,
        truth,
        levels,
        hypotheses[0].probability,
        sure_from_landmark(found),
        found.refused is not None,
    )
    others = {
        "from below": counted(len(centers), last="L5"),
        "gaps alone": blind[0].states,
        "one answer": counted(len(centers), first="T11"),
    }
    return {"localizer": own} | {
        way: judged_scan(centers, names, truth, levels) for way, names in others.items()
    }


def judged_classical(scan: TestScan, prior: NamingPrior) -> LocatedScan:
    """Judge what density alone finds, named by the distances."""
    centers = classical_centers(scan.volume, prior)
    names: Names = ()
    if len(centers):
        gaps = np.linalg.norm(np.diff(centers, axis=0), axis=1)
        blind = np.zeros((len(centers), len(STATES)))
        names = name_chain(blind, gaps, replace(prior, gap_weight=1.0))[0].states
    return judged_scan(centers, names, scan.centers_mm, scan.levels)


def sure_from_landmark(found: Localization) -> bool:
    """Whether a naming is 95 % probable by itself and counted from a landmark."""
    return found.anchored and found.probability >= _SURE


def counted(count: int, first: str | None = None, last: str | None = None) -> Names:
    """Name a chain of centers in regular order, from one end.

    Examples
    --------
    >>> counted(2, first="T12"), counted(2, last="L5")
    (('T12', 'L1'), ('L4', 'L5'))
    """
    regular = [name for name in STATES if name not in ("T13", "L6")]
    start = regular.index(first) if first else regular.index(str(last)) - count + 1
    return tuple(regular[k] if 0 <= k < len(regular) else None for k in range(start, start + count))


def judged_real(
    scan: RealScan, whole: Sequence[str], networks: Any, prior: NamingPrior
) -> dict[str, Any]:
    """Locate the vertebrae of a real CT; the levels that lie in it whole are the truth."""
    vertebrae = scan.centroids or vertebrae_from_mask(scan.labels)  # type: ignore[arg-type]
    kept = [vertebra for vertebra in vertebrae if vertebra.level.value in whole]
    truth = np.array([vertebra.centroid_mm for vertebra in kept])
    levels = tuple(vertebra.level.value for vertebra in kept)
    return real_figures(scan.volume, truth, levels, networks, prior)


def real_figures(
    volume: Volume, truth_mm: np.ndarray, levels: Names, networks: Any, prior: NamingPrior
) -> dict[str, Any]:
    """Return what the localizer says of a scan, beside the truth."""
    chain = find_chain(volume, networks, prior)
    if isinstance(chain, str):
        return {"refused": chain, "bodies": len(levels), "found": 0, "close": 0, "named": 0}
    hypotheses = name_centers(chain.evidence, chain.gaps_mm, prior)
    found = named(chain, hypotheses)
    centers = np.array([center.center_mm for center in chain.centers])
    true = [name for name in levels if name is not None]
    first = hypotheses[0]
    one = judged_scan(
        centers, first.states, truth_mm, true, first.probability, sure_from_landmark(found)
    )
    return asdict(one) | {
        "names": list(first.states),
        "next": [[other.states[0], round(other.probability, 3)] for other in hypotheses[1:3]],
        "cut": [center.cut for center in chain.centers],
        "landmarks": list(found.landmarks),
    }
