"""The table of tasks and losses: what the papers left for later, beside their own task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spinexplain.config.tasks import TASKS
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
    fractured (the second class or above) against not, means the same in all of a cohort's
    vertebrae that the task knows.
    """
    rows = [
        Row("ours", f"{task_name(item.content)}, {LOSSES[_loss(entry)]}", _cells(entry))
        for item in items
        for entry in item.content["entries"]
    ]
    notes = (
        "Not in the papers: ProtoVerse leaves G1 out and names G1 and soft labels as future work.",
        "Class averages of different tasks run over different classes. The last column is the F1 "
        "of all classes but the first taken together, which means the same in every task that "
        "has the same vertebrae.",
        "raters' shares: cross-entropy against the share of raters who saw each class; judged by "
        "the grade itself, which that loss never sees.",
        *dict.fromkeys(described),
    )
    return Table("tasks", "Tasks and losses", COLUMNS, tuple(rows), notes)


def task_name(content: dict[str, Any]) -> str:
    """Name the task of a cross-validation; its classes where it has no name."""
    classes = list(content["classes"])
    grades = content["entries"][0]["config"].get("grades") or {}
    task = {name: tuple(grades.get(name, (name,))) for name in classes}
    known = next((name for name, classes_of in TASKS.items() if classes_of == task), None)
    return known or ", ".join(classes)


def _loss(entry: dict[str, Any]) -> str:
    return str(entry["config"].get("loss", {}).get("grading", "cross_entropy"))


def _cells(entry: dict[str, Any]) -> tuple[str, ...]:
    means = [fold_cell(entry, key) for key in HEADLINE]
    pooled = entry["pooled"]
    kappa = pooled["vertebra"]["quadratic_kappa"]["value"]
    return (*means, "–" if kappa is None else f"{kappa:.2f}", f"{_fracture_f1(pooled):.1f}")


def _fracture_f1(pooled: dict[str, Any]) -> float:
    """Return the F1 (%) of every class but the first taken as one.

    Examples
    --------
    >>> round(_fracture_f1({"confusion": [[8, 1, 1], [2, 3, 5], [0, 1, 9]]}), 1)
    90.0
    """
    confusion = pooled["confusion"]
    hits = sum(sum(row[1:]) for row in confusion[1:])
    false = sum(confusion[0][1:])
    missed = sum(row[0] for row in confusion[1:])
    return 200 * hits / max(2 * hits + false + missed, 1)
