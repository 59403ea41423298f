"""Which units and prototypes are active where a prototype network is wrong, by look-alike.

The dissection paper promises concepts of false alarms. Written down before any result was seen:
sheets and seeds (the constants here); units are thresholded and ranked on other sheets; a unit
goes with false alarms where it is enabled more often in them than in healthy vertebrae rightly
graded, at a false discovery rate of 5 % over all units; likewise misses beside found fractures.
False alarms beside fractures found were added after the first two had been seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import false_discovery_control
from torch import Tensor

from spinexplain.analysis.stored_frame import EXTENT_MM, StoredFrame
from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.sheets import PhantomSheet, phantom_sheets
from spinexplain.explainers.dissection.activity import Activity, layer_activity
from spinexplain.explainers.dissection.statistics import permutation_p
from spinexplain.explainers.prototypes import prototype_name
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.reproduce.setting import Setting
from spinexplain.types import Patch, Vertebra

RESULTS = "false-alarms.json"
MODEL, LAYER, QUANTILE = "protoverse-phantom", "trunk", 0.995
JUDGED, RANKED = ("hard", 6400, 900), ("balanced", 6401, 400)
"""Preset, seed that no training and no choice ever saw, sheets."""
DISCOVERY_RATE, SHOWN = 0.05, 10
_BATCH = 32
GROUPS = ("right_healthy", "false_alarm", "found", "missed")


def measure(setting: Setting) -> None:
    """Draw, grade, and store how often every unit and prototype is active in every group."""
    torch.set_num_threads(1)
    grader = load_grader(MODEL, runtime="torch")
    ranked, _ = graded(grader, RANKED)
    setting.progress.step("Sheets", 1, 2)
    judged, sheets = graded(grader, JUDGED)
    setting.progress.step("Sheets", 2, 2)
    group = groups_of(grader, judged.logits, [sheet.grade for sheet in sheets])
    setting.store(RESULTS, stated(grader, ranked, judged, sheets, group))


def graded(grader: Grader, drawn: tuple[str, int, int]) -> tuple[Activity, list[PhantomSheet]]:
    """Draw sheets and run the network over them once."""
    preset, seed, count = drawn
    sheets = list(phantom_sheets(preset, seed, count))
    batches = inputs_of(grader, sheets)
    return layer_activity(grader.model, LAYER, batches, count, QUANTILE), sheets


def inputs_of(grader: Grader, sheets: Sequence[PhantomSheet]) -> Iterator[Tensor]:
    """Yield the network's inputs, a batch at a time."""
    for start in range(0, len(sheets), _BATCH):
        yield grader.inputs([patch_of(sheet) for sheet in sheets[start : start + _BATCH]])


def patch_of(sheet: PhantomSheet) -> Patch:
    """Cut the middle of a sheet, as a network sees it."""
    margin = (sheet.hu.shape[0] - EXTENT_MM) // 2
    middle = slice(margin, margin + EXTENT_MM)
    vertebra = Vertebra(VertebraLevel(sheet.level), (0.0, 0.0, 0.0))
    frame = StoredFrame(((EXTENT_MM - 1) / 2, (EXTENT_MM - 1) / 2))
    array = sheet.hu[middle, middle].astype(np.float32)
    return Patch(vertebra, array, frame, float(sheet.outside[middle, middle].mean()))


def groups_of(grader: Grader, logits: np.ndarray, grades: Sequence[int]) -> np.ndarray:
    """Return the group of every vertebra; mild fractures belong to none.

    Parameters
    ----------
    grader : Grader
    logits : ndarray, shape (N, K)
    grades : sequence of int, length N
        True grades.

    Returns
    -------
    ndarray of str, shape (N,)
        One of :data:`GROUPS`, or empty.
    """
    healthy = grader.task.healthy_index
    alarm, truth = logits.argmax(axis=1) != healthy, np.asarray(grades)
    names = np.where(
        truth == 0,
        np.where(alarm, "false_alarm", "right_healthy"),
        np.where(alarm, "found", "missed"),
    )
    return np.where(truth == 1, "", names)


def stated(
    grader: Grader,
    ranked: Activity,
    judged: Activity,
    sheets: Sequence[PhantomSheet],
    group: np.ndarray,
) -> dict[str, Any]:
    """Return all figures with what made them."""
    return {
        "command": "spinexplain reproduce false-alarms --fresh",
        "model": {
            "name": grader.info.name,
            "version": grader.info.version,
            "sha256": grader.info.weights_sha256,
        },
        "judged": JUDGED,
        "ranked": RANKED,
        "groups": {name: int((group == name).sum()) for name in GROUPS},
        "look_alikes": by_look_alike(sheets, group),
        "units": units_by_group(ranked, judged, group, grader),
        "prototypes": prototypes_by_group(grader, sheets, group, judged.logits),
    }


def by_look_alike(sheets: Sequence[PhantomSheet], group: np.ndarray) -> dict[str, dict[str, int]]:
    """Count the groups among vertebrae with each look-alike; with several one counts in each."""
    found: dict[str, dict[str, int]] = {}
    for sheet, name in zip(sheets, group, strict=True):
        for kind in sheet.truth.look_alikes or ("none",):
            row = found.setdefault(kind, dict.fromkeys(GROUPS, 0))
            if name:
                row[str(name)] += 1
    return dict(sorted(found.items()))


def units_by_group(
    ranked: Activity, judged: Activity, group: np.ndarray, grader: Grader
) -> dict[str, Any]:
    """Say how often units are enabled in every group.

    Thresholds come from ``ranked``; so does the order by contrast: enabled more often in what
    the network calls fractured than in what it calls healthy.
    """
    thresholds = ranked.tails.thresholds
    called = ranked.logits.argmax(axis=1) != grader.task.healthy_index
    first = ranked.peaks > thresholds
    contrast = first[called].mean(axis=0) - first[~called].mean(axis=0)
    enabled = judged.peaks > thresholds
    return {
        "number": int(enabled.shape[1]),
        "first": _shares(np.argsort(-contrast, kind="stable")[:SHOWN], enabled, group),
        "false_alarms": _telling(enabled, group, "false_alarm", "right_healthy"),
        "misses": _telling(enabled, group, "missed", "found"),
        "alarms_beside_found": _telling(enabled, group, "false_alarm", "found"),
    }


def _shares(units: np.ndarray, enabled: np.ndarray, group: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"unit": int(unit)}
        | {name: round(float(enabled[group == name, unit].mean()), 4) for name in GROUPS}
        for unit in units
    ]


def _telling(enabled: np.ndarray, group: np.ndarray, one: str, other: str) -> dict[str, Any]:
    """Return the units that are enabled more or less often in one group than in the other."""
    used = np.isin(group, (one, other))
    positive = group[used] == one
    if positive.all() or not positive.any():
        return {"tied": 0, "units": []}
    p = permutation_p(enabled[used], positive)
    tied = false_discovery_control(p) < DISCOVERY_RATE
    share = enabled[used][positive].mean(axis=0) - enabled[used][~positive].mean(axis=0)
    order = [unit for unit in np.argsort(-np.abs(share), kind="stable") if tied[unit]]
    return {"tied": int(tied.sum()), "units": _shares(np.array(order[:SHOWN], int), enabled, group)}


def prototypes_by_group(
    grader: Grader, sheets: Sequence[PhantomSheet], group: np.ndarray, logits: np.ndarray
) -> dict[str, Any]:
    """Say which prototype speaks loudest for the class that was called, by group and look-alike."""
    head = grader.prototype_head
    assert head is not None
    names = [
        prototype_name(grader.classes, head.owner, k, head.parts) for k in range(len(head.owner))
    ]
    patches = [patch_of(sheet) for sheet in sheets]
    best = np.concatenate(
        [
            grader.similarity_maps(patches[k : k + _BATCH])
            .reshape(len(patches[k : k + _BATCH]), len(names), -1)
            .max(axis=2)
            for k in range(0, len(patches), _BATCH)
        ]
    )
    called = logits.argmax(axis=1)
    own = head.owner[None] == called[:, None]
    loudest = np.where(own, best * head.connections[called], -np.inf).argmax(axis=1)
    tally = {
        name: {g: int(((loudest == k) & (group == g)).sum()) for g in GROUPS}
        for k, name in enumerate(names)
    }
    alarms: dict[str, dict[str, int]] = {}
    for sheet, k, name in zip(sheets, loudest, group, strict=True):
        if name == "false_alarm":
            for kind in sheet.truth.look_alikes or ("none",):
                row = alarms.setdefault(kind, {})
                row[names[k]] = row.get(names[k], 0) + 1
    return {"loudest": tally, "false_alarms": dict(sorted(alarms.items()))}
