"""The tables of docs/concepts/detector.md and one of docs/discrepancies.md."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from writers.markers import replaced
from writers.stored import stored

BUNDLE = (
    Path(__file__).resolve().parents[2]
    / "src/spinexplain/models/shipped/detector-phantom/bundle.json"
)
FIGURES = {
    "f1": "F1",
    "f1_fracture": "F1 of fractures",
    "accuracy": "Acc.",
    "auc": "AUC",
    "ap": "AP",
}


def written(page: str, results: Path) -> str:
    """Return the page with the shipped detector's figures and those of the trials."""
    bundle = json.loads(BUNDLE.read_text())
    training = bundle["training"]
    told = [bundle["trained_on"], stages(training), shipped(training)]
    page = replaced(page, "shipped", "\n\n".join(told))
    found = stored(results, "detector-trials.json")
    settings = tomllib.loads((results / "detector-trials.toml").read_text())
    told = [sizes(found["training"]), schedule(settings), crossings(found["crossings"])]
    return replaced(page, "trials", "\n\n".join(told))


def with_cost(page: str, results: Path) -> str:
    """Return the page with what a box costs."""
    return replaced(page, "cost", costs(stored(results, "detector-cost.json")["rows"]))


def with_batch_statistics(page: str, results: Path) -> str:
    """Return the ledger with what batch statistics do."""
    found = batch_statistics(stored(results, "batch-statistics.json"))
    return replaced(page, "batch statistics", found)


def shipped(training: dict) -> str:
    """Lay out the held-out figures of the shipped bundle."""
    lines = [["phantoms", "vertebrae (fractured)", "by", *FIGURES.values()]]
    for preset, found in training["held_out"].items():
        size = f"{found['size']['vertebrae']} ({found['size']['fractured']})"
        for by in ("detector", "height loss alone"):
            lines.append([preset, size, by, *(figure(found[by], f) for f in FIGURES)])
    return laid_out(lines)


def figure(found: dict, name: str) -> str:
    """Return a figure with its interval where there is one."""
    text = f"{found[name]:.2f}"
    if f"{name}_low" in found:
        text += f" ({found[f'{name}_low']:.2f}–{found[f'{name}_high']:.2f})"
    return text


def schedule(config: dict) -> str:
    """Say what was trained for how long."""
    side, trunk, epochs = config["input"]["size"], config["trunk"], config["detector"]
    return (
        f"`{trunk['name']}` at {trunk['width']:g} of its width on boxes of {side}³ samples, at "
        f"most {epochs['epochs']} epochs (balanced, size `{epochs['epoch']}`) in batches of "
        f"{epochs['batch']}; each kind of random change is made to "
        f"{config['volume_augment']['share']:.0%} of the boxes."
    )


def stages(training: dict) -> str:
    """Say on boxes of which sizes the shipped detector was trained, for how long."""
    first = [f"{s['epochs']} epochs on boxes of {s['size']}³" for s in training["stages"][:-1]]
    before = ", ".join(first)
    return f"{schedule(training['config'])} Before that its encoder learned for {before}."


def costs(rows: list[dict]) -> str:
    """Lay out what boxes cost."""
    head = ["arithmetic", "box", "widths", "random changes (ms)", "step (ms)"]
    return laid_out([head, *map(cost, rows)])


def cost(row: dict) -> list[str]:
    arithmetic = "bfloat16" if row["bfloat16"] else "float32"
    widths = f"{row['width']:g}, {row['head_width']:g}"
    times = [f"{row[name]:.0f}" for name in ("augment_ms", "step_ms")]
    return [arithmetic, f"{row['size']}³", widths, *times]


def sizes(training: dict) -> str:
    """Say how large the training sets were."""
    told = [f"{n} {c['vertebrae']} ({c['fractures']})" for n, c in training.items()]
    return f"Vertebrae (fractured) to train and validate on: {', '.join(told)}."


def crossings(rows: list[dict]) -> str:
    """Lay out the crossings: mean and standard deviation in percent."""
    head = ["training", "testing", "vertebrae (fractured)", "runs"]
    lines = [[*head, *(f"{title} (%)" for title in FIGURES.values())]]
    for row in rows:
        cells = [percent(row["mean"][f], row["standard_deviation"][f]) for f in FIGURES]
        size = f"{row['vertebrae']} ({row['fractures']})"
        lines.append([row["train"], row["test"], size, str(len(row["runs"])), *cells])
    return laid_out(lines)


def percent(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return "–"
    return f"{100 * mean:.1f}" + (f" ± {100 * deviation:.1f}" if deviation is not None else "")


def batch_statistics(found: dict) -> str:
    """Say what batch statistics do to the shipped detector's grades."""
    return (
        f"Measured on the shipped detector and {found['vertebrae']} vertebrae of "
        f"{', '.join(found['presets'])}: with batch statistics, {found['changed_share']:.0%} of "
        f"the vertebrae get another grade alone than in a batch of {found['batch']}, and the "
        f"score moves by {found['median_change']:.2f} in the median, "
        f"{found['largest_change']:.2f} at most; with running statistics by "
        f"{found['largest_change_running']:.0e} at most."
    )


def laid_out(lines: list[list[str]]) -> str:
    rows = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
