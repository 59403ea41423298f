"""``spinexplain study``: reader studies, from the questions to the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spinexplain.cli.options import CohortPath, Force, Run, Seed
from spinexplain.texts.printable import printable

app = typer.Typer(
    help="Reader studies: what do people make of a model's evidence?", no_args_is_help=True
)
StudyFolder = Annotated[
    Path, typer.Argument(metavar="STUDY", help="What `study create` or `study units` wrote.")
]
Title = Annotated[str, typer.Option("--title", help="Printed on every page.")]
Out = Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder to write.")]
Readers = Annotated[int, typer.Option("--readers", min=1, max=100, help="How many.")]
Questions = Annotated[
    str,
    typer.Option("--questions", metavar="TOML", help="evidence, reading, units, or your own file."),
]


@app.command()
def create(
    run: Run,
    cohort: CohortPath,
    out: Out,
    split: Annotated[
        str, typer.Option("--split", help="training, validation, test or all.")
    ] = "test",
    grades: Annotated[
        str, typer.Option("--grades", help="Whose vertebrae are asked about, with commas.")
    ] = "G2,G3",
    most: Annotated[
        int, typer.Option("--most", min=0, help="At most so many of them; 0 for all.")
    ] = 0,
    healthy: Annotated[
        int | None, typer.Option("--healthy", min=0, help="G0 mixed in; default a quarter.")
    ] = None,
    wrong: Annotated[
        int | None,
        typer.Option("--wrong", min=0, help="Wrongly graded ones mixed in; default a quarter."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=10, help="Pieces of evidence.")] = 3,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            metavar="NAME=MODEL:METHOD",
            help="What is compared, repeatable; METHOD alone (gradcam, units) is RUN's.",
        ),
    ] = None,
    dissection: Annotated[
        list[Path] | None,
        typer.Option("--dissection", metavar="DIR", help="What `dissect` wrote, for units."),
    ] = None,
    foils: Annotated[
        float,
        typer.Option("--foils", min=0, max=1, help="False evidence mixed in, as a share."),
    ] = 0.5,
    repeats: Annotated[
        float, typer.Option("--repeats", min=0, max=1, help="Pages shown twice, as a share.")
    ] = 0.15,
    design: Annotated[
        str, typer.Option("--design", help="evidence, sequential or crossover.")
    ] = "evidence",
    washout_days: Annotated[
        int, typer.Option("--washout-days", min=0, help="Between a crossover's sessions.")
    ] = 28,
    questions: Questions = "",
    readers: Readers = 2,
    title: Title = "Reader study",
    show_class: Annotated[
        bool, typer.Option("--show-class", help="Print the class beside each piece.")
    ] = False,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Make a study: evidence for test vertebrae, foils among it, an order for each reader.

    Models, grades and foils stand in key.json alone, which readers never see.

    Example: spinexplain study create protoverse-phantom cohort --seed 1 -o study
    """
    from spinexplain.cli.progress import shown_stages
    from spinexplain.jobs.study import CreateRequest, create_to_folder

    request = CreateRequest(
        model=run,
        cohort=cohort,
        out=out,
        split=split,
        grades=tuple(grade.strip() for grade in grades.split(",") if grade.strip()),
        most=most,
        healthy=healthy,
        wrong=wrong,
        top=top,
        arms=tuple(arm or ()),
        dissections=tuple(dissection or ()),
        foils=foils,
        repeats=repeats,
        design=design,
        washout_days=washout_days,
        questions=questions,
        readers=readers,
        title=title,
        show_class=show_class,
        seed=seed,
        force=force,
    )
    with shown_stages("study", 1 + max(len(request.arms), 1)) as progress:
        study = create_to_folder(request, progress)
    pages = sum(len(session) for session in study.readers[0].sessions)
    typer.echo(f"study {study.id}: {pages} pages a reader, {len(study.readers)} readers")
    typer.echo(f"on paper: spinexplain study paper {printable(str(out))} -o paper")
    typer.echo(f"in the browser: spinexplain serve DATA --study {printable(str(out))}")


@app.command()
def units(
    run: Run,
    cohort: CohortPath,
    dissection: Annotated[
        Path, typer.Argument(metavar="DISSECTION", help="What `dissect` wrote of RUN and COHORT.")
    ],
    out: Out,
    count: Annotated[
        int, typer.Option("--units", min=1, max=100, help="Those most tied to fracture.")
    ] = 10,
    pictures: Annotated[
        int, typer.Option("--pictures", min=1, max=25, help="Vertebrae shown of each.")
    ] = 6,
    questions: Questions = "units",
    readers: Readers = 2,
    title: Title = "Naming units",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Make a study in which readers name a network's units, each alone and in an own order.

    What anatomy suggests, and whether a unit is tied to fracture, is shown after the answers.
    `study score` writes the names for `spinexplain names`.

    Example: spinexplain study units detector-phantom cohort dissection --seed 1 -o naming
    """
    from spinexplain.cli.progress import shown_steps
    from spinexplain.jobs.study import UnitsRequest, units_to_folder

    request = UnitsRequest(
        run, cohort, dissection, out, count, pictures, readers, questions, title, seed, force
    )
    with shown_steps() as progress:
        study = units_to_folder(request, progress)
    typer.echo(f"study {study.id}: {len(study.items)} units, {len(study.readers)} readers")
    typer.echo(f"on paper: spinexplain study paper {printable(str(out))} -o paper")
    typer.echo(f"in the browser: spinexplain serve DATA --study {printable(str(out))}")


@app.command()
def paper(study: StudyFolder, out: Out, force: Force = False) -> None:
    """Print a study: a PDF for each reader and session, and the sheet for the answers.

    Example: spinexplain study paper study -o paper
    """
    from spinexplain.cli.progress import shown_steps
    from spinexplain.jobs.study import paper_to_folder

    with shown_steps() as progress:
        names = paper_to_folder(study, out, force, progress)
    for name in names:
        typer.echo(printable(str(out / name)))


@app.command()
def add(
    study: StudyFolder,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="ANSWERS...", help="Sheets (CSV) or exports of the app (JSON)."),
    ],
) -> None:
    """Take answers in: all files, or none if one does not fit. Earlier answers are kept.

    Example: spinexplain study add study reader-1.csv answers-reader-2.json
    """
    from spinexplain.jobs.study import add_answers

    lines, done = add_answers(study, tuple(files))
    for line in lines:
        typer.echo(printable(line))
    for one in done:
        typer.echo(f"reader {one.reader}: {one.finished} of {one.items} pages finished")


@app.command()
def score(
    study: StudyFolder,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="DIR", help="By default STUDY/score.")
    ] = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Score a study: table 4, agreement, real evidence against foils, arms, power.

    Writes score.html, score.md, score.json, answers.csv and files for iMRMC. Half-answered
    studies are scored from what is there, and the page says what is missing.

    Example: spinexplain study score study
    """
    from spinexplain.jobs.study import score_to_folder

    lines, names = score_to_folder(study, out, seed, force)
    for line in lines:
        typer.echo(printable(line))
    for name in names:
        typer.echo(printable(name))


@app.command()
def rehearse(
    study: StudyFolder,
    out: Out,
    agreement: Annotated[
        float, typer.Option("--agreement", min=0, max=1, help="Kappa between readers.")
    ] = 0.6,
    real: Annotated[
        float, typer.Option("--real", min=0, max=1, help="How often they say yes to evidence.")
    ] = 0.8,
    foil: Annotated[
        float, typer.Option("--foil", min=0, max=1, help="How often they say yes to foils.")
    ] = 0.4,
    kinds: Annotated[
        str, typer.Option("--kinds", help="Of the readers in turn: careful, yes, no.")
    ] = "careful",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Answer a copy of STUDY by simulated readers, to see before it starts what it could show.

    Its figures say everywhere that no person answered, and never mix with those of people.

    Example: spinexplain study rehearse study -o rehearsal --agreement 0.5
    """
    from spinexplain.jobs.study import rehearse_to_folder

    names = tuple(kind.strip() for kind in kinds.split(",") if kind.strip())
    count = rehearse_to_folder(study, out, agreement, real, foil, names, seed, force)
    typer.echo(f"{count} simulated answers in {printable(str(out))}")
