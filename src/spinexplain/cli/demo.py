"""``spinexplain demo``: the newcomer's tour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.grade import GradeRequest, grade_to_folder, in_words
from spinexplain.cli.options import Force, Seed
from spinexplain.io.files import output_folder


def command(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the reports.")] = Path(
        "demo-output"
    ),
    force: Force = False,
    seed: Seed = 7,
) -> None:
    """Grade two real CTs and one phantom with known fractures, and say where the reports are.

    The scans are part of the package; nothing is downloaded.

    Example: spinexplain demo -o demo-output
    """
    for stop in grade_examples(out, force=force, seed=seed):
        typer.echo(f"\n{stop.title}\n  {stop.summary}\n  {stop.report}")
    typer.echo("\nOpen a report in your browser. These grades come from a model trained on")
    typer.echo("synthetic spines only; they are not validated on patients.")


@dataclass(frozen=True)
class Stop:
    """One graded scan of the tour."""

    title: str
    summary: str
    report: Path


def grade_examples(out: Path, force: bool, seed: int) -> Iterator[Stop]:
    """Grade the example scans and a fresh phantom into sub-folders of ``out``.

    Raises
    ------
    OutputError
        If ``out`` exists and ``force`` is not set.
    """
    with output_folder(out, force=force) as folder:
        phantom = _write_phantom(folder / "phantom-scan", seed)
        with as_file(files("spinexplain.data") / "examples") as examples:
            requests = {
                "Lumbar CT, 3 mm, with a vertebra mask": GradeRequest(
                    ct=examples / "lumbar_ct.nii.gz",
                    labels=examples / "lumbar_seg-vert_msk.nii.gz",
                    out=folder / "lumbar",
                ),
                "Thoracic CT, 1.5 mm, with vertebra centers only": GradeRequest(
                    ct=examples / "thoracic_ct.nii.gz",
                    centroids=examples / "thoracic_ctd.json",
                    out=folder / "thoracic",
                ),
                "A phantom with planted fractures": phantom,
            }
            graded = [
                (title, request.out.name, in_words(grade_to_folder(request)))
                for title, request in requests.items()
            ]
    for title, name, summary in graded:
        yield Stop(title, summary, out / name / "report.html")


def _write_phantom(folder: Path, seed: int) -> GradeRequest:
    """Write the demo phantom and return how to grade it."""
    from spinexplain.data.phantom.write import write_phantom

    write_phantom(folder, subjects=1, seed=seed, preset="demo")
    (ct,) = (folder / "rawdata").rglob("*_ct.nii.gz")
    (labels,) = (folder / "derivatives").rglob("*_seg-vert_msk.nii.gz")
    return GradeRequest(ct=ct, labels=labels, out=folder.parent / "phantom")
