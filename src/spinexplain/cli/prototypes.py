"""``spinexplain prototypes``: look into a prototype model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import Force
from spinexplain.cli.progress import printable, shown_phases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinexplain.analysis.atlas.record import ModelAtlas
    from spinexplain.cli.progress import Advance

Cohorts = Annotated[
    list[Path] | None,
    typer.Option(
        "--cohort",
        metavar="COHORT",
        help="What RUN was trained on, if it moved or RUN does not know; repeat for several.",
    ),
]


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="What `train` wrote, a bundle or a shipped model.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="ATLAS", help="Folder to write.")],
    cohort: Cohorts = None,
    split: Annotated[
        str | None,
        typer.Option("--split", help="Which split it learned from; `all` for the whole cohort."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="BUNDLE", help="RUN's model, if not RUN/bundle."),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option("--beside", metavar="RUN2", help="A second model, e.g. protopnet's run."),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Leave the pixels of training crops out.")
    ] = False,
    force: Force = False,
) -> None:
    """Make an atlas of a model's prototypes: what they are, what they do, how alike they are.

    Writes ATLAS/atlas.html (one self-contained page), ATLAS/atlas.json (every number) and
    ATLAS/atlas.safetensors (vectors and cosine matrices).

    Example: spinexplain prototypes run -o atlas --beside protopnet-run
    """
    from spinexplain.report.atlas_html import write_atlas

    with shown_phases() as advance:
        atlas = atlas_of(run, cohort or [], split, bundle, redact, advance)
        other = (
            None if beside is None else atlas_of(beside, cohort or [], split, None, redact, advance)
        )
    again = ["spinexplain", "prototypes", run, "-o", str(out)]
    again += [part for path in cohort or [] for part in ("--cohort", str(path))]
    again += [] if beside is None else ["--beside", beside]
    write_atlas(atlas, out, other, shlex.join(again), force=force)
    typer.echo(in_words(atlas))
    typer.echo(f"atlas: {printable(str(out / 'atlas.html'))}")


def atlas_of(
    run: str,
    cohorts: Sequence[Path],
    split: str | None,
    bundle: Path | None,
    redact: bool,
    advance: Advance,
) -> ModelAtlas:
    """Open a run and measure its prototypes on the crops it learned from, where they are known.

    Raises
    ------
    SpinexplainError
        If the run or a cohort is missing or broken, or they do not belong together.
    """
    from spinexplain.analysis.atlas.build import measure_atlas
    from spinexplain.analysis.atlas.crops import training_data
    from spinexplain.data.cohort import Cohort
    from spinexplain.train.grading.run_folder import open_run

    opened = open_run(run, bundle)
    paths = list(cohorts) or ([] if opened.cohort is None else [opened.cohort])
    part = opened.split if split is None else None if split == "all" else split
    data = training_data(opened, [Cohort.open(path) for path in paths], part) if paths else None

    def show(stage: str, done: int, total: int) -> None:
        advance(f"{printable(opened.grader.info.name)}: {stage}", done, total)

    return measure_atlas(opened, data, withheld=redact, progress=show)


def in_words(atlas: ModelAtlas) -> str:
    """Say in one line what was found."""
    from spinexplain.report.atlas_words import sentences
    from spinexplain.texts.catalogue import load_catalogue

    said = sentences(atlas, load_catalogue())
    return said[0] if said else f"{len(atlas.prototypes)} prototypes"
