"""What clinicians call units, merged into a dissection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spinexplain.explainers.dissection.record import Dissection


@dataclass(frozen=True)
class NamesRequest:
    """What ``names`` is asked for.

    Parameters
    ----------
    folder : Path
        A dissection.
    raters : tuple of Path
        Files that the concept atlas exported, or other copies' ``names.json``.
    replace : bool
        Whether a rater's new words replace older ones.
    """

    folder: Path
    raters: tuple[Path, ...]
    replace: bool = False


def merge_names_into(request: NamesRequest) -> Dissection:
    """Merge rater files into a dissection's folder, and draw its page anew.

    Raises
    ------
    SpinexplainError
        If the folder is no dissection, or a file does not fit; nothing is changed then.
    """
    from spinexplain.explainers.dissection.names import merge_names, read_raters, write_names
    from spinexplain.explainers.dissection.store import read_dissection
    from spinexplain.jobs.dissect import write_pages

    dissection = read_dissection(request.folder)
    names = dissection.names
    for path in request.raters:
        for new in read_raters(path, dissection.key, dissection.units):
            names = merge_names(names, new, replace=request.replace, source=f"{path}: ")
    merged = replace(dissection, names=names)
    write_names(request.folder, names)
    stated = dissection.facts.get("top", 10)
    top = stated if isinstance(stated, int) else 10
    write_pages(merged, request.folder, top)
    return merged
