"""From a training to a bundle: prototype patches, their maps, provenance and model card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
import torch

from spinexplain.anatomy import VertebraLevel
from spinexplain.config.training import InputSpec
from spinexplain.data.crops.dataset import TrainingSet, provenance_of
from spinexplain.models.bundle.store import Bundle, PrototypeRecord
from spinexplain.models.grader import Scope
from spinexplain.models.heads.prototype import PrototypeNet
from spinexplain.models.inputs import network_input
from spinexplain.train.grading.augment import plain_crops
from spinexplain.train.grading.projection import PrototypeSource
from spinexplain.train.grading.run import Trained

NOT_STATED = "not stated"
PHANTOM_LICENCE = "MIT, as this package, which drew the phantoms"


@dataclass(frozen=True)
class Statement:
    """What must be said about a model: its name, its data, what it may be asked.

    Parameters
    ----------
    name, version : str
    trained_on : str
        One sentence on the training data and its licence.
    scope : Scope
    results : dict of str to str
        Heading -> Markdown with measured results and how they were measured.
    training : dict
        Whatever reproduces the training, JSON-ready.
    withhold_pixels : bool
        Whether the bundle keeps everything of the prototypes but their pixels.
    data_licence : str
        Licence of the training data; stated in the card and the bundle.
    """

    name: str
    version: str
    trained_on: str
    scope: Scope
    results: dict[str, str] = field(default_factory=dict)
    training: dict[str, object] = field(default_factory=dict)
    withhold_pixels: bool = False
    data_licence: str = ""


def bundle_of(trained: Trained, statement: Statement) -> Bundle:
    """Pack a trained model with the training patches behind its prototypes.

    Parameters
    ----------
    trained : Trained
    statement : Statement
    """
    records, patches, maps = _prototype_patches(trained)
    config = trained.config
    return Bundle(
        name=statement.name,
        version=statement.version,
        model=trained.model,
        task=config.task,
        spec=config.input,
        trunk=config.trunk,
        head=config.head,
        scope=statement.scope,
        trained_on=statement.trained_on,
        card=model_card(trained, statement),
        records=records,
        patches_hu=None if statement.withhold_pixels else patches,
        maps=maps,
        training=statement.training
        | {"config": config.model_dump(mode="json"), "validation": trained.figures}
        | {"vertebrae": grade_counts(trained.data.grades)}
        | {"data_licence": statement.data_licence or NOT_STATED}
        | {"pixels_withheld": statement.withhold_pixels},
    )


def scope_of(trained: Trained) -> Scope:
    """Return what a trained model may be asked about: levels it has seen, and its settings."""
    levels = levels_seen(trained.data.levels)
    return Scope(levels=levels, max_outside=trained.config.max_outside)


def levels_seen(levels: Iterable[str]) -> tuple[str, ...]:
    """Return the levels that a model has seen, in cranio-caudal order.

    Examples
    --------
    >>> levels_seen(["L1", "T12", "L1"])
    ('T12', 'L1')
    """
    seen = set(levels)
    return tuple(level.value for level in VertebraLevel if level.value in seen)


def grade_counts(grades: np.ndarray) -> dict[str, int]:
    """Count vertebrae by Genant grade.

    Examples
    --------
    >>> grade_counts(np.array([0, 2, 0]))
    {'G0': 2, 'G2': 1}
    """
    values, counts = np.unique(grades, return_counts=True)
    return {f"G{value}": int(count) for value, count in zip(values, counts, strict=True)}


def _prototype_patches(
    trained: Trained,
) -> tuple[tuple[PrototypeRecord, ...], np.ndarray | None, np.ndarray | None]:
    if not isinstance(trained.model, PrototypeNet):
        return (), None, None
    sources = dict(enumerate(trained.sources))
    return prototype_patches(trained.model, trained.data, trained.config.input, sources)


@torch.no_grad()
def prototype_patches(
    model: PrototypeNet,
    data: TrainingSet,
    spec: InputSpec,
    sources: Mapping[int, PrototypeSource],
) -> tuple[tuple[PrototypeRecord, ...], np.ndarray, np.ndarray]:
    """Return provenance, crop and similarity map of some prototypes.

    Parameters
    ----------
    model : PrototypeNet
    data : TrainingSet
        That the sources point into.
    spec : InputSpec
    sources : mapping of int to PrototypeSource
        By prototype.

    Returns
    -------
    records : tuple of PrototypeRecord, length Q
    patches_hu : ndarray of int16, shape (Q, *E)
    maps : ndarray of float32, shape (Q, *G)
        Of each prototype on its own crop.
    """
    rows = np.array([source.row for source in sources.values()])
    crops = plain_crops(data, rows, spec)
    maps = model.similarity_maps(network_input(crops.hu, crops.centers, spec))
    own = torch.stack([maps[row, index] for row, index in enumerate(sources)])
    records = tuple(
        PrototypeRecord(
            provenance=provenance_of(data, source.row),
            cell=source.cell,
            patch_sha256=_hash_of(data.patches_hu[source.row]),
        )
        for source in sources.values()
    )
    hu = np.rint(crops.hu.numpy()).clip(-32768, 32767).astype(np.int16)
    return records, hu, own.numpy().astype(np.float32)


def _hash_of(patch_hu: np.ndarray) -> str:
    return sha256(np.ascontiguousarray(patch_hu, "<i2").tobytes()).hexdigest()


def model_card(trained: Trained, statement: Statement) -> str:
    """Write the model card, Markdown: purpose, data, scope, results, limits."""
    config = trained.config
    scope = statement.scope
    levels = f"{scope.levels[0]} to {scope.levels[-1]}" if scope.levels else "all thoracic, lumbar"
    lines = [
        f"# {statement.name} {statement.version}",
        "",
        f"Grades one vertebra on {_seen(trained)} as "
        f"{_classes_in_words(trained)}. Research use only; not a medical device.",
        "",
        "## Training data",
        "",
        statement.trained_on,
        "",
        f"License of the data: {statement.data_licence or NOT_STATED}."
        f"{_pixels(trained, statement)}{_simulated(trained)}",
        "",
        "## What it may be asked",
        "",
        f"- Levels: {levels}.",
        f"- At most {scope.max_outside:.0%} of the {config.input.extent_mm:.0f} mm crop outside "
        "the scan.",
        f"- No vertebra flagged {', '.join(scope.refused_flags) or 'at all'}.",
        *_scaling(config.input),
        "- Scores are softmax outputs, not calibrated on patients.",
        "",
        "## How far its evidence can be placed",
        "",
        _placing(trained),
        "",
    ]
    for heading, text in statement.results.items():
        lines += [f"## {heading}", "", text, ""]
    return "\n".join(lines)


def _seen(trained: Trained) -> str:
    spec = trained.config.input
    if spec.axes == 2:
        return "a mid-sagittal CT reformation"
    return f"a {spec.extent_mm:.0f} mm box of a CT, laid along the spine,"


def _classes_in_words(trained: Trained) -> str:
    """Name the classes, and the grades behind those that are not grades themselves."""
    task = trained.config.task
    if not trained.config.grades:
        return f"{', '.join(task.classes)} (Genant)"
    named = zip(task.classes, task.grades, strict=True)
    return " or ".join(f"{name} (Genant {', '.join(grades)})" for name, grades in named)


def _pixels(trained: Trained, statement: Statement) -> str:
    if not isinstance(trained.model, PrototypeNet):
        return ""
    if statement.withhold_pixels:
        return " The pixels of the prototypes' training patches are withheld from this bundle."
    return " The bundle holds the training patches behind its prototypes."


def _scaling(spec: InputSpec) -> list[str]:
    if spec.body_height_mm is None:
        return []
    return [
        f"- Crops are scaled so that the body should be {spec.body_height_mm:g} mm tall, by its "
        "level and the distances of its neighbors' centroids; millimeters here are those of the "
        "scaled crop."
    ]


def _simulated(trained: Trained) -> str:
    marked = trained.data.simulated
    if marked is None:
        return ""
    return (
        f" {int(marked.sum())} of {len(marked)} training crops are healthy ones with a simulated "
        "fracture; no prototype comes from them."
    )


def _placing(trained: Trained) -> str:
    spec, field = trained.config.input, trained.model.trunk.field
    mm = spec.extent_mm / spec.size
    cells = round(spec.size / field.stride)
    return (
        f"A cell of the {' x '.join([str(cells)] * spec.axes)} grid stands for "
        f"{field.stride * mm:.0f} mm and sees at most {field.size * mm:.0f} mm of the "
        f"{spec.extent_mm:.0f} mm crop. Its place says where the network found something, to "
        "within that field, and no more."
    )
