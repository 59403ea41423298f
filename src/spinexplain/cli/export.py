"""``spinexplain export``: a model bundle in, the same bundle with its network exported out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import Force

if TYPE_CHECKING:
    from spinexplain.models.bundle.description import ExportDescription


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
    decided = export_to_folder(
        bundle,
        out,
        calibration,
        split=split,
        at_most=at_most,
        layers=tuple(layer or ()),
        onnx=onnx,
        force=force,
    )
    typer.echo(in_words(decided))
    typer.echo(f"model: {out}")


def export_to_folder(
    bundle: str,
    out: Path,
    cohort: Path | None = None,
    *,
    split: str | None = None,
    at_most: int = 1000,
    layers: tuple[str, ...] = (),
    onnx: bool = True,
    force: bool = False,
) -> ExportDescription:
    """Export a bundle and return what was decided.

    Raises
    ------
    SpinexplainError
        If bundle, cohort, layers or output folder are wrong; nothing is written then.
    """
    import openvino  # noqa: F401  (said first: the export can not do without)

    from spinexplain.models.bundle.description import ExportDescription
    from spinexplain.models.bundle.folder import locate, read_description, read_json
    from spinexplain.models.bundle.store import EXPORT
    from spinexplain.models.runtime.export import export_bundle

    calibration = None
    if cohort is not None:
        from spinexplain.data.cohort import Cohort
        from spinexplain.data.crops.source import set_from_cohort
        from spinexplain.train.grading.export_inputs import calibration_of

        spec = read_description(locate(bundle)).input
        data = set_from_cohort(
            Cohort.open(cohort), spec.axes, split, body_height_mm=spec.body_height_mm
        )
        name = cohort.name if split is None else f"{cohort.name}, {split}"
        calibration = calibration_of(data, spec, name, at_most)
    export_bundle(bundle, out, calibration, layers, onnx=onnx, force=force)
    return ExportDescription.model_validate(read_json(out / EXPORT))


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
