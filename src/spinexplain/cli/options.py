"""Options that several commands share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CtPath = Annotated[
    Path, typer.Argument(metavar="CT", help="NIfTI file, DICOM folder or zip of a DICOM series.")
]
LabelsPath = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="MASK", help="Vertebra mask (VerSe, TotalSegmentator, spine-segment)."
    ),
]
CentroidsPath = Annotated[
    Path | None,
    typer.Option("--centroids", metavar="JSON", help="Vertebra centers, VerSe's *_ctd.json."),
]
BodyPath = Annotated[
    Path | None,
    typer.Option("--body", metavar="MASK", help="Mask of the vertebral bodies alone."),
]
LabelScheme = Annotated[
    str | None,
    typer.Option("--label-scheme", help="Whose label numbers the mask has, if not detected."),
]
FirstLevel = Annotated[
    str | None,
    typer.Option(
        "--first-level",
        metavar="LEVEL",
        help="What the uppermost vertebra found is, e.g. T4, where you know better.",
    ),
]
Series = Annotated[
    str | None,
    typer.Option(
        "--series",
        help="Which DICOM series: its number, description, or the start of its UID; "
        "`spinexplain series CT` lists them.",
    ),
]
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="What `train` wrote, a bundle or a shipped model.")
]
CohortPath = Annotated[Path, typer.Argument(metavar="COHORT", help="What `prepare` wrote.")]
ResumableFolder = Annotated[
    Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write, or to go on with.")
]
Folds = Annotated[int, typer.Option("--folds", min=2, help="How many, by subject.")]
SoFar = Annotated[
    bool, typer.Option("--so-far", help="Train nothing; judge the folds that are finished.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the output if it exists.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Same seed, same bits.")]
Device = Annotated[
    str, typer.Option("--device", help="cpu or cuda, for the phases of gradient descent.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes to work with.")]
