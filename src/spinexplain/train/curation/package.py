"""From a curated network to its bundle, and what became of every prototype."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from spinexplain.data.crops.dataset import TrainingSet
from spinexplain.models.bundle.description import BundleDescription
from spinexplain.models.bundle.store import Bundle, PrototypeRecord
from spinexplain.models.grader import Scope
from spinexplain.train.curation.carry_out import Curated
from spinexplain.train.grading.package import prototype_patches


@dataclass(frozen=True)
class Origin:
    """A bundle that was decided about.

    Parameters
    ----------
    folder : Path
    description : BundleDescription
    """

    folder: Path
    description: BundleDescription


def curated_bundle(
    origin: Origin,
    curated: Curated,
    training: TrainingSet,
    name: str,
    training_notes: Mapping[str, Any],
    section: str,
    also: str = "",
) -> Bundle:
    """Pack a curated network; prototypes that stayed keep the record and crop they had.

    Parameters
    ----------
    origin : Origin
    curated : Curated
    training : TrainingSet
        That new sources point into.
    name : str
        Of the new model.
    training_notes : mapping
        Added to what the bundle says of its training.
    section : str
        Markdown on the curation, added to the model card.
    also : str
        What is to be said of its data besides what was said before.
    """
    described = origin.description
    records, patches, maps = prototypes_after(origin, curated, training)
    card = (origin.folder / "MODEL_CARD.md").read_text("utf-8").split("\n", 1)
    version = next_version(described.version)
    return Bundle(
        name=name,
        version=version,
        model=curated.model,
        task=described.task,
        spec=described.input,
        trunk=described.trunk,
        head=curated.config.head,
        scope=Scope(**described.scope.model_dump()),
        trained_on=described.trained_on + also,
        card=f"# {name} {version}\n{card[-1].rstrip()}\n\n{section.strip()}\n",
        records=records,
        patches_hu=patches,
        maps=maps,
        training=described.training
        | {"config": curated.config.model_dump(mode="json")}
        | dict(training_notes),
    )


def next_version(version: str) -> str:
    """Return the version of a curated model: the old one and how often it was curated.

    Examples
    --------
    >>> next_version("2"), next_version("2+curated.1")
    ('2+curated.1', '2+curated.2')
    """
    base, _, count = version.partition("+curated.")
    return f"{base}+curated.{int(count) + 1 if count.isdigit() else 1}"


def prototypes_after(
    origin: Origin, curated: Curated, training: TrainingSet
) -> tuple[tuple[PrototypeRecord, ...], np.ndarray | None, np.ndarray]:
    """Return record, crop (None where pixels are withheld) and map of every prototype.

    Parameters
    ----------
    origin : Origin
    curated : Curated
    training : TrainingSet

    Returns
    -------
    records : tuple of PrototypeRecord, length P
    patches_hu : ndarray of int16, shape (P, *E), or None
    maps : ndarray of float32, shape (P, *G)
    """
    arrays = load_file(origin.folder / "prototypes.safetensors")
    held = origin.description.prototypes
    before = list(curated.origins)
    records = [
        PrototypeRecord(held[index].provenance, held[index].cell, held[index].patch_sha256)
        for index in before
    ]
    maps = arrays["maps"][before]
    patches = arrays["patches_hu"][before] if "patches_hu" in arrays else None
    if curated.sources:
        found = prototype_patches(
            curated.model, training, curated.config.input, dict(curated.sources)
        )
        for record, patch, own, index in zip(*found, curated.sources, strict=True):
            records[index] = record
            maps[index] = own
            if patches is not None:
                patches[index] = patch
    return tuple(records), patches, maps


def fates(
    origin: Origin,
    curated: Curated,
    records: Sequence[PrototypeRecord],
    names: tuple[Sequence[str], Sequence[str]],
) -> list[dict[str, Any]]:
    """Say of every prototype there was what became of it.

    Parameters
    ----------
    origin : Origin
    curated : Curated
    records : sequence of PrototypeRecord
        Of the prototypes after.
    names : tuple of 2 sequences of str
        Of the prototypes before and after.

    Returns
    -------
    list of dict
        JSON-ready, in the old order: ``before`` and ``after`` (number from 1, name and source;
        None where it is gone), and ``fate``: ``"kept"``, ``"removed"`` or ``"replaced"``.
    """
    place = {index: number for number, index in enumerate(curated.origins)}
    found: list[dict[str, Any]] = []
    for index, held in enumerate(origin.description.prototypes):
        old = _described(index, names[0], {**asdict(held.provenance), "cell": list(held.cell)})
        at = place.get(index)
        if at is None:
            found.append({"before": old, "after": None, "fate": "removed"})
            continue
        source = {**asdict(records[at].provenance), "cell": list(records[at].cell)}
        new = _described(at, names[1], source)
        fate = "kept" if new["source"] == old["source"] else "replaced"
        found.append({"before": old, "after": new, "fate": fate})
    return found


def _described(index: int, names: Sequence[str], source: Mapping[str, Any]) -> dict[str, Any]:
    return {"number": index + 1, "name": names[index], "source": dict(source)}
