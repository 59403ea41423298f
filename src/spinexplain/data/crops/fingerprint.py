"""One number for a training set, so that a run is only ever looked at with its own data."""

from __future__ import annotations

import hashlib

import numpy as np

from spinexplain.data.crops.dataset import TrainingSet


def fingerprint(data: TrainingSet) -> str:
    """Hash the crops of a training set with their grades and names.

    Parameters
    ----------
    data : TrainingSet

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits. The order of the rows does not count, nor do masks.

    Examples
    --------
    >>> one = np.array(["a"])
    >>> data = TrainingSet(np.zeros((1, 2, 2), np.int16), np.zeros(1, int), one, one, one,
    ...                    np.zeros((1, 2)))
    >>> len(fingerprint(data))
    64
    """
    return hashlib.sha256(b"".join(sorted(_row(data, i) for i in range(len(data))))).hexdigest()


def _row(data: TrainingSet, index: int) -> bytes:
    names = (data.subjects[index], data.series[index], data.levels[index], data.grades[index])
    named = "\0".join(str(name) for name in names).encode("utf-8")
    pixels = np.ascontiguousarray(data.patches_hu[index], dtype="<i2")
    return hashlib.sha256(named + b"\0" + pixels.tobytes()).digest()
