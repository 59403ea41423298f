"""Phantom spines as the verdict sees them just before any network is asked.

Drawing and measuring a scan takes seconds, asking a network hundredths. What lies between is
stored once a scan: every sheet at every pose, by every route, flags and heights. Networks can
then be exchanged and the verdict fitted again in minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.analysis.stored_frame import EXTENT_MM, StoredFrame
from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.draw import VertebraTruth
from spinexplain.data.phantom.presets import Preset
from spinexplain.data.phantom.scan import PhantomImage, PhantomScan, make_subject
from spinexplain.findings.vertebrae import scan_vertebrae
from spinexplain.io.files import atomic_file
from spinexplain.models.input_arrays import center_index
from spinexplain.spine.height_loss import INTERVAL_SDS, OWN_SD
from spinexplain.spine.morphometry import THIRDS, broad_losses
from spinexplain.spine.poses import POSES, posed_patches
from spinexplain.spine.reformat import reformat
from spinexplain.types import Heights, Patch, Vertebra

ROUTES = ("labels", "centroids", "both")
EVERY_ROUTE = 4
"""Every fourth person is taken by all routes, the others by the mask alone."""
CENTER_ERROR_MM = 1.5
"""Standard deviation, along every axis, of a center that a person or a tool gives."""


@dataclass(frozen=True)
class BenchScan:
    """One phantom scan of the bench: a person of a preset, and the file it is stored in.

    Parameters
    ----------
    group : str
        What it is drawn for; a preset's name, or more.
    preset : Preset
    seed, index : int
        The person.
    folder : Path
    by_mask : bool
        Whether it is taken by the route with a mask alone, whoever it is.
    """

    group: str
    preset: Preset = field(repr=False)
    seed: int
    index: int
    folder: Path
    by_mask: bool = False

    @property
    def path(self) -> Path:
        """Where it is stored."""
        return self.folder / self.group / f"{self.seed}-{self.index:04d}.npz"

    def make(self) -> None:
        """Draw the scan, take it to the networks' door by every route, store that."""
        every = self.index % EVERY_ROUTE == 0 and not self.by_mask
        routes = ROUTES if every else ROUTES[:1]
        self.store(make_subject(self.preset, self.seed, self.index), routes)

    def store(self, made: PhantomScan, routes: Sequence[str]) -> None:
        """Take a drawn scan to the networks' door by some routes, and store that."""
        truth = {fact.level: fact for fact in made.truth}
        rng = np.random.default_rng([self.seed, self.index, 77])
        rows, crops = _prepared(made.image, truth, rng, routes)
        fractured = any(t.shape != "none" or t.foreign_material for t in truth.values())
        scan = {
            "group": self.group,
            "subject": f"{made.preset}-{made.seed}-{made.name}",
            "spacing_mm": [round(step, 3) for step in made.image.volume.spacing_mm],
            "normal": not fractured,
            "natural_variation": True,
            "vertebrae": rows,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self.path) as temporary, open(temporary, "wb") as stream:
            np.savez_compressed(stream, facts=np.array(json.dumps(scan)), crops=crops)


def read_bench_scan(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Read a stored scan.

    Returns
    -------
    dict
        ``group``, ``subject``, ``spacing_mm``, ``normal`` and ``vertebrae``: a row for every
        level and route (every fourth person has all), with ``truth``, ``flags``, ``outside``,
        ``centers`` and ``heights``.
    ndarray of int16, shape (rows, poses, 112, 112)
        HU of the sheets.
    """
    with np.load(path, allow_pickle=False) as stored:
        scan, crops = json.loads(str(stored["facts"])), stored["crops"]
    if not scan.get("natural_variation"):
        for row in scan["vertebrae"]:
            _widen(row["heights"])
    for route in ROUTES:
        _broaden({row["level"]: row for row in scan["vertebrae"] if row["route"] == route})
    return scan, crops


def _broaden(rows: Mapping[str, dict[str, Any]]) -> None:
    """Add the broad loss to heights that were stored before it was measured, by their thirds."""
    measured = {VertebraLevel(k): row["heights"] for k, row in rows.items() if row["heights"]}
    if all("broad_loss" in heights for heights in measured.values()):
        return
    thirds = {k: np.array([one["thirds_mm"][t] for t in THIRDS]) for k, one in measured.items()}
    for level, loss in broad_losses(thirds).items():
        measured[level]["broad_loss"] = loss


def _widen(heights: dict[str, Any] | None) -> None:
    """Let the interval of a spine stored by an earlier version hold natural variation."""
    if heights is None:
        return
    low, high = heights["loss_interval"]
    reach = float(np.hypot((high - low) / 2, INTERVAL_SDS * OWN_SD))
    heights["loss_interval"] = [heights["loss"] - reach, heights["loss"] + reach]


def stored_patches(row: Mapping[str, Any], crops: np.ndarray) -> list[Patch]:
    """Give a row's sheets back as patches, one a pose.

    Parameters
    ----------
    row : mapping
        One of ``vertebrae`` of :func:`read_bench_scan`.
    crops : ndarray of int16, shape (poses, 112, 112)
    """
    vertebra = Vertebra(VertebraLevel(row["level"]), (0.0, 0.0, 0.0))
    return [
        Patch(vertebra, crop.astype(np.float32), StoredFrame((center[0], center[1])), outside)
        for crop, center, outside in zip(crops, row["centers"], row["outside"], strict=True)
    ]


def stored_heights(row: Mapping[str, Any]) -> Heights | None:
    """Give a row's heights back; None where the body was not measured."""
    content = row["heights"]
    if content is None:
        return None
    tuples = {k: tuple(v) for k, v in content.items() if k in _TUPLES}
    return Heights(**{**content, **tuples, "landmarks_mm": np.zeros((3, 2, 3))})


_TUPLES = ("expected_mm", "loss_interval", "class_range")


def _prepared(
    image: PhantomImage,
    truth: Mapping[str, VertebraTruth],
    rng: np.random.Generator,
    routes: Sequence[str],
) -> tuple[list[dict[str, Any]], np.ndarray]:
    given = _given_centers(image.vertebrae, rng)
    rows: list[dict[str, Any]] = []
    crops: list[np.ndarray] = []
    for route in routes:
        labels = None if route == "centroids" else image.labels
        centroids = None if route == "labels" else given
        spine = scan_vertebrae(image.volume, labels=labels, centroids=centroids)
        heights, flags = spine.heights(), spine.flags(image.volume)
        for patch in reformat(image.volume, spine.vertebrae, shape=(EXTENT_MM, EXTENT_MM)):
            level = patch.vertebra.level
            if level.value not in truth:
                continue
            posed = posed_patches(image.volume, patch)
            rows.append(
                {
                    "level": level.value,
                    "route": route,
                    "flags": list(flags[level]),
                    "outside": [one.outside for one in posed],
                    "centers": [center_index(one).tolist() for one in posed],
                    "heights": _content(heights.get(level)),
                    "truth": _stated(truth[level.value]),
                }
            )
            crops.append(np.stack([np.round(one.array).astype(np.int16) for one in posed]))
    empty = np.zeros((0, len(POSES), EXTENT_MM, EXTENT_MM), np.int16)
    return rows, np.stack(crops) if crops else empty


def _given_centers(vertebrae: Sequence[Vertebra], rng: np.random.Generator) -> list[Vertebra]:
    moved = []
    for one in vertebrae:
        x, y, z = np.asarray(one.centroid_mm) + rng.normal(0.0, CENTER_ERROR_MM, 3)
        moved.append(replace(one, centroid_mm=(float(x), float(y), float(z))))
    return moved


def _content(heights: Heights | None) -> dict[str, Any] | None:
    if heights is None:
        return None
    content = {name: value for name, value in vars(heights).items() if name != "landmarks_mm"}
    content["thirds_mm"] = {third: list(values) for third, values in heights.thirds_mm.items()}
    return content


def _stated(fact: VertebraTruth) -> dict[str, Any]:
    kept = ("grade", "shape", "loss", "own_loss", "look_alikes", "foreign_material")
    return {name: value for name, value in asdict(fact).items() if name in kept}
