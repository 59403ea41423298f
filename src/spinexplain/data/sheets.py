"""Sheets that were drawn directly, without a CT behind them, as a shard of a cohort."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.shard import SeriesShard, VertebraRow
from spinexplain.errors import ConfigError


class DrawnSheet(Protocol):
    """What a directly drawn 2-D patch must bring; ``data.phantom`` makes them.

    ``array`` holds HU, ``labels`` VerSe labels, ``body``, ``evidence`` and ``shortcut``
    masks, all of shape (144, 144) at 1 mm. ``grade`` is ``"G0"`` to ``"G3"``.
    """

    array: np.ndarray
    labels: np.ndarray
    body: np.ndarray
    evidence: np.ndarray
    level: VertebraLevel
    grade: str
    shape: str
    loss: float
    seed: int


def sheet_shard(
    subject: str, series: str, sheets: Iterable[DrawnSheet], split: str | None = None
) -> SeriesShard:
    """Bundle drawn sheets into one shard; a few hundred a shard read and write fastest.

    Parameters
    ----------
    subject, series : str
        Names for the whole bundle; its sheets count as one patient in every split.
    sheets : iterable of DrawnSheet
        Attributes ``shortcut`` (mask) and ``twin_id`` are stored where present.
    split : str, optional
        ``"training"``, ``"validation"`` or ``"test"``.

    Raises
    ------
    ConfigError
        If there is no sheet.
    """
    drawn = list(sheets)
    if not drawn:
        raise ConfigError(f"{series}: a shard needs at least one sheet; got none.")
    labels = np.stack([sheet.labels for sheet in drawn])
    arrays = {
        "patches_2d": np.stack([sheet.array for sheet in drawn]),
        "labels_2d": labels,
        "body_2d": np.where(np.stack([sheet.body for sheet in drawn]) > 0, labels, 0),
        "evidence_2d": np.stack([sheet.evidence for sheet in drawn]) > 0,
    }
    shortcuts = [getattr(sheet, "shortcut", None) for sheet in drawn]
    if all(mask is not None for mask in shortcuts):
        arrays["shortcut_2d"] = np.stack([np.asarray(mask) for mask in shortcuts]) > 0
    rows = [_row(sheet, split) for sheet in drawn]
    return SeriesShard(subject, series, rows, arrays)


def _row(sheet: DrawnSheet, split: str | None) -> VertebraRow:
    return VertebraRow(
        level=sheet.level.value,
        grade=sheet.grade,
        shape=sheet.shape,
        loss=float(sheet.loss),
        split=split,
        twin_id=getattr(sheet, "twin_id", None),
        synthetic=True,
        seed=int(sheet.seed),
    )
