"""``spinexplain fracture``: a simulated fracture in any CT."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import CtPath, Force, LabelScheme, Seed, Series
from spinexplain.errors import ConfigError

if TYPE_CHECKING:
    from spinexplain.types import LabelMap, Volume


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
        ct, labels, level, shape, loss, seed, series, label_scheme, float(impaction)
    )
    fracture_to_folder(request, out, force)
    typer.echo(f"simulated {shape} of {level}: {out}")


@dataclass(frozen=True)
class FractureRequest:
    """What ``fracture`` was asked for."""

    ct: Path
    labels: Path
    level: str
    shape: str
    loss: float
    seed: int
    series: str | None = None
    label_scheme: str | None = None
    impaction: float = 0.0


def fracture_to_folder(request: FractureRequest, out: Path, force: bool) -> None:
    """Simulate the fracture and write CT, mask, centroids, evidence mask, displacement.

    ``displacement.json`` holds how far each endplate moved, mm, by sixths of the depth from
    posterior to anterior.

    Raises
    ------
    SpinexplainError
        If an input is wrong or ``out`` exists; nothing is written then.
    """
    from spinexplain.anatomy import VertebraLevel
    from spinexplain.cli.progress import shown_stages
    from spinexplain.data.phantom.simulate import simulate_fracture
    from spinexplain.io.centroids import write_centroids
    from spinexplain.io.files import output_folder
    from spinexplain.io.nifti import write_nifti
    from spinexplain.io.read import read_mask, read_scan

    if request.level not in {level.value for level in VertebraLevel if level.is_graded}:
        raise ConfigError(f"--level is {request.level!r}; expected one of T1-T13, L1-L6.")
    with output_folder(out, force=force) as folder, shown_stages(request.ct.name, 3) as stage:
        with stage("read"):
            volume = read_scan(request.ct, series=request.series)
            labels = read_mask(request.labels, scheme=request.label_scheme)
        with stage("fracture"):
            level = VertebraLevel(request.level)
            how = (request.shape, request.loss, request.seed)
            fractured = simulate_fracture(volume, labels, level, *how, impaction=request.impaction)
        with stage("write"):
            images: dict[str, Volume | LabelMap] = {
                "ct": fractured.volume,
                "labels": fractured.labels,
                "evidence": fractured.evidence,
            }
            for name, image in images.items():
                write_nifti(folder / f"{name}.nii.gz", image.array, image.affine)
            write_centroids(folder / "centroids.json", fractured.vertebrae, fractured.volume)
            moved = fractured.displacement_mm
            truth = {"level": request.level, "superior_mm": moved[:6], "inferior_mm": moved[6:]}
            (folder / "displacement.json").write_text(json.dumps(truth) + "\n", "utf-8")
