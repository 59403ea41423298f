"""``spinexplain dissect``: find out what every unit of a layer responds to."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import CohortPath, Force, Seed
from spinexplain.cli.progress import printable, shown_phases

if TYPE_CHECKING:
    from spinexplain.analysis.dissection.dissect import Dissected, DissectionPlan
    from spinexplain.explainers.dissection.names import RaterNames
    from spinexplain.explainers.dissection.record import Dissection
    from spinexplain.models.grader import Grader


def command(
    model: Annotated[
        str, typer.Argument(metavar="RUN", help="What `train` wrote, a bundle or a shipped model.")
    ],
    cohort: CohortPath,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DISSECTION", help="Folder to write.")
    ],
    layer: Annotated[
        str | None, typer.Option("--layer", help="Which layer; by default the trunk's last map.")
    ] = None,
    quantile: Annotated[
        float | None,
        typer.Option("--quantile", help="Level of the thresholds; by default the model's own."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="training or validation; never test.")
    ] = "training",
    mild: Annotated[
        bool, typer.Option("--with-mild", help="Count G1 as fractured, whatever the model does.")
    ] = False,
    top: Annotated[int, typer.Option("--top", min=1, help="Units shown with pictures.")] = 10,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Vertebrae a forward pass.")] = 16,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Dissect a model: which units speak for fracture, what drives them, where they lie.

    Writes DISSECTION/concepts.html (a page on which clinicians name units), table2.html (the
    paper's table 2), dissection.json and units.csv (every figure), collages/ of the top units,
    and units/ with every slice and NIfTI files of the five strongest samples of the five
    strongest units. Names that raters gave units are kept when the same model is dissected
    again with --force.

    Example: spinexplain dissect run cohort -o dissection
    """
    from spinexplain.analysis.dissection.dissect import DissectionPlan
    from spinexplain.texts.catalogue import load_catalogue

    plan = DissectionPlan(layer, quantile, split, mild, batch=batch, top=top, seed=seed)
    words = ["spinexplain", "dissect", Path(model).name, cohort.name, "-o", out.name]
    words += ["--layer", layer] if layer else []
    words += ["--quantile", f"{quantile:g}"] if quantile is not None else []
    words += ["--split", split] if split != "training" else []
    words += ["--with-mild"] * mild + ["--top", str(top)] * (top != 10)
    with shown_phases() as advance:
        dissection = dissect_to_folder(
            model, cohort, out, plan, force=force, command_line=shlex.join(words), advance=advance
        )
    say = load_catalogue("en")
    for caution in dissection.cautions:
        # Said at every run: Python shows a warning of the same words once only.
        typer.echo(f"warning: {say(f'caution.{caution.key}', **caution.values)}", err=True)
    typer.echo(in_words(dissection))
    typer.echo(f"concept atlas: {printable(str(out / 'concepts.html'))}")


def dissect_to_folder(
    model: str,
    cohort: Path,
    out: Path,
    plan: DissectionPlan,
    *,
    force: bool = False,
    command_line: str = "",
    advance: Callable[[str, int, int], None] | None = None,
) -> Dissection:
    """Dissect a model and write the folder, whole or not at all.

    Raises
    ------
    SpinexplainError
        If any input is wrong, the output exists, or ``force`` would drop names that raters
        gave units of another model or layer; nothing is written then.
    """
    from dataclasses import replace

    from spinexplain.analysis.dissection.dissect import dissect
    from spinexplain.data.cohort import Cohort
    from spinexplain.explainers.dissection.names import read_names
    from spinexplain.io.files import output_folder
    from spinexplain.models.bundle.store import load_grader

    grader = load_grader(model, runtime="torch")
    plan = plan_for(model, plan)
    with output_folder(out, force=force) as folder:
        kept_names(out, grader, plan.layer)  # refused before the pass, which may take hours
        done = dissect(grader, Cohort.open(cohort), plan, advance)
        names = read_names(out, done.dissection.key)
        facts = {**done.dissection.facts, "command": command_line}
        done = replace(done, dissection=replace(done.dissection, names=names, facts=facts))
        write_outputs(done, folder, plan.top, advance)
    return done.dissection


def write_outputs(
    done: Dissected,
    folder: Path,
    top: int,
    advance: Callable[[str, int, int], None] | None,
) -> None:
    """Write figures, collages, slices, NIfTI files, names and the page into ``folder``."""
    from spinexplain.explainers.dissection.names import write_names
    from spinexplain.explainers.dissection.store import write_dissection
    from spinexplain.report.concepts_html import write_concepts
    from spinexplain.report.unit_files import write_collages, write_unit_files
    from spinexplain.report.unit_table import write_unit_table

    write_dissection(done.dissection, folder)
    if done.dissection.names:
        write_names(folder, done.dissection.names)
    write_collages(done.dissection, folder, top)
    placeless = write_unit_files(done, folder, progress=advance)
    if placeless:
        typer.echo(
            f"warning: {placeless} of the strongest samples were drawn directly and lie in no "
            "patient: their slices are written, NIfTI files are not.",
            err=True,
        )
    write_concepts(done.dissection, folder, top)
    write_unit_table(done.dissection, folder, top)


def kept_names(out: Path, grader: Grader, layer: str | None) -> tuple[RaterNames, ...]:
    """Return the names raters gave in the folder that is to be replaced.

    Raises
    ------
    ModelError
        If there is no such layer.
    ConfigError
        If they are of another model or layer: they would be lost.
    """
    from spinexplain.explainers.cam import default_layer
    from spinexplain.explainers.dissection.names import read_names
    from spinexplain.explainers.dissection.record import names_key, weights_hash
    from spinexplain.explainers.hooks import find_layer

    chosen = layer or default_layer(grader.model, grader.spec.axes)
    find_layer(grader.model, chosen)
    return read_names(out, names_key(weights_hash(grader.info), chosen))


def plan_for(model: str, plan: DissectionPlan) -> DissectionPlan:
    """Fill in what the model tells of itself: its quantile, its task, the fractures it saw."""
    from dataclasses import replace

    from spinexplain.config.tasks import healthy_class
    from spinexplain.models.bundle.folder import locate, read_description

    description = read_description(locate(model))
    config = description.training.get("config")
    known = config if isinstance(config, dict) else {}
    level = plan.quantile
    if level is None:
        level = float(known.get("dissection", {}).get("quantile", 0.995))
    grades = known.get("grades") or {name: [name] for name in description.classes}
    fractured = fractured_grades(grades, healthy_class(description.classes))
    learned = fractures_of(description.training.get("vertebrae"), fractured)
    mild = plan.mild or "G1" in fractured
    return replace(plan, quantile=level, mild=mild, learned_fractures=learned)


def fractured_grades(grades: Mapping[str, Sequence[str]], healthy: str) -> list[str]:
    """Return the Genant grades that a model calls a fracture, whatever the classes' order.

    Examples
    --------
    >>> fractured_grades({"fracture": ["G2", "G3"], "no fracture": ["G0"]}, "no fracture")
    ['G2', 'G3']
    """
    return [grade for name, of in grades.items() if name != healthy for grade in of]


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
