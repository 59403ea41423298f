"""Dissect the shipped models on drawn phantoms, so that their units can be scored as maps.

    python scripts/dissect_shipped.py build/explanations

Writes units-sheets (the default, which reads sheets) and units-boxes (the 3-D detector). The
persons are others than those on which explanations are scored.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from spinexplain.cli.progress import shown_steps
from spinexplain.config.shipped import DEFAULT_MODEL
from spinexplain.data.cohort import Cohort
from spinexplain.jobs.dissect import DissectRequest, dissect_to_folder
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.dissection.cohorts import narrow_boxes
from spinexplain.reproduce.setting import Setting

ROOT = Path(__file__).resolve().parents[1]
SHEETS, BOXES = ("balanced-2", 6650, 800), ("hospital-like", 6651, 25)  # preset, seed, how many
MODELS: dict[str, tuple[str, Callable[[Setting], Cohort]]] = {
    "units-sheets": (DEFAULT_MODEL, lambda setting: drawn_sheets(setting, *SHEETS)),
    "units-boxes": ("detector-phantom", lambda setting: narrow_boxes(setting, *BOXES, masks=True)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    work = options.out
    with shown_steps() as progress:
        setting = Setting(ROOT, work, work, work, jobs=options.jobs, progress=progress)
        for name, (model, drawn) in MODELS.items():
            request = DissectRequest(model, drawn(setting).path, work / name, force=True)
            dissect_to_folder(request, progress)
            print(work / name)


if __name__ == "__main__":
    main()
