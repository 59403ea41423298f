"""A simulated fracture in any CT."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.types import LabelMap, Volume


@dataclass(frozen=True)
class FractureRequest:
    """What ``fracture`` is asked for.

    Parameters
    ----------
    ct, labels : Path
    level : str
        Which vertebra, such as ``L2``.
    out : Path
        Folder to write.
    shape : {"wedge", "biconcave", "crush", "mixed"}
    loss : float
        Share of its own height that the body loses.
    seed : int
    impaction : float
        Share of the lost bone that is packed into a dense band.
    """

    ct: Path
    labels: Path
    level: str
    out: Path
    shape: str = "wedge"
    loss: float = 0.35
    seed: int = 0
    series: str | None = None
    label_scheme: str | None = None
    impaction: float = 0.0
    force: bool = False


def fracture_to_folder(request: FractureRequest, progress: Progress = SILENT) -> None:
    """Simulate the fracture and write CT, mask, centroids, evidence mask, displacement.

    ``displacement.json`` holds how far each endplate moved, mm, by sixths of the depth from
    posterior to anterior.

    Raises
    ------
    SpinexplainError
        If an input is wrong or the output exists; nothing is written then.
    """
    from spinexplain.anatomy import VertebraLevel
    from spinexplain.data.phantom.simulate import simulate_fracture
    from spinexplain.io.centroids import write_centroids
    from spinexplain.io.files import output_folder
    from spinexplain.io.nifti import write_nifti
    from spinexplain.io.read import read_mask, read_scan

    if request.level not in {level.value for level in VertebraLevel if level.is_graded}:
        raise ConfigError(f"--level is {request.level!r}; expected one of T1-T13, L1-L6.")
    with output_folder(request.out, force=request.force) as folder:
        with progress.stage("read"):
            volume = read_scan(request.ct, series=request.series)
            labels = read_mask(request.labels, scheme=request.label_scheme)
        with progress.stage("fracture"):
            level = VertebraLevel(request.level)
            how = (request.shape, request.loss, request.seed)
            fractured = simulate_fracture(volume, labels, level, *how, impaction=request.impaction)
        with progress.stage("write"):
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
