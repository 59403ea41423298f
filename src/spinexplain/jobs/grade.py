"""The main job on files: a CT in, a folder with grades, evidence and report out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress
from spinexplain.texts.printable import printable

OWN = "own"
NEXT_COMMAND = "next_command"
"""Among the settings: how to grade under the next hypothesis of the levels' names."""

if TYPE_CHECKING:
    from spinexplain.dicom_out.folder import DicomFolder
    from spinexplain.explainers.dissection.record import Dissection
    from spinexplain.findings.scan import ScanFindings, ScanSource
    from spinexplain.types import LabelMap, Vertebra, Volume


@dataclass(frozen=True)
class GradeRequest:
    """What ``grade`` is asked for; paths as the user gave them.

    Parameters
    ----------
    ct : Path
        NIfTI file, DICOM folder or zip of a DICOM series.
    out : Path
        Folder to write.
    labels : Path, optional
        Vertebra mask.
    centroids : Path, optional
        Vertebra centers, in ``centroid_convention`` where they do not say it.
    body : Path, optional
        Mask of the vertebral bodies alone.
    models : tuple of str
        Bundles, runs or shipped models; the shipped prototype network if empty.
    dissections : tuple of Path
        What ``dissect`` wrote of models given.
    localizer : str, optional
        Who finds the vertebrae where neither mask nor centers are given: another tool, or
        ``"own"``, the package's own localizer, which is also asked where nothing is given.
    localizer_config : Path, optional
        TOML file that says how to call one's own tool.
    localized_folder : Path, optional
        Where the tool's results are kept for the next time; thrown away if None.
    first_level : str, optional
        What the uppermost vertebra is that the own localizer finds.
    dicom_out : Path, optional
        Folder for DICOM and FHIR results, where the CT is a DICOM series.
    dicom_replaces : Path, optional
        Folder of earlier DICOM results, which the new ones replace.
    """

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
    localized_folder: Path | None = None
    first_level: str | None = None
    all_heatmaps: bool = False
    full_grid: bool = False
    dicom_out: Path | None = None
    dicom_replaces: Path | None = None
    force: bool = False

    @property
    def asks_own_localizer(self) -> bool:
        """Whether the package's own localizer finds the vertebrae."""
        given = self.labels is not None or self.centroids is not None
        return not given and self.localizer in (None, OWN)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the files of a request hold."""

    volume: Volume
    source: ScanSource
    labels: LabelMap | None
    centroids: Sequence[Vertebra] | None
    body: LabelMap | None


def grade_to_folder(request: GradeRequest, progress: Progress = SILENT) -> ScanFindings:
    """Grade a CT and write the output folder, whole or not at all.

    Parameters
    ----------
    request : GradeRequest
    progress : Progress
        Hears the stages: ``read``, those of :func:`spinexplain.findings.assess.grade`, ``write``.

    Raises
    ------
    SpinexplainError
        If any input is wrong or the output exists; nothing is written then.
    """
    from spinexplain.io.files import output_folder

    _check_first_level(request)
    _check_own_alone(request)
    with (
        output_folder(request.out, force=request.force) as folder,
        _dicom_folder(request) as dicom,
    ):
        with progress.stage("read"):
            inputs = read_inputs(request, progress)
        findings = grade_inputs(inputs, request, progress)
        with progress.stage("write"):
            write_outputs(findings, folder, request)
            if dicom is not None:
                dicom.write(findings, inputs.labels)
    return findings


def grade_inputs(
    inputs: Inputs, request: GradeRequest, progress: Progress = SILENT
) -> ScanFindings:
    """Grade what :func:`read_inputs` read of a request; nothing is written."""
    from spinexplain.config.shipped import DEFAULT_MODEL
    from spinexplain.findings.assess import grade

    findings = grade(
        inputs.volume,
        labels=inputs.labels,
        centroids=inputs.centroids,
        body=inputs.body,
        first_level=request.first_level,
        models=request.models or (DEFAULT_MODEL,),
        dissections=_dissections(request),
        device=request.device,
        source=inputs.source,
        settings={"command": command_line(request), "level_names": _who_names(request)},
        progress=progress,
    )
    return _with_next_command(findings, request)


def _check_first_level(request: GradeRequest) -> None:
    if request.first_level is None:
        return
    from spinexplain.localizer.own import named_level

    named_level(request.first_level)
    if not request.asks_own_localizer:
        raise ConfigError(
            f"--first-level {request.first_level} was given beside a mask, centroids or another "
            "localizer, which name their levels themselves. Leave one of the two out."
        )


def _check_own_alone(request: GradeRequest) -> None:
    if request.localizer == OWN and not request.asks_own_localizer:
        raise ConfigError(
            "--localizer own was given beside a mask or centroids, which name the vertebrae "
            "themselves. Leave one of the two out."
        )


def _who_names(request: GradeRequest) -> str:
    if request.asks_own_localizer:
        return "user" if request.first_level else "localizer"
    return "centroids" if request.centroids else "mask"


def _with_next_command(findings: ScanFindings, request: GradeRequest) -> ScanFindings:
    """Note the command that grades under the next hypothesis of the levels' names."""
    level = None if findings.found is None else findings.found.next_level
    if level is None:
        return findings
    command = command_line(replace(request, first_level=level.value))
    return replace(findings, settings={**findings.settings, NEXT_COMMAND: command})


def _dicom_folder(request: GradeRequest) -> AbstractContextManager[DicomFolder | None]:
    if request.dicom_out is None:
        return nullcontext()
    from spinexplain.dicom_out.folder import dicom_folder

    return dicom_folder(
        request.dicom_out, request.ct, request.series, request.dicom_replaces, request.force
    )


def _dissections(request: GradeRequest) -> list[Dissection]:
    if not request.dissections:
        return []
    from spinexplain.explainers.dissection.store import read_dissection

    return [read_dissection(folder) for folder in request.dissections]


def read_inputs(request: GradeRequest, progress: Progress = SILENT) -> Inputs:
    """Read the CT and whatever names its vertebrae; let a localizer find them if asked to.

    Raises
    ------
    SpinexplainError
        If a file cannot be read, or the localizer fails.
    """
    from spinexplain.findings.scan import ScanSource
    from spinexplain.io.centroids import read_centroids
    from spinexplain.io.files import sha256_path
    from spinexplain.io.read import is_dicom, read_body, read_identified_scan, read_mask
    from spinexplain.io.scan_facts import read_facts

    volume, digest = read_identified_scan(request.ct, series=request.series)
    # Folders and zips of exported DICOM are often named after the patient.
    name = f"DICOM {digest[:8]}" if is_dicom(request.ct) else request.ct.name
    with _localized(request, volume, progress) as (found, body_scheme):
        source = ScanSource(
            name=printable(name),
            sha256=digest,
            shape=volume.array.shape,
            spacing_mm=volume.spacing_mm,
            facts=read_facts(request.ct, request.series),
            labels_sha256=sha256_path(found.labels) if found.labels else "",
            centroids_sha256=sha256_path(found.centroids) if found.centroids else "",
        )
        labels = read_mask(found.labels, scheme=found.label_scheme) if found.labels else None
        body = read_body(found.body, scheme=body_scheme) if found.body else None
    centroids = None
    if request.centroids is not None:
        centroids = read_centroids(request.centroids, volume, request.centroid_convention)
    return Inputs(volume, source, labels, centroids, body)


@contextmanager
def _localized(
    request: GradeRequest, volume: Volume, progress: Progress
) -> Iterator[tuple[GradeRequest, str | None]]:
    """Fill in what a localizer finds, where one is asked for and nothing else is given."""
    if request.localizer in (None, OWN):
        yield request, None
        return
    from spinexplain.spine.localizers import run_localizer

    with _kept_folder(request.localized_folder) as kept:
        found = run_localizer(
            request.localizer,
            request.ct,
            kept,
            timeout_s=60 * request.localizer_minutes,
            note=progress.note,
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
        yield filled, None if request.body else found.body_scheme


def _kept_folder(folder: Path | None) -> AbstractContextManager[Path | str]:
    return TemporaryDirectory() if folder is None else nullcontext(folder)


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
    named = ("series", "label_scheme", "centroid_convention", "localizer", "first_level")
    for option in named:
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
