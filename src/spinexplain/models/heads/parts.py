"""The parts of a vertebral body that prototypes are addressed to, and their names."""

from __future__ import annotations

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
