"""What a setting is worth: a preset varied and compared by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.experiment.ablation import Design


@dataclass(frozen=True)
class AblateRequest:
    """What ``ablate`` is asked for.

    Parameters
    ----------
    cohort : Path
    over : tuple of str
        Factors as ``KEY=V1,V2``.
    out : Path
    preset : str
        What is varied.
    full_grid : bool
        Whether all combinations are compared, not each factor alone.
    frozen_trunk : bool
        Whether heads are compared on the features of one classifier.
    folds, seed : int
    jobs : int
        Folds trained side by side.
    seeds : int
        How often the preset is trained as it is, with other seeds.
    so_far : bool
        Whether nothing is trained and only the finished folds of ``out`` are judged.
    device : str
        ``"cpu"`` or ``"cuda"``, for gradient descent.
    """

    cohort: Path
    over: tuple[str, ...]
    out: Path
    preset: str = "protoverse"
    full_grid: bool = False
    frozen_trunk: bool = False
    folds: int = 5
    seed: int = 0
    jobs: int = 1
    seeds: int = 3
    so_far: bool = False
    device: str = "cpu"


def designed(request: AblateRequest) -> Design:
    """Return the entries to compare: a preset with each factor alone, or all of them crossed.

    Raises
    ------
    ConfigError
        If preset or factors are wrong.
    """
    from spinexplain.config.entries import parse_config_text
    from spinexplain.experiment.ablation import design, parse_factor, with_frozen_trunk

    factors = [parse_factor(text) for text in request.over]
    varied = parse_config_text(request.preset)
    if request.frozen_trunk:
        varied = with_frozen_trunk(varied)
    return design(varied, factors, request.full_grid, request.preset, request.seeds)


def ablate_to_folder(request: AblateRequest, made: Design, progress: Progress = SILENT) -> str:
    """Train and judge every entry, as far as the folder has not got yet; return the summary.

    Parameters
    ----------
    request : AblateRequest
    made : Design
        What :func:`designed` makes of the request.
    progress : Progress
        Hears every training as a stage, and its steps.

    Raises
    ------
    SpinexplainError
        If cohort or folder are wrong.
    """
    from spinexplain.data.cohort import Cohort
    from spinexplain.experiment.ablation import ablate, ablation_results
    from spinexplain.experiment.crossval_results import results_markdown
    from spinexplain.experiment.noise import noise_markdown
    from spinexplain.io.files import atomic_file

    out, seed = request.out, request.seed
    if request.so_far:
        results = ablation_results(made, out, seed, so_far=True)
    else:
        opened = Cohort.open(request.cohort)
        results = ablate(
            opened, made, out, request.folds, seed, request.jobs, progress, request.device
        )
    how = results["factors"]["how"]
    text = f"{how}\n\n{noise_markdown(results)}\n{results_markdown(results)}"
    with atomic_file(out / "summary.md") as temporary:
        temporary.write_text(text, "utf-8")
    return text
