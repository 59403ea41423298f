# ruff: noqa: E501  (prose, and one line a row of a table)
"""The tables and the picture of docs/diversity.md: the diversity term and the class weights."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT
from writers.markers import replaced
from writers.stored import stored

FIGURES = {
    "cosine_before": "cosine before",
    "cosine_after": "cosine after",
    "winner_share": "winner share",
    "distinct_quarters": "quarters",
    "on_evidence": "on evidence",
    "f1_verse-like": "F1 verse-like",
    "f1_hard": "F1 hard",
}
AFTER = ("cosine_after", "winner_share", "distinct_quarters", "on_evidence", "f1_hard")
BETTER_LOW = ("cosine_after", "winner_share")
WORDS = {
    "cosine_after": "the cosine after projection",
    "winner_share": "the winner share",
    "distinct_quarters": "distinct quarters",
    "on_evidence": "the share on the evidence",
    "f1_hard": "the F1 on hard",
}


def written(page: str, results: Path) -> str:
    """Return the page with verdict and tables between their markers."""
    content = stored(results, "diversity.json")
    page = replaced(page, "verdict", f"{verdict(content)} {learned(content)}")
    return replaced(page, "tables", "\n".join(tables(content)))


def values(content: dict[str, Any], name: str, figure: str) -> list[float]:
    return [run[figure] for run in content["runs"][name].values()]


def floor(content: dict[str, Any], base: str, figure: str) -> float:
    """Return the largest difference of two seeds of the same settings."""
    return max(abs(a - b) for a, b in combinations(values(content, base, figure), 2))


def change(content: dict[str, Any], name: str, base: str, figure: str) -> float:
    return float(np.mean(values(content, name, figure)) - np.mean(values(content, base, figure)))


def verdict(content: dict[str, Any]) -> str:
    """Say first, and for every measure, whether the term does anything beyond the seed."""
    name, base = "lambda-0.3", "lambda-0"
    felt = {
        key: change(content, name, base, key)
        for key in AFTER
        if abs(change(content, name, base, key)) > floor(content, base, key)
    }
    if not felt:
        return (
            "**Negative: what the diversity term changes after projection, at the paper's weight of 0.3, is no more "
            f"than what {len(content['seeds'])} seeds without it differ by**: "
            f"{', '.join(WORDS[key] for key in AFTER[:-1])} and {WORDS[AFTER[-1]]} alike."
        )
    parts = [
        f"{WORDS[key]} by {shown(value)} ({'better' if good(key, value) else 'worse'})"
        for key, value in felt.items()
    ]
    none = [WORDS[key] for key in AFTER if key not in felt]
    said = (
        f"**At the paper's weight of 0.3 the diversity term changes {', '.join(parts)}**, more than "
        f"{len(content['seeds'])} seeds without it differ by."
    )
    return said + (f" It does not change {', '.join(none)} beyond that." if none else "")


def learned(content: dict[str, Any]) -> str:
    """Say how much the heads learned at all: on a trunk that tells nothing apart nothing shows."""
    reached = {
        key: float(np.mean(values(content, "lambda-0", f"f1_{key}"))) for key in content["tests"]
    }
    shown_f1 = ", ".join(f"{value:.2f} on {key}" for key, value in reached.items())
    weak = min(reached.values()) < 0.5
    return f"Without the term heads reach a class-average F1 of {shown_f1}" + (
        ": they learned little, and a test on such a trunk is weak." if weak else "."
    )


def good(key: str, value: float) -> bool:
    return (value < 0) == (key in BETTER_LOW)


def tables(content: dict[str, Any]) -> list[str]:
    """Lay out every weight of the term, then every scheme of class weights."""
    trunk = content["trunk"]
    preset, seed, count = trunk["sheets"]
    training, tests = content["training"], content["tests"]
    shown_tests = ", ".join(f"{n} of `{name}` (seed {s})" for name, (s, n) in tests.items())
    lambdas = [name for name in content["runs"] if name.startswith("lambda-")]
    schemes = [name for name in content["runs"] if name.startswith("weights-")]
    return [
        f"Trunk: {trunk['settings']['name']}, {trunk['steps']} steps on {count} sheets of `{preset}` (seed "
        f"{seed}). Heads: {content['prototypes_per_class']} prototypes a class, {content['head_steps']} "
        f"steps on {training[2]} sheets of `{training[0]}` (seed {training[1]}). Tests: {shown_tests}. "
        "Mean of three seeds ± half their range; in brackets, where it is more than the seeds of the "
        "first row differ by, the change from it.",
        "",
        *table(content, lambdas, "weight of the diversity term"),
        "",
        *table(content, sorted(schemes, key=lambda n: n != "weights-median"), "class weights"),
    ]


def table(content: dict[str, Any], names: list[str], title: str) -> list[str]:
    lines = [f"| {title} | {' | '.join(FIGURES.values())} |", "|---" * (1 + len(FIGURES)) + "|"]
    for name in names:
        cells = [cell(content, name, names[0], key) for key in FIGURES]
        lines.append(f"| {name.partition('-')[2]} | {' | '.join(cells)} |")
    return lines


def cell(content: dict[str, Any], name: str, base: str, figure: str) -> str:
    found = values(content, name, figure)
    text = f"{np.mean(found):.2f} ± {(max(found) - min(found)) / 2:.2f}"
    moved = change(content, name, base, figure)
    if name != base and abs(moved) > floor(content, base, figure):
        text += f" ({shown(moved)})"
    return text.replace("-", "\N{MINUS SIGN}")


def shown(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def draw(results: Path, images: Path) -> list[Path]:
    """Draw figure 7 again: the schemes side by side, every seed a dot."""
    content = stored(results, "diversity.json")
    path = images / "weights.png"
    names = [name for name in content["runs"] if name.startswith("weights-")]
    with drawn(path, 6.4, 2.8) as figure:
        for axes, key in zip(
            figure.subplots(1, 2, sharey=True), ("f1_verse-like", "f1_hard"), strict=True
        ):
            for place, name in enumerate(names):
                found = values(content, name, key)
                axes.plot([place] * len(found), found, ".", color=LIGHT["muted"])
                axes.plot(place, np.mean(found), "o", color=LIGHT["accent"])
            axes.set_xticks(range(len(names)), [name.partition("-")[2] for name in names])
            axes.set_title(FIGURES[key].replace("F1", "class-average F1,"), loc="left")
            axes.set_ylim(0, 1)
    return [path]
