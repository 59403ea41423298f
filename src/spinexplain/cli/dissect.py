"""``spinexplain dissect``: find out what every unit of a layer responds to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CohortPath, Force, Run, Seed
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.dissect import DissectRequest, dissect_to_folder, in_words
from spinexplain.texts.printable import printable


def command(
    model: Run,
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
    from spinexplain.texts.catalogue import load_catalogue

    request = DissectRequest(
        model, cohort, out, layer, quantile, split, mild, top, batch, seed, force
    )
    with shown_steps() as progress:
        dissection = dissect_to_folder(request, progress)
    say = load_catalogue("en")
    for caution in dissection.cautions:
        # Printed at every run: Python shows a warning of the same words once only.
        typer.echo(f"warning: {say(f'caution.{caution.key}', **caution.values)}", err=True)
    typer.echo(in_words(dissection))
    typer.echo(f"concept atlas: {printable(str(out / 'concepts.html'))}")
