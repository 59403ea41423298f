"""``spinexplain summarize``: what an archive holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from spinexplain.jobs.batch.drift import TrainingValues


def command(
    out: Annotated[Path, typer.Argument(help="Folder that batch wrote.")],
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", metavar="FOLDER", help="Earlier batch to look for drift against."
        ),
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(
            "--training",
            metavar="JSON",
            help="OUT/training.json of an earlier call, where the model is not a shipped one.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="RUN", help="That graded; with --cohort.")
    ] = None,
    cohort: Annotated[
        Path | None,
        typer.Option("--cohort", metavar="COHORT", help="That RUN learned from, to measure it."),
    ] = None,
) -> None:
    """Count fractures by level, age and sex, refusals by reason, and drift.

    Drift is looked for against what the model learned from: known of the shipped model, of
    others measured with --model RUN --cohort COHORT and kept in OUT/training.json.

    Writes OUT/summary.json and OUT/archive.html.

    Example: spinexplain summarize graded --reference last-year
    """
    from spinexplain.io.files import atomic_file
    from spinexplain.jobs.batch.drift import in_words
    from spinexplain.jobs.batch.index import read_index
    from spinexplain.jobs.batch.prevalence import summarize
    from spinexplain.report.archive_page import write_archive_page

    tables = read_index(out)
    known = _training(out, set(tables[0]["model_sha256"].dropna()), training, model, cohort)
    figures = summarize(*tables, read_index(reference) if reference else None, known)
    with atomic_file(out / "summary.json") as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    page = write_archive_page(figures, out)
    counts = figures["scans"]
    typer.echo(
        f"{sum(counts.values())} scans, {counts.get('graded', 0)} graded, "
        f"{figures['with_fracture']} with a fracture by the model: {page}"
    )
    if figures["training"] is None:
        typer.echo("drift: what the model learned from is not known (--training)")
    else:
        for row in figures["training"]["rows"]:
            typer.echo(in_words(row))


def _training(
    out: Path, hashes: set[str], file: Path | None, model: str | None, cohort: Path | None
) -> TrainingValues | None:
    """Return what the model learned from: from a file, measured now, or bundled."""
    from spinexplain.errors import ConfigError
    from spinexplain.jobs.batch.drift import known_training, read_training

    if (model is None) != (cohort is None) or (file is not None and model is not None):
        raise ConfigError(
            "--model and --cohort go together, and not with --training; expected what the model "
            "learned from in one way. Leave the others out."
        )
    if file is not None:
        return read_training(file)
    if model is None or cohort is None:
        return known_training(hashes)
    return _measured(out, hashes, model, cohort)


def _measured(out: Path, hashes: set[str], model: str, cohort: Path) -> TrainingValues:
    """Measure what a model learned from and keep it beside the archive."""
    from spinexplain.cli.progress import shown_steps
    from spinexplain.data.cohort import Cohort
    from spinexplain.errors import ConfigError
    from spinexplain.io.json_file import write_json
    from spinexplain.jobs.batch.drift import dumped_training
    from spinexplain.jobs.batch.training_values import training_values
    from spinexplain.models.bundle.store import load_grader

    grader = load_grader(model)
    if hashes != {grader.info.sha256}:
        raise ConfigError(
            f'{out} was not graded by "{model}" alone; expected the model of the archive. Name '
            "that one with --model."
        )
    with shown_steps() as progress:
        known = training_values([Cohort.open(cohort)], grader, progress=progress)
    write_json(out / "training.json", dumped_training(known))
    return known
