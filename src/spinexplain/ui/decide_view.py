"""What a page needs so that a clinician can decide about a model's prototypes or units on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spinexplain.models.bundle.decisions import DECISIONS_SCHEMA, REASONS, painted_cells
from spinexplain.models.bundle.unit_decisions import UNIT_DECISIONS_SCHEMA
from spinexplain.types import ModelInfo


@dataclass(frozen=True)
class DecideView:
    """The part of a page on which decisions are made.

    Parameters
    ----------
    schema, name, version, weights_sha256 : str
        Of the file that is saved.
    count : int
        Prototypes or units that can be decided about.
    cells : tuple of 2 ints, or None
        Rows and columns that can be painted; None for boxes.
    store : str
        Address that keeps each decision; empty on a page that is a file.
    of : {"prototype", "unit"}
    layer : str
        Whose units they are.
    """

    schema: str
    name: str
    version: str
    weights_sha256: str
    count: int
    cells: tuple[int, int] | None
    store: str = ""
    of: Literal["prototype", "unit"] = "prototype"
    layer: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a prototype or a unit may be not meaningful."""
        return REASONS


def decide_view(
    info: ModelInfo, prototypes: int, extent_mm: float, axes: int, store: str = ""
) -> DecideView | None:
    """Prepare deciding about a model; None for one that is not from a bundle.

    Examples
    --------
    >>> info = ModelInfo("m", "1", "", ("G0", "G2"), "toys", weights_sha256="a" * 64)
    >>> decide_view(info, 6, 112.0, 2).cells
    (28, 28)
    """
    if not info.weights_sha256:
        return None
    return DecideView(
        DECISIONS_SCHEMA,
        info.name,
        info.version,
        info.weights_sha256,
        prototypes,
        painted_cells(extent_mm, axes),
        store,
    )


def decide_units_view(info: ModelInfo, layer: str, units: int) -> DecideView | None:
    """Prepare deciding about units of a layer; None for a model that is not from a bundle.

    Examples
    --------
    >>> info = ModelInfo("m", "1", "", ("G0", "G2"), "toys", weights_sha256="a" * 64)
    >>> decide_units_view(info, "trunk", 10).of
    'unit'
    """
    if not info.weights_sha256:
        return None
    return DecideView(
        UNIT_DECISIONS_SCHEMA,
        info.name,
        info.version,
        info.weights_sha256,
        units,
        None,
        of="unit",
        layer=layer,
    )
