"""The last table of docs/decisions/grounded-prototypes.md, from the shipped bundle's figures.

    python scripts/grounded_table.py

Run after ``scripts/train_shipped.py``, which measures what the table shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "src/spinexplain/models/shipped/protoverse-phantom/bundle.json"
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


def against_the_bar(training: dict[str, Any]) -> str:
    """Say where the prototypes reach what was asked of them, and where they do not."""
    compared = training["compared_with_classifier"]
    placed, graded, short = [], [], []
    for preset, figures in compared.items():
        minus = figures["evidence_minus"]
        half = training["reliability"][preset]["on_body"] >= 0.5
        if half and all(minus[name][1] > 0 for name in ("gaussian", "gradcam")):
            placed.append(preset)
        behind = 100 * (figures["f1_classifier"] - figures["f1"])
        if behind <= 2:
            graded.append(preset)
        else:
            short.append(f"{preset} ({behind:.1f} points)")
    return (
        "The bar was: half of the top evidence on the body, more on the true evidence than a\n"
        "Gaussian's and than GradCAM's (interval above zero), and an F1 within two points of the\n"
        f"classifier's. Places reach it on {_listed(placed)}; F1 on {_listed(graded)},\n"
        f"and is further behind on {_listed(short)}."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def interval(figures: list[float]) -> str:
    """Write a difference with its interval."""
    mean, low, high = (value + 0.0 for value in figures)
    return f"{mean:+.2f} ({low:.2f} to {high:.2f})"


def written(document: str, training: dict[str, Any]) -> str:
    """Return the document with the table between its markers."""
    head, rest = document.split(BEGIN)
    made = f"{table(training)}\n\n{against_the_bar(training)}"
    return f"{head}{BEGIN}\n{made}\n{END}{rest.split(END)[1]}"


def main() -> None:
    training = json.loads(BUNDLE.read_text("utf-8"))["training"]
    if "compared_with_classifier" not in training:
        raise SystemExit(f"{BUNDLE} stores no comparison; run scripts/train_shipped.py first.")
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8"), training), "utf-8")


if __name__ == "__main__":
    main()
