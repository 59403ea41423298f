"""Accuracy against evidence on bone by receptive field: small trainings, a figure and a table.

    python scripts/receptive_fields.py              # about 10 CPU minutes
    python scripts/receptive_fields.py --page       # only draw the figure and write the table

ProtoVerse's default with trunks of three to six stages, so that a cell of the 14 x 14 grid sees
43 to 139 mm, each with the same small budget, and twice with crops scaled by the expected body
size. Figures go to ``docs/data/receptive-fields.json`` as they are measured; an interrupted
measurement is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np
import torch
from train_shipped import drawn as drawn_sheets

from spinexplain.config import TrainConfig, read_config
from spinexplain.data.cohort import Cohort
from spinexplain.io.files import atomic_file
from spinexplain.report.plots import drawn
from spinexplain.report.tokens import LIGHT
from spinexplain.train.body_scale import expected_heights_mm, scaled_to_bodies
from spinexplain.train.dataset import TrainingSet, class_labels, joined
from spinexplain.train.protoverse import trained_classifier
from spinexplain.train.recipes import train_model
from spinexplain.train.reliability import evidence_places
from spinexplain.train.run import Trained
from spinexplain.train.source import graded_rows, set_from_cohort
from spinexplain.train.validate import class_average_f1, predict

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs/data/receptive-fields.json"
DOCUMENT = ROOT / "docs/decisions/grounded-prototypes.md"
FIGURE = ROOT / "docs/images/receptive-fields.png"
BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"
WIDTHS = (16, 32, 64, 96, 96, 96)
# (stages, body_height_mm), the most telling first
RUNS = ((4, None), (3, None), (5, None), (4, 24.0), (6, None), (3, 24.0))
TRAINING, TESTS, TEST_SEED = ("balanced", 1, 20000), ("balanced", "hard"), 990
SHEETS, STEPS = 4000, {"classifier": 400, "warm": 40, "joint": 80}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=Path, default=ROOT / "build" / "train-shipped")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "receptive-fields")
    parser.add_argument("--page", action="store_true", help="only draw the figure and the table")
    options = parser.parse_args()
    if not options.page:
        torch.set_num_threads(1)
        measure(options.cohorts, options.work)
    results = json.loads(RESULTS.read_text("utf-8"))
    draw(results["runs"], FIGURE)
    text = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(written(text, results), "utf-8")


def measure(cohorts: Path, work: Path) -> None:
    """Run what is missing, keeping every run's figures as soon as it is measured."""
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"runs": []}
    done = {(run["stages"], run["body_height_mm"]) for run in results["runs"]}
    for stages, height in RUNS:
        if (stages, height) in done:
            continue
        config = configured(stages, height)
        data = opened(cohorts / "-".join(map(str, TRAINING)), height)
        test = joined([opened(cohorts / f"{name}-{TEST_SEED}-400", height) for name in TESTS])
        folder = work / f"{stages}-stages{'' if height is None else '-scaled'}"
        trained = train_model(config, data, folder, resume=True)
        classifier = trained_classifier(trained, folder)
        results["runs"].append(
            {"stages": stages, "body_height_mm": height, "field_mm": trained.model.trunk.field.size}
            | {"prototypes": figures(trained, test), "classifier": figures(classifier, test)}
        )
        print(results["runs"][-1], flush=True)
        store(results)


def store(results: dict[str, Any]) -> None:
    about = {
        "command": "python scripts/receptive_fields.py",
        "training": [*TRAINING, f"the first {SHEETS}"],
        "tests": [[name, TEST_SEED, 400] for name in TESTS],
        "steps": STEPS,
        "torch": str(torch.__version__),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(RESULTS) as temporary:
        temporary.write_text(json.dumps(about | {"runs": results["runs"]}, indent=1) + "\n")


def configured(stages: int, height: float | None) -> TrainConfig:
    """Return ProtoVerse's settings on a small trunk, with few steps."""
    config = read_config("protoverse")
    trunk = config.trunk.model_copy(update={"blocks": stages, "widths": WIDTHS[:stages]})
    phases = {
        name: getattr(config, name).model_copy(update={"steps": steps})
        for name, steps in STEPS.items()
    }
    spec = config.input.model_copy(update={"body_height_mm": height})
    return config.model_copy(update={"trunk": trunk, "input": spec, **phases})


@cache
def first_sheets(path: Path) -> tuple[TrainingSet, np.ndarray]:
    """Return a cohort's first graded sheets, drawn now if it is not there, and their heights."""
    if not path.exists():
        preset, seed, count = path.name.rsplit("-", 2)
        drawn_sheets(path.parent, preset, int(seed), int(count))
    cohort = Cohort.open(path)
    rows = graded_rows(cohort, 2, None)[:SHEETS]
    data = set_from_cohort(cohort).take(np.arange(len(rows)))
    return data, expected_heights_mm(cohort, rows, 2)


def opened(path: Path, height: float | None) -> TrainingSet:
    data, expected_mm = first_sheets(path)
    return data if height is None else scaled_to_bodies(data, expected_mm, height)


def figures(trained: Trained, test: TrainingSet) -> dict[str, float]:
    """Measure grades, and where the top evidence lies on crops moved by up to 20 mm."""
    config = trained.config
    labels = class_labels(test, config.task)
    used, labels = test.take(labels >= 0), labels[labels >= 0]
    predicted = predict(trained.model, used, config).argmax(axis=1)
    places = evidence_places(trained, used, labels)
    fractured = labels > 0
    return {
        "f1": class_average_f1(predicted, labels, len(config.classes)),
        "on_body": float(places[:, 0].mean()),
        "on_evidence": float(places[fractured, 1].mean()),
        "gaussian_on_body": float(places[:, 2].mean()),
        "gaussian_on_evidence": float(places[fractured, 3].mean()),
    }


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Draw accuracy and place against the receptive field."""
    plain = sorted(
        (run for run in runs if run["body_height_mm"] is None), key=lambda run: run["field_mm"]
    )
    scaled = [run for run in runs if run["body_height_mm"] is not None]
    titles = {"f1": "class-average F1", "on_body": "top 2 % on the body"}
    titles["on_evidence"] = "top 2 % on the true evidence"
    with drawn(path, 8.4, 2.9) as figure:
        for axes, (key, title) in zip(figure.subplots(1, 3), titles.items(), strict=True):
            for kind, color, mark in (
                ("prototypes", LIGHT["accent"], "o"),
                ("classifier", LIGHT["muted"], "s"),
            ):
                axes.plot(
                    [run["field_mm"] for run in plain],
                    [run[kind][key] for run in plain],
                    color=color,
                    marker=mark,
                    label={"prototypes": "ProtoVerse", "classifier": "plain classifier"}[kind],
                )
            axes.plot(
                [run["field_mm"] for run in scaled],
                [run["prototypes"][key] for run in scaled],
                color=LIGHT["accent"],
                marker="D",
                markerfacecolor="none",
                linestyle="none",
                label="ProtoVerse, crops scaled",
            )
            if f"gaussian_{key}" in plain[0]["prototypes"]:
                level = plain[0]["prototypes"][f"gaussian_{key}"]
                axes.axhline(level, color=LIGHT["muted"], linestyle=":", linewidth=1)
                axes.annotate("centered Gaussian", (0.98, level), (0, 3), fontsize="small",
                              xycoords=("axes fraction", "data"), textcoords="offset points",
                              ha="right")  # fmt: skip
            axes.set_title(title)
            axes.set_xlabel("receptive field, mm")
            axes.set_xticks([run["field_mm"] for run in plain])
            axes.set_ylim(0, 1)
        figure.axes[0].legend(frameon=False, loc="lower right", fontsize="small")


def table(results: dict[str, Any]) -> str:
    """Lay the runs out as Markdown."""
    heads = ["receptive field", "crops", "F1 prototypes, classifier", "on body", "on evidence"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for run in sorted(
        results["runs"], key=lambda run: (bool(run["body_height_mm"]), run["field_mm"])
    ):
        one, other, height = run["prototypes"], run["classifier"], run["body_height_mm"]
        crops = "the patient's size" if height is None else f"scaled to bodies of {height:g} mm"
        cells = [f"{run['field_mm']} mm", crops, f"{one['f1']:.2f}, {other['f1']:.2f}"]
        cells += [f"{one[key]:.2f}, {other[key]:.2f}" for key in ("on_body", "on_evidence")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def written(document: str, results: dict[str, Any]) -> str:
    """Return the document with the table between its markers."""
    head, rest = document.split(BEGIN)
    return f"{head}{BEGIN}\n{table(results)}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    main()
