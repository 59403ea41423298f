"""The parts of a vertebral body that prototypes are addressed to, and their names."""

from __future__ import annotations

from spinexplain.config.training import HeadSettings
from spinexplain.errors import ConfigError

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


def prototype_owners(head: HeadSettings, classes: int) -> list[int]:
    """Return the class of every prototype that is there.

    Raises
    ------
    ConfigError
        If ``kept`` names a prototype that the settings do not make, repeats one, is not in
        order, or leaves a class without any.

    Examples
    --------
    >>> prototype_owners(HeadSettings(prototypes_per_class=2, kept=(0, 2, 3)), 2)
    [0, 1, 1]
    """
    counts = prototype_counts(head, classes)
    owners = [index for index, number in enumerate(counts) for _ in range(number)]
    if not head.kept:
        return owners
    kept = head.kept
    sound = list(kept) == sorted(set(kept)) and kept[0] >= 0 and kept[-1] < len(owners)
    if not sound or {owners[index] for index in kept} != set(range(classes)):
        raise ConfigError(
            f"[head] kept is {list(kept)}; expected numbers from 0 to {len(owners) - 1} in rising "
            "order, at least one of every class. Curate the model again."
        )
    return [owners[index] for index in kept]


def kept_parts(head: HeadSettings, classes: int) -> tuple[str, ...]:
    """Return the part of every addressed prototype that is there; nothing for others.

    Examples
    --------
    >>> kept_parts(HeadSettings(addressed=True, kept=(1, 3)), 2)
    ('inferior endplate', 'superior endplate, anterior half')
    """
    if not head.addressed:
        return ()
    names = part_names(classes)
    return tuple(names[index] for index in head.kept) if head.kept else names
