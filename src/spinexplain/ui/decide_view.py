"""What a page needs so that a clinician can decide about a model's prototypes on it."""

from __future__ import annotations

from dataclasses import dataclass

from spinexplain.models.bundle.decisions import DECISIONS_SCHEMA, REASONS, painted_cells
from spinexplain.types import ModelInfo


@dataclass(frozen=True)
class DecideView:
    """The part of a page on which decisions are made.

    Parameters
    ----------
    schema, name, version, weights_sha256 : str
        Of the file that is saved.
    prototypes : int
    cells : tuple of 2 ints, or None
        Rows and columns that can be painted; None for boxes.
    store : str
        Address that keeps each decision; empty on a page that is a file.
    """

    schema: str
    name: str
    version: str
    weights_sha256: str
    prototypes: int
    cells: tuple[int, int] | None
    store: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a prototype may be not meaningful."""
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
