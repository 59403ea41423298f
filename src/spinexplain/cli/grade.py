"""``spinexplain grade``: a CT in, an explained report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CtPath, Force, LabelScheme, LabelsPath, Series


def command(
    ct: CtPath,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write; must not exist.")],
    labels: LabelsPath = None,
    centroids: Annotated[
        Path | None,
        typer.Option("--centroids", metavar="JSON", help="Vertebra centres, VerSe's *_ctd.json."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="Bundle folder or shipped model; repeat to compare."),
    ] = None,
    series: Series = None,
    label_scheme: LabelScheme = None,
    all_heatmaps: Annotated[
        bool, typer.Option("--all-heatmaps", help="Heat maps of healthy vertebrae too.")
    ] = False,
    full_grid: Annotated[
        bool, typer.Option("--full-grid", help="Heat maps on the whole grid of the CT.")
    ] = False,
    force: Force = False,
) -> None:
    """Grade every thoracic and lumbar vertebra of CT and explain why.

    Writes OUT/result.json, OUT/report.html and OUT/heatmaps/*.nii.gz.

    Example: spinexplain grade ct.nii.gz --labels vertebrae.nii.gz -o report
    """
    from spinexplain.cli.grading import GradeRequest, grade_to_folder, in_words

    request = GradeRequest(
        ct=ct,
        out=out,
        labels=labels,
        centroids=centroids,
        models=tuple(model or ()),
        series=series,
        label_scheme=label_scheme,
        all_heatmaps=all_heatmaps,
        full_grid=full_grid,
        force=force,
    )
    findings = grade_to_folder(request)
    typer.echo(in_words(findings))
    typer.echo(f"report: {out / 'report.html'}")
