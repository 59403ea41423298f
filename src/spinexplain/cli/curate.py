"""``spinexplain curate``: carry a clinician's decisions out on a prototype model."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from spinexplain.cli.options import Force, Run
from spinexplain.cli.progress import shown_steps
from spinexplain.errors import ConfigError
from spinexplain.jobs.curate import CurateRequest, curate
from spinexplain.jobs.curation_record import in_words, roll_back
from spinexplain.texts.printable import printable

Way = Literal["remove", "replace", "fine-tune", "silence"]


def command(
    run: Run,
    decisions: Annotated[
        Path | None,
        typer.Argument(metavar="[DECISIONS]", help="What the atlas or the reader saved."),
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="RUN2", help="Folder of the new run.")
    ] = Path("curated"),
    remove: Annotated[bool, typer.Option("--remove", help="Take rejected prototypes out.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put each on the next nearest distinct patch.")
    ] = False,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Train on: forbid, remember, project anew.")
    ] = False,
    silence: Annotated[
        bool, typer.Option("--silence", help="Silence rejected units of a detector.")
    ] = False,
    dissection: Annotated[
        Path | None,
        typer.Option(
            "--dissection", metavar="DISSECTION", help="Where the units were decided about."
        ),
    ] = None,
    back: Annotated[
        bool, typer.Option("--roll-back", help="Write the model before RUN's curation.")
    ] = False,
    cohort: Annotated[
        Path | None,
        typer.Option("--cohort", metavar="COHORT", help="Crops to fit and measure with."),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Which split of it; `all` for the whole cohort.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=0, help="Of --fine-tune.")] = 300,
    forbid: Annotated[
        float, typer.Option("--lambda-forbid", min=0, help="Weight of forgetting.")
    ] = 1.0,
    remember: Annotated[
        float, typer.Option("--lambda-remember", min=0, help="Weight of remembering.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of batches and intervals.")] = 0,
    no_atlas: Annotated[
        bool, typer.Option("--no-atlas", help="Do not draw both models side by side.")
    ] = False,
    force: Force = False,
) -> None:
    """Carry out what a clinician decided about a model's prototypes or units.

    Writes RUN2/bundle (the new model), RUN2/audit.json (what was done, by whom, and the figures
    before and after on the validation subjects), RUN2/atlas (both models side by side) and
    RUN2/before (the model as it was; `--roll-back` writes it again).

    Decisions about units of a detector are made on the page of its dissection and carried out
    with --silence --dissection DISSECTION.

    Example: spinexplain curate run decisions.json --remove -o run2
    """
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    way = _way(remove, replace, fine_tune, silence, back)
    if way is None:
        entry = roll_back(Path(run), out, at, force)
        found = entry["model_after"]
        name = printable(f"{found['name']} {found['version']}")
        typer.echo(f"{name} as it was, in {printable(str(out))}")
        return
    if decisions is None:
        raise ConfigError("DECISIONS is missing; expected the file that the page saved.")
    request = CurateRequest(
        run,
        decisions,
        out,
        way,
        cohort,
        split,
        steps,
        forbid,
        remember,
        seed,
        at,
        not no_atlas,
        force,
        dissection,
    )
    with shown_steps() as progress:
        entry = curate(request, progress)
    for line in in_words(entry):
        typer.echo(line)
    typer.echo(
        f"model: {printable(str(out / 'bundle'))}; log: {printable(str(out / 'audit.json'))}"
    )


def _way(remove: bool, replace: bool, fine_tune: bool, silence: bool, back: bool) -> Way | None:
    """Return how decisions are carried out; None to roll back."""
    asked: list[Way | None] = []
    asked += ["remove"] if remove else []
    asked += ["replace"] if replace else []
    asked += ["fine-tune"] if fine_tune else []
    asked += ["silence"] if silence else []
    asked += [None] if back else []
    if len(asked) != 1:
        raise ConfigError(
            f"{len(asked)} of --remove, --replace, --fine-tune, --silence and --roll-back were "
            "given; expected one. Choose how the decisions are carried out."
        )
    return asked[0]
