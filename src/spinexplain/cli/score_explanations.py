"""``spinexplain score-explanations``: how far explanations can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import Force, Jobs, ResumableFolder, Seed


def command(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN... COHORT",
            help="Models (shipped names, bundles, RUNs), then a cohort's folder or the name of a "
            "phantom preset such as placement.",
        ),
    ],
    out: ResumableFolder,
    explainers: Annotated[
        list[str] | None,
        typer.Option(
            "--explainers",
            help="all, the default, or names with commas: prototypes,gradcam,occlusion. Given "
            "again, it adds.",
        ),
    ] = None,
    explainer: Annotated[
        list[str] | None,
        typer.Option("--explainer", metavar="MODULE:CLASS", help="Also one of your own."),
    ] = None,
    maps: Annotated[
        list[Path] | None,
        typer.Option("--maps", metavar="DIR", help="Also these heat maps, NIfTI, one a vertebra."),
    ] = None,
    dissection: Annotated[
        list[Path] | None,
        typer.Option("--dissection", metavar="DIR", help="What `dissect` wrote, for its units."),
    ] = None,
    split: Annotated[
        str, typer.Option("--split", help="Of a cohort: training, validation, test, or all.")
    ] = "all",
    vertebrae: Annotated[
        int, typer.Option("--vertebrae", min=0, help="At most so many; 0 for a whole cohort.")
    ] = 200,
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="Of deletion and insertion; 0 for none.")
    ] = 16,
    bench_seed: Annotated[
        int, typer.Option("--bench-seed", min=0, help="Seed of a drawn cohort.")
    ] = 90001,
    store: Annotated[
        bool,
        typer.Option("--store", help="Put what reports say of the evidence into the bundles."),
    ] = False,
    seed: Seed = 0,
    jobs: Jobs = 1,
    force: Force = False,
) -> None:
    """Score every explainer on every model, beside maps that never saw the image.

    Writes index.html, leaderboard.md, leaderboard.json and plots; go on by running it again.

    Example: spinexplain score-explanations protoverse-phantom placement -o scores
    """
    from spinexplain.cli.progress import shown_steps
    from spinexplain.errors import ConfigError
    from spinexplain.jobs.score_explanations import ScoreRequest, score_explanations

    if len(sources) < 2:
        raise ConfigError(
            f'got only "{sources[0]}"; expected at least one model and a cohort. Name the models '
            "first, the cohort last."
        )
    request = ScoreRequest(
        models=tuple(sources[:-1]),
        cohort=sources[-1],
        out=out,
        explainers=(*_names(explainers or ["all"]), *(explainer or ())),
        maps=tuple(maps or ()),
        dissections=tuple(dissection or ()),
        split=None if split == "all" else split,
        vertebrae=vertebrae,
        steps=steps,
        seed=seed,
        bench_seed=bench_seed,
        jobs=jobs,
        store=store,
        force=force,
    )
    with shown_steps() as progress:
        found = score_explanations(request, progress)
    for row in found["rows"]:
        top = row["localization"].get("top_share")
        place = row["placement"].get("endplate")
        typer.echo(
            f"{row['model']} {row['explainer']}: "
            f"endplate {_shown(place and place['value'])}, skill "
            f"{_shown(top and top['gain']['value'])}"
        )
    typer.echo(f"page: {out / 'index.html'}")


def _names(given: list[str]) -> list[str]:
    """Return the names of every option, each once."""
    return list(dict.fromkeys(name.strip() for one in given for name in one.split(",")))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
