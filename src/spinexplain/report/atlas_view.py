"""An atlas prepared for drawing: cards, matrices, the map of patches, sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.analysis.atlas.record import Embedding, ModelAtlas, PrototypeEntry
from spinexplain.evaluate.prototypes import cosine_matrix
from spinexplain.report.atlas_pictures import PatchView, view_patch
from spinexplain.ui.pictures import Album
from spinexplain.ui.tokens import GradeStyle, grade_style

STRUCTURE_KEYS = {
    "body": "body",
    "posterior elements": "posterior",
    "other vertebrae": "other-bone",
    "beside the bone": "beside",
}


@dataclass(frozen=True)
class Connection:
    """Weight of a prototype in a class's logit, and its bar in percent of the widest."""

    style: GradeStyle
    value: float
    width: float


@dataclass(frozen=True)
class Share:
    """Part of a map on one structure; ``key`` is its color."""

    key: str
    name: str
    value: float


@dataclass(frozen=True)
class PrototypeView:
    """Everything the page draws of one prototype.

    Parameters
    ----------
    anchor, name, class_name : str
    number : int
        From 1, in the model's order.
    short : str
        Number within its class.
    style : GradeStyle
    source : PatchView
    neighbors : tuple of PatchView
    own_neighbors : int
        How many of them are of its class.
    connections : tuple of Connection
    travelled, travelled_ratio : float or None
        Distance in projection, and the same over the distance of two random patches.
    winner_share, usage : float or None
    structures : tuple of Share
    """

    anchor: str
    name: str
    number: int
    class_name: str
    short: str
    style: GradeStyle
    source: PatchView
    neighbors: tuple[PatchView, ...]
    own_neighbors: int
    connections: tuple[Connection, ...]
    travelled: float | None
    travelled_ratio: float | None
    winner_share: float | None
    usage: float | None
    structures: tuple[Share, ...]


@dataclass(frozen=True)
class Cell:
    """A cosine as a colored cell: percent of ink, for or against, and its number."""

    value: float
    ink: int
    sign: str
    text: str


@dataclass(frozen=True)
class MatrixView:
    """A cosine matrix: ``key`` is raw or centered, ``when`` before or after projection."""

    key: str
    when: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Point:
    """A patch or a prototype on the map, in its pixels."""

    x: float
    y: float
    style: GradeStyle
    name: str = ""
    from_x: float | None = None
    from_y: float | None = None


@dataclass(frozen=True)
class MapView:
    """Training patches and prototypes in two dimensions."""

    width: float
    height: float
    patches: tuple[Point, ...]
    prototypes: tuple[Point, ...]
    explained: tuple[float, float]


@dataclass(frozen=True)
class ModelView:
    """A model's part of the page."""

    atlas: ModelAtlas
    prototypes: tuple[PrototypeView, ...]
    matrices: tuple[MatrixView, ...]
    map: MapView | None
    area: tuple[Share, ...]
    top: float


def view_model(atlas: ModelAtlas, album: Album, prefix: str = "") -> ModelView:
    """Prepare a model's atlas for drawing.

    Parameters
    ----------
    atlas : ModelAtlas
    album : Album
        Takes the pictures.
    prefix : str
        Before every anchor, so that two models fit on one page.
    """
    top = max((float(p.source.heatmap.max()) for p in atlas.prototypes), default=0.0)
    widest = max((abs(w) for p in atlas.prototypes for w in p.connections.values()), default=0.0)
    return ModelView(
        atlas=atlas,
        prototypes=tuple(
            _prototype(entry, index, atlas, album, prefix, top, widest)
            for index, entry in enumerate(atlas.prototypes)
        ),
        matrices=tuple(view_matrices(atlas)),
        map=view_map(atlas.embedding, atlas) if atlas.embedding is not None else None,
        area=shares(atlas.structure_area),
        top=top,
    )


def _prototype(
    entry: PrototypeEntry,
    index: int,
    atlas: ModelAtlas,
    album: Album,
    prefix: str,
    top: float,
    widest: float,
) -> PrototypeView:
    ratio = None
    if entry.travelled is not None and atlas.patch_distance:
        ratio = entry.travelled / atlas.patch_distance
    near = [view_patch(item, atlas, album, top, 2, False) for item in entry.neighbors]
    return PrototypeView(
        anchor=f"{prefix}prototype-{index + 1}",
        name=entry.name,
        number=index + 1,
        class_name=entry.class_name,
        short=entry.name.rpartition(" ")[2],
        style=grade_style(entry.class_name),
        source=view_patch(entry.source, atlas, album, top, 3, True),
        neighbors=tuple(near),
        own_neighbors=sum(item.provenance.grade == entry.class_name for item in near),
        connections=tuple(
            Connection(grade_style(name), weight, 50 * abs(weight) / widest if widest else 0.0)
            for name, weight in entry.connections.items()
        ),
        travelled=entry.travelled,
        travelled_ratio=ratio,
        winner_share=entry.winner_share,
        usage=entry.usage,
        structures=shares(entry.structures),
    )


def shares(structures: Mapping[str, float]) -> tuple[Share, ...]:
    """Order the structures of a map, the target first.

    Examples
    --------
    >>> [share.key for share in shares({"beside the bone": 0.25, "body": 0.75})]
    ['body', 'beside']
    """
    return tuple(
        Share(key, name, structures[name])
        for name, key in STRUCTURE_KEYS.items()
        if name in structures
    )


def cosines(atlas: ModelAtlas) -> dict[tuple[str, str], np.ndarray]:
    """Return the cosine matrices that can be made: (raw or centered, before or after)."""
    made = {}
    for when, vectors in (("before", atlas.before), ("after", atlas.after)):
        if vectors is not None:
            made["raw", when] = cosine_matrix(vectors)
            if atlas.center is not None:
                made["centered", when] = cosine_matrix(vectors, atlas.center)
    return made


def view_matrices(atlas: ModelAtlas) -> list[MatrixView]:
    """Prepare the cosine matrices: raw first, before projection first."""
    made = sorted(cosines(atlas).items(), key=lambda item: (item[0][0] != "raw", item[0][1][0]))
    made.sort(key=lambda item: (item[0][0] == "centered", item[0][1] == "after"))
    return [
        MatrixView(key, when, tuple(tuple(_cell(value) for value in row) for row in matrix))
        for (key, when), matrix in made
    ]


def _cell(value: float) -> Cell:
    text = f"{abs(value):.2f}"
    text = "1" if text == "1.00" else text[1:]
    signed = value < 0 and text != ".00"
    return Cell(
        value=float(value),
        ink=round(80 * min(abs(float(value)), 1.0)),
        sign="against" if value < 0 else "for",
        text=("\N{MINUS SIGN}" if signed else "") + text,
    )


def view_map(embedding: Embedding, atlas: ModelAtlas, width: float = 720.0) -> MapView:
    """Lay the embedding out, one scale along both axes.

    Parameters
    ----------
    embedding : Embedding
    atlas : ModelAtlas
    width : float
        Of the drawing; its height follows from the data.
    """
    parts = [embedding.points, embedding.after]
    parts += [] if embedding.before is None else [embedding.before]
    everything = np.concatenate(parts)
    low, span = everything.min(axis=0), np.ptp(everything, axis=0)
    margin = 28.0
    scale = (width - 2 * margin) / max(span[0], 1e-9)
    if span[1] * scale > 1.2 * width:
        scale = 1.2 * width / span[1]
    height = max(span[1] * scale + 2 * margin, 160.0)
    middle = low + span / 2

    def at(point: Sequence[float]) -> tuple[float, float]:
        x, y = (np.asarray(point) - middle) * scale
        return round(float(width / 2 + x), 1), round(float(height / 2 - y), 1)

    origins = [None] * len(embedding.after) if embedding.before is None else embedding.before
    prototypes = [
        Point(*at(to), grade_style(entry.class_name), entry.name.rpartition(" ")[2])
        if start is None
        else Point(
            *at(to), grade_style(entry.class_name), entry.name.rpartition(" ")[2], *at(start)
        )
        for entry, to, start in zip(atlas.prototypes, embedding.after, origins, strict=True)
    ]
    return MapView(
        width=width,
        height=round(height, 1),
        patches=tuple(
            Point(*at(point), grade_style(name))
            for point, name in zip(embedding.points, embedding.classes, strict=True)
        ),
        prototypes=tuple(prototypes),
        explained=embedding.explained,
    )


def known(value: float | None) -> bool:
    """Whether there is a number to show."""
    return value is not None and not math.isnan(value)
