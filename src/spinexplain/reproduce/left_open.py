"""Which bodies of a scan no count can name: what they are called hangs on what is not in view."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def left_open(levels: Sequence[str], extra: Collection[str]) -> tuple[str, ...]:
    """Return the levels in view that look the same in another person.

    Parameters
    ----------
    levels : sequence of str
        In view, C1 to S3.
    extra : collection of str
        Which of T13 and L6 the person has.

    Returns
    -------
    tuple of str
        Thoracic levels where the last of thirteen ribs is in view and the first is not; lumbar
        levels where six stand on a sacrum and no rib is in view. Elsewhere nothing.

    Notes
    -----
    The reader that is meant sees every rib and the sacrum rightly, counts, and takes every level
    that looks as usual for what it looks like. Real readers do less, so that a share of bodies
    without these is an upper bound of what can be named but by luck.

    Examples
    --------
    >>> left_open(("T11", "T12", "T13", "L1"), {"T13"})
    ('T11', 'T12', 'T13')
    >>> left_open(("L5", "L6", "S1"), {"L6"}), left_open(("T12", "L1"), {"L6"})
    (('L5', 'L6'), ())
    """
    seen = {level[0] for level in levels}
    first_rib = "T1" in levels
    if "T13" in extra and "T13" in levels and not first_rib:
        thoracic = tuple(level for level in levels if level[0] == "T")
    else:
        thoracic = ()
    if "L6" in extra and "S" in seen and "T" not in seen:
        return tuple(level for level in levels if level[0] == "L")
    return thoracic
