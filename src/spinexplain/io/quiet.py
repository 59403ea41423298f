"""Silence for libraries that quote what they read: their words may hold a patient's name."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTY = ("pydicom", "pylibjpeg", "openjpeg", "rle")


@contextmanager
def quiet_dicom() -> Iterator[None]:
    """Keep pydicom and its decoders from warning and logging while a series is read.

    They quote values that break the standard's rules, in warnings and in their log. What
    matters of it is said by the reader's own errors. The loggers' levels are put back.

    Examples
    --------
    >>> with quiet_dicom():
    ...     logging.getLogger("pydicom").warning("Invalid value: 'DOE^JANE'")
    """
    loggers = [logging.getLogger(name) for name in _CHATTY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
