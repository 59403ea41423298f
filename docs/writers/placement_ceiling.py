"""The ceiling of placement in docs/decisions/grounded-prototypes.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from writers.markers import replaced
from writers.stored import stored

CHANCE = {"endplate": "1/2", "third": "1/3"}


def written(page: str, results: Path) -> str:
    """Return the page with the ceiling of placement."""
    return replaced(page, "ceiling", table(stored(results, "placement-ceiling.json")))


def table(found: dict[str, Any]) -> str:
    """Lay the answers out: a row a question, a column a seed."""
    seeds = found["seeds"]
    heads = " | ".join(f"seed {name}" for name in seeds)
    tested = found["fractures"]["placement"]
    lines = [
        f"| right part, chance | fractures asked | {heads} |",
        "|---" * (2 + len(seeds)) + "|",
    ]
    for question, counts in found["asked"].items():
        cells = [
            f"{v:.2f} ({a:.2f} to {b:.2f})" for v, a, b in (s[question] for s in seeds.values())
        ]
        lines.append(
            f"| {question}, {CHANCE[question]} | {sum(counts)} of {tested} | {' | '.join(cells)} |"
        )
    trained = f"Learned from {found['fractures']['training']} fractures of the shipped training."
    return "\n".join([*lines, "", trained])
