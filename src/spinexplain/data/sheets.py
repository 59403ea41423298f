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

    ``hu`` and ``twin_hu`` (the same person without the fracture, or None) hold HU,
    ``labels`` VerSe labels, ``body`` and ``evidence`` are masks of the vertebra in the
    centre; all have the shape (144, 144) at 1 mm. ``grade`` is 0 to 3.
    """

    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def hu(self) -> np.ndarray: ...  # noqa: D102
    @property
    def labels(self) -> np.ndarray: ...  # noqa: D102
    @property
    def body(self) -> np.ndarray: ...  # noqa: D102
    @property
    def evidence(self) -> np.ndarray: ...  # noqa: D102
    @property
    def twin_hu(self) -> np.ndarray | None: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def grade(self) -> int: ...  # noqa: D102
    @property
    def shape(self) -> str: ...  # noqa: D102
    @property
    def loss(self) -> float: ...  # noqa: D102


def sheet_shard(
    series: str, sheets: Iterable[DrawnSheet], split: str | None = None, seed: int | None = None
) -> SeriesShard:
    """Bundle drawn sheets into one shard; a few hundred a shard read and write fastest.

    Parameters
    ----------
    series : str
        Name for the bundle. Each row keeps the sheet's own subject.
    sheets : iterable of DrawnSheet
        Attributes ``shortcut`` (mask) and ``part`` (codes) are stored where every sheet has
        them, ``displacement_mm`` where a sheet has it.
    split : str, optional
        ``"training"``, ``"validation"`` or ``"test"``.
    seed : int, optional
        The seed they were drawn with.

    Raises
    ------
    ConfigError
        If there is no sheet.
    """
    drawn = list(sheets)
    if not drawn:
        raise ConfigError(f"{series}: a shard needs at least one sheet; got none.")
    codes = [VertebraLevel(sheet.level).verse_label for sheet in drawn]
    bodies = np.stack([sheet.body for sheet in drawn]) > 0
    arrays = {
        "patches_2d": np.stack([sheet.hu for sheet in drawn]),
        "labels_2d": np.stack([sheet.labels for sheet in drawn]),
        "body_2d": bodies * np.array(codes, np.uint8)[:, None, None],
        "evidence_2d": np.stack([sheet.evidence for sheet in drawn]) > 0,
    }
    for kind in ("shortcut", "part"):
        found = [getattr(sheet, kind, None) for sheet in drawn]
        if all(array is not None for array in found):
            stacked = np.stack([np.asarray(array) for array in found])
            arrays[f"{kind}_2d"] = stacked > 0 if kind == "shortcut" else stacked
    rows = [
        VertebraRow(
            level=sheet.level,
            subject=sheet.subject,
            grade=f"G{sheet.grade}",
            shape=sheet.shape,
            loss=float(sheet.loss),
            displacement_mm=getattr(sheet, "displacement_mm", ()),
            split=split,
            twin_id=sheet.subject if sheet.twin_hu is not None else None,
            synthetic=True,
            seed=seed,
        )
        for sheet in drawn
    ]
    return SeriesShard("phantom", series, rows, arrays)


def twin_shard(
    series: str, sheets: Iterable[DrawnSheet], split: str | None = None, seed: int | None = None
) -> SeriesShard | None:
    """Bundle the healthy twins of fractured sheets; they share ``twin_id`` with them.

    Twins have HU only: grade G0, ``healthy_twin``, no masks. None if no sheet has a twin.
    """
    pairs = [(sheet, sheet.twin_hu) for sheet in sheets if sheet.twin_hu is not None]
    if not pairs:
        return None
    rows = [
        VertebraRow(
            level=sheet.level,
            subject=sheet.subject,
            grade="G0",
            shape="none",
            split=split,
            twin_id=sheet.subject,
            healthy_twin=True,
            synthetic=True,
            seed=seed,
        )
        for sheet, _ in pairs
    ]
    return SeriesShard("phantom", series, rows, {"patches_2d": np.stack([hu for _, hu in pairs])})
