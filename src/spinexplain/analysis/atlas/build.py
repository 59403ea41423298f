"""Look into a prototype model: what its prototypes are, what they do, and to whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from spinexplain.analysis.atlas.crops import AtlasData
from spinexplain.analysis.atlas.embedding import embed, typical_pair
from spinexplain.analysis.atlas.passes import Sweep, structure_shares, sweep
from spinexplain.analysis.atlas.record import AtlasPatch, ModelAtlas, PrototypeEntry
from spinexplain.data.crops.dataset import TrainingSet, provenance_of
from spinexplain.errors import ModelError
from spinexplain.evaluate.prototypes import usage, winner_share
from spinexplain.explainers.prototypes import prototype_name
from spinexplain.models.inputs import network_input
from spinexplain.models.receptive import upsample_map
from spinexplain.progress import SILENT, Progress
from spinexplain.train.grading.augment import plain_crops
from spinexplain.train.grading.run_folder import OpenedRun

NEIGHBORS = 10
SAME_PATCH = 1e-3


def measure_atlas(
    run: OpenedRun,
    data: AtlasData | None = None,
    withheld: bool = False,
    progress: Progress = SILENT,
) -> ModelAtlas:
    """Measure a prototype model on the crops it learned from.

    Parameters
    ----------
    run : OpenedRun
    data : AtlasData, optional
        Without it, the atlas holds what the bundle alone says.
    withheld : bool
        Leave the pixels of training crops out, as is done where the bundle has none either.
    progress : Progress
        Hears ``crops`` and ``structures``, step by step.

    Raises
    ------
    ModelError
        If a prototype is not the patch of these crops that the bundle says it is.
    """
    withheld = withheld or any(exemplar.array is None for exemplar in run.grader.exemplars)
    atlas = _from_bundle(run, withheld)
    if data is None:
        return replace(atlas, notes=(*atlas.notes, "no_cohort"))
    seen = sweep(run.model, data.training, run.grader.spec, run.grader.task, progress)
    shares, area, crops = structure_shares(run.model, data, seen, run.grader.spec, progress)
    entries = _measured_entries(run, data.training, atlas.prototypes, seen, withheld)
    classes = run.grader.classes
    distance, raw, centered = typical_pair(seen.winners, seen.labels, seen.center, seed=0)
    return replace(
        atlas,
        prototypes=tuple(
            replace(entry, structures=own) for entry, own in zip(entries, shares, strict=True)
        ),
        center=seen.center,
        patch_distance=distance,
        patch_cosine=(raw, centered),
        embedding=embed(seen.winners, seen.labels, classes, atlas.before, atlas.after, seed=0),
        crops={name: int(np.sum(seen.labels == i)) for i, name in enumerate(classes)},
        structure_crops=crops,
        structure_area=area,
        cohorts=tuple(dict.fromkeys(cohort.path.name for cohort, _ in data.places)),
    )


def _from_bundle(run: OpenedRun, withheld: bool) -> ModelAtlas:
    model, spec, info = run.model, run.grader.spec, run.grader.info
    after = model.prototypes.detach().cpu().double().numpy()
    mm = spec.extent_mm / spec.size
    entries = _bare_entries(run, withheld)
    return ModelAtlas(
        info=info,
        prototypes=_with_travel(entries, run.before, after),
        before=run.before,
        after=after,
        center=None,
        patch_distance=None,
        patch_cosine=None,
        embedding=None,
        crops={},
        structure_crops=0,
        extent_mm=spec.extent_mm,
        grid=_grid(run),
        field_mm=model.trunk.field.size * mm,
        stride_mm=model.trunk.field.stride * mm,
        start_mm=(model.trunk.field.start + 0.5) * mm,
        reliability=_reliability(run),
        withheld=withheld,
        notes=(
            *(() if spec.body_height_mm is None else ("scaled",)),
            *(() if run.before is not None else ("no_run",)),
        ),
    )


def _bare_entries(run: OpenedRun, withheld: bool) -> list[PrototypeEntry]:
    owner, connections = _owner(run), _connections(run)
    entries = []
    for index, exemplar in enumerate(run.grader.exemplars):
        class_name = run.grader.classes[owner[index]]
        source = AtlasPatch(
            provenance=exemplar.provenance,
            cell=exemplar.cell,
            similarity=float(run.model.similarity_of(torch.zeros(()))),
            distance=0.0,
            array=None if withheld else exemplar.array,
            heatmap=exemplar.heatmap,
        )
        weights = {name: float(connections[k, index]) for k, name in enumerate(run.grader.classes)}
        name = prototype_name(run.grader.classes, owner, index, run.model.parts)
        entries.append(PrototypeEntry(name, class_name, source, weights))
    return entries


def _measured_entries(
    run: OpenedRun,
    training: TrainingSet,
    entries: Sequence[PrototypeEntry],
    seen: Sweep,
    withheld: bool,
) -> list[PrototypeEntry]:
    """Add sources, neighbors, winner shares and usage on the training crops."""
    rows, owner = _source_rows(run, training), _owner(run)
    winners = winner_share(seen.similarities, seen.labels, owner)
    used = usage(seen.similarities, _connections(run), owner)
    return [
        replace(
            entry,
            source=_patch(run, training, rows[index], index, seen, withheld),
            neighbors=_neighbors(run, training, rows[index], index, seen, withheld),
            winner_share=_number(winners[index]),
            usage=_number(used[index]),
        )
        for index, entry in enumerate(entries)
    ]


def _with_travel(
    entries: Iterable[PrototypeEntry], before: np.ndarray | None, after: np.ndarray
) -> tuple[PrototypeEntry, ...]:
    if before is None:
        return tuple(entries)
    travelled = np.linalg.norm(after - before, axis=1)
    return tuple(
        replace(entry, travelled=float(way)) for entry, way in zip(entries, travelled, strict=True)
    )


def _owner(run: OpenedRun) -> np.ndarray:
    return run.model.prototype_class.cpu().numpy()


def _connections(run: OpenedRun) -> np.ndarray:
    return run.model.last_layer.weight.detach().cpu().double().numpy()


def _grid(run: OpenedRun) -> tuple[int, ...]:
    spec = run.grader.spec
    x = torch.zeros(1, len(spec.channels), *(spec.size,) * spec.axes)
    with torch.no_grad():
        return tuple(run.model.trunk(x).shape[2:])


def _reliability(run: OpenedRun) -> dict[str, dict[str, float]]:
    stated = run.description.training.get("reliability")
    tables = stated if isinstance(stated, dict) else {}
    return {
        str(name): {str(k): float(v) for k, v in row.items() if isinstance(v, int | float)}
        for name, row in tables.items()
        if isinstance(row, dict)
    }


@torch.no_grad()
def _source_rows(run: OpenedRun, data: TrainingSet) -> list[int]:
    """Find the row every prototype was taken from, and check that its patch is the prototype."""
    rows = []
    for index, exemplar in enumerate(run.grader.exemplars):
        source = exemplar.provenance
        named = (
            (data.subjects == source.subject)
            & (data.series == source.series)
            & (data.levels == source.level)
        )
        candidates = np.flatnonzero(named)
        distances = [_gap(run, data, int(row), exemplar.cell, index) for row in candidates]
        if not distances or min(distances) > SAME_PATCH:
            found = "is not in it" if not distances else "looks different in it"
            raise ModelError(
                f"this is not the cohort that model {run.grader.info.name!r} learned from: "
                f"{source.subject} {source.level}, the crop behind prototype {index + 1}, "
                f"{found}. Name the cohort and --split it was trained on."
            )
        rows.append(int(candidates[int(np.argmin(distances))]))
    return rows


def _gap(
    run: OpenedRun, data: TrainingSet, row: int, cell: tuple[int, ...], prototype: int
) -> float:
    latent = run.model.latent(_inputs(run, data, row))[0].movedim(0, -1)
    if any(not 0 <= c < n for c, n in zip(cell, latent.shape[:-1], strict=True)):
        return float("inf")
    return float((latent[cell] - run.model.prototypes[prototype]).norm())


def _inputs(run: OpenedRun, data: TrainingSet, row: int) -> Tensor:
    crops = plain_crops(data, np.array([row]), run.grader.spec)
    return network_input(crops.hu, crops.centers, run.grader.spec)


@torch.no_grad()
def _patch(
    run: OpenedRun, data: TrainingSet, row: int, prototype: int, seen: Sweep, withheld: bool
) -> AtlasPatch:
    spec = run.grader.spec
    crops = plain_crops(data, np.array([row]), spec)
    x = network_input(crops.hu, crops.centers, spec)
    cells = run.model.similarity_maps(x)[0, prototype].numpy()
    shape = tuple(crops.hu.shape[1:])
    vector = run.model.latent(x)[0].movedim(0, -1)[seen.cell(row, prototype)]
    return AtlasPatch(
        provenance=provenance_of(data, row),
        cell=seen.cell(row, prototype),
        similarity=float(seen.similarities[row, prototype]),
        distance=float((vector - run.model.prototypes[prototype]).norm()),
        array=None if withheld else crops.hu[0].numpy(),
        heatmap=upsample_map(cells, shape, run.model.trunk.field, spec.size / shape[0]),
    )


def _neighbors(
    run: OpenedRun, data: TrainingSet, source: int, prototype: int, seen: Sweep, withheld: bool
) -> tuple[AtlasPatch, ...]:
    order = np.argsort(-seen.similarities[:, prototype], kind="stable")
    nearest = [int(row) for row in order if row != source][:NEIGHBORS]
    return tuple(_patch(run, data, row, prototype, seen, withheld) for row in nearest)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
