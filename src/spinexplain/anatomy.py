"""The closed vocabulary of vertebral levels, with VerSe's label codes."""

from __future__ import annotations

from enum import Enum

from spinexplain.errors import LabelError

_VERSE_LABELS = (
    {f"C{i}": i for i in range(1, 8)}
    | {f"T{i}": 7 + i for i in range(1, 13)}
    | {"T13": 28}
    | {f"L{i}": 19 + i for i in range(1, 7)}
)


class VertebraLevel(Enum):
    """A vertebral level; the members are in cranio-caudal order.

    The value is the level's name. T13 and L6, the extra levels of transitional
    spines, are members: VerSe labels them 28 and 25.

    Examples
    --------
    >>> VertebraLevel("L1").verse_label
    20
    >>> VertebraLevel("T13").is_cranial_to(VertebraLevel("L1"))
    True
    """

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"
    C6 = "C6"
    C7 = "C7"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"
    T9 = "T9"
    T10 = "T10"
    T11 = "T11"
    T12 = "T12"
    T13 = "T13"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"
    L5 = "L5"
    L6 = "L6"

    @property
    def verse_label(self) -> int:
        """VerSe's integer code: C1-C7 are 1-7, T1-T12 8-19, L1-L6 20-25, T13 28."""
        return _VERSE_LABELS[self.value]

    @property
    def order(self) -> int:
        """Position in cranio-caudal order, C1 is 0."""
        return _ORDER[self]

    @property
    def is_graded(self) -> bool:
        """Whether fractures are graded here: thoracic and lumbar levels only."""
        return not self.value.startswith("C")

    def is_cranial_to(self, other: VertebraLevel) -> bool:
        """Whether this level lies above ``other``."""
        return self.order < other.order

    @classmethod
    def from_verse_label(cls, label: int) -> VertebraLevel:
        """Return the level of a VerSe label.

        Raises
        ------
        LabelError
            If no vertebra has this label (26 is the sacrum, 27 the coccyx).
        """
        try:
            return _BY_VERSE_LABEL[label]
        except KeyError:
            raise LabelError(
                f"label {label} is no vertebra in VerSe's coding; expected 1-25 or 28 "
                "(26 is the sacrum). Check which tool wrote the mask."
            ) from None


_ORDER = {level: index for index, level in enumerate(VertebraLevel)}
_BY_VERSE_LABEL = {level.verse_label: level for level in VertebraLevel}
