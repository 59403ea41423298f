"""The benchmark of explanations as a job: resumable, in parallel, to a leaderboard."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinexplain.errors import ConfigError, OutputError
from spinexplain.io.files import atomic_file
from spinexplain.jobs.leaderboard import (
    Collected,
    ScoredModel,
    ScoreRequest,
    collect,
    collect_foreign,
    leaderboard_of,
    store,
    stored_json,
)
from spinexplain.progress import SILENT, Progress

if TYPE_CHECKING:
    from spinexplain.analysis.explanations.pieces import Piece
    from spinexplain.data.cohort import Cohort

_MARKER, _PIECES, _COHORTS = "request.json", "pieces", "cohorts"


def score_explanations(request: ScoreRequest, progress: Progress = SILENT) -> dict[str, Any]:
    """Explain every vertebra with every explainer and model, score and compare them.

    Parameters
    ----------
    request : ScoreRequest
    progress : Progress

    Returns
    -------
    dict
        What ``leaderboard.json`` holds; beside it lie ``index.html``, ``leaderboard.md`` and
        plots. Pieces that are stored from a run before are not computed again.

    Raises
    ------
    SpinexplainError
        If a model, the cohort, an explainer or the folder cannot be used.
    """
    from spinexplain.analysis.explanations.methods import check_names
    from spinexplain.report.explanations_page import write_leaderboard

    explainers = check_names(request.explainers)
    _check_sources(request)
    found = Collected()
    with _claimed(request):
        models = [_model(request, name, explainers, found, progress) for name in request.models]
        _check_distinct(models)
        _compute(request, models, progress)
        for model in models:
            collect(request, model, found)
        collect_foreign(request, models, found)
        content = leaderboard_of(request, found)
        write_leaderboard(content, found.panels, request.out)
        if request.store:
            store(request, models, found)
    return content


def _check_sources(request: ScoreRequest) -> None:
    """Refuse models and cohorts that do not exist before a folder is claimed for them."""
    from spinexplain.data.phantom.presets import preset_names
    from spinexplain.models.bundle.folder import locate

    if not Path(request.cohort).is_dir() and request.cohort not in preset_names():
        raise ConfigError(
            f'"{request.cohort}" is neither the folder of a cohort nor a phantom preset; expected '
            f"one of them, such as {', '.join(preset_names())}. Check the path."
        )
    for name in request.models:
        locate(name)
    for folder in (*request.maps, *request.dissections):
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder. Check the path.")


@contextmanager
def _claimed(request: ScoreRequest) -> Iterator[None]:
    """Make the folder ours alone, or make sure that it holds the pieces of this request."""
    from spinexplain.data.cohort_writer import only_writer

    out, mine = request.out, _shared_settings(request)
    marker = out / _MARKER
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; expected a folder to write to.")
    with only_writer(out):
        if marker.is_file():
            if stored_json(marker) != mine:
                if not request.force:
                    raise OutputError(
                        f"{out} holds the scores of another cohort, number of vertebrae, seed or "
                        "number of steps. Choose another folder, or add --force to replace them."
                    )
                for part in (_PIECES, _COHORTS):
                    shutil.rmtree(out / part, ignore_errors=True)
        elif any(out.iterdir()):
            raise OutputError(f"{out} exists and holds no scores of explanations. Choose another.")
        with atomic_file(marker) as temporary:
            temporary.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")
        yield


def _shared_settings(request: ScoreRequest) -> dict[str, Any]:
    """Return what all pieces of a folder have in common; models and explainers may be added."""
    is_folder = Path(request.cohort).is_dir()
    return {
        "cohort": str(Path(request.cohort).resolve()) if is_folder else request.cohort,
        "split": request.split,
        "vertebrae": request.vertebrae,
        "steps": request.steps,
        "seed": request.seed,
        "bench_seed": request.bench_seed,
    }


def _model(
    request: ScoreRequest,
    name: str,
    explainers: tuple[str, ...],
    found: Collected,
    progress: Progress,
) -> ScoredModel:
    """Load a model once to see what can explain it, and choose its vertebrae."""
    from spinexplain.analysis.explanations.bench import bench_rows
    from spinexplain.analysis.explanations.methods import method_by_name, not_applicable
    from spinexplain.analysis.explanations.pieces import (
        Source,
        folder_name,
        loaded_dissections,
        loaded_grader,
    )

    grader = loaded_grader(name)
    cohort = _cohort(request, grader.spec.axes, progress)
    sheets_drawn = grader.spec.axes == 2 and not Path(request.cohort).is_dir()
    most = 0 if sheets_drawn else request.vertebrae  # as many as asked for, and neighbors
    rows = bench_rows(cohort, grader.spec.axes, request.split, most, request.seed)
    source = Source(name, cohort.path, tuple(rows.tolist()), request.dissections)
    usable, dissections = [], loaded_dissections(request.dissections)
    for explainer in explainers:
        reason = not_applicable(explainer, grader, dissections)
        if reason:
            left_out = {"model": grader.info.name, "explainer": explainer, "reason": reason}
            found.left_out.append(left_out)
        else:
            method_by_name(explainer, grader, dissections)  # a wrong name fails now, not later
            usable.append(explainer)
    known = grader.info.weights_sha256 or grader.info.sha256
    key = f"{folder_name(grader.info.name)}-{known[:12]}"
    return ScoredModel(
        name=grader.info.name,
        task=grader.task,
        source=source,
        folder=request.out / _PIECES / key,
        explainers=tuple(usable),
        has_prototypes=grader.prototype_head is not None,
    )


def _check_distinct(models: Sequence[ScoredModel]) -> None:
    names = [model.name for model in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f'two models are called "{twice[0]}"; expected different names, because the '
            "leaderboard goes by name. Score them in two folders."
        )


def _cohort(request: ScoreRequest, axes: int, progress: Progress) -> Cohort:
    """Open the cohort, or draw the phantom preset of that name."""
    from spinexplain.data.cohort import Cohort
    from spinexplain.data.phantom.bench import bench_cohort

    if Path(request.cohort).is_dir():
        return Cohort.open(request.cohort)
    wanted = request.vertebrae or 200
    return bench_cohort(
        request.out / _COHORTS / f"{request.cohort}-{axes}d",
        request.cohort,
        request.bench_seed,
        wanted,
        axes,
        lambda drawn: progress.step("drawing vertebrae", min(drawn, wanted), wanted),
    )


def _compute(request: ScoreRequest, models: Sequence[ScoredModel], progress: Progress) -> None:
    """Compute all pieces that are missing: maps first, as the random models need them."""
    maps, rest = [], []
    for model in models:
        planned = _planned(request, model)
        maps += [piece for piece in planned if piece.kind == "maps"]
        rest += [piece for piece in planned if piece.kind != "maps"]
    _run(maps, request.jobs, "explaining", progress)
    _run(rest, request.jobs, "random models and prototypes", progress)


def _planned(request: ScoreRequest, model: ScoredModel) -> list[Piece]:
    from spinexplain.analysis.explanations.chunk import ChunkSettings
    from spinexplain.analysis.explanations.pieces import (
        RANDOMIZED,
        Piece,
        folder_name,
        loaded_bench,
        planned_pieces,
    )

    bench = loaded_bench(model.source)
    settings = ChunkSettings(request.steps, request.seed, RANDOMIZED)
    pieces = planned_pieces(
        model.source, model.explainers, len(bench), bench.axes, model.folder, settings
    )
    for explainer in model.explainers:
        path = model.folder / folder_name(explainer) / "random.json"
        pieces.append(Piece("random", model.source, explainer, path, settings))
    if model.has_prototypes:
        path = model.folder / "prototype-set.json"
        pieces.append(Piece("prototypes", model.source, "", path, settings))
    return pieces


def _run(pieces: Sequence[Piece], jobs: int, what: str, progress: Progress) -> None:
    """Compute the pieces that are not stored; where a worker is killed the others go on."""
    from spinexplain.analysis.explanations.pieces import compute, on_one_thread
    from spinexplain.workers import run_all

    missing = [piece for piece in pieces if not piece.path.exists()]
    run_all(
        compute,
        missing,
        jobs,
        name=lambda piece: f"{piece.source.model} {piece.explainer or 'prototypes'}",
        start=on_one_thread,
        progress=progress,
        step=what,
    )
