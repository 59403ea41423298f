"""Which units of a model speak for fracture: figures, pictures and the page to name them on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.analysis.dissection.dissect import Dissected, DissectionPlan
    from spinexplain.explainers.dissection.names import RaterNames
    from spinexplain.explainers.dissection.record import Dissection
    from spinexplain.models.grader import Grader


@dataclass(frozen=True)
class DissectRequest:
    """What ``dissect`` is asked for.

    Parameters
    ----------
    model : str
        A run, a bundle or a shipped model.
    cohort, out : Path
    layer : str, optional
        By default the trunk's last map.
    quantile : float, optional
        Level of the thresholds; by default the model's own.
    split : {"training", "validation"}
    mild : bool
        Whether G1 counts as fractured, whatever the model does.
    top : int
        Units shown with pictures.
    batch : int
        Vertebrae a forward pass.
    seed : int
    """

    model: str
    cohort: Path
    out: Path
    layer: str | None = None
    quantile: float | None = None
    split: str = "training"
    mild: bool = False
    top: int = 10
    batch: int = 16
    seed: int = 0
    force: bool = False


def command_line(request: DissectRequest) -> str:
    """Return the command that makes this dissection again, without folders.

    Examples
    --------
    >>> command_line(DissectRequest("runs/a", Path("in/cohort"), Path("out"), top=5))
    'spinexplain dissect a cohort -o out --top 5'
    """
    words = ["spinexplain", "dissect", Path(request.model).name, request.cohort.name]
    words += ["-o", request.out.name]
    words += ["--layer", request.layer] if request.layer else []
    words += ["--quantile", f"{request.quantile:g}"] if request.quantile is not None else []
    words += ["--split", request.split] if request.split != "training" else []
    words += ["--with-mild"] * request.mild
    words += ["--top", str(request.top)] if request.top != 10 else []
    return shlex.join(words)


def dissect_to_folder(request: DissectRequest, progress: Progress = SILENT) -> Dissection:
    """Dissect a model and write the folder, whole or not at all.

    Raises
    ------
    SpinexplainError
        If any input is wrong, the output exists, or ``force`` would drop names that raters
        gave units of another model or layer; nothing is written then.
    """
    from spinexplain.analysis.dissection.dissect import dissect
    from spinexplain.data.cohort import Cohort
    from spinexplain.explainers.dissection.names import read_names
    from spinexplain.io.files import output_folder
    from spinexplain.models.bundle.store import load_grader

    grader = load_grader(request.model, runtime="torch")
    plan = plan_for(request)
    with output_folder(request.out, force=request.force) as folder:
        # Refused before the pass, which may take hours.
        kept_names(request.out, grader, plan.layer)
        done = dissect(grader, Cohort.open(request.cohort), plan, progress)
        names = read_names(request.out, done.dissection.key)
        facts = {**done.dissection.facts, "command": command_line(request)}
        done = replace(done, dissection=replace(done.dissection, names=names, facts=facts))
        write_outputs(done, folder, plan.top, progress)
    return done.dissection


def write_outputs(done: Dissected, folder: Path, top: int, progress: Progress = SILENT) -> None:
    """Write figures, collages, slices, NIfTI files, names and the page into ``folder``."""
    from spinexplain.explainers.dissection.names import write_names
    from spinexplain.explainers.dissection.store import write_dissection
    from spinexplain.report.unit_files import write_collages, write_unit_files

    write_dissection(done.dissection, folder)
    if done.dissection.names:
        write_names(folder, done.dissection.names)
    write_pages(done.dissection, folder, top)
    write_collages(done.dissection, folder, top)
    placeless = write_unit_files(done, folder, progress=progress)
    if placeless:
        progress.note(
            f"warning: {placeless} of the strongest samples were drawn directly and lie in no "
            "patient: their slices are written, NIfTI files are not."
        )


def write_pages(dissection: Dissection, folder: Path, top: int) -> None:
    """Write the page on which clinicians name units, and the paper's table of units."""
    from spinexplain.report.concepts_html import write_concepts
    from spinexplain.report.unit_table import write_unit_table

    write_concepts(dissection, folder, top)
    write_unit_table(dissection, folder, top)


def kept_names(out: Path, grader: Grader, layer: str | None) -> tuple[RaterNames, ...]:
    """Return the names raters gave in the folder that is to be replaced.

    Raises
    ------
    ModelError
        If there is no such layer.
    ConfigError
        If they are of another model or layer: they would be lost.
    """
    from spinexplain.analysis.dissection.dissect import layer_to_dissect
    from spinexplain.explainers.dissection.names import read_names
    from spinexplain.explainers.dissection.record import names_key, weights_hash
    from spinexplain.explainers.hooks import find_layer

    chosen = layer or layer_to_dissect(grader.model, grader.spec.axes)
    find_layer(grader.model, chosen)
    return read_names(out, names_key(weights_hash(grader.info), chosen))


def plan_for(request: DissectRequest) -> DissectionPlan:
    """Fill in what the model's bundle says: its quantile, its task, the fractures it saw."""
    from spinexplain.analysis.dissection.dissect import DissectionPlan
    from spinexplain.models.bundle.folder import locate, read_description

    description = read_description(locate(request.model))
    config = description.training.get("config")
    known = config if isinstance(config, dict) else {}
    level = request.quantile
    if level is None:
        level = float(known.get("dissection", {}).get("quantile", 0.995))
    fractured = description.task.fracture_grades
    learned = fractures_of(description.training.get("vertebrae"), fractured)
    mild = request.mild or "G1" in fractured
    plan = DissectionPlan(
        request.layer,
        level,
        request.split,
        mild,
        batch=request.batch,
        top=request.top,
        seed=request.seed,
    )
    return replace(plan, learned_fractures=learned)


def fractures_of(vertebrae: object, fractured: Sequence[str]) -> int | None:
    """Count the fractures a network was trained on; None where its bundle does not say.

    Examples
    --------
    >>> fractures_of({"G0": 30, "G1": 4, "G2": 3, "G3": 2}, ["G2", "G3"])
    5
    """
    if not isinstance(vertebrae, dict):
        return None
    return sum(int(vertebrae.get(grade, 0)) for grade in fractured)


def in_words(dissection: Dissection) -> str:
    """Say in one line what was found."""
    from spinexplain.explainers.dissection.explain import unit_title

    facts, statistics = dissection.facts, dissection.statistics
    tied = int(((statistics.q < 0.05) & (statistics.contrast > 0) & (statistics.rank > 0)).sum())
    top = ", ".join(unit_title(dissection, unit) for unit in dissection.top(3))
    silent = int((dissection.states == "silent").sum())
    return (
        f'{dissection.units} units of layer "{dissection.layer}" on {facts["samples"]} vertebrae '
        f"({facts['positives']} fractured): {tied} tied to fracture (q < 0.05), {silent} silent. "
        f"First: {top or 'none'}."
    )
