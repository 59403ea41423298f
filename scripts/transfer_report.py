"""Measure the shipped model once where it was not trained: other phantoms, real CT, odd scans.

    python scripts/transfer_report.py --jobs 2          # all of it, half an hour of CPU
    python scripts/transfer_report.py --share 0.1       # a first look
    python scripts/transfer_report.py --page            # only rewrite the page from its JSON

Writes docs/transfer.json, docs/transfer.md and docs/images/transfer/. Prepared scans are kept in
--work; an interrupted run goes on where it stopped, and another model needs no new phantoms.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from transfer.page import written

if TYPE_CHECKING:
    from transfer.tasks import Task

ROOT = Path(__file__).resolve().parents[1]
JSON, PAGE = ROOT / "docs" / "transfer.json", ROOT / "docs" / "transfer.md"
IMAGES = ROOT / "docs" / "images" / "transfer"
# What a prepared scan depends on; others are made again when it changes.
PHANTOM_CODE = ("data/phantom/*.py", "data/phantom/presets/*.toml", "spine/*.py")
NOT_DRAWING = ("simulate", "displace", "boxes", "write", "table", "__init__")
REAL_CODE = ("data/phantom/simulate.py", "data/phantom/displace.py", "spine/*.py")
NOT_PREPARING = ("body_size",)  # sizes of scaled crops, which the shipped model does not use


@dataclass(frozen=True)
class Plan:
    """The scans to grade: groups of phantoms by name, real CT, limits; and what drew them."""

    drawn: Path
    groups: dict[str, list[Task]]
    real: list[Task]
    limits: list[Task]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="protoverse-phantom")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the phantoms to draw")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "transfer")
    parser.add_argument("--sheets", type=Path, default=ROOT / "build" / "train-shipped")
    parser.add_argument("--draw", action="store_true", help="only draw and prepare")
    parser.add_argument("--so-far", action="store_true", help="report on what is prepared")
    parser.add_argument("--page", action="store_true", help="only rewrite the page")
    options = parser.parse_args()
    if not options.page:
        facts = measured(options)
        if facts is None:
            return
        JSON.write_text(json.dumps(facts, indent=1) + "\n")
    PAGE.write_text(written(JSON))
    print(PAGE)


def measured(options: argparse.Namespace) -> dict | None:
    """Prepare what is missing, grade everything, return the figures."""
    import torch
    from transfer.tasks import evenly, make_missing

    torch.set_num_threads(1)
    plan = planned(options)
    tasks = evenly([*plan.groups.values(), plan.real, plan.limits])
    for left in make_missing([] if options.so_far else tasks, options.jobs):
        print(f"{left} scans left", end="\r", file=sys.stderr, flush=True)
    return None if options.draw else figures(options, plan)


def planned(options: argparse.Namespace) -> Plan:
    from transfer import limits, phantoms, real
    from transfer.tasks import code_hash

    code = code_hash(*PHANTOM_CODE, but=(*NOT_DRAWING, *NOT_PREPARING))
    drawn = options.work / f"phantoms-{code}"
    warped = options.work / f"real-{code_hash(*REAL_CODE, but=NOT_PREPARING)}"
    return Plan(
        drawn,
        phantoms.plan(drawn, options.share),
        [*real.as_they_are(warped), *real.adjacent_crushes(warped), *real.single(warped)],
        limits.all_limits(drawn, options.share),
    )


def figures(options: argparse.Namespace, plan: Plan) -> dict:
    """Grade what is prepared of a plan; draw the page's pictures."""
    from transfer import measure, phantoms, pictures
    from transfer.baselines import fitted_pixels, heights_threshold
    from transfer.tasks import there

    from spinexplain.evaluate.figures import without_nan
    from spinexplain.models.bundle.store import load_grader

    groups = {name: there(group) for name, group in plan.groups.items()}
    grader = load_grader(options.model)
    pixels = fitted_pixels(options.sheets, options.work / "pixels.npz")
    heights_loss = heights_threshold([task.path for task in groups["balanced"]])
    tables = {
        name: measure.phantom_table(grader, [task.path for task in group], pixels)
        for name, group in groups.items()
        if name != "balanced"
    }
    real_rows = measure.graded(grader, [task.path for task in there(plan.real)])
    limit_rows = measure.graded(grader, [task.path for task in there(plan.limits)])
    facts = {
        "schema": "spinexplain/transfer/1",
        "model": {k: getattr(grader.info, k) for k in ("name", "version", "sha256", "trained_on")},
        "drawn_by": plan.drawn.name,
        "seeds": {name: seed for name, (seed, *_) in phantoms.POPULATIONS.items()},
        "opponents_chosen": {
            "heights_loss": heights_loss,
            "heights_spines": len(groups["balanced"]),
            "pixel_sheets": pixels.sheets,
            "pixel_strength": pixels.strength,
        },
        **measure.phantom_figures(tables, heights_loss, pixels),
        "real": measure.real_figures(real_rows),
        "limits": measure.limit_figures(limit_rows),
        "same_as_users": measure.same_as_users(grader, groups["verse-like"]),
    }
    facts["pictures"] = pictures.write_all(facts, tables, real_rows, IMAGES)
    return without_nan(facts)


if __name__ == "__main__":
    main()
