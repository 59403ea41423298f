"""The last table of docs/decisions/grounded-prototypes.md, from the shipped bundle's figures.

    python scripts/grounded_table.py

Run after ``scripts/train_shipped.py``, which measures what the table shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "src/spinexplain/models/bundles/protoverse-phantom/bundle.json"
DOCUMENT = ROOT / "docs/decisions/grounded-prototypes.md"
BEGIN, END = "<!-- shipped: begin -->", "<!-- shipped: end -->"
HEAD = (
    "| preset | fractures | F1 prototypes, classifier | on body | on evidence "
    "| minus Gaussian | minus classifier's map | minus GradCAM |\n" + "|---" * 8 + "|"
)


def table(training: dict[str, Any]) -> str:
    """Lay out what ``train_shipped.py`` stored: one row a preset."""
    rows = [HEAD]
    for preset, figures in training["compared_with_classifier"].items():
        places = training["reliability"][preset]
        minus = figures["evidence_minus"]
        cells = [
            preset,
            str(figures["fractures"]),
            f"{figures['f1']:.3f}, {figures['f1_classifier']:.3f}",
            f"{places['on_body']:.2f}",
            f"{places['on_evidence']:.2f}",
            *(interval(minus[n]) for n in ("gaussian", "class_activation_map", "gradcam")),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def interval(figures: list[float]) -> str:
    """Write a difference with its interval."""
    mean, low, high = (value + 0.0 for value in figures)
    return f"{mean:+.2f} ({low:.2f} to {high:.2f})"


def written(document: str, training: dict[str, Any]) -> str:
    """Return the document with the table between its markers."""
    head, rest = document.split(BEGIN)
    return f"{head}{BEGIN}\n{table(training)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    training = json.loads(BUNDLE.read_text("utf-8"))["training"]
    if "compared_with_classifier" not in training:
        raise SystemExit(f"{BUNDLE} stores no comparison; run scripts/train_shipped.py first.")
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8"), training), "utf-8")


if __name__ == "__main__":
    main()
