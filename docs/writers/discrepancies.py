"""The table of measured differences in docs/discrepancies.md, from stored figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from writers.markers import replaced
from writers.stored import stored

ROWS = {
    "corrected": "**corrected** (median weights, all of the ledger's right column)",
    "weights-as-printed": "class weights as printed (eq. 3)",
    "weights-none": "no class weights",
    "weights-ins": "class weights 1 / n",
    "weights-isns": "class weights 1 / √n",
    "resampled": "classes resampled, no weights",
    "diversity-raw-dot": "diversity: squared product",
    "diversity-cosine": "diversity: cosine, not centered",
    "diversity-0": "no diversity term",
    "separation-plus": "separation added with a plus sign",
    "uniform-start": "prototypes start at random in [0, 1]",
    "outside-0": "no term on activation outside",
    "duplicates": "projection allows duplicates",
    "no-last-layer": "no last layer after projection",
    "last-layer-adam-20": "last layer: Adam, 20 passes",
    "last-layer-adam-600": "last layer: Adam, 20 x 30 passes (ProtoPNet's copies)",
    "last-layer-free": "last layer: signs free",
    "moved-statistics": "BatchNorm statistics move after projection",
    "no-gaussian": "no Gaussian channel",
    "as-printed": "weights, diversity, separation, start, duplicates, signs: all as printed",
}
SPREAD = ("f1_verse-like", "f1_hard", "specificity_verse-like", "found_hard", "on_body")
SPREAD += ("on_evidence", "cosine_before", "cosine_after")
COLUMNS = {
    "f1_verse-like": ("F1 verse-like", 2),
    "f1_hard": ("F1 hard", 2),
    "specificity_verse-like": ("specificity", 2),
    "found_hard": ("found, hard", 2),
    "on_body": ("on body", 2),
    "on_evidence": ("on evidence", 2),
    "cosine_before": ("cosine before", 2),
    "cosine_after": ("after projection", 2),
    "travelled": ("travelled", 2),
    "winner_share": ("winner", 2),
    "duplicates": ("duplicates", 1),
    "wrong_signs": ("wrong signs", 1),
    "off_patch": ("off its patch", 3),
}


def table(results: dict) -> str:
    """Lay the runs out as Markdown: mean over seeds, and ± half their range where it matters."""
    heads = ["difference, alone", "seeds", *(head for head, _ in COLUMNS.values())]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, title in ROWS.items():
        if name in results["runs"]:
            runs = list(results["runs"][name].values())
            cells = [cell([run[key] for run in runs], key) for key in COLUMNS]
            lines.append(f"| {' | '.join([title, str(len(runs)), *cells])} |")
    return "\n".join(lines)


def cell(values: list[float], key: str) -> str:
    """Write a mean, with half the range over the seeds."""
    digits = COLUMNS[key][1]
    text = f"{np.mean(values) + 0.0:.{digits}f}"
    if key in SPREAD and len(values) > 1:
        text += f" ± {(max(values) - min(values)) / 2:.{digits}f}"
    return "0" if key == "off_patch" and max(values) < 1e-6 else text


def written(page: str, results: Path) -> str:
    """Return the page with the table between its markers."""
    return replaced(page, "measured", table(stored(results, "discrepancies.json")))
