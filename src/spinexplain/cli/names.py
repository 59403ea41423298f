"""``spinexplain names``: merge what clinicians call units into a dissection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.jobs.names import NamesRequest, merge_names_into
from spinexplain.texts.printable import printable


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DISSECTION", help="What `dissect` wrote of this model.")
    ],
    raters: Annotated[
        list[Path], typer.Argument(metavar="NAMES...", help="Files exported by the concept atlas.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Let a rater's new words replace older ones.")
    ] = False,
) -> None:
    """Merge raters' names of units into DISSECTION, and draw its concept atlas anew.

    NAMES are files that the atlas exported, or names.json of another copy of DISSECTION. All
    are merged, or none. Names of another model or layer are refused, and so is a
    rater who called a unit something else before, unless --replace is given.

    Example: spinexplain names dissection names-a-reader.json names-b-reader.json
    """
    dissection = merge_names_into(NamesRequest(folder, tuple(raters), replace))
    people = len(dissection.names)
    named = {item.unit for rater in dissection.names for item in rater.names if item.name}
    typer.echo(f"{len(named)} units named by {people} rater{'s' if people != 1 else ''}")
    typer.echo(f"concept atlas: {printable(str(folder / 'concepts.html'))}")
