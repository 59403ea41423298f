"""``spinexplain export``: a model bundle in, the same bundle with its network exported out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force
from spinexplain.jobs.export import ExportRequest, export_to_folder, in_words


def command(
    bundle: Annotated[
        str,
        typer.Argument(metavar="BUNDLE", help="Folder of a bundle or a run, or a shipped model."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="BUNDLE2", help="Folder to write.")],
    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration", metavar="COHORT", help="Cohort that decides on the precision."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Only this split of the cohort.")
    ] = None,
    at_most: Annotated[
        int, typer.Option("--at-most", min=1, help="Vertebrae of the cohort to use.")
    ] = 1000,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", help="Layer whose output is exported too; repeat for several."),
    ] = None,
    onnx: Annotated[
        bool, typer.Option("--onnx/--no-onnx", help="Keep model.onnx for other tools.")
    ] = True,
    force: Force = False,
) -> None:
    """Export a model's network, so that `grade` runs it without torch.

    Writes a copy of BUNDLE with model.onnx and the network for OpenVINO. With a calibration
    cohort the trunk runs in bf16 where that changes next to nothing, in fp32 otherwise;
    export.json says what was measured.

    Example: spinexplain export run/bundle -o exported --calibration cohort
    """
    request = ExportRequest(
        bundle, out, calibration, split, at_most, tuple(layer or ()), onnx, force
    )
    typer.echo(in_words(export_to_folder(request)))
    typer.echo(f"model: {out}")
