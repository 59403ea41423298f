"""Naming the units of a network as a study: several raters, nothing suggested beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinexplain.data.cohort import Cohort
from spinexplain.errors import ConfigError
from spinexplain.explainers.dissection.explain import relevant_maps
from spinexplain.explainers.dissection.grid import CellGrid
from spinexplain.explainers.dissection.record import BestSample, Dissection
from spinexplain.explainers.dissection.suggest import suggested_regions
from spinexplain.models.grader import Grader
from spinexplain.progress import SILENT, Progress
from spinexplain.study.asking import Question
from spinexplain.study.cases import case_patch, check_spec, target_mask
from spinexplain.study.create import item_ids
from spinexplain.study.orders import Planned, reader_plan
from spinexplain.study.record import (
    PICTURES,
    ArmKey,
    Item,
    ItemKey,
    Key,
    Piece,
    Study,
    UnitKey,
    View,
    write_study,
)
from spinexplain.study.unit_words import revealed
from spinexplain.study.views import PictureFolder, draw_view
from spinexplain.texts.catalogue import load_catalogue


@dataclass(frozen=True)
class UnitsPlan:
    """What a study of units shall hold.

    Parameters
    ----------
    title : str
    questions : tuple of Question
    units, pictures : int
        Units most tied to fracture, and the strongest vertebrae of each.
    readers, seed : int
    command : str
    """

    title: str
    questions: tuple[Question, ...]
    units: int = 10
    pictures: int = 6
    readers: int = 2
    seed: int = 0
    command: str = ""


def create_units_study(
    folder: Path,
    grader: Grader,
    cohort: Cohort,
    dissection: Dissection,
    plan: UnitsPlan,
    progress: Progress = SILENT,
) -> Study:
    """Make a study in which readers name units, in an existing empty folder.

    Every page is a unit: the vertebrae that drive it most, large, with its activation and the
    target outlined; a box scrolls through its planes from the strongest. Neither number, rank
    nor tie to fracture is shown; what anatomy suggests is revealed after the answers.

    Raises
    ------
    ModelError
        If the dissection is of another model.
    ConfigError
        If the cohort holds none of the dissection's vertebrae.
    """
    dissection.check_model(grader.info)
    check_spec(grader.spec)
    (folder / PICTURES).mkdir()
    pictures = PictureFolder(folder / PICTURES)
    rows = _rows(cohort, grader.spec.axes)
    units = dissection.top(plan.units)
    if not any(_row(rows, dissection, item) is not None for item in dissection.best):
        raise ConfigError(
            f"{cohort.path}: holds none of the vertebrae that drive the units; expected the cohort "
            f"that was dissected ({dissection.facts.get('cohort')}). Name that one."
        )
    names = item_ids(plan.seed, len(units))
    items, keys, known, reveal = [], {}, {}, {}
    for place, (name, unit) in enumerate(zip(names, units, strict=True), start=1):
        views = [
            _view(pictures, grader, cohort, dissection, item, _row(rows, dissection, item))
            for item in dissection.best_of(unit)[: plan.pictures]
        ]
        items.append(Item(id=name, pieces=tuple(Piece(exemplar=view) for view in views)))
        case = f"unit-{unit}"
        keys[name] = ItemKey(case=case, arm="units")
        known[case] = _unit_key(dissection, unit)
        reveal[name] = revealed(known[case])
        progress.step("drawing", place, len(units))
    study = _study(plan, items, keys, synthetic=bool(cohort.index["synthetic"].all()))
    key = _key(plan, grader, cohort, dissection, keys, known)
    return write_study(folder, study, key, reveal)


def _study(plan: UnitsPlan, items: list[Item], keys: dict[str, ItemKey], synthetic: bool) -> Study:
    order = [Planned(item.id, keys[item.id].case) for item in items]
    shuffled = np.random.default_rng([plan.seed, 83]).permutation(len(items))
    return Study(
        title=plan.title,
        kind="units",
        synthetic=synthetic,
        questions=plan.questions,
        items=tuple(items[k] for k in shuffled),
        readers=tuple(
            reader_plan(order, "evidence", number, plan.seed)
            for number in range(1, plan.readers + 1)
        ),
    )


def _key(
    plan: UnitsPlan,
    grader: Grader,
    cohort: Cohort,
    dissection: Dissection,
    keys: dict[str, ItemKey],
    known: dict[str, UnitKey],
) -> Key:
    info = grader.info
    arm = ArmKey(model=info.name, version=info.version, sha256=info.sha256, method="units")
    return Key(
        study="",
        seed=plan.seed,
        command=plan.command,
        cohort=cohort.path.name,
        top=plan.pictures,
        arms={"units": arm},
        cases={},
        items=keys,
        units=known,
        names_key=dissection.key,
        layer=dissection.layer,
    )


def _rows(cohort: Cohort, axes: int) -> dict[tuple[str, ...], int]:
    """Return where each vertebra with patches stands in the cohort, twins left out."""
    use = cohort.has(f"patches_{axes}d") & ~cohort.index["healthy_twin"].to_numpy(bool)
    named = cohort.index[["subject", "series", "level", "grade"]].to_numpy(str)
    return {tuple(named[row].tolist()): int(row) for row in np.flatnonzero(use)}


def _row(rows: dict[tuple[str, ...], int], dissection: Dissection, item: BestSample) -> int | None:
    source = dissection.sources[item.picture].provenance
    return rows.get((source.subject, source.series, source.level, source.grade))


def _view(
    pictures: PictureFolder,
    grader: Grader,
    cohort: Cohort,
    dissection: Dissection,
    item: BestSample,
    row: int | None,
) -> View:
    """Draw a vertebra with a unit's activation; where it is not in the cohort, its one slice."""
    if row is None:
        grid = dissection.grid
        flat = CellGrid(item.cells.shape, grid.side, grid.start, grid.step)
        shown = dissection.pictures[item.picture].astype(np.float32)
        return draw_view(
            pictures, shown, grader.spec.extent_mm / len(shown), flat.spread(item.cells)
        )
    patch = case_patch(cohort, row, grader.spec)
    heat = dissection.grid.spread(relevant_maps(grader, patch, dissection)[item.unit])
    mask = target_mask(cohort, row, grader.spec)
    return draw_view(pictures, patch.array, patch.frame.spacing_mm, heat, mask)


def _unit_key(dissection: Dissection, unit: int) -> UnitKey:
    statistics, say = dissection.statistics, load_catalogue()
    regions = suggested_regions(dissection.overlap, unit)
    words = [
        f"{say(f'region.{region}')} ({dissection.overlap.of(region, 'lift')[unit]:.1f} × chance)"
        for region in regions
    ]
    return UnitKey(
        unit=unit,
        rank=int(statistics.rank[unit]),
        contrast=float(statistics.contrast[unit]),
        q=float(statistics.q[unit]),
        suggestion=say.listed(words),
    )
