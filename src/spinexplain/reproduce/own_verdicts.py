"""Verdicts on the localizer's own centers and masks, against those on given ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import PhantomScan, make_subject
from spinexplain.data.phantom.wide.subject import make_wide_subject
from spinexplain.errors import LabelError
from spinexplain.findings.assess import grade
from spinexplain.findings.rules import verdict_of
from spinexplain.findings.scan import ScanFindings
from spinexplain.io.json_file import write_json
from spinexplain.localizer.networks import LocalizerNetworks, shipped_networks
from spinexplain.localizer.own import Found, find_vertebrae
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.reproduce.found_scans import FINDING
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.transfer.tasks import SETTLING, code_hash
from spinexplain.types import Vertebra

RESULTS = "own-verdicts.json"
PRESETS, SEED, PHANTOMS = ("hard", "shifted-scanner", "hospital-like", "wide-test"), 44, 60
MOVED_MM = 2.0
"""How far given centers are moved for the floor, in a random direction."""

_SAME_BODY_MM = 10.0


@dataclass(frozen=True)
class VerdictRow:
    """The states of the verdict on one vertebra, by where its center and mask come from.

    Parameters
    ----------
    scan, level : str
        ``level`` is the true one.
    grade : int
        True Genant grade.
    named : str
        What the localizer calls it; empty where no center of its own lies within 10 mm.
    away_mm : float or None
        Distance of the own center.
    given, moved : str
        On the given centers without a mask, and on the same moved by 2 mm at random.
    placed, own : str
        On the own centers without a mask, under their true names and under their own; empty
        where there is none.
    masked, bare : str
        On the given centers with the given mask, and on the bare CT, where bodies are painted.
    """

    scan: str
    level: str
    grade: int
    named: str
    away_mm: float | None
    given: str
    moved: str
    placed: str
    own: str
    masked: str
    bare: str


def measure(setting: Setting, phantoms: int = PHANTOMS) -> None:
    """Grade phantoms by all ways; scans that were graded before are taken up."""
    networks, grader = shipped_networks(), load_grader(DEFAULT_MODEL)
    folder = setting.work / "own-verdicts" / _cache_name(networks.info.version)
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for index in range(phantoms):
        path = folder / f"{index:03d}.json"
        if not path.is_file():
            write_json(path, [asdict(row) for row in graded_rows(index, networks, grader)])
        rows += _read(path)
        setting.progress.step("Phantoms", index + 1, phantoms)
    content = {
        "version": networks.info.version,
        "model": DEFAULT_MODEL,
        "presets": PRESETS,
        "seed": SEED,
        "phantoms": phantoms,
        "moved_mm": MOVED_MM,
        "rows": rows,
    }
    setting.store(RESULTS, content)


def _cache_name(version: str) -> str:
    """Name the folder after localizer, model, and the code that finds and settles centers."""
    return f"{version}-{DEFAULT_MODEL}-{code_hash(*SETTLING, *FINDING)}"


def _read(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return rows


def graded_rows(index: int, networks: LocalizerNetworks, grader: Grader) -> list[VerdictRow]:
    """Draw one phantom and grade it by all ways."""
    preset = PRESETS[index % len(PRESETS)]
    make = make_wide_subject if load_preset(preset).is_wide else make_subject
    scan = make(preset, SEED, index)
    rng = np.random.default_rng([SEED, index])
    return verdict_rows(scan, found_in(scan, networks), grader, rng, f"{preset} {index}")


def found_in(scan: PhantomScan, networks: LocalizerNetworks) -> Found | None:
    """Ask the localizer; None where it refuses the scan."""
    try:
        return find_vertebrae(scan.image.volume, networks=networks)
    except LabelError:
        return None


def verdict_rows(
    scan: PhantomScan, found: Found | None, grader: Grader, rng: np.random.Generator, name: str
) -> list[VerdictRow]:
    """Grade one scan by all ways, and put the states on each given vertebra side by side."""
    given = [vertebra for vertebra in scan.image.vertebrae if vertebra.level.is_graded]
    if not given:
        return []  # a wide field may show the neck or the sacrum alone
    pairs = matched_names(given, [] if found is None else found.vertebrae)
    own = {vertebra.level.value: one for vertebra, one in pairs}
    grades = {fact.level: fact.grade for fact in scan.truth}
    ways = states_by_way(scan, found, pairs, grader, rng)
    rows = []
    for vertebra in given:
        level = vertebra.level.value
        near = own.get(level)
        named = "" if near is None else near.level.value
        called = dict.fromkeys(ways, level) | {"own": named, "bare": named}
        called |= {} if near else {"placed": ""}
        rows.append(
            VerdictRow(
                scan=name,
                level=level,
                grade=grades[level],
                named=named,
                away_mm=None if near is None else round(away_mm(near, vertebra), 2),
                **{way: states.get(called[way], "") for way, states in ways.items()},
            )
        )
    return [row for row in rows if row.given]


def states_by_way(
    scan: PhantomScan,
    found: Found | None,
    pairs: Sequence[tuple[Vertebra, Vertebra]],
    grader: Grader,
    rng: np.random.Generator,
) -> dict[str, Mapping[str, str]]:
    """Return the states of the verdict by level for every way; see :class:`VerdictRow`."""
    image, given = scan.image, list(scan.image.vertebrae)

    def states(**ways: Any) -> Mapping[str, str]:
        return states_of(grade(image.volume, models=[grader], **ways))

    moved = [moved_by(vertebra, rng) for vertebra in given]
    by_way: dict[str, Mapping[str, str]] = {
        "given": states(centroids=given),
        "moved": states(centroids=moved),
        "masked": states(labels=image.labels, body=image.body, centroids=given),
    }
    if found is None or not pairs:
        return by_way | {"placed": {}, "own": {}, "bare": {}}
    by_way |= {"own": states(centroids=found.vertebrae), "bare": states(found=found)}
    if all(one.level is vertebra.level for vertebra, one in pairs):
        return by_way | {"placed": by_way["own"]}
    renamed = [replace(one, level=vertebra.level) for vertebra, one in pairs]
    return by_way | {"placed": states(centroids=renamed)}


def matched_names(
    given: Sequence[Vertebra], own: Sequence[Vertebra]
) -> list[tuple[Vertebra, Vertebra]]:
    """Pair given vertebrae with the nearest own center, if within 10 mm; each is used once."""
    pairs: list[tuple[Vertebra, Vertebra]] = []
    left = list(own)
    for vertebra in given:
        near = min(left, key=lambda one: away_mm(one, vertebra), default=None)
        if near is not None and away_mm(near, vertebra) <= _SAME_BODY_MM:
            pairs.append((vertebra, near))
            left.remove(near)
    return pairs


def away_mm(one: Vertebra, other: Vertebra) -> float:
    """Return the distance of two centers."""
    return float(np.linalg.norm(np.subtract(one.centroid_mm, other.centroid_mm)))


def moved_by(
    vertebra: Vertebra, rng: np.random.Generator, distance_mm: float = MOVED_MM
) -> Vertebra:
    """Move a center by a distance in a random direction."""
    direction = rng.normal(size=3)
    move = distance_mm * direction / np.linalg.norm(direction)
    x, y, z = np.array(vertebra.centroid_mm) + move
    return replace(vertebra, centroid_mm=(float(x), float(y), float(z)))


def states_of(findings: ScanFindings) -> dict[str, str]:
    """Return the state of the verdict on every level."""
    return {item.vertebra.level.value: verdict_of(item).state for item in findings.vertebrae}
