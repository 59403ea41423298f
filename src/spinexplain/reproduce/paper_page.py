"""The page of a paper's experiments: what is done, what it took, and every table there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from spinexplain.config.tasks import TASKS
from spinexplain.data.cohort import Cohort
from spinexplain.errors import SpinexplainError
from spinexplain.experiment.stored import Results, find_results
from spinexplain.experiment.table import markdown
from spinexplain.experiment.tables import make_tables
from spinexplain.io.files import atomic_file
from spinexplain.reproduce.level_alone import blind_figures
from spinexplain.reproduce.paper_cost import cost_words
from spinexplain.reproduce.papers import Asked, Paper, Step, read_hours

PAGE = "results.md"


def write_page(paper: Paper, asked: Asked, steps: Sequence[Step], out: Path) -> Path:
    """Write the page from what lies in the folder; called after every step.

    Parameters
    ----------
    paper : Paper
    asked : Asked
    steps : sequence of Step
    out : Path
        Results are read below ``results``.

    Returns
    -------
    Path
    """
    path = out / PAGE
    done = [step for step in steps if step.result and (out / step.result).exists()]
    counted = [step for step in steps if step.result]
    parts = [
        f"# {paper.title}",
        "",
        f"{len(done)} of {len(counted)} steps done. {paper.caveat} {_started_from(asked)}",
        "",
        *_tables(out),
        *_blind(paper, out),
        "## What was run",
        "",
        *cost_words(steps, out, read_hours(out)),
        "",
    ]
    with atomic_file(path) as temporary:
        temporary.write_text("\n".join(parts), "utf-8")
    return path


def _started_from(asked: Asked) -> str:
    """Say what trunks start from, and what settings were changed."""
    said = f"Trunks start from {asked.weights.name}." if asked.weights else _SCRATCH
    if asked.settings:
        said += f" Settings changed for every training: `{asked.settings}`."
    return said


_SCRATCH = "No weights were given: trunks start from scratch, which the papers do not."


def _tables(out: Path) -> list[str]:
    """Every table that there are results for, and the figures beside them."""
    try:
        found = find_results(out / "results")
        lines = [markdown(table) for table in make_tables(found)]
    except SpinexplainError as error:
        return [f"No tables yet: {error}", ""]
    pictures = sorted((out / "tables").glob("protoverse-figure*.png"))
    shown = [f"![{path.stem}](tables/{path.name})\n" for path in pictures]
    return [*lines, *_seeds(found), *_dissections(found), *_floors(found), *shown]


def _blind(paper: Paper, out: Path) -> list[str]:
    """Say what two opponents that see no image reach on the test split."""
    if paper.folder not in _COHORTS:
        return []
    folder, task = _COHORTS[paper.folder]
    try:
        figures = blind_figures(Cohort.open(out / folder).index, TASKS[task])
    except SpinexplainError:
        return []  # the cohort is not prepared yet
    if not figures:
        return []
    rows = [f"| *opponent:* {name} | {100 * value:.1f} |" for name, value in figures.items()]
    return [
        "### Without an image, on the test split",
        "",
        "| | class-average F1 |",
        "|---|---|",
        *rows,
        "",
        "A network that is not above these has shown nothing. Heights measured in the masks, the "
        "stronger opponent, are not among them: `spinexplain measure`.",
        "",
    ]


_COHORTS = {"verse19": ("cohort", "g0-g2-g3"), "verse-s2": ("boxes", "any-fracture")}
"""By paper: the cohort that is judged on, and the task."""


def _seeds(found: Results) -> list[str]:
    """Say how trainings that differ in their seed spread on the test set."""
    by_name: dict[str, list[float]] = {}
    for item in found.of("evaluation"):
        name, _, _ = item.path.parent.name.rpartition("-seed")
        value = item.content["vertebra"]["class_average_f1"]["value"]
        by_name.setdefault(name.removeprefix("test-") or item.path.parent.name, []).append(value)
    if not by_name:
        return []
    lines = ["### Test set, by seed", "", "| | trainings | class-average F1, least to most |"]
    lines.append("|---|---|---|")
    lines += [
        f"| {name} | {len(values)} | {100 * min(values):.1f} to {100 * max(values):.1f} |"
        for name, values in by_name.items()
    ]
    return [*lines, ""]


def _dissections(found: Results) -> list[str]:
    """Say of every dissected training what its units are worth."""
    items = found.of("dissection")
    if not items:
        return []
    lines = [
        "### Dissected, a row a training",
        "",
        "| | units | tied to fracture | contrast, first ten | log odds lost by one, first ten |",
        "|---|---|---|---|---|",
    ]
    for item in items:
        units = item.content["units"]
        tied = sum(
            q < 0.05 and contrast > 0
            for q, contrast in zip(units["q"], units["contrast"], strict=True)
        )
        first = [unit for unit, rank in enumerate(units["rank"]) if 0 < rank <= 10]
        cells = [
            f"{mean([units[key][unit] for unit in first]):+.2f}" if first else ""
            for key in ("contrast", "effect")
        ]
        name = item.path.parent.name.removeprefix("dissection-")
        lines.append(f"| {name} | {len(units['rank'])} | {tied} | {' | '.join(cells)} |")
    return [*lines, ""]


def _floors(found: Results) -> list[str]:
    from spinexplain.experiment.noise import noise_markdown

    lines: list[str] = []
    for item in found.of("crossval"):
        content: Mapping[str, Any] = item.content
        if "noise" in content:
            lines += [f"### {item.path.parent.name}: differences beside the noise", ""]
            lines += [noise_markdown(content), ""]
    return lines
