"""A model bundle in, the same bundle with its network exported out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinexplain.models.bundle.description import ExportDescription
    from spinexplain.models.runtime.export import Calibration


@dataclass(frozen=True)
class ExportRequest:
    """What ``export`` is asked for.

    Parameters
    ----------
    bundle : str
        A bundle, a run or a shipped model.
    out : Path
        The bundle to write.
    cohort : Path, optional
        The cohort that decides on the precision, and which ``split`` of it.
    at_most : int
        Vertebrae of the cohort to use.
    layers : tuple of str
        Layers whose output is exported too.
    onnx : bool
        Whether ``model.onnx`` is kept for other tools.
    """

    bundle: str
    out: Path
    cohort: Path | None = None
    split: str | None = None
    at_most: int = 1000
    layers: tuple[str, ...] = ()
    onnx: bool = True
    force: bool = False


def export_to_folder(request: ExportRequest) -> ExportDescription:
    """Export a bundle and return what was decided.

    Raises
    ------
    SpinexplainError
        If bundle, cohort, layers or output folder are wrong; nothing is written then.
    """
    import openvino  # noqa: F401  (first: the export is impossible without it)

    from spinexplain.models.bundle.description import ExportDescription
    from spinexplain.models.bundle.folder import read_json
    from spinexplain.models.bundle.store import EXPORT
    from spinexplain.models.runtime.export import export_bundle

    inputs = None if request.cohort is None else _inputs_of(request, request.cohort)
    export_bundle(
        request.bundle,
        request.out,
        inputs,
        request.layers,
        onnx=request.onnx,
        force=request.force,
    )
    return ExportDescription.model_validate(read_json(request.out / EXPORT))


def _inputs_of(request: ExportRequest, cohort: Path) -> Calibration:
    """Return the network inputs that the precision is judged on."""
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.crops.source import set_from_cohort
    from spinexplain.models.bundle.folder import locate, read_description
    from spinexplain.train.grading.export_inputs import calibration_of

    spec = read_description(locate(request.bundle)).input
    data = set_from_cohort(
        Cohort.open(cohort), spec.axes, request.split, body_height_mm=spec.body_height_mm
    )
    name = cohort.name if request.split is None else f"{cohort.name}, {request.split}"
    return calibration_of(data, spec, name, request.at_most)


def in_words(export: ExportDescription) -> str:
    """Say in one line which precision was chosen and why."""
    where = "bf16 trunk, fp32 head" if export.precision == "bf16" else "fp32"
    if export.gate is None:
        return f"{where}: {export.reason}"
    gate = export.gate
    moved = gate.similarity_difference
    similarity = "" if moved is None else f", largest difference of a similarity {moved:.3f}"
    return (
        f"{where}: {export.reason} ({gate.same_grade:.1%} of {gate.vertebrae} vertebrae with the "
        f"same grade{similarity})"
    )
