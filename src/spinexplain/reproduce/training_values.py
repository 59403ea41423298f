"""What the shipped model learned from, in the quantiles that `summarize` compares archives with.

Sheets of the presets that it learned from, in their proportions, drawn by other seeds: the
training's own are graded better than anything else will be.
"""

from __future__ import annotations

from pathlib import Path

from spinexplain.findings.assess import SHIPPED_MODEL
from spinexplain.io.json_file import write_json
from spinexplain.jobs.batch.drift import dumped_training
from spinexplain.jobs.batch.training_values import training_values
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.setting import Setting

SHEETS = (("balanced", 1701, 400), ("hospital-like", 3, 1500))
"""Preset, seed, sheets."""

TAKEN = (400, 230)
"""Of each: it learned from 28,000 and 16,000."""


def measure(setting: Setting) -> None:
    """Draw what is missing, grade it, and store the quantiles in the package."""
    cohorts = [drawn_sheets(setting, *one) for one in SHEETS]
    known = training_values(
        cohorts,
        load_grader(SHIPPED_MODEL),
        split=None,
        source="synthetic sheets of the presets it learned from, drawn anew",
        most=TAKEN,
        progress=setting.progress,
    )
    write_json(stored_at(setting.checkout), [dumped_training(known)])


def stored_at(checkout: Path) -> Path:
    """Return where the package keeps them."""
    return checkout / "src" / "spinexplain" / "jobs" / "batch" / "training.json"
