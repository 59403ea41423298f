"""Measure the shipped model once where it was not trained: other phantoms, real CT, odd scans.

Prepared scans are kept in the folder of work; an interrupted run goes on where it stopped, and
another model needs no new phantoms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.evaluate.figures import without_nan
from spinexplain.localizer.networks import shipped_networks
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.transfer import limits, measure, phantoms, pictures, real
from spinexplain.reproduce.transfer.baselines import (
    PixelRegression,
    fitted_pixels,
    heights_threshold,
)
from spinexplain.reproduce.transfer.phantoms import Drawn
from spinexplain.reproduce.transfer.tasks import (
    SETTLING,
    Task,
    code_hash,
    evenly,
    make_missing,
    there,
)

RESULTS = "transfer.json"
# What a prepared scan depends on; others are made again when it changes.
PHANTOM_CODE = ("data/phantom/*.py", "data/phantom/presets/*.toml", "spine/*.py", *SETTLING)
NOT_DRAWING = ("simulate", "displace", "boxes", "write", "table", "cohorts", "raters", "__init__")
REAL_CODE = (
    *("data/phantom/simulate.py", "data/phantom/displace.py", "spine/*.py"),
    *SETTLING,
)
NOT_PREPARING = ("body_size",)  # sizes of scaled crops, which the shipped model does not use


@dataclass(frozen=True)
class Plan:
    """The scans to grade.

    Parameters
    ----------
    drawn : Path
        Folder of prepared phantoms, named after what draws them.
    groups : mapping of str to sequence of Drawn
        Phantoms by preset or kind.
    real, limits : sequence of Task
    """

    drawn: Path
    groups: Mapping[str, Sequence[Drawn]]
    real: Sequence[Task]
    limits: Sequence[Task]


def measured(setting: Setting, share: float = 1.0) -> None:
    """Prepare what is missing, grade everything, store the figures.

    Parameters
    ----------
    setting : Setting
    share : float
        Of the phantoms to draw.
    """
    torch.set_num_threads(1)
    plan = planned(setting, share)
    tasks = evenly([*plan.groups.values(), plan.real, plan.limits])
    make_missing(tasks, setting.jobs, setting.progress)
    setting.store(RESULTS, figures(setting, plan))


def planned(setting: Setting, share: float = 1.0) -> Plan:
    """List the scans and where each is kept."""
    work, data = setting.work / "transfer", setting.data
    drawn = work / f"phantoms-{code_hash(*PHANTOM_CODE, but=(*NOT_DRAWING, *NOT_PREPARING))}"
    warped = work / f"real-{code_hash(*REAL_CODE, but=NOT_PREPARING)}"
    return Plan(
        drawn,
        phantoms.plan(drawn, share),
        [
            *real.as_they_are(warped, data),
            *real.adjacent_crushes(warped, data),
            *real.single(warped, data),
        ],
        limits.all_limits(drawn, data, share),
    )


def figures(setting: Setting, plan: Plan) -> dict[str, Any]:
    """Grade what is prepared of a plan; draw the page's pictures."""
    groups = {name: there(group) for name, group in plan.groups.items()}
    grader = load_grader(DEFAULT_MODEL)
    pixels = fitted_pixels(setting, setting.work / "transfer" / "pixels.npz")
    heights_loss = heights_threshold([task.path for task in groups["balanced"]])
    tables = {
        name: measure.phantom_table(grader, [task.path for task in group], pixels)
        for name, group in groups.items()
        if name != "balanced"
    }
    real_rows = measure.graded(grader, [task.path for task in there(plan.real)])
    limit_rows = measure.graded(grader, [task.path for task in there(plan.limits)])
    facts = {
        **about(grader, plan),
        "opponents_chosen": chosen(heights_loss, len(groups["balanced"]), pixels),
        **measure.phantom_figures(tables, heights_loss, pixels),
        "real": measure.real_figures(real_rows),
        "limits": measure.limit_figures(limit_rows),
        "same_as_users": measure.same_as_users(grader, groups["verse-like"], setting.data),
    }
    facts["pictures"] = pictures.write_all(facts, tables, real_rows, setting.images / "transfer")
    found: dict[str, Any] = without_nan(facts)
    return found


def about(grader: Grader, plan: Plan) -> dict[str, Any]:
    """Say what was graded, and by which model."""
    return {
        "schema": "spinexplain/transfer/1",
        "model": {k: getattr(grader.info, k) for k in ("name", "version", "sha256", "trained_on")},
        "localizer": shipped_networks().info.version,
        "drawn_by": plan.drawn.name,
        "seeds": {name: seed for name, (seed, *_) in phantoms.POPULATIONS.items()},
        "plan": {name: len(group) for name, group in plan.groups.items()},
        "simulated_seeds": len(real.SEEDS),
    }


def chosen(heights_loss: float, spines: int, pixels: PixelRegression) -> dict[str, Any]:
    """Say how the opponents were chosen."""
    return {
        "heights_loss": heights_loss,
        "heights_spines": spines,
        "pixel_sheets": pixels.sheets,
        "pixel_strength": pixels.strength,
    }
