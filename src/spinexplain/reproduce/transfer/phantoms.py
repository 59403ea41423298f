"""Which phantom spines are drawn for the report, and how; seeds that no training ever saw."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.presets import Preset, load_preset
from spinexplain.data.phantom.scan import PhantomScan, draw_scan_grades, make_subject
from spinexplain.reproduce.transfer.prepared import Prepared, prepare_scan, write_prepared
from spinexplain.reproduce.transfer.tasks import slug

SEED = 5000
"""No shipped model was trained or chosen on this seed or on those counted from it."""

POPULATIONS = {
    # preset: (seed, normal spines, spines with at least one fracture)
    "verse-like": (SEED, 20, 20),
    "hard": (SEED + 1, 20, 20),
    "shifted-scanner": (SEED + 2, 10, 15),
    "balanced": (SEED + 3, 8, 16),
}
"""At most 40 spines a preset, the first of each seed, so that all fits half an hour of CPU."""
MEASURED = ("verse-like", "hard", "balanced")
"""Where heights are taken from the mask; balanced chooses their threshold."""

FAMILIAR = "familiar scanner"
"""The persons of shifted-scanner in the scanners of the training preset."""

NO_FRACTURES = {"target": (1.0, 0.0, 0.0, 0.0), "plan": ()}
_LUMBAR = {"field": {"spans": ("T11-S1",)}}
# What is switched on in every person of a kind; everything else is as in verse-like.
LOOK_ALIKES: dict[str, dict[str, dict[str, Any]]] = {
    "Schmorl's nodes": {"geometry": {"schmorl": 0.4}},
    "Scheuermann": {"geometry": {"scheuermann": 1.0}, "field": {"spans": ("T5-L2", "T1-L1")}},
    "limbus vertebrae": {"geometry": {"limbus": 0.25}},
    "short vertebral height": {"geometry": {"mild_loss_share": 1.0, "mild_loss": (0.1, 0.16)}},
    "osteophytes": {"geometry": {"osteophyte": 1.0}},
    "DISH": {"geometry": {"dish": 1.0}},
    "narrowed discs, vacuum, sclerosis": {
        "geometry": {"narrowed_disc": 0.6},
        "around": {"vacuum": 0.5},
        "bone": {"sclerosis": 0.5},
    },
    "cupid's bow": {"geometry": {"cupid_bow": 1.0}, **_LUMBAR},
    "short posterior wall at L5": {"geometry": {"l5_wedge": (-0.2, -0.12)}, **_LUMBAR},
    "hemi-, butterfly and block vertebrae": {"geometry": {"anomaly": 0.12, "block": 0.08}},
    "scoliosis": {"geometry": {"scoliosis_mm": (40.0, 60.0)}},
    "haemangioma, lesions": {"bone": {"hemangioma": 0.3, "lesion": 0.3}},
    "healed impaction": {"bone": {"impaction_normal": 0.5, "impaction_hu": (80.0, 220.0)}},
}
SPINES_A_KIND = 3


@dataclass(frozen=True)
class Drawn:
    """One phantom scan to draw: a person of a group."""

    group: str
    preset: Preset = field(repr=False)
    seed: int
    index: int
    folder: Path

    @property
    def path(self) -> Path:
        """Where the prepared scan is kept."""
        return self.folder / slug(self.group) / f"{self.seed}-{self.index:04d}.npz"

    def make(self) -> None:
        """Draw the scan, take it to the model's door, store that, forget the scan."""
        made = make_subject(self.preset, self.seed, self.index)
        scan, ready = prepared_phantom(made, self.group in MEASURED)
        write_prepared(self.path, {"group": self.group, **scan}, ready)


def prepared_phantom(
    made: PhantomScan, measured: bool = False
) -> tuple[dict[str, Any], list[Prepared]]:
    """Prepare a phantom as a user would, by its mask; the truth stands beside each level."""
    truth = {fact.level: fact for fact in made.truth}
    ready = prepare_scan(made.image.volume, labels=made.image.labels, measured=measured)
    for one in ready:
        one.facts["truth"] = stated(truth[one.facts["level"]])
    scan = {
        "subject": f"{made.preset}-{made.seed}-{made.name}",
        "spacing_mm": [round(s, 3) for s in made.image.volume.spacing_mm],
        "normal": all(t.shape == "none" and not t.foreign_material for t in truth.values()),
    }
    return scan, ready


def plan(folder: Path, share: float = 1.0) -> dict[str, list[Drawn]]:
    """List the scans of every group; a smaller share takes the first ones of each."""
    groups = {
        name: population(folder, name, seed, round(normal * share), round(fractured * share))
        for name, (seed, normal, fractured) in POPULATIONS.items()
    }
    groups[FAMILIAR] = familiar(groups["shifted-scanner"])
    base = load_preset("verse-like")
    for at, (kind, changes) in enumerate(LOOK_ALIKES.items()):
        preset = changed(base, {**changes, "fractures": NO_FRACTURES})
        number = max(round(SPINES_A_KIND * share), 2)
        tasks = [Drawn(kind, preset, SEED + 100 + at, i, folder) for i in range(number)]
        groups[kind] = tasks
    return groups


def population(
    folder: Path, preset_name: str, seed: int, normal: int, fractured: int
) -> list[Drawn]:
    """Take the first persons of a seed, in order, until there are enough of both sorts."""
    preset = load_preset(preset_name)
    left = {False: normal, True: fractured}
    tasks: list[Drawn] = []
    index = 0
    while any(left.values()):
        is_fractured = bool(planned_grades(preset, seed, index))
        if left[is_fractured]:
            left[is_fractured] -= 1
            tasks.append(Drawn(preset_name, preset, seed, index, folder))
        index += 1
    return tasks


def familiar(shifted: list[Drawn]) -> list[Drawn]:
    """Take the same persons to other scanners."""
    scanner = load_preset("balanced").scanner
    return [replace(t, group=FAMILIAR, preset=replace(t.preset, scanner=scanner)) for t in shifted]


def planned_grades(preset: Preset, seed: int, index: int) -> dict[str, int]:
    """Look ahead at which levels `make_subject` will fracture; the truth decides, not this."""
    anatomy = np.random.SeedSequence(seed, spawn_key=(1, index)).spawn(4)[0]
    return draw_scan_grades(np.random.default_rng(anatomy), preset)


def changed(preset: Preset, sections: dict[str, dict[str, Any]]) -> Preset:
    """Change some fields of some sections of a preset."""
    parts = {name: replace(getattr(preset, name), **v) for name, v in sections.items()}
    return replace(preset, **parts)


def stated(fact: VertebraTruth) -> dict[str, Any]:
    """Return what is kept of a vertebra's truth."""
    kept = ("grade", "shape", "loss", "own_loss", "look_alikes", "foreign_material")
    return {name: value for name, value in asdict(fact).items() if name in kept}
