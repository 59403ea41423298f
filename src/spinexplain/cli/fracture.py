"""``spinexplain fracture``: a simulated fracture in any CT."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CtPath, Force, LabelScheme, Seed, Series


def command(
    ct: CtPath,
    labels: Annotated[Path, typer.Option("--labels", metavar="MASK", help="Vertebra mask.")],
    level: Annotated[str, typer.Option("--level", help="Which vertebra, e.g. L2.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write; must not exist.")],
    shape: Annotated[str, typer.Option("--shape", help="wedge, biconcave, crush.")] = "wedge",
    loss: Annotated[float, typer.Option("--loss", help="Share of the own height lost.")] = 0.35,
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
    from spinexplain.cli.fracturing import FractureRequest, fracture_to_folder

    request = FractureRequest(ct, labels, level, shape, loss, seed, series, label_scheme)
    fracture_to_folder(request, out, force)
    typer.echo(f"simulated {shape} of {level}: {out}")
