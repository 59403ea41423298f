"""``spinexplain compare``: prototypes beside class activation maps, as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spinexplain.cli.options import (
    BodyPath,
    CentroidsPath,
    CtPath,
    Force,
    LabelScheme,
    LabelsPath,
    Series,
    check_new_file,
)
from spinexplain.cli.progress import printable, shown_stages
from spinexplain.errors import ConfigError, LabelError

if TYPE_CHECKING:
    from spinexplain.anatomy import VertebraLevel
    from spinexplain.cli.grade import GradeRequest
    from spinexplain.findings.assess import Stage
    from spinexplain.findings.scan import Comparison


def command(
    ct: CtPath,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FIGURE", help="A .png, .pdf or .svg file.")
    ],
    level: Annotated[
        list[str], typer.Option("--level", help="Vertebra to show, such as L2; repeat for more.")
    ],
    labels: LabelsPath = None,
    centroids: CentroidsPath = None,
    model: Annotated[
        str, typer.Option("--model", help="A prototype model: bundle folder or shipped model.")
    ] = "protoverse-phantom",
    beside: Annotated[
        str | None,
        typer.Option(
            "--beside", help="The model whose CAMs are shown, such as a baseline; else the same."
        ),
    ] = None,
    body: BodyPath = None,
    series: Series = None,
    label_scheme: LabelScheme = None,
    theme: Annotated[str, typer.Option("--theme", help="light or dark.")] = "light",
    force: Force = False,
) -> None:
    """Draw the evidence of chosen vertebrae: this looks like that, beside GradCAM and its kin.

    Example: spinexplain compare ct.nii.gz --labels m.nii.gz --level L2 --level T9 -o figure.png
    """
    from spinexplain.cli.grade import GradeRequest
    from spinexplain.report.side_by_side import check_format, write_comparison

    _check(out, labels, centroids, theme, force)
    check_format(out)
    wanted = levels_named(level)
    request = GradeRequest(
        ct=ct,
        out=out,
        labels=labels,
        centroids=centroids,
        body=body,
        series=series,
        label_scheme=label_scheme,
    )
    with shown_stages(ct.name, 4) as stage:
        models = [name for name in (model, beside) if name is not None]
        made = compared(request, wanted, models, stage)
        with stage("draw"):
            write_comparison(made, out, theme)
    typer.echo(
        ", ".join(f"{name.value} {c.grading.grade}" for name, c in zip(wanted, made, strict=True))
    )
    typer.echo(f"figure: {printable(str(out))}")


def compared(
    request: GradeRequest, wanted: Sequence[VertebraLevel], models: Sequence[str], stage: Stage
) -> list[Comparison]:
    """Explain chosen vertebrae of a scan by a prototype model and, beside it, by class maps.

    Parameters
    ----------
    request : GradeRequest
        Which scan, and where its vertebrae are.
    wanted : sequence of VertebraLevel
    models : sequence of str
        The prototype model, and the one the maps are of if it is another.
    stage : callable
        Runs ``read``, ``localize`` and ``explain``.
    """
    from spinexplain.cli.grade import read_inputs
    from spinexplain.findings.assess import bodies_of, compare
    from spinexplain.models.bundle.store import load_grader
    from spinexplain.spine.localize import localize

    with stage("read"):
        inputs = read_inputs(request)
    with stage("localize"):
        bodies = bodies_of(inputs.labels, inputs.body)
        vertebrae = localize(
            inputs.volume, labels=inputs.labels, centroids=inputs.centroids, body=bodies
        )
    with stage("explain"):
        graders = [load_grader(name) for name in models]
        return compare(inputs.volume, vertebrae, wanted, *graders)


def levels_named(names: Sequence[str]) -> list[VertebraLevel]:
    """Turn names of levels into levels, each once, in the order given.

    Raises
    ------
    ConfigError
        If there is no such thoracic or lumbar level.
    """
    from spinexplain.anatomy import VertebraLevel

    known = {level.value: level for level in VertebraLevel if level.is_graded}
    for name in names:
        if name.upper() not in known:
            raise ConfigError(
                f'--level "{printable(name)}" is no thoracic or lumbar level; expected T1 to T13 '
                "or L1 to L6. Write it as in L2."
            )
    return list(dict.fromkeys(known[name.upper()] for name in names))


def _check(out: Path, labels: Path | None, centroids: Path | None, theme: str, force: bool) -> None:
    if labels is None and centroids is None:
        raise LabelError(
            "neither --labels nor --centroids was given; the vertebrae must be known before "
            "they can be explained. Give a mask or centroids."
        )
    if theme not in ("light", "dark"):
        raise ConfigError(f'--theme is "{printable(theme)}"; expected light or dark.')
    check_new_file(out, force)
