"""What the shipped model learned from, in the quantiles that `summarize` compares archives with.

Sheets of the presets that it learned from, in their proportions, drawn by other seeds: the
training's own are graded better than anything else will be. Written into the package.
"""

import argparse
from pathlib import Path

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.cohort import Cohort
from spinexplain.data.phantom.cohorts import sheet_cohort
from spinexplain.io.json_file import write_json
from spinexplain.jobs.batch.drift import dumped_training
from spinexplain.jobs.batch.training_values import training_values
from spinexplain.models.bundle.store import load_grader

SHEETS = (("balanced", 1701, 400), ("hospital-like", 3, 1500))
TAKEN = (400, 230)  # it learned from 28,000 and 16,000
STORED = Path(__file__).parents[1] / "src" / "spinexplain" / "jobs" / "batch" / "training.json"


def drawn(work: Path) -> list[Cohort]:
    """Draw the sheets, or open those that are there."""
    return [
        sheet_cohort(work / f"{preset}-{seed}-{count}", preset, seed, count)
        for preset, seed, count in SHEETS
    ]


def main() -> None:
    """Draw, grade and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder of the drawn sheets")
    known = training_values(
        drawn(parser.parse_args().work),
        load_grader(DEFAULT_MODEL),
        split=None,
        source="synthetic sheets of the presets it learned from, drawn anew",
        most=TAKEN,
    )
    write_json(STORED, [dumped_training(known)])


if __name__ == "__main__":
    main()
