"""The prototypes of the model that grades, and what a reader decided about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from spinexplain.analysis.atlas.record import AtlasPatch, ModelAtlas, PrototypeEntry
from spinexplain.app.database import utc_now
from spinexplain.app.schema import PrototypeDecision
from spinexplain.explainers.prototypes import prototype_names
from spinexplain.models.bundle.decisions import Decision, Decisions, decisions_of, painted_cells
from spinexplain.models.bundle.store import load_grader
from spinexplain.models.grader import Grader
from spinexplain.report.atlas_view import view_model
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.decide_view import decide_view
from spinexplain.ui.pictures import Album


@dataclass(frozen=True, eq=False)
class ShownModel:
    """A prototype model as its page shows it.

    Parameters
    ----------
    grader : Grader
    names : list of str
        Of its prototypes.
    """

    grader: Grader
    names: list[str]

    @property
    def cells(self) -> tuple[int, int] | None:
        """Rows and columns that can be painted on a crop; None for boxes."""
        return painted_cells(self.grader.spec.extent_mm, self.grader.spec.axes)


@cache
def shown_model(name: str) -> ShownModel:
    """Load a model with prototypes once.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    grader = load_grader(name)
    head = grader.prototype_head
    assert head is not None
    return ShownModel(grader, prototype_names(grader.classes, head.owner, head.parts))


def page_content(shown: ShownModel, store: str) -> dict[str, Any]:
    """Return what the template of the page draws."""
    album, atlas = Album(), _atlas(shown)
    info, spec = shown.grader.info, shown.grader.spec
    page = SimpleNamespace(
        model=view_model(atlas, album),
        album=album,
        decide=decide_view(info, len(shown.names), spec.extent_mm, spec.axes, store),
    )
    return {"page": page, "say": load_catalogue()}


def _atlas(shown: ShownModel) -> ModelAtlas:
    """Return what the bundle says, as the atlas's own parts draw it."""
    grader, head = shown.grader, shown.grader.prototype_head
    assert head is not None
    mm = grader.spec.extent_mm / grader.spec.size
    side = -(-grader.spec.size // head.field.stride)
    entries = tuple(
        PrototypeEntry(
            name,
            grader.classes[int(head.owner[index])],
            AtlasPatch(one.provenance, one.cell, head.max_similarity, 0.0, one.array, one.heatmap),
            {k: float(head.connections[n, index]) for n, k in enumerate(grader.classes)},
        )
        for index, (name, one) in enumerate(zip(shown.names, grader.exemplars, strict=True))
    )
    return ModelAtlas(
        info=grader.info,
        prototypes=entries,
        before=None,
        after=np.zeros((len(entries), 1)),
        center=None,
        patch_distance=None,
        patch_cosine=None,
        embedding=None,
        crops={},
        structure_crops=0,
        extent_mm=grader.spec.extent_mm,
        grid=(side,) * grader.spec.axes,
        field_mm=head.field.size * mm,
        stride_mm=head.field.stride * mm,
        start_mm=(head.field.start + 0.5) * mm,
    )


def append_decision(
    session: Session, account_id: int, shown: ShownModel, prototype: int, body: Mapping[str, Any]
) -> None:
    """Add what a reader decided about a prototype; what was decided before stays on record.

    Parameters
    ----------
    session : Session
        From ``Database.writing``.
    account_id : int
    shown : ShownModel
    prototype : int
        From 1.
    body : mapping
        Of :class:`~spinexplain.models.bundle.decisions.Decision`; empty takes the last one back.
    """
    session.add(
        PrototypeDecision(
            account_id=account_id,
            weights_sha256=shown.grader.info.weights_sha256,
            prototype=prototype,
            body=dict(body),
            at=utc_now(),
        )
    )
    session.flush()


def decisions_now(session: Session, account_id: int, reader: str, shown: ShownModel) -> Decisions:
    """Return what counts of a reader's decisions about a model: the last about each prototype."""
    rows = session.scalars(
        select(PrototypeDecision)
        .where(
            PrototypeDecision.weights_sha256 == shown.grader.info.weights_sha256,
            PrototypeDecision.account_id == account_id,
        )
        .order_by(PrototypeDecision.id)
    )
    return decisions_of(shown.grader.info, reader, last_of_each(rows))


def last_of_each(rows: Sequence[PrototypeDecision] | Any) -> list[dict[str, Any]]:
    """Return the last decision about each prototype, without those taken back."""
    last = {row.prototype: {**row.body, "at": row.at} if row.body else {} for row in rows}
    return [last[number] for number in sorted(last) if last[number]]


def checked_decision(content: Mapping[str, Any], shown: ShownModel) -> Decision:
    """Check a decision as the page sent it.

    Raises
    ------
    ValueError
        If it is not sound, or not about a prototype of this model.
    """
    found = Decision.model_validate(dict(content))
    known = found.prototype <= len(shown.names)
    if not known or shown.names[found.prototype - 1] != found.name:
        raise ValueError("there is no such prototype in this model")
    if found.region:
        widths = {len(row) for row in found.region}
        if shown.cells is None or (len(found.region), widths) != (shown.cells[0], {shown.cells[1]}):
            raise ValueError("the painted region does not fit this model's crops")
    return found
