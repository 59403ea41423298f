"""All experiments of a paper on VerSe, one after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.errors import ConfigError
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.reproduce.papers import Asked


@dataclass(frozen=True)
class PaperRequest:
    """What ``paper`` is asked for.

    Parameters
    ----------
    name : str
        ``"verse19"``, ``"verse-s2"`` or ``"detector-sizes"``.
    out : Path
        Folder to write, or to go on with.
    data : tuple of Path
        Folders of VerSe.
    table : Path, optional
        The fracture table.
    weights : Path, optional
        torchvision's VGG-11.
    device : str
        ``"cpu"`` or ``"cuda"``.
    checkout : Path
        A checkout of the repository, which holds the presets.
    settings : str
        Further settings for every training.
    folds, seeds : int
    """

    name: str
    out: Path
    data: tuple[Path, ...] = ()
    table: Path | None = None
    weights: Path | None = None
    device: str = "cpu"
    checkout: Path = Path()
    settings: str = ""
    folds: int = 5
    seeds: int = 3


def paper_to_folder(request: PaperRequest, progress: Progress = SILENT) -> Path:
    """Run what is missing and keep the page up to date; return it.

    Raises
    ------
    ConfigError
        If there is no such experiment, or data, table or weights are not there.
    OutputError
        If a step fails.
    """
    from spinexplain.reproduce.paper_page import write_page
    from spinexplain.reproduce.papers import (
        copy_presets,
        paper_of,
        run_command,
        run_steps,
    )

    paper = paper_of(request.name)
    asked = _asked(request, paper.needs_data)
    steps, out = paper.steps(asked), request.out
    copy_presets(request.checkout.resolve(), paper, out)

    def written() -> Path:
        return write_page(paper, asked, steps, out)

    written()
    run_steps(steps, out, run_command, written, progress)
    return written()


def estimated(request: PaperRequest) -> str:
    """Return what the steps would cost, computed; nothing is run or written.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    """
    from spinexplain.reproduce.paper_cost import cost_words
    from spinexplain.reproduce.papers import Asked, paper_of

    paper = paper_of(request.name)
    asked = Asked((), Path("table"), None, settings=request.settings)
    asked = replace(asked, folds=request.folds, seeds=request.seeds)
    folder = request.checkout.resolve() / "experiments" / paper.folder
    return "\n".join(cost_words(paper.steps(asked), folder, {}))


def _asked(request: PaperRequest, needs_data: bool) -> Asked:
    from spinexplain.reproduce.papers import Asked

    if needs_data and (not request.data or request.table is None):
        raise ConfigError(
            "folders of VerSe and --table are needed; expected what docs/how-to/verse.md names. "
            "Give them, or --estimate alone."
        )
    needed = [*request.data, *(path for path in (request.table, request.weights) if path)]
    if missing := [path for path in needed if not path.exists()]:
        raise ConfigError(f"{missing[0]}: is not there; expected data of VerSe. Check the path.")
    return Asked(
        request.data,
        request.table or Path(),
        request.weights,
        request.device,
        request.settings,
        request.folds,
        request.seeds,
    )
