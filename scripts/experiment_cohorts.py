"""Draw the phantom cohorts of docs/experiments.md, with the grades of simulated raters.

    python scripts/experiment_cohorts.py WORK

A rater sees a vertebra's true height loss with an error of his own and grades it by Genant's
thresholds; the index keeps the three grades, the grade itself stays the truth. What is there
already is kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from spinexplain.data.cohort_writer import CohortWriter
from spinexplain.data.phantom.sheets import phantom_sheets
from spinexplain.data.shard import SeriesShard
from spinexplain.data.sheets import sheet_shard

COHORTS = (("balanced", 71, 1500), ("verse-like", 72, 1000))
SHARD = 500
RATERS = 3
ERROR = 0.05
"""Standard deviation of a rater's error, as a share of the vertebra's height."""
LOWEST_LOSS = (0.20, 0.25, 0.40)


def main() -> None:
    work = Path(sys.argv[1])
    for preset, seed, count in COHORTS:
        draw(work / f"{preset}-{seed}", preset, seed, count)


def draw(out: Path, preset: str, seed: int, count: int) -> None:
    if (out / "index.parquet").exists():
        return
    settings = {"preset": preset, "seed": seed, "sheets": count, "rater_error": ERROR}
    writer = CohortWriter.create(out, settings, force=True)
    for start in range(0, count, SHARD):
        series = f"{preset}-{seed}-{start:06d}"
        if writer.notes("phantom", series) is None:
            sheets = phantom_sheets(preset, seed, min(SHARD, count - start), start=start)
            rng = np.random.default_rng([seed, start, RATERS])
            writer.add_series(rated(sheet_shard(series, sheets, seed=seed), rng))
            print(f"{preset} {seed}: {start + SHARD} sheets", flush=True)
    writer.finish()


def rated(shard: SeriesShard, rng: np.random.Generator) -> SeriesShard:
    """Return the shard with three simulated raters' grades of every vertebra."""
    rows = []
    for row in shard.rows:
        seen = (row.loss or 0.0) + rng.normal(0, ERROR, RATERS)
        grades = np.searchsorted(LOWEST_LOSS, seen, side="right")
        rows.append(replace(row, ratings=tuple(f"G{grade}" for grade in grades)))
    return replace(shard, rows=rows)


if __name__ == "__main__":
    main()
