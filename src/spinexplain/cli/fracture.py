"""``spinexplain fracture``: a simulated fracture in any CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CtPath, Force, LabelScheme, Seed, Series
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.fracture import FractureRequest, fracture_to_folder


def command(
    ct: CtPath,
    labels: Annotated[Path, typer.Option("--labels", metavar="MASK", help="Vertebra mask.")],
    level: Annotated[str, typer.Option("--level", help="Which vertebra, e.g. L2.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write; must not exist.")],
    shape: Annotated[
        str, typer.Option("--shape", help="wedge, biconcave, crush or mixed.")
    ] = "wedge",
    loss: Annotated[float, typer.Option("--loss", help="Share of the own height lost.")] = 0.35,
    impaction: Annotated[
        bool, typer.Option("--impaction", help="Pack the lost bone into a dense band, as if fresh.")
    ] = False,
    seed: Seed = 0,
    series: Series = None,
    label_scheme: LabelScheme = None,
    force: Force = False,
) -> None:
    """Fracture one vertebra of a real or phantom CT by a smooth displacement field.

    Writes ct.nii.gz, labels.nii.gz, centroids.json and evidence.nii.gz (what moved). The
    result is a simulated fracture: say so wherever it is shown.

    Example: spinexplain fracture ct.nii.gz --labels m.nii.gz --level L2 --loss 0.35 -o out
    """
    request = FractureRequest(
        ct=ct,
        labels=labels,
        level=level,
        out=out,
        shape=shape,
        loss=loss,
        seed=seed,
        series=series,
        label_scheme=label_scheme,
        impaction=float(impaction),
        force=force,
    )
    with shown_stages(ct.name, 3) as progress:
        fracture_to_folder(request, progress)
    typer.echo(f"simulated {shape} of {level}: {out}")
