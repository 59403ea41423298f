"""``spinexplain names``: merge what clinicians call units into a dissection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.texts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spinexplain.explainers.dissection.record import Dissection


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
    dissection = merge_into(folder, raters, replace=replace)
    people = len(dissection.names)
    named = {item.unit for rater in dissection.names for item in rater.names if item.name}
    typer.echo(f"{len(named)} units named by {people} rater{'s' if people != 1 else ''}")
    typer.echo(f"concept atlas: {printable(str(folder / 'concepts.html'))}")


def merge_into(folder: Path, raters: Sequence[Path], replace: bool = False) -> Dissection:
    """Merge rater files into a dissection's folder, and draw its page anew.

    Raises
    ------
    SpinexplainError
        If the folder is no dissection, or a file does not fit; nothing is changed then.
    """
    import dataclasses

    from spinexplain.explainers.dissection.names import merge_names, read_raters, write_names
    from spinexplain.explainers.dissection.store import read_dissection
    from spinexplain.report.concepts_html import write_concepts
    from spinexplain.report.unit_table import write_unit_table

    dissection = read_dissection(folder)
    names = dissection.names
    for path in raters:
        for new in read_raters(path, dissection.key, dissection.units):
            names = merge_names(names, new, replace=replace, source=f"{path}: ")
    merged = dataclasses.replace(dissection, names=names)
    write_names(folder, names)
    stated = dissection.facts.get("top", 10)
    top = stated if isinstance(stated, int) else 10
    write_concepts(merged, folder, top)
    write_unit_table(merged, folder, top)
    return merged
