"""Dissect the shipped models on drawn phantoms, so that their units can be scored as maps.

    python scripts/dissect_shipped.py build/explanations

Writes units-sheets: those of the default, which reads sheets. The persons are others than those
on which explanations are scored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from spinexplain.cli.progress import shown_steps
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.jobs.dissect import DissectRequest, dissect_to_folder
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.setting import Setting

ROOT = Path(__file__).resolve().parents[1]
SHEETS = ("balanced-2", 6650, 800)  # preset, seed, how many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    work = options.out
    with shown_steps() as progress:
        setting = Setting(ROOT, work, work, work, jobs=options.jobs, progress=progress)
        out, cohort = work / "units-sheets", drawn_sheets(setting, *SHEETS)
        dissect_to_folder(DissectRequest(DEFAULT_MODEL, cohort.path, out, force=True), progress)
        print(out)


if __name__ == "__main__":
    main()
