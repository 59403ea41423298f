"""The atlas: one self-contained page about a prototype model, and its numbers beside it."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as arrays_to_bytes

from spinexplain.analysis.atlas.record import AtlasPatch, ModelAtlas
from spinexplain.evaluate.prototypes import same_class_cosine
from spinexplain.io.files import output_folder
from spinexplain.report.atlas_view import ModelView, cosines, view_model
from spinexplain.report.atlas_words import Line, figure_three, sentences, side_by_side
from spinexplain.texts.catalogue import Catalogue, load_catalogue
from spinexplain.ui.decide_view import DecideView, decide_view
from spinexplain.ui.pages import render_page, software_version
from spinexplain.ui.pictures import Album
from spinexplain.ui.tokens import GradeStyle, grade_style

SCHEMA = "spinexplain/atlas/1"
FIGURES = ("f1", "specificity", "found", "same_grade")


@dataclass(frozen=True)
class Pair:
    """A figure with the centroids as they are, and moved."""

    plain: float | None
    moved: float | None


@dataclass(frozen=True)
class ReliabilityRow:
    """One test set."""

    name: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class ReliabilityView:
    """The table of what a wrong centroid does."""

    columns: tuple[str, ...]
    rows: tuple[ReliabilityRow, ...]


@dataclass(frozen=True)
class AtlasPage:
    """Everything the atlas' templates draw."""

    model: ModelView
    beside: ModelView | None
    sentences: list[str]
    lines: list[Line]
    figure_three: str
    reliability: ReliabilityView | None
    styles: Mapping[str, GradeStyle]
    command: str
    date: datetime.date
    software: str
    album: Album
    decide: DecideView | None = None

    @property
    def models(self) -> tuple[ModelView, ...]:
        """The model, and the one beside it."""
        return (self.model,) if self.beside is None else (self.model, self.beside)


def write_atlas(
    atlas: ModelAtlas,
    out: Path,
    beside: ModelAtlas | None = None,
    command: str = "",
    force: bool = False,
    language: str = "en",
    date: datetime.date | None = None,
) -> Path:
    """Write an atlas: ``atlas.html``, ``atlas.json`` and ``atlas.safetensors``.

    Parameters
    ----------
    atlas : ModelAtlas
    out : Path
        Folder to create.
    beside : ModelAtlas, optional
        A second model, e.g. ProtoPNet beside ProtoVerse.
    command : str
        How to make it again, shown at the foot.
    force : bool
        Replace an existing folder.
    language : str
        A catalogue shipped with the package.
    date : datetime.date, optional
        Today's by default.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        If ``out`` exists and ``force`` is not set, or it cannot be written.
    """
    say = load_catalogue(language)
    page = prepare_atlas(atlas, beside, say, command, date or datetime.date.today())
    models = [atlas] if beside is None else [atlas, beside]
    drawn = render_page(
        "atlas", {"page": page, "say": say}, also=["decisions.css"], scripts=["decisions.js"]
    )
    content = {"schema": SCHEMA, "models": [numbers(model) for model in models]}
    vectors = {f"{i}.{k}": v for i, model in enumerate(models) for k, v in arrays(model).items()}
    with output_folder(Path(out), force=force) as folder:
        (folder / "atlas.html").write_text(drawn, encoding="utf-8")
        text = json.dumps(content, indent=1, allow_nan=False)
        (folder / "atlas.json").write_text(text + "\n", encoding="utf-8")
        (folder / "atlas.safetensors").write_bytes(arrays_to_bytes(vectors))
    return Path(out) / "atlas.html"


def prepare_atlas(
    atlas: ModelAtlas,
    beside: ModelAtlas | None,
    say: Catalogue,
    command: str,
    date: datetime.date,
) -> AtlasPage:
    """Turn atlases into what the page shows, pictures included."""
    album = Album()
    names = {name for one in (atlas, beside) if one for name in one.info.classes}
    return AtlasPage(
        model=view_model(atlas, album),
        beside=None if beside is None else view_model(beside, album, "beside-"),
        sentences=sentences(atlas, say),
        lines=[] if beside is None else side_by_side(atlas, beside, say),
        figure_three=figure_three(atlas, say),
        reliability=view_reliability(atlas.reliability),
        styles={name: grade_style(name) for name in names},
        command=command,
        date=date,
        software=software_version(),
        album=album,
        decide=decide_view(atlas.info, len(atlas.prototypes), atlas.extent_mm, len(atlas.grid)),
    )


def view_reliability(tables: Mapping[str, Mapping[str, float]]) -> ReliabilityView | None:
    """Pair the figures of a model card with those under a wrong centroid."""
    rows = []
    for name, figures in tables.items():
        pairs = [Pair(_share(figures, key), _share(figures, f"{key}_moved")) for key in FIGURES]
        if any(pair.moved is not None for pair in pairs):
            rows.append(ReliabilityRow(name, tuple(pairs)))
    return ReliabilityView(FIGURES, tuple(rows)) if rows else None


def _share(figures: Mapping[str, float], key: str) -> float | None:
    value = figures.get(key)
    return value if value is not None and 0 <= value <= 1 else None


def numbers(atlas: ModelAtlas) -> dict[str, Any]:
    """Return every number of an atlas, JSON-ready; what is not known is None."""
    info = atlas.info
    means = {
        f"{kind}_{when}": same_class_cosine(matrix, atlas.owner)
        for (kind, when), matrix in cosines(atlas).items()
    }
    return {
        "model": {"name": info.name, "version": info.version, "sha256": info.sha256},
        "classes": list(info.classes),
        "cohorts": list(atlas.cohorts),
        "crops": dict(atlas.crops),
        "grid": list(atlas.grid),
        "field_mm": atlas.field_mm,
        "stride_mm": atlas.stride_mm,
        "patch_distance": _finite(atlas.patch_distance),
        "patch_cosine": None
        if atlas.patch_cosine is None
        else [_finite(value) for value in atlas.patch_cosine],
        "same_class_cosine": {key: _finite(value) for key, value in means.items()},
        "structure_area": dict(atlas.structure_area),
        "structure_crops": atlas.structure_crops,
        "prototypes": [
            {
                "name": item.name,
                "class": item.class_name,
                "source": _patch_numbers(item.source),
                "connections": dict(item.connections),
                "travelled": _finite(item.travelled),
                "winner_share": _finite(item.winner_share),
                "usage": _finite(item.usage),
                "structures": dict(item.structures),
                "neighbors": [_patch_numbers(patch) for patch in item.neighbors],
            }
            for item in atlas.prototypes
        ],
        "reliability": {
            name: {key: _finite(value) for key, value in row.items()}
            for name, row in atlas.reliability.items()
        },
        "notes": list(atlas.notes),
    }


def _patch_numbers(patch: AtlasPatch) -> dict[str, Any]:
    return {
        **asdict(patch.provenance),
        "cell": list(patch.cell),
        "similarity": _finite(patch.similarity),
        "distance": _finite(patch.distance),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def arrays(atlas: ModelAtlas) -> dict[str, np.ndarray]:
    """Return the vectors and matrices of an atlas by name."""
    held: dict[str, np.ndarray | None] = {
        "before": atlas.before,
        "after": atlas.after,
        "center": atlas.center,
    }
    held |= {f"cosine_{kind}_{when}": m for (kind, when), m in cosines(atlas).items()}
    if atlas.embedding is not None:
        held |= {
            "embedding.points": atlas.embedding.points,
            "embedding.before": atlas.embedding.before,
            "embedding.after": atlas.embedding.after,
        }
    return {key: np.ascontiguousarray(v) for key, v in held.items() if v is not None}
