"""The table of tasks and losses: what the papers left for later, beside their own task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spinexplain.config.tasks import TASKS, Task, derived_task
from spinexplain.evaluate.figures import HEADLINE
from spinexplain.experiment.stored import Stored
from spinexplain.experiment.table import Row, Table, fold_cell

COLUMNS = (
    "class-average accuracy",
    "class-average F1",
    "sample accuracy",
    "quadratic kappa",
    "fractures, F1",
)
LOSSES = {
    "cross_entropy": "cross-entropy",
    "ordinal": "ordinal",
    "soft": "raters' shares",
}


def compares_tasks(item: Stored, papers_classes: Sequence[str]) -> bool:
    """Whether a cross-validation has another task than the papers', or another loss."""
    losses = {_loss(entry) for entry in item.content["entries"]}
    return list(item.content["classes"]) != list(papers_classes) or losses != {"cross_entropy"}


def task_table(items: Sequence[Stored], described: Sequence[str]) -> Table:
    """Put cross-validations of several tasks and losses under one another.

    Parameters
    ----------
    items : sequence of Stored
        On the same data.
    described : sequence of str
        What is said about each.

    Notes
    -----
    Figures of different tasks are averages over different classes; only the last column,
    fractured (any class but the healthy one) against not, means the same in all of a cohort's
    vertebrae that the task knows.
    """
    rows = [
        Row(
            "ours",
            f"{task_name(item.content)}, {LOSSES[_loss(entry)]}",
            _cells(entry, task_of(item.content)),
        )
        for item in items
        for entry in item.content["entries"]
    ]
    notes = (
        "Not in the papers: ProtoVerse leaves G1 out and names G1 and soft labels as future work.",
        "Class averages of different tasks run over different classes. The last column is the F1 "
        "of all classes but the healthy one taken together, which means the same in every task "
        "that has the same vertebrae.",
        "raters' shares: cross-entropy against the share of raters who saw each class; judged by "
        "the grade itself, which that loss never sees.",
        *dict.fromkeys(described),
    )
    return Table("tasks", "Tasks and losses", COLUMNS, tuple(rows), notes)


def task_name(content: dict[str, Any]) -> str:
    """Name the task of a cross-validation; its classes where it has no name."""
    task = task_of(content)
    known = next((name for name, one in TASKS.items() if one == task), None)
    return known or ", ".join(task.classes)


def task_of(content: dict[str, Any]) -> Task:
    """Return the task of a cross-validation, by the settings that it holds."""
    return derived_task(content["classes"], content["entries"][0]["config"].get("grades"))


def _row(entry: dict[str, Any], content: dict[str, Any]) -> Row:
    name = f"{task_name(content)}, {LOSSES[_loss(entry)]}"
    return Row("ours", name, _cells(entry, task_of(content)))


def _loss(entry: dict[str, Any]) -> str:
    return str(entry["config"].get("loss", {}).get("grading", "cross_entropy"))


def _cells(entry: dict[str, Any], task: Task) -> tuple[str, ...]:
    means = [fold_cell(entry, key) for key in HEADLINE]
    pooled = entry["pooled"]
    kappa = pooled["vertebra"]["quadratic_kappa"]["value"]
    return (
        *means,
        "–" if kappa is None else f"{kappa:.2f}",
        f"{_fracture_f1(pooled, task.healthy_index):.1f}",
    )


def _fracture_f1(pooled: dict[str, Any], healthy: int) -> float:
    """Return the F1 (%) of every class but the healthy one taken as one.

    Examples
    --------
    >>> round(_fracture_f1({"confusion": [[8, 1, 1], [2, 3, 5], [0, 1, 9]]}, 0), 1)
    90.0
    """
    confusion = pooled["confusion"]
    false = sum(confusion[healthy]) - confusion[healthy][healthy]
    missed = sum(row[healthy] for row in confusion) - confusion[healthy][healthy]
    hits = sum(map(sum, confusion)) - false - missed - confusion[healthy][healthy]
    return 200 * hits / max(2 * hits + false + missed, 1)
