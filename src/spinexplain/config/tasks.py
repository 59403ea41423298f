"""What a model distinguishes: its classes, the Genant grades behind them, the healthy one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from spinexplain.errors import ConfigError

Grade = Literal["G0", "G1", "G2", "G3"]
GENANT_GRADES: tuple[str, ...] = get_args(Grade)
"""Normal, mild, moderate, severe; the place of each is its number."""

_UNKNOWN_SEVERITY = 1
# What the two classes of a detector stand for where nothing else is said: Interpretable
# Vertebral Fracture Diagnosis leaves mild fractures out.
_BY_NAME = {"no fracture": ("G0",), "fracture": ("G2", "G3")}
_BY_NAME |= {grade: (grade,) for grade in GENANT_GRADES}


@dataclass(frozen=True)
class Task:
    """The classes that a model distinguishes.

    Parameters
    ----------
    classes : tuple of str
        In the order of the logits, which need not be that of severity.
    grades : tuple of tuple of str
        The Genant grades each class stands for; empty where nobody has said.
    healthy : str
        The class that means *no fracture*. All others are fractures.

    Raises
    ------
    ConfigError
        If a class occurs twice, a grade is unknown or in two classes, or there is not one
        entry of ``grades`` per class.

    Examples
    --------
    >>> task = Task.of({"fracture": ["G2", "G3"], "no fracture": ["G0"]})
    >>> task.healthy, task.fractures, task.healthy_index
    ('no fracture', ('fracture',), 1)
    """

    classes: tuple[str, ...]
    grades: tuple[tuple[str, ...], ...]
    healthy: str

    def __post_init__(self) -> None:
        if len(self.grades) != len(self.classes) or self.healthy not in self.classes:
            raise ConfigError(
                f"a task has classes {self.classes}, grades {self.grades} and the healthy class "
                f'"{self.healthy}"; expected one entry of grades per class, and the healthy one '
                "among them. Correct the task."
            )
        if len(set(self.classes)) != len(self.classes):
            raise ConfigError(f"a class occurs twice in {self.classes}. Name every class once.")
        listed = [grade for grades in self.grades for grade in grades]
        if strangers := sorted(set(listed) - set(GENANT_GRADES)):
            raise ConfigError(
                f"the grades of a task name {', '.join(strangers)}; expected some of "
                f"{', '.join(GENANT_GRADES)}. Correct the grade."
            )
        if twice := sorted({grade for grade in listed if listed.count(grade) > 1}):
            raise ConfigError(f"[grades] puts {', '.join(twice)} into two classes; expected one.")

    @classmethod
    def of(cls, grades: Mapping[str, Sequence[str]]) -> Task:
        """Make the task of classes and their grades; see :func:`derived_task`."""
        return derived_task(tuple(grades), grades)

    @property
    def healthy_index(self) -> int:
        """Place of the healthy class among the logits."""
        return self.classes.index(self.healthy)

    @property
    def fractures(self) -> tuple[str, ...]:
        """All classes but the healthy one, in the order of the logits."""
        return tuple(name for name in self.classes if name != self.healthy)

    @property
    def fracture_grades(self) -> tuple[str, ...]:
        """The Genant grades that count as fractured."""
        return tuple(grade for name in self.fractures for grade in self.grades_of(name))

    @property
    def by_severity(self) -> tuple[int, ...]:
        """Places of the classes among the logits, the healthy one first, the worst last."""
        return tuple(sorted(range(len(self.classes)), key=lambda k: self.severity(self.classes[k])))

    def grades_of(self, name: str) -> tuple[str, ...]:
        """Return the Genant grades of a class."""
        return self.grades[self.classes.index(name)]

    def class_of(self, grade: str | None) -> str | None:
        """Return the class that a Genant grade is in; None where it is in none.

        Examples
        --------
        >>> TASKS["fracture"].class_of("G3"), TASKS["fracture"].class_of("G1")
        ('fracture', None)
        """
        found = [name for name in self.classes if grade in self.grades_of(name)]
        return found[0] if found else None

    def severity(self, name: str) -> int:
        """Rank a class: 0 for the healthy one, else the middle one of its grades.

        Examples
        --------
        >>> task = TASKS["any-fracture"]
        >>> task.severity("no fracture"), task.severity("fracture")
        (0, 2)
        """
        if name == self.healthy:
            return 0
        numbers = sorted(GENANT_GRADES.index(grade) for grade in self.grades_of(name))
        return numbers[(len(numbers) - 1) // 2] if numbers else _UNKNOWN_SEVERITY

    def genant(self, name: str) -> int | None:
        """Return the one Genant grade a class stands for, 0 to 3; None where it is not one.

        Examples
        --------
        >>> TASKS["g0-g2-g3"].genant("G2"), TASKS["fracture"].genant("fracture")
        (2, None)
        """
        grades = self.grades_of(name)
        return GENANT_GRADES.index(grades[0]) if len(grades) == 1 else None


def derived_task(classes: Sequence[str], grades: Mapping[str, Sequence[str]] | None = None) -> Task:
    """Return the task of classes of which little more than their names is known.

    Parameters
    ----------
    classes : sequence of str
        In the order of the logits.
    grades : mapping of str to sequence of str, optional
        What is known of some classes. A class named like a grade stands for it;
        ``"fracture"`` stands for G2 and G3; any other name for no grade.

    Returns
    -------
    Task
        Its healthy class is that with G0, or else the first.

    Examples
    --------
    >>> derived_task(("fracture", "no fracture")).healthy
    'no fracture'
    >>> derived_task(("calm", "broken")).healthy
    'calm'
    """
    known = {**_BY_NAME, **(grades or {})}
    members = tuple(tuple(known.get(name, ())) for name in classes)
    healthy = [name for name, of in zip(classes, members, strict=True) if "G0" in of]
    return Task(tuple(classes), members, next(iter([*healthy, *classes]), ""))


TASKS: dict[str, Task] = {
    "g0-g2-g3": derived_task(("G0", "G2", "G3")),
    "g0-g1-g2-g3": derived_task(GENANT_GRADES),
    "fracture": Task.of({"no fracture": ("G0",), "fracture": ("G2", "G3")}),
    "any-fracture": Task.of({"no fracture": ("G0",), "fracture": ("G1", "G2", "G3")}),
}
"""Name -> task. ``g0-g2-g3`` is ProtoVerse's, which leaves G1 out, as ``fracture`` does;
``any-fracture`` counts G1 as fractured."""


def with_task(content: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Replace the key ``task`` of a configuration by the classes and grades it stands for.

    Parameters
    ----------
    content : mapping
        A configuration as nested dictionaries; without ``task`` it is left as it is.
    source : str
        Where it comes from, for messages.

    Raises
    ------
    ConfigError
        If there is no such task, or classes or grades are given beside it.

    Examples
    --------
    >>> with_task({"task": "fracture"}, "my.toml")["classes"]
    ['no fracture', 'fracture']
    """
    if "task" not in content:
        return dict(content)
    name = str(content["task"])
    if name.lower() not in TASKS:
        near = difflib.get_close_matches(name.lower(), TASKS, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f'task in {source} is "{name}"; expected {", ".join(TASKS)}.{hint}')
    if both := [key for key in ("classes", "grades") if key in content]:
        raise ConfigError(
            f"{source} has task and {' and '.join(both)}; expected one or the other. Leave one out."
        )
    task = TASKS[name.lower()]
    rest = {key: value for key, value in content.items() if key != "task"}
    named = all(of == (k,) for k, of in zip(task.classes, task.grades, strict=True))
    grades = {} if named else {k: [*task.grades_of(k)] for k in task.classes}
    return rest | {"classes": [*task.classes], "grades": grades}
