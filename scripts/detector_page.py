"""Writes the tables of docs/concepts/detector.md and one of docs/discrepancies.md.

    python scripts/detector_page.py [TRIALS]

From the shipped bundle, and from the ``result.json`` that ``spinexplain trials`` wrote into
TRIALS; without TRIALS from the results kept in docs/results.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE, LEDGER = ROOT / "docs" / "concepts" / "detector.md", ROOT / "docs" / "discrepancies.md"
BUNDLE = ROOT / "src" / "spinexplain" / "models" / "bundles" / "detector-phantom" / "bundle.json"
RESULTS = ROOT / "docs" / "results"
FIGURES = {
    "f1": "F1",
    "f1_fracture": "F1 of fractures",
    "accuracy": "Acc.",
    "auc": "AUC",
    "ap": "AP",
}


def main(trials: Path | None) -> None:
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / "detector-trials.json"
    if trials is not None:
        shutil.copyfile(trials / "result.json", kept)
    bundle = json.loads(BUNDLE.read_text())
    replace(PAGE, "shipped", shipped(bundle["training"]))
    if kept.is_file():
        replace(PAGE, "trials", crossings(json.loads(kept.read_text())["crossings"]))
    effect = RESULTS / "batch-statistics.json"
    if effect.is_file():
        replace(LEDGER, "batch statistics", batch_statistics(json.loads(effect.read_text())))


def replace(page: Path, name: str, text: str) -> None:
    """Put a text between the page's markers."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def shipped(training: dict) -> str:
    """Lay out the held-out figures of the shipped bundle."""
    lines = [["phantoms", "vertebrae (fractured)", "by", *FIGURES.values()]]
    for preset, found in training["held_out"].items():
        size = f"{found['size']['vertebrae']} ({found['size']['fractured']})"
        for by in ("detector", "height loss alone"):
            lines.append([preset, size, by, *(f"{found[by][f]:.2f}" for f in FIGURES)])
    return laid_out(lines)


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


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
