"""``spinexplain paper``: all experiments of one of the two papers, on VerSe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Device, Folds
from spinexplain.jobs.paper import PaperRequest, estimated, paper_to_folder
from spinexplain.progress import Silent
from spinexplain.texts.printable import printable


class _Named(Silent):
    """Names every step on a line of its own; the step's command shows its own progress."""

    def note(self, line: str) -> None:
        """Show the line."""
        typer.echo(printable(line), err=True)


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="verse19, verse-s2 or detector-sizes (phantoms).")
    ],
    data: Annotated[
        list[Path] | None, typer.Argument(metavar="VERSE...", help="Folders of VerSe.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="XLSX", help="The fracture table.")
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write, or to go on with.")
    ] = Path("paper"),
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="PTH", help="torchvision's vgg11.pth.")
    ] = None,
    device: Device = "cpu",
    folds: Folds = 5,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each.")] = 3,
    settings: Annotated[
        str,
        typer.Option("--settings", metavar="KEY=V,...", help="Changed for every training."),
    ] = "",
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Print the computed hours and leave.")
    ] = False,
    checkout: Annotated[
        Path, typer.Option("--checkout", metavar="DIR", help="A checkout of the repository.")
    ] = Path(),
) -> None:
    """Run everything that one of the two papers needs on VerSe, and fill its page.

    Writes DIR/results.md anew after every step: tables beside the published numbers, noise,
    hours. May be stopped at any time; the same command goes on where it stopped.

    Example: spinexplain paper verse19 dataset-verse19* --table table.xlsx --device cuda -o verse19
    """
    request = PaperRequest(
        name=name,
        out=out,
        data=tuple(data or ()),
        table=table,
        weights=weights,
        device=device,
        checkout=checkout,
        settings=settings,
        folds=folds,
        seeds=seeds,
    )
    if estimate:
        typer.echo(estimated(request))
        return
    page = paper_to_folder(request, _Named())
    typer.echo(f"page: {printable(str(page))}")
