"""Does dissection find what a network uses? Experiments on phantoms, where that is known.

    python scripts/dissection_experiments.py --work WORK --cohort BOXES
    python scripts/dissection_experiments.py --work WORK --only shortcut sizes
    python scripts/dissection_experiments.py --work WORK --only detector-sizes --cohort BOXES \\
        --detectors SMALL=251/46 LARGE=433/97

BOXES is a cohort of 3-D boxes of phantoms with evidence masks that the detector was not tested
on; without it one is drawn. Sheets are drawn into WORK, networks trained there, and both taken
up again. Writes docs/dissection.json after each experiment, then docs/dissection.md, its
figures and the measured points of docs/discrepancies.md from it; ``--page`` does only that.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from dissection.page import page_of
from dissection.points import with_points

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS, PAGE, LEDGER = DOCS / "dissection.json", DOCS / "dissection.md", DOCS / "discrepancies.md"
FIGURES = DOCS / "images" / "dissection"
EXPERIMENTS = (
    "detector",
    "readings",
    "shortcut",
    "detector-shortcut",
    "sizes",
    "detector-sizes",
)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="Where sheets and networks are kept.")
    parser.add_argument("--cohort", type=Path, help="Boxes of phantoms with evidence masks.")
    parser.add_argument("--model", default="detector-phantom")
    parser.add_argument(
        "--detectors",
        nargs="*",
        default=[],
        help="Models and what they learned from: PATH=VERTEBRAE/FRACTURES.",
    )
    parser.add_argument("--only", nargs="*", default=list(EXPERIMENTS), choices=EXPERIMENTS)
    parser.add_argument("--page", action="store_true", help="Write the page from stored results.")
    options = parser.parse_args()
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in [] if options.page else options.only:
        start = time.process_time()
        result = measured(name, options)
        if result is None:
            continue
        found[name] = result
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{name}: {time.process_time() - start:.0f} CPU s", flush=True)
    from dissection.figures import draw

    draw(found, FIGURES)
    PAGE.write_text(page_of(found))
    LEDGER.write_text(with_points(LEDGER.read_text(), found))


def measured(name: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """Run one experiment."""
    import torch
    from dissection.cohorts import boxes
    from dissection.detector_shortcut import detector_shortcut
    from dissection.overlap import trained_network
    from dissection.readings import readings
    from dissection.shortcut import shortcut_experiment
    from dissection.sizes import detector_sizes, sheet_sizes

    from spinexplain.data.cohort import Cohort
    from spinexplain.models.bundle.store import load_grader

    torch.set_num_threads(1)
    if name == "shortcut":
        return shortcut_experiment(options.work)
    if name == "detector-shortcut":
        return detector_shortcut(options.work)
    if name == "sizes":
        return sheet_sizes(options.work)
    if name == "detector-sizes" and not options.detectors:
        return None
    cohort = (
        Cohort.open(options.cohort)
        if options.cohort
        else boxes(options.work, "hospital-like", 2, 25)
    )
    if name == "detector-sizes":
        return detector_sizes(options.detectors, cohort)
    run = {"detector": trained_network, "readings": readings}[name]
    return run(load_grader(options.model, runtime="torch"), cohort)


if __name__ == "__main__":
    main()
