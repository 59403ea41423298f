"""What the localizer finds and names: on phantoms of a preset held out, and in real CT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from spinexplain.data.phantom.wide.person import draw_wide_patient
from spinexplain.errors import ModelError
from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.evaluate.locating import (
    LocatedScan,
    chance_ece,
    judged_scan,
    located_figures,
)
from spinexplain.localizer.center_chain import Networks
from spinexplain.localizer.locate import ReadChain, find_chain, named
from spinexplain.localizer.located import Localization
from spinexplain.localizer.naming import STATES, NamingPrior, name_chain
from spinexplain.localizer.networks import LocalizerNetworks, load_networks, shipped_networks
from spinexplain.localizer.prior import PRIOR_FILE, read_prior, shipped_prior
from spinexplain.reproduce import real_scans
from spinexplain.reproduce.found_by_grade import found_by_grade
from spinexplain.reproduce.found_scans import GROUPS, DrawnPersons, FoundScan, found_scans
from spinexplain.reproduce.left_open import left_open
from spinexplain.reproduce.real_parts import measured_parts
from spinexplain.reproduce.real_scans import RealScan, real_scan
from spinexplain.reproduce.setting import Setting
from spinexplain.spine.localize import vertebrae_from_mask

RESULTS = "localizer.json"
TEST = DrawnPersons("wide-test", seed=20, persons=40)
BENT = replace(TEST, preset="wide-test-2", seed=21)
"""Other persons, whose scolioses keep the spine's length."""

WHOLE = 6
"""So many of the persons are scanned whole, too."""

ALL = "all"
_SURE = 0.95
REAL = ("lumbar", "thoracic", "crop")
EARLIER = "localizer-before"
"""Folder, in the work folder, of an earlier localizer: it is measured on the same persons."""

Names = tuple[str | None, ...]


def measure(setting: Setting, persons: int = TEST.persons, whole: int = WHOLE) -> None:
    """Measure phantoms and real CTs, each beside cheap ways of naming, and store the figures.

    What was found in persons before is taken up. Where the work folder holds an earlier localizer
    (``localizer-before``), it is measured on the same persons and CTs.

    Raises
    ------
    ModelError
        If that folder holds the shipped localizer, which would stand beside itself.
    """
    torch.set_num_threads(1)
    now = Localizer(shipped_networks(), shipped_prior())
    before = earlier_localizer(setting, now)
    content = {
        "version": now.version,
        "before": None if before is None else before.version,
        "earlier": earlier_persons(setting.stored(RESULTS)),
        **measured(setting, replace(TEST, persons=persons), whole, now, before),
        "bent": measured(setting, replace(BENT, persons=persons), whole, now, before),
        "real": _real(setting, now),
        "real_before": None if before is None else _real(setting, before),
        "real_parts": _real_parts(setting, now),
        "real_parts_before": None if before is None else _real_parts(setting, before),
    }
    setting.store(RESULTS, content)


def earlier_persons(content: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return what was measured of other persons before, the last results among it.

    Parameters
    ----------
    content : mapping or None
        Results as they are stored now, with what they keep of earlier ones.
    """
    if content is None:
        return []
    rows = list(content.get("earlier", []))
    for drawn, part in ((TEST, content), (BENT, content.get("bent"))):
        if part and (part["preset"], part["seed"]) != (drawn.preset, drawn.seed):
            figures = {group: ways["localizer"] for group, ways in part["phantoms"].items()}
            named = {key: part[key] for key in ("preset", "seed", "persons")}
            rows.append(named | {"version": content["version"], "phantoms": figures})
    return rows


@dataclass(frozen=True, eq=False)
class Localizer:
    """Networks and what naming knows.

    Parameters
    ----------
    networks : LocalizerNetworks
    prior : NamingPrior
    """

    networks: LocalizerNetworks
    prior: NamingPrior

    @property
    def version(self) -> str:
        """Of the networks."""
        return self.networks.info.version


def earlier_localizer(setting: Setting, now: Localizer) -> Localizer | None:
    """Return the localizer in the work folder's ``localizer-before``, None where there is none.

    Raises
    ------
    ModelError
        If it is ``now``, which would stand beside itself.
    """
    folder = setting.work / EARLIER
    if not folder.is_dir():
        return None
    before = Localizer(load_networks(folder), read_prior(folder / PRIOR_FILE))
    if (before.networks.info.sha256, before.prior) == (now.networks.info.sha256, now.prior):
        raise ModelError(
            f"{folder} holds the shipped localizer {now.version}; expected an earlier one. Put "
            "that one there, or remove the folder."
        )
    return before


def _real(setting: Setting, localizer: Localizer) -> dict[str, dict[str, Any]]:
    """Judge every real CT."""
    networks, prior = localizer.networks, localizer.prior
    return {
        name: judged_real(real_scan(setting.data, name), real_scans.WHOLE[name], networks, prior)
        for name in REAL
    }


def _real_parts(setting: Setting, localizer: Localizer) -> dict[str, Any]:
    return measured_parts(setting.data, localizer.networks, localizer.prior, judged_ways)


def measured(
    setting: Setting, drawn: DrawnPersons, whole: int, now: Localizer, before: Localizer | None
) -> dict[str, Any]:
    """Measure persons of one preset, in parts and the first of them whole.

    Returns
    -------
    dict
        ``phantoms``: figures by group and way of naming; ``chance``: calibration errors if
        every probability held; ``intervals``; ``grades``: bodies found by Genant grade; every
        scan by itself; ``usual``: figures of scans without a T13 or L6.
    """
    sets = drawn, replace(drawn, persons=whole, groups=("whole",))
    scans, each = _judged_scans(setting, sets, now)
    grades = {"localizer": found_by_grade(drawn, scans)}
    if before is not None:
        scans_before, others = _judged_scans(setting, sets, before)
        each = with_earlier(each, others)
        grades["before"] = found_by_grade(drawn, scans_before)
    judged = by_group(scans, each)
    own = [ways["localizer"] for ways in each]
    return {
        "preset": drawn.preset,
        "seed": drawn.seed,
        "persons": drawn.persons,
        "whole": whole,
        "phantoms": {
            group: {way: located_figures(rows) for way, rows in ways.items()}
            for group, ways in judged.items()
        },
        "chance": {
            group: [round(x, 4) for x in chance_ece(ways["localizer"])]
            for group, ways in judged.items()
        },
        "intervals": intervals(scans, each),
        "grades": grades,
        "scans": [
            _described(scan, drawn) | asdict(one) for scan, one in zip(scans, own, strict=True)
        ],
        "usual": located_figures(
            [one for scan, one in zip(scans, own, strict=True) if not shows_rare(scan)]
        ),
    }


def _described(scan: FoundScan, drawn: DrawnPersons) -> dict[str, Any]:
    patient = draw_wide_patient(drawn.preset, drawn.seed, scan.person)
    return {
        "person": scan.person,
        "group": scan.group,
        "rare": shows_rare(scan),
        "open": len(left_open(scan.levels, patient.extra_levels)),
    }


def _judged_scans(
    setting: Setting, sets: Sequence[DrawnPersons], localizer: Localizer
) -> tuple[list[FoundScan], list[dict[str, LocatedScan]]]:
    networks, prior = localizer.networks, localizer.prior
    scans = [one for drawn in sets for one in found_scans(setting, drawn, networks, prior)]
    return scans, [judged_ways(scan, prior) for scan in scans]


def shows_rare(scan: FoundScan) -> bool:
    """Say whether a scan shows a thirteenth thoracic or a sixth lumbar level."""
    return bool({"T13", "L6"} & set(scan.levels))


def with_earlier(
    now: Sequence[dict[str, LocatedScan]], before: Sequence[dict[str, LocatedScan]]
) -> list[dict[str, LocatedScan]]:
    """Put what an earlier localizer says of each scan beside what this one says."""
    pairs = zip(now, before, strict=True)
    return [ways | {"before": other["localizer"]} for ways, other in pairs]


def by_group(
    scans: Sequence[FoundScan], each: Sequence[Mapping[str, LocatedScan]]
) -> dict[str, dict[str, list[LocatedScan]]]:
    """Sort what was judged by group, with all together last, and by way of naming."""
    judged: dict[str, dict[str, list[LocatedScan]]] = {}
    for group in (*GROUPS, ALL):
        for scan, ways in zip(scans, each, strict=True):
            for way, one in ways.items() if group in (scan.group, ALL) else ():
                judged.setdefault(group, {}).setdefault(way, []).append(one)
    return judged


def intervals(
    scans: Sequence[FoundScan], each: Sequence[Mapping[str, LocatedScan]]
) -> dict[str, dict[str, Any]]:
    """Draw persons again: bodies named in each group, and how far probabilities are off.

    Returns
    -------
    dict
        By group the share of bodies that are ``named``; ``more``: by how much an earlier
        localizer's is exceeded, where one was measured; ``off``: mean probability less share
        of namings that are right.
    """
    found: dict[str, dict[str, Any]] = {}
    for group in (*GROUPS, ALL):
        kept = [k for k, scan in enumerate(scans) if group in (scan.group, ALL)]
        if not kept:
            continue
        ways = {
            way: [each[k][way] for k in kept] for way in ("localizer", "before") if way in each[0]
        }
        persons = np.array([str(scans[k].person) for k in kept])
        bodies = np.array([one.bodies for one in ways["localizer"]])
        right = {way: np.array([one.named for one in many]) for way, many in ways.items()}
        off = np.array([one.probability - one.right for one in ways["localizer"]])
        found[group] = {
            "named": _shares(right["localizer"], bodies, persons),
            "off": _shares(off, np.ones(len(kept)), persons),
        }
        if "before" in right:
            more = right["localizer"] - right["before"]
            found[group]["more"] = _shares(more, bodies, persons)
    return found


def _shares(part: np.ndarray, whole: np.ndarray, persons: np.ndarray) -> list[float | None]:
    """Return a share with its interval; no bounds under ten persons."""
    one = subject_bootstrap(lambda rows: float(part[rows].sum() / whole[rows].sum()), persons, 0)
    return [round(x, 4) if np.isfinite(x) else None for x in (one.value, one.low, one.high)]


def judged_ways(scan: FoundScan, prior: NamingPrior) -> dict[str, LocatedScan]:
    """Judge one scan as the localizer names it, and as cheap opponents name the same centers.

    Returns
    -------
    dict of str to LocatedScan
        ``localizer``; ``from below``: the lowest center is L5; ``gaps alone``: the distances
        of the centers, without looking at the image; ``one answer``: the uppermost center is
        always T11; ``classical``: what density alone finds, named by the distances.
    """
    classical = _judged(scan, by_gaps(scan.classical_mm, prior), scan.classical_mm)
    if scan.chain is None:
        none = judged_scan(np.zeros((0, 3)), (), scan.truth_mm, scan.levels, refused=True)
        ways = ("localizer", "from below", "gaps alone", "one answer")
        return dict.fromkeys(ways, none) | {"classical": classical}
    count = len(scan.chain.centers)
    return {
        "localizer": judged_naming(scan, prior),
        "from below": _judged(scan, counted(count, last="L5")),
        "gaps alone": _judged(scan, by_gaps(scan.centers_mm, prior)),
        "one answer": _judged(scan, counted(count, first="T11")),
        "classical": classical,
    }


def judged_naming(scan: FoundScan, prior: NamingPrior) -> LocatedScan:
    """Judge the most probable naming of a scan in which a spine was found."""
    assert scan.chain is not None
    hypotheses = scan.chain.namings(prior)
    found = named(scan.chain, hypotheses)
    return judged_scan(
        scan.centers_mm,
        hypotheses[0].states,
        scan.truth_mm,
        scan.levels,
        hypotheses[0].probability,
        sure_from_landmark(found),
        found.refused is not None,
    )


def _judged(scan: FoundScan, names: Names, centers_mm: np.ndarray | None = None) -> LocatedScan:
    centers_mm = scan.centers_mm if centers_mm is None else centers_mm
    return judged_scan(centers_mm, names, scan.truth_mm, scan.levels)


def by_gaps(centers_mm: np.ndarray, prior: NamingPrior) -> Names:
    """Name centers by their distances alone, head to foot; none where there is none."""
    if not len(centers_mm):
        return ()
    gaps = np.linalg.norm(np.diff(centers_mm, axis=0), axis=1)
    blind = np.zeros((len(centers_mm), len(STATES)))
    return name_chain(blind, gaps, replace(prior, level_weight=0.0, gap_weight=1.0))[0].states


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
    scan: RealScan, whole: Sequence[str], networks: Networks, prior: NamingPrior
) -> dict[str, Any]:
    """Locate the vertebrae of a real CT; the levels that lie in it whole are the truth."""
    vertebrae = scan.centroids or vertebrae_from_mask(scan.labels)  # type: ignore[arg-type]
    kept = [vertebra for vertebra in vertebrae if vertebra.level.value in whole]
    truth = np.array([vertebra.centroid_mm for vertebra in kept])
    levels = tuple(vertebra.level.value for vertebra in kept)
    return real_figures(find_chain(scan.volume, networks, prior), truth, levels, prior)


def real_figures(
    chain: ReadChain | str, truth_mm: np.ndarray, levels: Names, prior: NamingPrior
) -> dict[str, Any]:
    """Return what the localizer says of what was found in a scan, beside the truth."""
    if isinstance(chain, str):
        return {"refused": chain, "bodies": len(levels), "found": 0, "close": 0, "named": 0}
    hypotheses = chain.namings(prior)
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
