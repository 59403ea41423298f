"""Accuracy against evidence on bone by receptive field: heads on earlier layers, figure, table.

    python scripts/receptive_fields.py              # about 2 CPU minutes
    python scripts/receptive_fields.py --page       # only draw the figure and write the table

The shipped model's trunk is cut after ever fewer convolutions and frozen, so that a cell sees 27
to 75 mm of the 112 mm crop on one and the same 14 x 14 grid, and 19 mm on a finer one. On each cut
a prototype head is trained as in ``discrepancy_heads.py``. Figures go to
``docs/data/receptive-fields.json`` as they are measured; what is there is not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import torch
from discrepancy_heads import configured, descended, finished, on_trunk, with_steps
from discrepancy_trunks import SHIPPED
from measure_discrepancies import opened as opened_sheets
from receptive_fields_page import RESULTS, write_page
from torch import nn

from spinexplain.data.crops.dataset import joined
from spinexplain.io.files import atomic_file
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.receptive import ConvStep, receptive_field
from spinexplain.models.trunks.backbones import Trunk

ROOT = Path(__file__).resolve().parents[1]
CUTS = (8, 6, 4, 7, 5)  # convolutions kept of eight, the most telling first
SEEDS = (0, 1, 2)
TRAINING = {"verse-like": (980, 800), "hard": (980, 800)}
TESTS = {"verse-like": (990, 400), "hard": (990, 400)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=Path, default=ROOT / "build" / "train-shipped")
    parser.add_argument("--page", action="store_true", help="only draw the figure and the table")
    options = parser.parse_args()
    if not options.page:
        torch.set_num_threads(1)
        measure(options.cohorts)
    write_page()


def measure(cohorts: Path) -> None:
    """Run what is missing of this trunk, keeping every run's figures as soon as it is done."""
    grader = load_grader(SHIPPED, runtime="torch")
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    if results.get("weights_sha256") != grader.info.weights_sha256:
        results = {"weights_sha256": grader.info.weights_sha256, "runs": []}
    base = configured({}, 0)
    train, tests = (
        {name: opened_sheets(cohorts, name, *counts, base) for name, counts in chosen.items()}
        for chosen in (TRAINING, TESTS)
    )
    training = joined(list(train.values()))
    for cut in CUTS:
        done = {run["seed"] for run in results["runs"] if run["convolutions"] == cut}
        if done >= set(SEEDS):
            continue
        trunk = cut_trunk(grader.model.trunk, cut)
        data = on_trunk(trunk, training, tests, base)
        for seed in sorted(set(SEEDS) - done):
            config = with_steps(configured({}, seed), base)
            figures = finished(descended(config, data), config, data)
            about = {"convolutions": cut, "seed": seed, "field_mm": trunk.field.size}
            results["runs"].append(about | {"stride_mm": trunk.field.stride} | figures)
            print(results["runs"][-1], flush=True)
            store(results)


def store(results: dict[str, Any]) -> None:
    about = {
        "command": "python scripts/receptive_fields.py",
        "trunk": SHIPPED,
        "training": TRAINING,
        "tests": TESTS,
        "torch": str(torch.__version__),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(RESULTS) as temporary:
        temporary.write_text(json.dumps(about | results, indent=1) + "\n", "utf-8")


def cut_trunk(trunk: Trunk, convolutions: int) -> Trunk:
    """Return the first convolutions of a plain trunk, each with its normalization and ReLU."""
    layers = list(trunk.layers)[: 3 * convolutions]
    kept = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    steps = [ConvStep(c.kernel_size[0], c.stride[0], int(c.padding[0])) for c in kept]
    made = Trunk(nn.Sequential(*layers), kept[-1].out_channels, receptive_field(steps))
    for parameter in made.parameters():
        parameter.requires_grad_(False)
    return made.eval()


if __name__ == "__main__":
    main()
