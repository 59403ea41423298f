"""``spinexplain prototypes``: look into a prototype model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force, Run
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.prototypes import PrototypesRequest, atlas_to_folder, in_words
from spinexplain.texts.printable import printable

Cohorts = Annotated[
    list[Path] | None,
    typer.Option(
        "--cohort",
        metavar="COHORT",
        help="What RUN was trained on, if it moved or RUN does not know; repeat for several.",
    ),
]


def command(
    run: Run,
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
    request = PrototypesRequest(run, out, tuple(cohort or ()), split, bundle, beside, redact, force)
    with shown_steps() as progress:
        atlas = atlas_to_folder(request, progress)
    typer.echo(in_words(atlas))
    typer.echo(f"atlas: {printable(str(out / 'atlas.html'))}")
