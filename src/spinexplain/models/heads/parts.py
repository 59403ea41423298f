"""The parts of a vertebral body that prototypes are addressed to, and their names."""

from __future__ import annotations

from spinexplain.config.training import HeadSettings

BROKEN = (
    "superior endplate, anterior half",
    "superior endplate, posterior half",
    "inferior endplate, anterior half",
    "inferior endplate, posterior half",
)
"""Parts of a fractured class, in the order of its prototypes."""

INTACT = ("superior endplate", "inferior endplate", "between the endplates")
"""Parts of the healthy class."""


def parts_of(classes: int) -> tuple[tuple[str, ...], ...]:
    """Return the parts of every class, the healthy one first.

    Examples
    --------
    >>> [len(parts) for parts in parts_of(3)]
    [3, 4, 4]
    """
    return (INTACT, *(BROKEN for _ in range(classes - 1)))


def part_names(classes: int) -> tuple[str, ...]:
    """Return the part of every prototype, class after class.

    Examples
    --------
    >>> part_names(2)[3]
    'superior endplate, anterior half'
    """
    return tuple(name for parts in parts_of(classes) for name in parts)


def prototype_counts(head: HeadSettings, classes: int) -> list[int]:
    """Return how many prototypes each class has.

    Examples
    --------
    >>> prototype_counts(HeadSettings(addressed=True), 3)
    [3, 4, 4]
    """
    if head.addressed:
        return [len(parts) for parts in parts_of(classes)]
    return [head.prototypes_per_class] * classes
