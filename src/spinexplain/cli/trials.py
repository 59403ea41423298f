"""``spinexplain trials``: trainings and tests of one preset across cohorts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Device
from spinexplain.cli.progress import shown_steps
from spinexplain.jobs.trials import TrialsRequest, in_words, trials_to_folder
from spinexplain.texts.printable import printable


def command(
    preset: Annotated[
        str,
        typer.Argument(
            metavar="PRESET",
            help="Preset's name or a .toml file, with settings if you like "
            "(detector:task=any-fracture).",
        ),
    ],
    train: Annotated[
        list[str],
        typer.Option("--train", metavar="COHORT", help="Train on it; A+B joins two. Repeat."),
    ],
    test: Annotated[
        list[str],
        typer.Option("--test", metavar="COHORT", help="Test on it; A+B joins two. Repeat."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder of results.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Trainings on each set.")] = 5,
    train_split: Annotated[
        str, typer.Option("--train-split", help="Split to train on, or all.")
    ] = "training",
    test_split: Annotated[
        str, typer.Option("--test-split", help="Split to test on, or all.")
    ] = "test",
    device: Device = "cpu",
) -> None:
    """Train a detector several times on every training set and test each on every test set.

    Writes DIR/table.md and DIR/result.json (F1, accuracy, AUC, AP; mean and standard
    deviation), DIR/predictions and DIR/runs. May be stopped at any time; the same command
    goes on where it stopped.

    Example: spinexplain trials detector --train verse --train verse+own --test verse -o trials
    """
    request = TrialsRequest(
        preset, tuple(train), tuple(test), out, seeds, train_split, test_split, device
    )
    with shown_steps() as progress:
        result = trials_to_folder(request, progress)
    typer.echo(in_words(result))
    typer.echo(f"results: {printable(str(out / 'table.md'))}")
