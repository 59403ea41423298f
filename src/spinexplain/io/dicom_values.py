"""Values of DICOM elements as files really hold them: odd ones are named, not stumbled over."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SHOWN = 32  # characters of an odd value in a message


class UnusableError(Exception):
    """A reason why a file cannot be part of a CT volume."""


def numbers_of(owner: Dataset, keyword: str, count: int) -> tuple[float, ...]:
    r"""Read a numeric element.

    Parameters
    ----------
    owner : pydicom Dataset
    keyword : str
    count : int
        How many numbers it has to hold.

    Returns
    -------
    tuple of float
        Finite numbers; empty where the element is absent.

    Raises
    ------
    UnusableError
        If it is empty, holds another number of values, or something that is no number.

    Notes
    -----
    Decimal commas (``3,0\3,0``) and commas in place of the backslash (``3.0,3.0``) are
    read: with as many values as there have to be, neither can mean anything else.
    """
    element = _element(owner, keyword)
    if element is None:
        return ()
    texts = _texts(element.value, count)
    if not any(texts):
        raise UnusableError(f"an empty {spoken(keyword)}")
    try:
        found = tuple(float(text) for text in texts)
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        shown = "\\".join(texts)[:_SHOWN]
        needed = "a number" if count == 1 else f"{count} numbers"
        raise UnusableError(f"{spoken(keyword)} '{shown}', expected {needed}")
    return found


def whole_of(owner: Dataset, keyword: str, default: int) -> int:
    """Read a whole number; ``default`` where the element is absent or empty.

    Raises
    ------
    UnusableError
        If it holds anything else.
    """
    try:
        element = _element(owner, keyword)
        value = owner.get(keyword) if element is not None else None
        if value is None or value == "":
            return default
        if isinstance(value, bytes):  # signed or not, which only the writer knows
            return int.from_bytes(value[:2], "little")
        if float(value) != int(value):
            raise ValueError
        return int(value)
    except Exception:  # values are converted on access: any error can come
        raise UnusableError(f"an unusable {spoken(keyword)}") from None


def _element(owner: Any, keyword: str) -> Any:
    from pydicom.tag import Tag

    tag = Tag(keyword)
    return owner.get_item(tag) if tag in owner else None


def _texts(value: Any, count: int) -> list[str]:
    """Return the values of an element as texts that ``float`` can read."""
    if value is None:
        return []
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        several = isinstance(value, list | tuple) or hasattr(value, "append")
        return [str(one) for one in value] if several else [str(value)]
    texts = [text.strip(" \0") for text in value.split("\\")]
    commas = [text.strip() for text in texts[0].split(",")]
    if len(texts) == 1 and count > 1 and len(commas) == count:
        return commas
    return [text.replace(",", ".") if text.count(",") == 1 else text for text in texts]


def spoken(keyword: str) -> str:
    """Write a keyword as the standard's names are written.

    Examples
    --------
    >>> spoken("RescaleIntercept")
    'Rescale Intercept'
    """
    return "".join(f" {char}" if char.isupper() else char for char in keyword).strip()
