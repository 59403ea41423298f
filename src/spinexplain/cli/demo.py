"""``spinexplain demo``: the newcomer's tour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.grade import STAGES
from spinexplain.cli.options import Force, Seed
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.demo import DemoRequest, grade_examples


def command(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the reports.")] = Path(
        "demo-output"
    ),
    force: Force = False,
    seed: Seed = 7,
) -> None:
    """Grade two real CTs, one of them also bare, and a phantom; say where the reports are.

    The scans are part of the package; nothing is downloaded.

    Example: spinexplain demo -o demo-output
    """
    with shown_stages("demo", 4 * STAGES) as progress:
        stops = grade_examples(DemoRequest(out, seed, force), progress)
    for stop in stops:
        typer.echo(f"\n{stop.title}\n  {stop.summary}\n  {stop.report}")
    typer.echo("\nOpen a report in your browser. These grades come from a model trained on")
    typer.echo("synthetic spines only; they are not validated on patients.")
