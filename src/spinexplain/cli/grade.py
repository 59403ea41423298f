"""``spinexplain grade``: a CT in, an explained report out."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import (
    BodyPath,
    CentroidsPath,
    CtPath,
    Force,
    LabelScheme,
    LabelsPath,
    Series,
)
from spinexplain.cli.progress import printable
from spinexplain.errors import LabelError

if TYPE_CHECKING:
    from spinexplain.explainers.dissection.record import Dissection
    from spinexplain.findings.scan import ScanFindings, ScanSource
    from spinexplain.types import LabelMap, Vertebra, Volume


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
        typer.Option("--localizer", help="Let totalsegmentator, spine-segment or your tool run."),
    ] = None,
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
    force: Force = False,
) -> None:
    """Grade every thoracic and lumbar vertebra of CT and explain why.

    Writes OUT/result.json, OUT/report.html and OUT/heatmaps/*.nii.gz.

    Example: spinexplain grade ct.nii.gz --labels vertebrae.nii.gz -o report
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
        models=tuple(model or ()),
        dissections=tuple(dissection or ()),
        device=device,
        series=series,
        label_scheme=label_scheme,
        all_heatmaps=all_heatmaps,
        full_grid=full_grid,
        force=force,
    )
    findings = grade_to_folder(request)
    typer.echo(in_words(findings))
    typer.echo(f"report: {printable(str(out / 'report.html'))}")


STAGES = 9


@dataclass(frozen=True)
class GradeRequest:
    """What ``grade`` was asked for; paths as the user gave them."""

    ct: Path
    out: Path
    labels: Path | None = None
    centroids: Path | None = None
    centroid_convention: str | None = None
    body: Path | None = None
    models: tuple[str, ...] = ()
    dissections: tuple[Path, ...] = ()
    device: str = "cpu"
    series: str | None = None
    label_scheme: str | None = None
    localizer: str | None = None
    localizer_config: Path | None = None
    localizer_minutes: float = 120.0
    all_heatmaps: bool = False
    full_grid: bool = False
    force: bool = False


@dataclass(frozen=True, eq=False)
class Inputs:
    """What was read from the request's files."""

    volume: Volume
    source: ScanSource
    labels: LabelMap | None
    centroids: Sequence[Vertebra] | None
    body: LabelMap | None


def grade_to_folder(request: GradeRequest, quiet: bool = False) -> ScanFindings:
    """Grade a CT and write the output folder, whole or not at all.

    Raises
    ------
    SpinexplainError
        If any input is wrong or the output exists; nothing is written then.
    """
    from spinexplain.cli.progress import shown_stages
    from spinexplain.findings.assess import SHIPPED_MODEL, grade
    from spinexplain.io.files import output_folder

    if request.labels is None and request.centroids is None and request.localizer is None:
        raise LabelError(
            "neither --labels nor --centroids was given; the vertebrae must be known before "
            "they can be graded. Give a mask, centroids, or a --localizer."
        )
    shown = nullcontext(_silent) if quiet else shown_stages(request.ct.name, STAGES)
    with output_folder(request.out, force=request.force) as folder, shown as stage:
        with stage("read"):
            inputs = read_inputs(request)
        findings = grade(
            inputs.volume,
            labels=inputs.labels,
            centroids=inputs.centroids,
            body=inputs.body,
            models=request.models or (SHIPPED_MODEL,),
            dissections=_dissections(request),
            device=request.device,
            source=inputs.source,
            settings={
                "command": command_line(request),
                "level_names": "centroids" if request.centroids else "mask",
            },
            stage=stage,
        )
        with stage("write"):
            write_outputs(findings, folder, request)
    return findings


def _dissections(request: GradeRequest) -> list[Dissection]:
    if not request.dissections:
        return []
    from spinexplain.explainers.dissection.store import read_dissection

    return [read_dissection(folder) for folder in request.dissections]


def _silent(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def read_inputs(request: GradeRequest) -> Inputs:
    """Read the CT and whatever names its vertebrae."""
    from spinexplain.findings.scan import ScanSource
    from spinexplain.io.centroids import read_centroids
    from spinexplain.io.read import is_dicom, read_body, read_identified_scan, read_mask

    volume, digest = read_identified_scan(request.ct, series=request.series)
    # Folders and zips of exported DICOM are often named after the patient.
    name = f"DICOM {digest[:8]}" if is_dicom(request.ct) else request.ct.name
    source = ScanSource(
        name=printable(name),
        sha256=digest,
        shape=volume.array.shape,
        spacing_mm=volume.spacing_mm,
    )
    request, body_scheme = _localized(request, volume)
    labels = read_mask(request.labels, scheme=request.label_scheme) if request.labels else None
    centroids = None
    if request.centroids is not None:
        centroids = read_centroids(request.centroids, volume, request.centroid_convention)
    body = read_body(request.body, scheme=body_scheme) if request.body else None
    return Inputs(volume, source, labels, centroids, body)


def _localized(request: GradeRequest, volume: Volume) -> tuple[GradeRequest, str | None]:
    """Fill in what a localizer finds, where one was asked for and nothing else was given."""
    if request.localizer is None:
        return request, None
    from spinexplain.spine.localizers import run_localizer

    found = run_localizer(
        request.localizer,
        request.ct,
        Path(typer.get_app_dir("spinexplain")) / "localized",
        timeout_s=60 * request.localizer_minutes,
        progress=lambda line: typer.echo(line, err=True),
        series=request.series,
        config=request.localizer_config,
        volume=volume,
    )
    filled = replace(
        request,
        labels=request.labels or found.labels,
        label_scheme=request.label_scheme if request.labels else found.scheme,
        body=request.body or found.body,
    )
    return filled, None if request.body else found.body_scheme


def write_outputs(findings: ScanFindings, folder: Path, request: GradeRequest) -> None:
    """Write heat maps, result.json and the report into ``folder``."""
    from spinexplain.report.html import write_report
    from spinexplain.results.heatmaps import write_heatmaps
    from spinexplain.results.result_json import write_result

    which = "all" if request.all_heatmaps else "suspicious"
    paths = write_heatmaps(findings, folder, which=which, full_grid=request.full_grid)
    write_result(findings, folder, paths)
    write_report(findings, folder)


def command_line(request: GradeRequest) -> str:
    """Return the command that makes this output again, with file names only.

    Folders, and the names of DICOM folders and zips, are left out, because they may say who
    the patient is.

    Examples
    --------
    >>> command_line(GradeRequest(Path("in/ct 1.nii.gz"), Path("out"), labels=Path("m.nii")))
    "spinexplain grade 'ct 1.nii.gz' --labels m.nii -o out"
    """
    is_nifti = request.ct.name.endswith((".nii", ".nii.gz"))
    words = ["spinexplain", "grade", request.ct.name if is_nifti else "CT"]
    for option in ("labels", "centroids", "body", "localizer_config"):
        path = getattr(request, option)
        words += [f"--{option.replace('_', '-')}", path.name] if path else []
    for option in ("series", "label_scheme", "centroid_convention", "localizer"):
        value = getattr(request, option)
        words += [f"--{option.replace('_', '-')}", value] if value else []
    for model in request.models:
        words += ["--model", Path(model).name]
    for folder in request.dissections:
        words += ["--dissection", folder.name]
    words += ["--device", request.device] if request.device != "cpu" else []
    words += ["--all-heatmaps"] * request.all_heatmaps + ["--full-grid"] * request.full_grid
    return printable(shlex.join([*words, "-o", request.out.name]))


def in_words(findings: ScanFindings) -> str:
    """Say in one line what was suspected and what was assessed."""
    from spinexplain.findings.summary import summarize
    from spinexplain.texts.catalogue import load_catalogue

    say = load_catalogue("en")
    summary = summarize(findings, say)
    suspected = ", ".join(f"{item.level} {item.words}" for item in summary.suspects)
    headline = f"{summary.headline}: {suspected}." if suspected else summary.headline
    return " ".join([headline, *summary.warnings, *summary.coverage])
