"""What the default model learned from, in the quantiles that `summarize` compares archives with.

Sheets of the presets that it learned from, in their proportions, drawn by other seeds: the
training's own are graded better than anything else will be. Written into the package beside
what other shipped models learned from.
"""

import argparse
import json
from pathlib import Path

from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.cohort import Cohort
from spinexplain.data.phantom.cohorts import sheet_cohort
from spinexplain.io.json_file import write_json
from spinexplain.jobs.batch.drift import dumped_training
from spinexplain.jobs.batch.training_values import training_values
from spinexplain.models.bundle.store import load_grader
from spinexplain.reproduce.shipped_prototypes import TRAINING

FIRST_SEED, SHARE = 1701, 20
"""One of so many sheets of every preset, each drawn by a seed of its own from the first on."""
STORED = Path(__file__).parents[1] / "src" / "spinexplain" / "jobs" / "batch" / "training.json"


def drawn(work: Path) -> list[Cohort]:
    """Draw the sheets, or open those that are there."""
    return [
        sheet_cohort(work / f"{preset}-{seed}-{count // SHARE}", preset, seed, count // SHARE)
        for seed, ((preset, _), count) in enumerate(TRAINING.items(), FIRST_SEED)
    ]


def main() -> None:
    """Draw, grade and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder of the drawn sheets")
    known = dumped_training(
        training_values(
            drawn(parser.parse_args().work),
            load_grader(DEFAULT_MODEL),
            split=None,
            source="synthetic sheets of the presets it learned from, drawn anew",
        )
    )
    others = [
        one for one in json.loads(STORED.read_text("utf-8")) if one["model"] != known["model"]
    ]
    write_json(STORED, [*others, known])


if __name__ == "__main__":
    main()
