"""Ask models which endplate broke in a real CT with simulated fractures.

    python scripts/evidence_real.py docs/results/evidence-real.json NAME=RUN...
    python scripts/evidence_real.py docs/results/evidence-real-thoracic.json NAME=RUN... \
        --scan thoracic

Bodies of the repository's lumbar or thoracic CT, one endplate of each pressed in at a time,
superior and inferior as often: a map that does not look at the image is right by chance. A model
that calls a body fractured as it is finds every fracture in it for nothing, so that fractures are
also counted in bodies that all models call normal as they are, and the rise of the score over the
body's own is given.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.simulate import simulate_fracture
from spinexplain.data.phantom.sites import Site
from spinexplain.explainers.prototypes import explain_prototypes
from spinexplain.localizer.networks import shipped_networks
from spinexplain.localizer.segment import paint_bodies
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.reproduce.real_scans import WHOLE, RealScan, real_scan
from spinexplain.spine.localize import localize
from spinexplain.spine.reformat import reformat
from spinexplain.spine.sampling import sample_labels
from spinexplain.types import Grading, Patch, PrototypeDetail

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
LEVELS = {"lumbar": WHOLE["lumbar"][1:], "thoracic": ("T4", "T6", "T8", "T10")}
SEED = 1
ENDPLATES = {"superior": 1.0, "inferior": 0.0}  # share of the loss that the superior one takes
LOSSES = {0.30: "G2", 0.35: "G2", 0.48: "G3", 0.55: "G3"}
THIRDS = ("anterior", "middle")
CODES = {"superior": range(1, 7), "inferior": range(7, 13)}  # see data.phantom.displaced
TOP_SHARE = 0.02


def masked_scan(name: str) -> RealScan:
    """Read a scan with a mask of every level that is asked about.

    The thoracic one comes with body centers: its bodies are those that the localizer paints.
    """
    scan = real_scan(DATA, name)
    if scan.centroids is None:
        return scan
    painted = paint_bodies(scan.volume, scan.centroids, shipped_networks().body)
    return replace(scan, simulation_mask=painted.labels)


def cases(scan: RealScan, name: str) -> Iterator[tuple[dict[str, Any], Patch, np.ndarray]]:
    """Yield every fracture: what it is, its sheet, and the codes of its parts on the sheet."""
    for level, plate, third, loss in product(LEVELS[name], ENDPLATES, THIRDS, LOSSES):
        made = simulate_fracture(
            scan.volume,
            scan.simulation_mask,
            VertebraLevel(level),
            loss=loss,
            seed=SEED,
            centroids=scan.centroids or (),
            site=Site(third=third, upper_share=ENDPLATES[plate], lean=0.0, telling=False),
        )
        patches = reformat(made.volume, made.vertebrae)
        patch = next(p for p in patches if p.vertebra.level.value == level)
        facts = {"level": level, "endplate": plate, "third": third, "loss": loss}
        yield facts, patch, sample_labels(made.part, patch.frame)


def as_they_are(
    graders: Mapping[str, Grader], scan: RealScan, levels: Sequence[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what every model says of every body before anything is planted."""
    vertebrae = localize(scan.volume, labels=scan.labels, centroids=scan.centroids)
    patches = [p for p in reformat(scan.volume, vertebrae) if p.vertebra.level.value in levels]
    return {
        name: {
            patch.vertebra.level.value: called(grading)
            for patch, grading in zip(patches, grader.grade(patches), strict=True)
        }
        for name, grader in graders.items()
    }


def called(grading: Grading) -> dict[str, Any]:
    """Return a grade and the score of any fracture."""
    return {"graded": grading.grade, "score": round(1 - float(grading.probabilities[0]), 4)}


def answered(grader: Grader, patch: Patch, codes: np.ndarray, grade: str) -> dict[str, Any]:
    """Return the model's grade, and which endplate the maps of the true class point to.

    As the report weighs them: the sum of the class's own maps by their connections.
    """
    own = [
        one
        for one in explain_prototypes(grader, patch, grade).evidence
        if one.class_name == grade and isinstance(one.detail, PrototypeDetail)
    ]
    heat = np.sum([one.detail.connection * one.heatmap for one in own], axis=0)
    top = heat >= np.quantile(heat, 1 - TOP_SHARE)
    counts = {name: int((np.isin(codes, of) & top).sum()) for name, of in CODES.items()}
    first, second = sorted(counts, key=lambda name: -counts[name])
    chosen = first if counts[first] > counts[second] else "neither"
    return called(grader.grade([patch])[0]) | {"chosen": chosen}


def figures(
    rows: Sequence[dict[str, Any]], name: str, said: Mapping[str, Mapping[str, dict[str, Any]]]
) -> dict[str, Any]:
    """Count right endplates and fractures found, in all bodies and in those normal before.

    ``said`` holds what every model said of every body before anything was planted.
    """
    before = said[name]
    normal = {k for k in before if all(one[k]["graded"] == "G0" for one in said.values())}
    found: dict[str, Any] = {}
    for plate in ENDPLATES:
        own = [row for row in rows if row["endplate"] == plate]
        found[plate] = [sum(row[name]["chosen"] == plate for row in own), len(own)]
    for grade in sorted(set(LOSSES.values())):
        own = [row for row in rows if LOSSES[row["loss"]] == grade]
        found[f"{grade} called fractured"] = [
            sum(row[name]["graded"] != "G0" for row in own),
            len(own),
        ]
        found[f"{grade} called {grade}"] = [
            sum(row[name]["graded"] == grade for row in own),
            len(own),
        ]
        spared = [row for row in own if row["level"] in normal]
        found[f"{grade} called fractured, bodies that all call normal before"] = [
            sum(row[name]["graded"] != "G0" for row in spared),
            len(spared),
        ]
        rises = [row[name]["score"] - before[row["level"]]["score"] for row in own]
        found[f"{grade} rise of the score"] = round(float(np.mean(rises)), 3)
    found["fractured as they are"] = [k for k, v in before.items() if v["graded"] != "G0"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", help="NAME=BUNDLE")
    parser.add_argument("--scan", choices=sorted(LEVELS), default="lumbar")
    options = parser.parse_args()
    torch.set_num_threads(1)
    named = dict(run.split("=", 1) for run in options.runs)
    graders = {name: load_grader(source, runtime="torch") for name, source in named.items()}
    scan, rows = masked_scan(options.scan), []
    for facts, patch, codes in cases(scan, options.scan):
        grade = LOSSES[facts["loss"]]
        answers = {name: answered(one, patch, codes, grade) for name, one in graders.items()}
        rows.append(facts | answers)
        print(rows[-1], flush=True)
    before = as_they_are(graders, scan, LEVELS[options.scan])
    content = {name: figures(rows, name, before) for name in graders}
    options.out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
