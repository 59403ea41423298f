"""``spinexplain grade``: a CT in, an explained report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import (
    BodyPath,
    CentroidsPath,
    CtPath,
    FirstLevel,
    Force,
    LabelScheme,
    LabelsPath,
    Series,
)
from spinexplain.cli.progress import shown_stages
from spinexplain.jobs.grade import GradeRequest, grade_to_folder, in_words
from spinexplain.texts.printable import printable

STAGES = 9
"""Read, the seven stages of grading, write."""


def command(
    ct: CtPath,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write; must not exist.")],
    labels: LabelsPath = None,
    centroids: CentroidsPath = None,
    centroid_convention: Annotated[
        str | None,
        typer.Option(
            "--centroid-convention",
            help="How a centroid list without direction counts: voxel, miccai2019, miccai2020.",
        ),
    ] = None,
    body: BodyPath = None,
    localizer: Annotated[
        str | None,
        typer.Option(
            "--localizer",
            help="Who finds the vertebrae: own (also where nothing is given), totalsegmentator, "
            "spine-segment or your tool.",
        ),
    ] = None,
    first_level: FirstLevel = None,
    localizer_config: Annotated[
        Path | None,
        typer.Option("--localizer-config", metavar="TOML", help="How to call your own tool."),
    ] = None,
    localizer_minutes: Annotated[
        float, typer.Option("--localizer-minutes", min=0.01, help="Time limit of the tool.")
    ] = 120.0,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model", help="Folder of a bundle or a run, or a shipped model; repeat to compare."
        ),
    ] = None,
    dissection: Annotated[
        list[Path] | None,
        typer.Option(
            "--dissection",
            metavar="DISSECTION",
            help="What `dissect` wrote of a model given: explain it by its units.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="Where the models run: cpu or cuda.")
    ] = "cpu",
    series: Series = None,
    label_scheme: LabelScheme = None,
    all_heatmaps: Annotated[
        bool, typer.Option("--all-heatmaps", help="Heat maps of healthy vertebrae too.")
    ] = False,
    full_grid: Annotated[
        bool, typer.Option("--full-grid", help="Heat maps on the whole grid of the CT.")
    ] = False,
    dicom_out: Annotated[
        Path | None,
        typer.Option(
            "--dicom-out",
            metavar="FOLDER",
            help="Also write DICOM and FHIR results here; CT must be a DICOM series.",
        ),
    ] = None,
    dicom_replaces: Annotated[
        Path | None,
        typer.Option(
            "--dicom-replaces",
            metavar="FOLDER",
            help="Earlier --dicom-out folder of this scan, which the new result replaces.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Grade every thoracic and lumbar vertebra of CT and explain why.

    Writes OUT/result.json, OUT/report.html and OUT/heatmaps/*.nii.gz. Without a mask or
    centroids the vertebrae are found first.

    Example: spinexplain grade ct.nii.gz -o report
    """
    request = GradeRequest(
        ct=ct,
        out=out,
        labels=labels,
        centroids=centroids,
        centroid_convention=centroid_convention,
        body=body,
        localizer=localizer,
        localizer_config=localizer_config,
        localizer_minutes=localizer_minutes,
        first_level=first_level,
        localized_folder=Path(typer.get_app_dir("spinexplain")) / "localized",
        models=tuple(model or ()),
        dissections=tuple(dissection or ()),
        device=device,
        series=series,
        label_scheme=label_scheme,
        all_heatmaps=all_heatmaps,
        full_grid=full_grid,
        dicom_out=dicom_out,
        dicom_replaces=dicom_replaces,
        force=force,
    )
    with shown_stages(ct.name, STAGES) as progress:
        findings = grade_to_folder(request, progress)
    typer.echo(in_words(findings))
    typer.echo(f"report: {printable(str(out / 'report.html'))}")
    if dicom_out is not None:
        typer.echo(f"dicom: {printable(str(dicom_out))}")
