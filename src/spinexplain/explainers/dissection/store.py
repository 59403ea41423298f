"""A dissection on disk: one JSON file of figures, one safetensors file of arrays, no pickle."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import asdict, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from spinexplain.errors import FileFormatError, ModelError
from spinexplain.explainers.dissection.cautions import Caution
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.names import read_names
from spinexplain.explainers.dissection.overlap import Overlap
from spinexplain.explainers.dissection.record import BestSample, Dissection, PictureSource
from spinexplain.explainers.dissection.statistics import UnitStatistics
from spinexplain.io.files import sha256_file, unreadable
from spinexplain.types import ModelInfo, Provenance

SCHEMA = "spinexplain/dissection/1"
FIGURES_FILE, ARRAYS_FILE, TABLE_FILE = "dissection.json", "dissection.safetensors", "units.csv"

_WHOLE = ("rank", "rank_low", "rank_high", "rank_eq1")


def write_dissection(dissection: Dissection, folder: Path) -> None:
    """Write a dissection's figures, arrays and table into an existing folder.

    Parameters
    ----------
    dissection : Dissection
        Its names are not written; they live in a file of their own.
    folder : Path
    """
    best = dissection.best
    arrays = {
        "thresholds": dissection.thresholds.astype(np.float32),
        "mass": dissection.mass.astype(np.float64),
        "pictures": dissection.pictures.astype(np.int16),
        "best_cells": np.stack([item.cells for item in best]).astype(np.float32)
        if best
        else np.zeros((0, 1, 1), np.float32),
    }
    (folder / ARRAYS_FILE).write_bytes(
        save({k: np.ascontiguousarray(v) for k, v in arrays.items()})
    )
    content = {
        "schema": SCHEMA,
        "package_version": metadata.version("spinexplain"),
        "arrays_sha256": sha256_file(folder / ARRAYS_FILE),
        "key": dissection.key,
        "model": _model_content(dissection.model),
        "layer": dissection.layer,
        "quantile": dissection.quantile,
        "grid": asdict(dissection.grid),
        "facts": dict(dissection.facts),
        "cautions": [asdict(caution) for caution in dissection.cautions],
        "regions": list(dissection.overlap.regions),
        "units": {name: _listed(column) for name, column in dissection.columns().items()},
        "best": [[item.unit, item.relevance, item.picture] for item in best],
        "sources": [_source_content(source) for source in dissection.sources],
    }
    text = json.dumps(content, indent=1, allow_nan=False)
    (folder / FIGURES_FILE).write_text(text + "\n", encoding="utf-8")
    _write_table(dissection, folder / TABLE_FILE)


def _model_content(model: ModelInfo) -> dict[str, Any]:
    """Return what identifies the model; how its evidence fared stays with the model."""
    return {name: value for name, value in asdict(model).items() if name != "evidence"}


def read_dissection(folder: str | Path) -> Dissection:
    """Read a dissection with the names that raters gave its units.

    Raises
    ------
    ModelError
        If the folder is no dissection, or of another version.
    FileFormatError
        If a file is damaged.
    ConfigError
        If the names in it are of another model.
    """
    folder = Path(folder)
    content = _read(folder)
    try:
        if sha256_file(folder / ARRAYS_FILE) != content["arrays_sha256"]:
            raise ValueError(f"{ARRAYS_FILE} has changed")
        dissection = _dissection(content, load_file(folder / ARRAYS_FILE))
    except (KeyError, TypeError, ValueError, IndexError, SafetensorError) as error:
        raise FileFormatError(
            f"{folder}: {FIGURES_FILE} and {ARRAYS_FILE} do not fit together ({error}). "
            "Dissect the model again."
        ) from None
    return replace(dissection, names=read_names(folder, dissection.key))


def _read(folder: Path) -> dict[str, Any]:
    path = folder / FIGURES_FILE
    if not path.is_file():
        raise ModelError(
            f"{folder}: not a dissection (there is no {FIGURES_FILE}); expected a folder written "
            "by dissect. Check the path."
        )
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError as error:
        raise FileFormatError(f"{path}: broken JSON ({error}). Dissect the model again.") from None
    found = content.get("schema") if isinstance(content, dict) else None
    if found != SCHEMA:
        raise ModelError(
            f"{folder}: this dissection has the schema {found!r}; this version reads {SCHEMA!r}. "
            "Dissect the model again."
        )
    return dict(content)


def _dissection(content: dict[str, Any], arrays: dict[str, np.ndarray]) -> Dissection:
    units = content["units"]
    count = len(arrays["thresholds"])
    columns = {name: _column(units[name], name in _WHOLE, count) for name in _statistics_names()}
    regions = tuple(content["regions"])
    shares = {
        what: np.stack([_column(units[f"{what}_{r}"], False, count) for r in regions], axis=1)
        if regions
        else np.zeros((count, 0))
        for what in ("iou", "inside", "lift")
    }
    model = {**content["model"], "classes": tuple(content["model"]["classes"])}
    sources = tuple(_source(source) for source in content["sources"])
    if not len(sources) == len(arrays["pictures"]) or len(content["best"]) != len(
        arrays["best_cells"]
    ):
        raise ValueError("the number of pictures differs")
    return Dissection(
        model=ModelInfo(**model),
        layer=str(content["layer"]),
        quantile=float(content["quantile"]),
        grid=CellGrid(**{**content["grid"], "cells": tuple(content["grid"]["cells"])}),
        thresholds=arrays["thresholds"],
        mass=arrays["mass"],
        statistics=UnitStatistics(**columns),
        clusters=_column(units["cluster"], True, count),
        overlap=Overlap(regions, **shares),
        means=_column(units.get("mean", [None] * count), False, count),
        effects=_column(units.get("effect", [None] * count), False, count),
        facts=content["facts"],
        cautions=tuple(Caution(**caution) for caution in content["cautions"]),
        best=tuple(
            BestSample(int(unit), float(relevance), int(picture), cells)
            for (unit, relevance, picture), cells in zip(
                content["best"], arrays["best_cells"], strict=True
            )
        ),
        pictures=arrays["pictures"],
        sources=sources,
    )


def _source_content(source: PictureSource) -> dict[str, Any]:
    return asdict(source.provenance) | {"plane": source.plane}


def _source(content: dict[str, Any]) -> PictureSource:
    named = {name: value for name, value in content.items() if name != "plane"}
    return PictureSource(Provenance(**named), content.get("plane"))


def _statistics_names() -> list[str]:
    return [item.name for item in fields(UnitStatistics)]


def _column(values: list[Any], whole: bool, count: int) -> np.ndarray:
    if len(values) != count:
        raise ValueError(f"a column has {len(values)} units, expected {count}")
    if whole:
        return np.array(values, np.int64)
    return np.array([math.nan if value is None else value for value in values], float)


def _listed(column: np.ndarray) -> list[Any]:
    values = column.tolist()
    return [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]


def _write_table(dissection: Dissection, path: Path) -> None:
    table = dissection.columns()
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        for row in zip(*(_listed(column) for column in table.values()), strict=True):
            writer.writerow(["" if value is None else value for value in row])
